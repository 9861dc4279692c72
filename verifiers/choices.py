"""Multiple choice: which letters a problem offers, and which of them a reply means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from verifiers.normal import same_answer
from verifiers.stated import Span

Choices: TypeAlias = Mapping[str, str] | Sequence[str]
"""What a multiple-choice problem offers: its letters, or its letters with their texts."""

_OPTION: Final = re.compile(
    r"(?P<margin>^[ \t*]*)?(?<![\w(])"
    r"(?:\((?P<round>[A-Ja-j])\)|(?P<close>[A-Ja-j])\)|(?P<dot>[A-J])[.:](?=\s))",
    re.MULTILINE,
)
_OFFERS: Final = re.compile(r"\b(?:choices?|options?|choose|which of the following)\b", re.IGNORECASE)
_DRESS: Final = re.compile(r"\\(?:qquad|quad|(?:textbf|text|mathrm|mathbf)\s?\{?)|[{}$]")
_LETTER: Final = re.compile(
    r"[\s*_\"'(\[{$\\]{0,6}(?:text\{|mathrm\{|textbf\{)?\(?(?:option|choice)?\s?\(?([A-Ja-j])(?![A-Za-z'’])(.{0,2})",
    re.DOTALL,
)
_MENTION: Final = re.compile(
    r"\(([A-J])\)|\b(?:[Oo]ption|[Cc]hoice)\s\(?([A-J])\b|^[\s*_]*([A-J])[\s*_.)]*$", re.MULTILINE
)
_LONGEST: Final = 50_000


def find_choices(problem: str) -> dict[str, str] | None:
    """The choices that a problem's text offers, letter to text; ``None`` where it offers none.

    Letters run A, B, C ... without a gap and in one style. Towns A and B, and events P(A) and P(B), are no
    choices: marks inside a line count only in brackets and from three on, and "A." only at its start. Small
    letters count where the text speaks of choices; else they number the parts of a question.
    """
    problem = problem[:_LONGEST]
    for style in ("round", "close", "dot"):
        marks = [mark for mark in _OPTION.finditer(problem) if mark[style]]
        chain = _longest_chain(marks, style)
        if chain and chain[0][style] == "a" and _OFFERS.search(problem) is None:
            continue
        lined = all(mark["margin"] is not None for mark in chain)
        if len(chain) < (2 if lined else 3) or (style == "dot" and not lined):
            continue
        options = _option_texts(problem, chain, style)
        if all(options.values()):
            return options
    return None


def _longest_chain(marks: list[re.Match[str]], style: str) -> list[re.Match[str]]:
    """The last run of marks that starts at A and goes on without a gap."""
    chain: list[re.Match[str]] = []
    for mark in marks:
        if mark[style] in "Aa":
            chain = [mark]
        elif chain and ord(mark[style]) == ord(chain[-1][style]) + 1:
            chain.append(mark)
    return chain


def _option_texts(problem: str, chain: list[re.Match[str]], style: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for mark, after in zip(chain, [*chain[1:], None], strict=True):
        end = after.start() if after is not None else _end_of_line(problem, mark.end())
        option = _DRESS.sub(" ", problem[mark.end() : end])
        option = " ".join(option.split()).strip("\\ ,;.")
        options[mark[style].upper()] = "" if option in ("and", "or") else option[:500]
    return options


def _end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start)
    return end if end >= 0 else len(text)


def choice_letter(text: str, span: Span, choices: Choices) -> str | None:
    """The offered letter that stands at ``span``, alone or before its text: ``(B)``, ``B) 12``."""
    match = _LETTER.match(text, span.start, span.end + 1)
    if match is None or match[1].upper() not in set(choices):
        return None
    goes_on = re.match(r"\s[a-z]", match[2]) is not None  # "A lot of apples"
    return None if goes_on or (match[1].islower() and span.end - span.start > 4) else match[1].upper()


def last_mentioned(text: str, choices: Choices) -> tuple[str, Span] | None:
    """The offered letter that ``text`` mentions last, as ``(B)``, as "option B" or alone on a line."""
    offered = set(choices)
    for mention in reversed(list(_MENTION.finditer(text))):
        letter = next(filter(None, mention.groups()))
        if letter in offered:
            return letter, Span(*mention.span(mention.lastindex or 0))
    return None


def matching_choice(answer: str, choices: Choices) -> str | None:
    """The letter of the one choice whose text is ``answer``."""
    if not isinstance(choices, Mapping) or not answer:
        return None
    letters = [letter for letter, option in choices.items() if same_answer(option, answer, "math")]
    return letters[0] if len(letters) == 1 else None

"""Multiple choice: which letters a problem offers, and which of them a reply means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from verifiers.normal import same_answer
from verifiers.stated import Span

_OPTION: Final = re.compile(r"(?:^|(?<=[\s{(]))\(?([A-J])[).:](?=[\s}\\$]|\))[\s}]{0,4}")
_LETTER: Final = re.compile(
    r"[\s*_\"'(\[{$\\]{0,6}(?:text\{|mathrm\{|textbf\{)?\(?(?:option|choice)?\s?\(?([A-Ja-j])(?![A-Za-z'’])(.{0,2})",
    re.DOTALL,
)
_MENTION: Final = re.compile(
    r"\(([A-J])\)|\b(?:[Oo]ption|[Cc]hoice)\s\(?([A-J])\b|^[\s*_]*([A-J])[\s*_.)]*$", re.MULTILINE
)
_LONGEST: Final = 50_000


def find_choices(problem: str) -> dict[str, str] | None:
    """The choices that a problem's text offers, letter to text; ``None`` where it offers none. They must
    run A, B, C ... without a gap, at least two of them."""
    found: dict[str, str] = {}
    marks = list(_OPTION.finditer(problem[:_LONGEST]))
    chain: list[re.Match[str]] = []
    for mark in marks:
        if mark[1] == "A":
            chain = [mark]
        elif chain and ord(mark[1]) == ord(chain[-1][1]) + 1:
            chain.append(mark)
    for place, mark in enumerate(chain):
        end = chain[place + 1].start() if place + 1 < len(chain) else problem.find("\n", mark.end())
        option = problem[mark.end() : end if end >= 0 else len(problem)]
        found[mark[1]] = " ".join(option.split()).strip(" ,;")[:500]
    return found if len(found) >= 2 else None


def choice_letter(text: str, span: Span | None, choices: Mapping[str, str] | Sequence[str]) -> str | None:
    """The offered letter that stands at ``span``; without a span, the one that ``text`` mentions last."""
    offered = set(choices)
    if span is None:
        letters = [next(filter(None, mention.groups())) for mention in _MENTION.finditer(text)]
        return next((letter for letter in reversed(letters) if letter in offered), None)
    match = _LETTER.match(text, span.start, span.end + 1)
    if match is None or match[1].upper() not in offered:
        return None
    goes_on = re.match(r"\s[a-z]", match[2]) is not None
    return None if goes_on or (match[1].islower() and span.end - span.start > 4) else match[1].upper()


def matching_choice(answer: str, choices: Mapping[str, str] | Sequence[str]) -> str | None:
    """The letter of the one choice whose text is ``answer``."""
    if not isinstance(choices, Mapping) or not answer:
        return None
    letters = [letter for letter, option in choices.items() if same_answer(option, answer, "math")]
    return letters[0] if len(letters) == 1 else None

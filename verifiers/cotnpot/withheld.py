"""A solution without its final answer, as the translator sees it.

Were the answer to be seen, a lazy translator would print it, and the program would bear out anything. So
every place where the solution states its answer is blanked: the place it was read from, and each number equal
to it, unless that number is one that the problem gives. What is blanked in the middle is the result of a
step, which the program works out by itself.
"""

from __future__ import annotations

import re
from typing import Final

from verifiers.normal import normal_form
from verifiers.safe_text import clean
from verifiers.spans import NUMBER

BLANK: Final = "[?]"
LONGEST: Final = 8_000
"""Characters of a solution that are shown; of a longer one the end, which leads to the answer."""


def withhold(text: str, answer: str, problem: str, span: tuple[int, int] | None = None) -> str:
    """``text`` up to the line in which it states ``answer``, with the answer blanked.

    ``span`` is where the answer was read, in characters of ``text``; without it only equal numbers and the
    answer's own spelling are blanked. ``problem`` is the question, whose numbers are no secret. The result is
    clean of control characters, and at most ``LONGEST`` characters long.
    """
    if span is not None and 0 <= span[0] < span[1] <= len(text):
        line_end = text.find("\n", span[1])
        tail = text[span[1] : line_end if line_end >= 0 else len(text)]
        before, after = text[: span[0]], tail
    else:
        before, after = text, ""
    key = normal_form(answer, "math")
    given = {normal_form(match[0], "math") for match in NUMBER.finditer(problem)}
    shown = _without(before, answer, None if key in given else key)
    if span is not None:
        shown += BLANK + _without(after, answer, key)
    return clean(shown)[-LONGEST:].strip()


def _without(text: str, answer: str, key: str | None) -> str:
    """``text`` with every number of this normal form blanked, and the answer where it is more than a
    number."""
    spelled = answer.strip()
    if key is not None and len(spelled) > 2 and NUMBER.fullmatch(spelled) is None:
        text = text.replace(spelled, BLANK)

    def blanked(match: re.Match[str]) -> str:
        return BLANK if key is not None and normal_form(match[0], "math") == key else match[0]

    return NUMBER.sub(blanked, text)


_STEP: Final = re.compile(r"[-+*/×÷=%^−·]")


def skeleton(shown: str) -> tuple[str, ...]:
    """The numbers and operations of a solution in their order: what two solutions that reason alike share,
    whatever words they use. Without any, the words themselves."""
    tokens: list[str] = []
    place = 0
    for match in NUMBER.finditer(shown):
        tokens += _STEP.findall(_mathematical(shown[place : match.start()]))
        tokens.append(normal_form(match[0], "math"))
        place = match.end()
    tokens += _STEP.findall(_mathematical(shown[place:]))
    return tuple(tokens) or (" ".join(shown.split()),)


_IN_A_WORD: Final = re.compile(r"(?<=[A-Za-z])[-/](?=[A-Za-z])|^\s*[-*] |\*\*", re.MULTILINE)
"""Hyphens, list marks and emphasis: signs that are no operations."""


def _mathematical(text: str) -> str:
    return _IN_A_WORD.sub(" ", text)

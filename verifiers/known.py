"""A sample against the known answer.

The comparison is by normal form, with one thing more than a vote can see: where both answers carry a unit of
the same thing, the units count, so ``5 m`` is wrong for ``5 km`` and ``5000 m`` is right.
"""

from __future__ import annotations

import re
from typing import Final

from verifiers.answers import Extraction
from verifiers.choices import Choices, matching_choice
from verifiers.math_text import plain_math
from verifiers.normal import normal_form
from verifiers.quantities import Quantity, read_quantity
from verifiers.safe_text import one_line
from verifiers.verdicts import Judgement, Kind

CHECKER: Final = "known answer"

_SHOWN: Final = 60
_TIME: Final = re.compile(r"\d{1,2}:\d\d[ap]m")
_ALGEBRA: Final = re.compile(
    r"[A-Za-zπ√∞]\s?[-+*/^_({=]|[-+*/^})\d]\s?[A-Za-zπ√({\\]|\\|[\d)]\s?[-+*^]\s?[\d(]|!"
)


def judge_answer(
    extraction: Extraction, known_answer: str, kind: Kind, *, choices: Choices | None = None
) -> Judgement:
    """Whether an extracted answer is the known one.

    A sample without an answer is wrong. Numbers, words, times and lists of them are decided; two expressions
    that differ as text may still be equal, so they are undecided here. For code, proofs and patches only
    identical text can be called right: what they do is for tests and provers to say. With the ``choices`` of
    the problem a letter and the text it stands for are the same answer.
    """
    answer = extraction.answer
    if answer is None:
        return Judgement("wrong", f"no answer to compare ({extraction.how})", CHECKER)
    if choices is not None:
        answer = matching_choice(answer, choices) or answer
        known_answer = matching_choice(known_answer, choices) or known_answer
    shown, known = one_line(answer, _SHOWN), one_line(known_answer, _SHOWN)
    found_form, known_form = normal_form(answer, kind), normal_form(known_answer, kind)
    if kind in ("code", "proof", "patch"):
        if found_form == known_form:
            return Judgement("right", "the same text as the known answer", CHECKER)
        return Judgement("undecided", "differs in text from the known answer; run a checker", CHECKER)
    if kind == "math":
        by_units = _compare_units(answer, known_answer)
        if by_units is not None:
            verdict = "is" if by_units else "is not"
            return Judgement("right" if by_units else "wrong", f"{shown} {verdict} {known}", CHECKER)
    if found_form == known_form:
        return Judgement("right", f"{shown} is the known answer", CHECKER)
    if kind == "math" and _may_be_equal(found_form, known_form):
        return Judgement("undecided", f"cannot tell {shown} from {known} without algebra", CHECKER)
    return Judgement("wrong", f"{shown} is not {known}", CHECKER)


def _compare_units(answer: str, known_answer: str) -> bool | None:
    """Compare by unit where both are quantities of the same thing; ``None`` where units decide nothing."""
    found, known = _quantity(answer), _quantity(known_answer)
    if found is None or known is None or found.unit is None or known.unit is None:
        return None
    if found.unit.measures != known.unit.measures:
        return None
    return found.value * found.unit.scale == known.value * known.unit.scale


def _quantity(answer: str) -> Quantity | None:
    return read_quantity(plain_math(answer).rstrip(" .,;:")) if len(answer) <= 200 else None


def _may_be_equal(one: str, other: str) -> bool:
    """Whether algebra might show two normal forms to be equal: one of them holds more than literals."""
    return any(_ALGEBRA.search(form) is not None and _TIME.fullmatch(form) is None for form in (one, other))

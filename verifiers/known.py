"""A sample against the known answer.

The comparison is by the keys that votes are counted by, with what more a known answer lets us see: where both
carry a unit of the same thing, the units count, so ``5 m`` is wrong for ``5 km`` and ``5000 m`` is right; and
see ``math.accepted``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from verifiers.answers import Extraction
from verifiers.choices import Choices, matching_choice
from verifiers.math.accepted import why_accepted
from verifiers.math_text import plain_math
from verifiers.normal import is_algebra, normal_form
from verifiers.quantities import Quantity, read_quantity
from verifiers.safe_text import one_line
from verifiers.verdicts import Judgement, Kind

if TYPE_CHECKING:
    from verifiers.math.keys import AnswerKeys

CHECKER: Final = "known answer"

_SHOWN: Final = 60


def judge_answer(
    extraction: Extraction,
    known_answer: str,
    kind: Kind,
    *,
    choices: Choices | None = None,
    keys: AnswerKeys | None = None,
) -> Judgement:
    """Whether an extracted answer is the known one.

    A sample without an answer is wrong. What can be read is decided; a formula that cannot be read is
    undecided, unless math-verify was asked beforehand (``keys``). For code, proofs and patches only identical
    text can be called right: what they do is for tests and provers to say. With the ``choices`` of the
    problem a letter and the text it stands for are the same answer.
    """
    answer = extraction.answer
    if answer is None:
        return Judgement("wrong", f"no answer to compare ({extraction.how})", CHECKER)
    if choices is not None:
        answer = matching_choice(answer, choices) or answer
        known_answer = matching_choice(known_answer, choices) or known_answer
    shown, known = one_line(answer, _SHOWN), one_line(known_answer, _SHOWN)
    key = keys.key if keys is not None else lambda text: normal_form(text, kind)
    found_form, known_form = key(answer), key(known_answer)
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
    if kind == "math":
        why = why_accepted(answer, known_answer)
        if why is not None:
            return Judgement("right", f"{shown} is {known}, {why}", CHECKER)
        if is_algebra(found_form) or is_algebra(known_form):
            return _by_math_verify(answer, known_answer, keys, f"{shown} from {known}")
    return Judgement("wrong", f"{shown} is not {known}", CHECKER)


def _by_math_verify(answer: str, known_answer: str, keys: AnswerKeys | None, which: str) -> Judgement:
    same = keys.same(known_answer, answer) if keys is not None else None
    if same is None:
        return Judgement("undecided", f"cannot tell {which}", CHECKER)
    told = "math-verify cannot tell" if same else "math-verify tells"
    return Judgement("right" if same else "wrong", f"{told} {which}", CHECKER)


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

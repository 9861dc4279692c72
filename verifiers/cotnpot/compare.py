"""What a program printed, beside what the solution answered."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from verifiers.normal import normal_form, same_answer
from verifiers.safe_text import clean
from verifiers.spans import last_number
from verifiers.verdicts import Kind

LONGEST: Final = 200
"""Characters of the longest line that is taken for an answer."""
_NOISE: Final = Decimal("1e-9")
"""Relative: what binary floating point leaves of exact results."""


def answer_printed(output: str) -> str | None:
    """The last line that a program printed, or the last number in it where words stand around one."""
    lines = [line.strip() for line in clean(output).splitlines() if line.strip()]
    if not lines or len(lines[-1]) > LONGEST:
        return None
    line = lines[-1]
    number = last_number(line)
    if number is None:
        return line
    rest = line[: number.start] + line[number.end :]
    return line[number.start : number.end] if any(char.isalpha() for char in rest) else line


def same_result(answer: str, printed: str, kind: Kind) -> bool:
    """Whether a solution's answer is what its program printed.

    Where the two are not the same to the verifier they may still be one number: a program prints 33.3333
    where the solution rounds to 33.33, and 0.30000000000000004 for 0.3. The answer's own digits decide.
    """
    if same_answer(answer, printed, kind):
        return True
    stated, worked_out = _number(answer), _number(printed)
    if stated is None or worked_out is None:
        return False
    if abs(stated - worked_out) <= _NOISE * max(abs(stated), abs(worked_out)):
        return True
    places = -int(stated.as_tuple().exponent)
    return places > 0 and abs(stated - worked_out) <= Decimal("0.5").scaleb(-places)


def _number(text: str) -> Decimal | None:
    """A decimal number as it is written, with its places after the point."""
    plain = text.strip().replace(",", "").lstrip("$€£").rstrip("%. ")
    if len(plain) > 40:
        return None
    try:
        found = Decimal(plain)
    except InvalidOperation:
        form = normal_form(text, "math")
        try:
            found = Decimal(form)
        except InvalidOperation:
            return None
    return found if found.is_finite() and abs(found.adjusted()) < 40 else None

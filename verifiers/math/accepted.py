"""What a known answer accepts although it votes apart.

A vote knows two samples and not which of them is right, so its sameness has to be strict, and carry over from
one to the next. Beside a known answer more can be said: ``0.5`` answers a question whose answer is ``50%``,
``π/3`` one whose answer is ``60°``, ``1, -2`` one whose answer is the point ``(1, -2)``, and
``28.2743339`` is ``9π`` as far as it goes.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from verifiers.math.reading import real_number
from verifiers.math_text import outer_brackets, plain_math, split_list
from verifiers.normal import normal_form
from verifiers.quantities import Quantity, read_quantity

FEWEST_DIGITS: Final = 6
"""Significant digits from which on a decimal may stand for the number that it rounds or cuts; math-verify
rounds to six."""

_RATIO: Final = re.compile(r"(\d+):(\d+)")
_LETTER: Final = re.compile(r"[a-z]")
_DECIMAL: Final = re.compile(r"-?(\d*)\.(\d+)")


def why_accepted(answer: str, known: str) -> str | None:
    """Why ``answer`` answers the question whose answer is ``known``, or ``None`` where it does not."""
    if max(len(answer), len(known)) > 200:
        return None
    if _in_other_unit(answer, known) or _in_other_unit(known, answer):
        return "the same in another unit"
    if _in_order(answer, known):
        return "the same without its brackets"
    if _as_ratio(answer, known):
        return "the same as a ratio"
    if _set_to_zero(answer, known):
        return "the same, set to 0"
    if _digits_of(answer, known) or _digits_of(known, answer):
        return "the same as far as its digits go"
    return None


def _in_other_unit(one: str, other: str) -> bool:
    """``50%`` and ``0.5``, ``60°`` and ``π/3``: where only one of the two names its unit."""
    quantity, bare = _quantity(one), _quantity(other)
    if quantity is None or quantity.unit is None or (bare is not None and bare.unit is not None):
        return False
    value = f"({quantity.value})"
    scales = {"percentage": f"{value}/100", "angle": f"{value}\\pi/180"}
    scaled = scales.get(quantity.unit.measures) if "°" in plain_math(one) or "%" in one else None
    return scaled is not None and normal_form(scaled, "math") == normal_form(other, "math")


def _quantity(answer: str) -> Quantity | None:
    return read_quantity(plain_math(answer).rstrip(" .,;:"))


def _as_ratio(answer: str, known: str) -> bool:
    ratio = _RATIO.fullmatch(normal_form(known, "math"))
    return ratio is not None and normal_form(f"{ratio[1]}/{ratio[2]}", "math") == normal_form(answer, "math")


def _set_to_zero(answer: str, known: str) -> bool:
    """``(x-2)(x-3) = 0`` where the polynomial was asked for."""
    left, sign, right = plain_math(answer).strip(" .").rpartition("=")
    if not sign or right.strip() != "0" or "=" in known or _LETTER.search(known) is None:
        return False
    return "=" not in left and normal_form(left, "math") == normal_form(known, "math")


def _in_order(answer: str, known: str) -> bool:
    text = plain_math(known)
    if normal_form(known, "math").startswith("{") and outer_brackets(plain_math(answer)) == "[]":
        return normal_form(f"\\{{{plain_math(answer)[1:-1]}\\}}", "math") == normal_form(known, "math")
    if outer_brackets(text) != "()" or len(split_list(text[1:-1])) < 2:
        return False
    given = plain_math(answer).strip(" .")
    if "=" in given or outer_brackets(given) is not None or len(split_list(given)) < 2:
        return False
    return normal_form(f"({answer.strip(' .$')})", "math") == normal_form(known, "math")


def _digits_of(decimal: str, exact: str) -> bool:
    written = _DECIMAL.fullmatch(plain_math(decimal).replace(",", "").strip(" ."))
    if written is None or len((written[1] + written[2]).lstrip("0")) < FEWEST_DIGITS:
        return False
    size = real_number(exact)
    if size is None or _DECIMAL.fullmatch(plain_math(exact)) is not None:
        return False
    missing = (size - Fraction(written[0])) * 10 ** len(written[2])
    cut: bool = 0 <= (missing if size > 0 else -missing) < 1
    return cut or abs(missing) <= Fraction(1, 2)

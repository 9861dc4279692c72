"""Decimals that mean a fraction: ``0.\\overline{3}``, ``0.333...``, ``0.3333333``.

Programs and pocket calculators print a third as ``0.3333333333333333``. From six places on a decimal that a
simple fraction rounds or cuts to is read as that fraction. Which fraction is decided by the decimal alone, so
that sameness stays an equivalence.
"""

from __future__ import annotations

import hashlib
import re
from fractions import Fraction
from typing import Final

FEWEST_PLACES: Final = 6
_MOST_PLACES: Final = 14
"""More places than a double holds say nothing more."""

_LONG_BITS: Final = 200
_OVERLINED: Final = re.compile(r"(\d*)\.(\d*)\\(?:overline|bar)\s?(?:\{\s?(\d{1,100})\s?\}|(\d))")
_BRACKETED: Final = re.compile(r"(\d+)\.\((\d{1,30})\)")
_DOTTED: Final = re.compile(r"(\d*)\.(\d{2,60})\s?(?:\.\.\.|…|\\l?dots[bc]?(?![a-z]))")
_PERIOD: Final = re.compile(r"(\d*?)(\d)\2{2,}|(\d*?)(\d{2,6})\4+")


def repeating_decimal(text: str, place: int) -> tuple[int, Fraction] | None:
    """A decimal with a period that starts at ``place``: where it ends, and its value."""
    match = _OVERLINED.match(text, place)
    if match is not None:
        return match.end(), _with_period(match[1], match[2], match[3] or match[4])
    match = _BRACKETED.match(text, place)
    if match is not None:
        return match.end(), _with_period(match[1], "", match[2])
    match = _DOTTED.match(text, place)
    period = _PERIOD.fullmatch(match[2]) if match is not None else None
    if match is None or period is None:
        return None
    first, repeated = (period[1], period[2]) if period[2] else (period[3], period[4])
    return match.end(), _with_period(match[1], first, repeated)


def _with_period(whole: str, first: str, repeated: str) -> Fraction:
    base = Fraction(int(f"{whole or 0}{first}"), 10 ** len(first))
    return base + Fraction(int(repeated), (10 ** len(repeated) - 1) * 10 ** len(first))


def meant_fraction(value: Fraction, places: int) -> Fraction:
    """The simple fraction that a decimal with so many ``places`` rounds or cuts, else ``value`` itself.

    Fractions with denominators up to 10^(places/2 - 1) lie so far apart that at most one of them can be
    meant."""
    if places < FEWEST_PLACES:
        return value
    counted = min(places, _MOST_PLACES)
    simple = value.limit_denominator(10 ** (counted // 2 - 1))
    return simple if abs(simple - value) <= Fraction(1, 10**counted) else value


def number_text(value: Fraction) -> str:
    """A fraction as it is written in keys: itself, or a digest where it has very many digits."""
    size = max(value.numerator.bit_length(), value.denominator.bit_length())
    if size < _LONG_BITS:
        return str(value)
    return f"num.{hashlib.sha256(f'{value.numerator:x}/{value.denominator:x}'.encode()).hexdigest()[:24]}"

"""When are two formulas equal? When they are worth the same wherever their variables are set.

Four points are enough: two where all variables are positive, one where all are negative, one of mixed signs,
at fractions that no formula was made for (the identity test of Schwartz 1980 and Zippel 1979). Values are
compared to 50 digits. A formula's *key* is made of its values alone, so equal keys are an equivalence, and
how a formula was written or who read it does not matter.

Where a real formula has no real value (a root of a negative number) only that fact counts: people write
``36x√(35x)`` and ``36√35·x^{3/2}`` for one thing. ``|x|`` and ``x`` stay two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from verifiers.math import values
from verifiers.math.formula import Node
from verifiers.math.numerals import number_text
from verifiers.math.values import TooLarge, Undefined, Value

POINTS: Final = 4
_DIGITS: Final = 50
_PRIME: Final = 89
"""The denominator of the points. Their values have no end in decimals, so none lies on a rounding edge."""


@dataclass(frozen=True, slots=True)
class Key:
    """``text`` is the key; ``size`` the number itself where the formula is a real number, for putting in
    order."""

    text: str
    size: Fraction | None = None


@lru_cache(maxsize=4096)
def point(name: str, place: int) -> Fraction:
    """The value of a variable at one of the points."""
    digest = hashlib.sha256(name.encode()).digest()
    over = 31 + int.from_bytes(digest[2 * place : 2 * place + 2], "big") % 200
    over += over % _PRIME == 0
    negative = place == 2 or (place == 3 and digest[-1] % 2 == 0)
    return Fraction(-over if negative else over, _PRIME)


def points(names: Iterable[str]) -> list[dict[str, Fraction]]:
    ordered = sorted(names)
    return [{name: point(name, place) for name in ordered} for place in range(POINTS)]


def digest(kind: str, parts: Iterable[str]) -> str:
    """A key of 24 hexadecimal digits."""
    body = "|".join((kind, *parts)).encode()
    return f"{kind}.{hashlib.sha256(body).hexdigest()[:24]}"


def digits(value: Fraction) -> str:
    """A number to 50 significant digits, whatever it was computed from."""
    if abs(value) < Fraction(1, 10**75):
        return "0"
    size = abs(value)
    magnitude = len(str(size.numerator)) - len(str(size.denominator))
    magnitude += size >= (Fraction(10) ** magnitude)
    rounded = round(size * Fraction(10) ** (_DIGITS - magnitude))
    if rounded == 10**_DIGITS:  # 0.999... is 1
        rounded, magnitude = rounded // 10, magnitude + 1
    return f"{'-' if value < 0 else ''}{rounded}e{magnitude - _DIGITS}"


def number_key(value: Value) -> Key:
    """The key of a number: a fraction is its own, so that ``√4`` meets ``2``."""
    if values.is_real(value):
        exact = values.simple(value)
        if isinstance(exact, Fraction):
            return Key(number_text(exact), exact)
        size = values.as_fraction(exact.real)
        return Key(digest("num", (digits(size),)), size)
    parts = (values.as_fraction(value.real), values.as_fraction(value.imag))
    return Key(digest("num", (digits(parts[0]), digits(parts[1]), "i")))


def formula_key(node: Node, sign: int = 1) -> Key:
    """The key of an expression. Raises ``Undefined`` and ``TooLarge``."""
    names = node.names() - {"i", "e"}
    if not names:
        return number_key(values.worth(node, {}, sign))
    return function_key(lambda at: values.worth(node, at, sign), names, complex_numbers="i" in node.names())


def function_key(
    function: Callable[[Mapping[str, Fraction]], Value],
    names: Iterable[str],
    *,
    complex_numbers: bool = False,
) -> Key:
    """The key of whatever has a value at each point."""
    found: list[Value | None] = []
    where = points(names)
    for at in where:
        try:
            found.append(function(at))
        except Undefined:
            found.append(None)
    if all(value is None for value in found):
        raise Undefined("nowhere defined")
    only = next(iter(where[0]), "") if len(where[0]) == 1 else ""
    if len(only) == 1 and found == [at[only] for at in where]:
        return Key(only.lower())  # as a letter alone is written
    return key_of_values(found, complex_numbers=complex_numbers)


def key_of_values(found: Sequence[Value | None], *, complex_numbers: bool) -> Key:
    if found[0] is not None and all(value is not None and _equal(value, found[0]) for value in found):
        return number_key(found[0])
    return Key(digest("expr", (_shown(value, complex_numbers=complex_numbers) for value in found)))


def _equal(one: Value, other: Value) -> bool:
    return _shown(one, complex_numbers=True) == _shown(other, complex_numbers=True)


def _shown(value: Value | None, *, complex_numbers: bool) -> str:
    if value is None:
        return "undefined"
    if values.is_real(value):
        return digits(values.as_fraction(value if isinstance(value, Fraction) else value.real))
    if not complex_numbers:
        return "not real"
    return f"{digits(values.as_fraction(value.real))},{digits(values.as_fraction(value.imag))}i"


def equation_key(difference: Node, *, kind: str = "eq", directed: bool = False) -> Key:
    """The key of ``difference = 0``, whatever constant it is multiplied by; of ``difference < 0`` where
    ``directed``, whatever positive constant."""
    found: list[Any] = []
    names = difference.names() - {"i", "e"}
    for at in points(names):
        try:
            value = values.worth(difference, at)
        except Undefined:
            value = None
        found.append(value)
    base = next((value for value in found if value is not None and not values.is_zero(value)), None)
    if base is None:
        raise Undefined("no equation")
    if directed:
        base = abs(base)
    ratios: list[Any] = [None if value is None else value / base for value in _alike([*found, base])[:-1]]
    shown = [_shown(value, complex_numbers=False) for value in ratios]
    return Key(digest(kind, [",".join(sorted(names)), *shown]))


def _alike(found: list[Any]) -> list[Any]:
    if all(value is None or isinstance(value, Fraction) for value in found):
        return found
    return [None if value is None else values.floating(value) for value in found]


def affine_root(difference: Node, name: str, at: Mapping[str, Fraction]) -> tuple[Value, Value] | None:
    """(solution, slope) of ``difference = 0`` for ``name`` where it is of degree one in it, else ``None``."""
    zero, one, two = (values.worth(difference, {**at, name: Fraction(k)}) for k in (0, 1, 2))
    zero, one, two = _alike([zero, one, two])
    slope = one - zero
    if values.is_zero(slope) or not values.is_zero(two - one - slope):
        return None
    return -zero / slope, slope


__all__ = [
    "Key",
    "TooLarge",
    "Undefined",
    "affine_root",
    "equation_key",
    "formula_key",
    "function_key",
    "number_key",
]

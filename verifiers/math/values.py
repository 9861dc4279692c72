"""What a formula is worth where its variables have values: exact where it can be, else to 100 digits.

Every step is bounded: exact numbers that grow long become floating ones, and a power or a factorial beyond
about 10^6000 is ``TooLarge`` instead of being computed. So no formula costs more than its length.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, TypeAlias

from verifiers.math.formula import Node

DIGITS: Final = 100
_EXACT_BITS: Final = 4_096
_MOST_BITS: Final = 20_000
"""Of a number's exponent: 2^20000 is about 10^6000."""
_MOST_FACTORIAL: Final = 500
_ZERO: Final = Fraction(1, 10**75)
_LARGE: Final = 10**30
_LARGEST: Final = 10**60
_SIMPLE: Final = 10**6
"""Denominators up to this are looked for behind a floating value."""

Value: TypeAlias = Any
"""A ``Fraction``, or a real or complex number of ``mpmath``, which has no types of its own to offer."""


class Undefined(ArithmeticError):
    """There is no value: a division by zero, the logarithm of zero."""


class TooLarge(ArithmeticError):
    """The value cannot be written down in reasonable time."""


@lru_cache(maxsize=1)
def _mp() -> Any:
    import mpmath  # type: ignore[import-untyped]

    context = mpmath.MPContext()
    context.dps = DIGITS
    return context


def load() -> None:
    """Import now what the first formula would import."""
    _mp()


def worth(node: Node, names: Mapping[str, Fraction], sign: int = 1) -> Value:
    """The value of ``node`` with these values of its variables; ``sign`` is what ``±`` stands for.

    Raises ``Undefined`` and ``TooLarge``. ``i`` and ``e`` are the constants unless they have a value."""
    if node.op == "number":
        return node.value
    if node.op == "name":
        return _named(node.name, names)
    if node.op == "constant":
        if node.name == "π":
            return +_mp().pi
        raise Undefined("infinity")
    args = [worth(each, names, sign) for each in node.args]
    if node.op == "+":
        return _bounded(sum(args[1:], start=args[0]) if _all_exact(args) else _sum(args))
    if node.op in ("-", "±", "∓"):
        negative = node.op == "-" or (node.op == "±") == (sign < 0)
        return -args[0] if negative else args[0]
    return _bounded(_OPERATIONS[node.op](*args))


def _named(name: str, names: Mapping[str, Fraction]) -> Value:
    if name in names:
        return names[name]
    if name == "i":
        return _mp().mpc(0, 1)
    if name == "e":
        return +_mp().e
    raise Undefined(name)


def _all_exact(args: Sequence[Value]) -> bool:
    return all(isinstance(each, Fraction) for each in args)


def floating(value: Value) -> Value:
    if isinstance(value, Fraction):
        return _mp().mpf(value.numerator) / value.denominator
    return value


def _bounded(value: Value) -> Value:
    if isinstance(value, Fraction):
        size = max(value.numerator.bit_length(), value.denominator.bit_length())
        if size > _MOST_BITS:
            raise TooLarge
        return floating(value) if size > _EXACT_BITS else value
    context = _mp()
    if not context.isfinite(value):
        raise Undefined("not finite")
    if abs(value) > context.ldexp(1, _MOST_BITS):
        raise TooLarge
    return value


def _sum(args: Sequence[Value]) -> Value:
    total = floating(args[0])
    for each in args[1:]:
        total += floating(each)
    return total


def _times(one: Value, other: Value) -> Value:
    return one * other if _all_exact((one, other)) else floating(one) * floating(other)


def _over(one: Value, other: Value) -> Value:
    if is_zero(other):
        raise Undefined("a division by zero")
    return one / other if _all_exact((one, other)) else floating(one) / floating(other)


def is_zero(value: Value) -> bool:
    return value == 0 if isinstance(value, Fraction) else bool(abs(value) < float(_ZERO))


def is_real(value: Value) -> bool:
    return (
        isinstance(value, Fraction)
        or not isinstance(value, _mp().mpc)
        or bool(abs(value.imag) < max(abs(value), 1) * _mp().mpf(10) ** -75)
    )


def _power(base: Value, exponent: Value) -> Value:
    if not isinstance(exponent, Fraction):
        exponent = simple(exponent)
    if isinstance(exponent, Fraction):
        if is_zero(base):
            if exponent <= 0:
                raise Undefined("zero to the power of zero or less")
            return Fraction(0)
        if exponent.denominator == 1:
            return _whole_power(base, exponent.numerator)
        if isinstance(base, Fraction):
            exact = _exact_root(base, exponent.denominator)
            if exact is not None:
                return _whole_power(exact, exponent.numerator)
        if is_real(base) and exponent.denominator % 2 == 1 and real(base) < 0:
            size = _general_power(-real(base), exponent)
            return -size if exponent.numerator % 2 else size
    elif is_zero(base):
        raise Undefined("zero to an unusual power")
    return _general_power(base, exponent)


def real(value: Value) -> Value:
    return value if isinstance(value, Fraction) else value.real


def _whole_power(base: Value, exponent: int) -> Value:
    if isinstance(base, Fraction):
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if base in (1, -1):
            return base if exponent % 2 else Fraction(1)
        if bits * abs(exponent) <= _EXACT_BITS:
            return base**exponent
    base = floating(base)
    if abs(_mp().log(abs(base), 2)) * abs(exponent) > _MOST_BITS:
        raise TooLarge
    return base**exponent


def _general_power(base: Value, exponent: Value) -> Value:
    logarithm = _mp().log(floating(base)) * floating(exponent)
    return _exp(logarithm)


def _exp(value: Value) -> Value:
    value = floating(value)
    if abs(value.real) > _MOST_BITS * 0.69 or abs(value.imag) > 10**30:
        raise TooLarge
    return _mp().exp(value)


def _exact_root(value: Fraction, degree: int) -> Fraction | None:
    """The root where it is a fraction."""
    if degree > 64 or (value < 0 and degree % 2 == 0):
        return None
    over = _whole_root(abs(value.numerator), degree)
    under = _whole_root(value.denominator, degree)
    if over is None or under is None:
        return None
    return Fraction(over if value > 0 else -over, under)


def _whole_root(value: int, degree: int) -> int | None:
    if degree == 2:
        root = math.isqrt(value)
    else:
        low, high = 0, 1 << (value.bit_length() // degree + 1)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if middle**degree <= value else (low, middle - 1)
        root = low
    return root if root**degree == value else None


def _root(value: Value, degree: Value) -> Value:
    degree = degree if isinstance(degree, Fraction) else simple(degree)
    if not isinstance(degree, Fraction) or degree == 0:
        raise Undefined("a root of no degree")
    return _power(value, 1 / degree)


def _log(value: Value) -> Value:
    if is_zero(value):
        raise Undefined("the logarithm of zero")
    return Fraction(0) if value == 1 else _mp().log(floating(value))


def _factorial(value: Value) -> Value:
    if isinstance(value, Fraction) and value.denominator == 1 and value >= 0:
        if value > _MOST_FACTORIAL:
            raise TooLarge
        return Fraction(math.factorial(value.numerator))
    if not is_real(value) or abs(value) > _MOST_FACTORIAL:
        raise TooLarge
    return _mp().gamma(floating(value) + 1)


def _binomial(above: Value, below: Value) -> Value:
    exact = _all_exact((above, below)) and above.denominator == below.denominator == 1
    if exact and 0 <= below <= above:
        if above > 2 * _MOST_FACTORIAL:
            raise TooLarge
        return Fraction(math.comb(above.numerator, below.numerator))
    if abs(above) > _MOST_FACTORIAL or abs(below) > _MOST_FACTORIAL:
        raise TooLarge
    return _mp().binomial(floating(above), floating(below))


def _floor(value: Value) -> Value:
    value = simple(value)
    if not is_real(value):
        raise Undefined("the floor of a complex number")
    return Fraction(math.floor(value) if isinstance(value, Fraction) else int(_mp().floor(real(value))))


def _ceil(value: Value) -> Value:
    return -_floor(-value)


def _whole(function: Callable[..., int]) -> Callable[..., Value]:
    def exact(*args: Value) -> Value:
        if not _all_exact(args) or any(each.denominator != 1 for each in args):
            raise Undefined("not whole")
        return Fraction(function(*(each.numerator for each in args)))

    return exact


def _chosen(choose: Callable[..., Any]) -> Callable[..., Value]:
    def among(*args: Value) -> Value:
        if not all(map(is_real, args)):
            raise Undefined("not real")
        return choose([real(each) for each in args] if _all_exact(args) else [*map(floating, args)])

    return among


def _analytic(name: str) -> Callable[[Value], Value]:
    def apply(value: Value) -> Value:
        value = floating(value)
        if abs(value) > 10**30:
            raise TooLarge
        try:
            return getattr(_mp(), name)(value)
        except (ZeroDivisionError, ValueError):
            raise Undefined(name) from None

    return apply


_OPERATIONS: Final[dict[str, Callable[..., Value]]] = {
    "*": _times,
    "/": _over,
    "^": _power,
    "root": _root,
    "!": _factorial,
    "binom": _binomial,
    "abs": abs,
    "floor": _floor,
    "ceil": _ceil,
    "exp": _exp,
    "ln": _log,
    "radians": lambda value: floating(value) * _mp().pi / 180,
    "gcd": _whole(math.gcd),
    "lcm": _whole(math.lcm),
    "min": _chosen(min),
    "max": _chosen(max),
    **{name: _analytic(name) for name in ("sin", "cos", "tan", "cot", "sec", "csc")},
    **{f"arc{name}": _analytic(f"a{name}") for name in ("sin", "cos", "tan")},
    **{name: _analytic(name) for name in ("sinh", "cosh", "tanh")},
}


def simple(value: Value) -> Value:
    """``value`` as the fraction that it is to 75 digits, where there is a simple one."""
    if isinstance(value, Fraction) or not is_real(value):
        return value
    exact = as_fraction(real(value))
    if abs(exact) > _LARGEST:
        return value
    # Of a large number so few digits are left behind the point that only a whole one is told for certain.
    close = exact.limit_denominator(_SIMPLE) if abs(exact) < _LARGE else Fraction(round(exact))
    return close if abs(close - exact) <= _ZERO * max(Fraction(1), abs(exact)) else value


def as_fraction(value: Value) -> Fraction:
    """A real value, exactly as its digits stand."""
    if isinstance(value, Fraction):
        return value
    sign, mantissa, exponent, _ = value._mpf_
    number = int(-mantissa if sign else mantissa)
    return Fraction(number << exponent) if exponent >= 0 else Fraction(number, 1 << -exponent)


def complex_value(real_digits: str, imaginary_digits: str) -> Value:
    """A number from its decimal digits, as others computed it."""
    context = _mp()
    imaginary = context.mpf(imaginary_digits)
    return context.mpc(context.mpf(real_digits), imaginary) if imaginary else context.mpf(real_digits)

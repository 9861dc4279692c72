"""Amounts as short text for people, and as plain decimals for programs."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

_EXACT = Context(prec=120)


def usd_text(value: Decimal) -> str:
    """Dollars as a plain decimal without exponent or trailing zeros: the form for files and programs."""
    return format(value.normalize(_EXACT), "f") if value else "0"


def show_usd(value: Decimal | None) -> str:
    """``$10.80``, ``$0.0072``: cents from a dollar up, two significant digits below; never a false zero."""
    if value is None:
        return "unknown"
    if value == 0:
        return "$0.00"
    rounded = _to_places(value, max(2, 1 - value.adjusted()))
    places = max(2, 1 - rounded.adjusted())
    return f"{'-' if value < 0 else ''}${abs(rounded):,.{places}f}"


def show_rate(value: Decimal) -> str:
    """A price to be multiplied, with all its digits and whole cents at the least: ``$0.60``, ``$0.075``."""
    exact = value.normalize()
    places = max(2, -int(exact.as_tuple().exponent))
    return f"${exact:,.{places}f}"


def _to_places(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN, _EXACT)


def show_flops(value: int | None) -> str:
    """``1.5 PFLOP``, ``402 TFLOP``: three significant digits."""
    if value is None:
        return "unknown"
    number, power = _three_digits(value, 24)
    unit = {0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E", 21: "Z", 24: "Y"}[power]
    return f"{number} {unit}FLOP"


def show_count(value: int | None) -> str:
    """``999``, ``12.3k``, ``1.5M``: three significant digits."""
    if value is None:
        return "unknown"
    number, power = _three_digits(value, 9)
    return number + {0: "", 3: "k", 6: "M", 9: "B"}[power]


def _three_digits(value: int, most_power: int) -> tuple[str, int]:
    exact = Decimal(value)
    power = 0 if exact == 0 else min(most_power, max(0, exact.adjusted() // 3 * 3))
    scaled = Context(prec=3, rounding=ROUND_HALF_EVEN).create_decimal(exact.scaleb(-power, _EXACT))
    if abs(scaled) >= 1000 and power < most_power:
        power += 3
        scaled = scaled.scaleb(-3)
    text = format(scaled, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text), power


def show_seconds(value: float | None) -> str:
    """``0.4 s``, ``42 s``, ``1 min 30 s``, ``2 h 5 min``."""
    if value is None:
        return "unknown"
    if value < 9.95:
        return f"{value:.1f} s".replace(".0 s", " s")
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, seconds = divmod(whole, 60)
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    hours, minutes = divmod(round(value / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"

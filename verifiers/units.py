"""Units that answers carry, and what they measure.

The list has one use: to see that ``5 km`` and ``5000 m`` are one length and ``5 km`` and ``5 m`` are two. It
holds what word problems use; everything else behind a number ("72 clips") is a noun and says nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final


@dataclass(frozen=True, slots=True)
class Unit:
    """``scale`` is the exact size in the base unit of what it ``measures``; units that measure different
    things are never compared."""

    measures: str
    scale: Fraction


_SPELLINGS: Final[dict[str, dict[str, str]]] = {
    "length": {
        "1/1000": "mm millimeter millimeters millimetre millimetres",
        "1/100": "cm centimeter centimeters centimetre centimetres",
        "1": "m meter meters metre metres",
        "1000": "km kilometer kilometers kilometre kilometres",
        "0.0254": "in inch inches",
        "0.3048": "ft foot feet",
        "0.9144": "yd yds yard yards",
        "1609.344": "mi mile miles",
    },
    "mass": {
        "1/1000": "mg milligram milligrams",
        "1": "g gram grams",
        "1000": "kg kgs kilo kilos kilogram kilograms",
        "28.349523125": "oz ounce ounces",
        "453.59237": "lb lbs pound pounds",
        "1000000": "tonne tonnes",
    },
    "time": {
        "1/1000": "ms millisecond milliseconds",
        "1": "s sec secs second seconds",
        "60": "min mins minute minutes",
        "3600": "h hr hrs hour hours",
        "86400": "day days",
        "604800": "week weeks",
    },
    "calendar": {"1": "month months", "12": "yr yrs year years"},
    "volume": {
        "1/1000": "ml mL milliliter milliliters millilitre millilitres",
        "1": "l L liter liters litre litres",
    },
    "money": {
        "1/100": "¢ cent cents",
        "1": "$ usd USD dollar dollars buck bucks",
    },
    "euros": {"1": "€ eur EUR euro euros"},
    "sterling": {"1": "£ gbp GBP"},
    "yen": {"1": "¥ jpy JPY yen"},
    "rupees": {"1": "₹ Rs rs INR rupee rupees"},
    "speed": {"1": "km/h kph kmh", "1.609344": "mph", "3.6": "m/s"},
    "angle": {"1": "° deg degree degrees"},
    "percentage": {"1": "% percent pct"},
}

UNITS: Final[dict[str, Unit]] = {
    name: Unit(measures, Fraction(scale))
    for measures, scales in _SPELLINGS.items()
    for scale, names in scales.items()
    for name in names.split()
}
"""By every spelling, symbols in their usual case and words in lower case."""


_POWER: Final = re.compile(r"([A-Za-z]+)\.?\^?([23])|(square|sq\.?|cubic|cu\.?) ([A-Za-z]+)")


def find_unit(name: str) -> Unit | None:
    """The unit spelled ``name``, with or without an abbreviation's dot; ``None`` where it is none we know."""
    bare = name.rstrip(".")
    power = _POWER.fullmatch(bare)
    if power is not None:
        base = find_unit(power[1] or power[4])
        degree = int(power[2]) if power[2] else 2 if power[3].startswith("sq") else 3
        if base is None or base.measures != "length":
            return None
        return Unit("area" if degree == 2 else "room", base.scale**degree)
    unit = UNITS.get(bare)
    return unit if unit is not None or len(bare) < 3 else UNITS.get(bare.lower())

"""Numbers as people write them: ``$1,234.50``, ``3 1/2``, ``50%``, ``1.5 million``, ``seventy-two clips``.

Only literals are read, never expressions, and only short ones, into exact fractions: there is nothing here
that a hostile answer could make expensive. Input is plain text as ``math_text.plain_math`` leaves it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from verifiers.math.numerals import meant_fraction, number_text
from verifiers.spelled_numbers import SCALES, read_spelled
from verifiers.units import Unit, find_unit

LONGEST: Final = 200
"""Characters of the longest text read as a quantity. Beyond that it is compared as text."""

MOST_WORDS: Final = 6
"""Words behind a number that may still be its unit or what it counts; more are a sentence."""

_DECIMAL: Final = r"(?:\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+(?![\d/])|\d+)(?:\.\d*)?|\.\d+"
_NUMBER: Final = re.compile(
    rf"""
    (?P<sign>[-+]?)\s?
    (?P<currency>(?:US)?\$|[€£¥₹]|(?:USD|EUR|GBP|Rs\.?)(?=[\s\d.])|)\s?
    (?P<sign2>[-+]?)\s?
    (?:
        (?P<whole>\d+)(?:\s(?:and\s|&\s)?|-(?=\d+/\d+\b))(?P<part>\d+)\s?/\s?(?P<parts>\d+)
      | \(?(?P<over>[-+]?(?:{_DECIMAL}))\)?\s?/\s?\(?(?P<under>{_DECIMAL})\)?
      | (?P<mantissa>{_DECIMAL})
        (?:\s?[*x]\s?10\s?\^\s?[{{(]?|[eE](?=[-+]?\d))(?P<exponent>[-+]?\d{{1,3}})[)}}]?
      | (?P<decimal>{_DECIMAL})(?P<half>\sand\sa\shalf)?
    )
    (?P<tail>(?:[^\d].*)?)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMPOUND: Final = re.compile(
    r"(\d{1,9}) ?([A-Za-z]+)(?:,? and |, ?| )(\d{1,9}(?:\.\d{1,9})?) ?([A-Za-z]+)"
    r"(?:(?:,? and |, ?| )(\d{1,9}(?:\.\d{1,9})?) ?([A-Za-z]+))?"
)
"""``1 hour and 30 minutes``, ``5 ft 6 in``, ``2 dollars and 50 cents``."""
_NOUN: Final = re.compile(r"[A-Za-z][A-Za-z'’-]{2,}[.]?")
NOT_NOUNS: Final = frozenset(
    (
        *(
            "sqrt",
            "sin",
            "cos",
            "tan",
            "cot",
            "sec",
            "csc",
            "log",
            "exp",
            "arcsin",
            "arccos",
            "arctan",
            "mod",
        ),
        *("choose", "plus", "minus", "over", "divided", "frac", "cdot", "infinity", "root", "factorial"),
        *("and", "but", "not", "than", "through", "between", "remainder", "squared", "cubed"),
    )
)
"""Words that make an expression or a sentence of what stands before them."""
_LINKS: Final = frozenset(("of", "a", "an", "in", "at", "on", "per", "to", "by", "no", "my"))
_ORDINALS: Final = frozenset(("st", "nd", "rd", "th"))
_PHRASES: Final = {
    "per cent": "%",
    "percentage points": "%",
    "degrees celsius": "°",
    "degrees fahrenheit": "°",
    "miles per hour": "mph",
    "kilometers per hour": "km/h",
    "meters per second": "m/s",
    "us dollars": "$",
}
_POWER: Final = re.compile(r"(?:\^?[23]|[²³])$")


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact number, its known unit if it has one, and whether it only counts things ("72 clips")."""

    value: Fraction
    unit: Unit | None = None
    noun: bool = False

    def key(self) -> str:
        """The number alone, in lowest terms: ``72``, ``-1/2``."""
        return number_text(self.value)


def read_quantity(text: str) -> Quantity | None:
    """The quantity that ``text`` is as a whole, or ``None``."""
    if not 0 < len(text) <= LONGEST:
        return None
    match = _NUMBER.fullmatch(text)
    if match is None:
        return _read_spelled_quantity(text) if text[0].isalpha() else None
    compound = _COMPOUND.fullmatch(text)
    if compound is not None:
        return _read_compound(compound)
    value = _value(match)
    if value is None:
        return None
    currency = match["currency"]
    return _with_tail(
        value, find_unit(currency.removeprefix("US") or "$") if currency else None, match["tail"]
    )


def _read_compound(match: re.Match[str]) -> Quantity | None:
    """Quantities of one thing, large to small, as one: in the smallest unit, money in the largest."""
    total = Fraction(0)
    units: list[Unit] = []
    for number, name in zip(match.groups()[::2], match.groups()[1::2], strict=True):
        if number is None:
            continue
        unit = find_unit(name)
        if unit is None:
            return None
        if units and (unit.measures != units[-1].measures or unit.scale >= units[-1].scale):
            return None
        units.append(unit)
        total += Fraction(number) * unit.scale
    shown = units[0] if units[0].measures == "money" else units[-1]
    return Quantity(total / shown.scale, shown)


def _value(match: re.Match[str]) -> Fraction | None:
    """The number itself; ``None`` for a division by zero, which is no number."""
    negative = (match["sign"] == "-") != (match["sign2"] == "-")
    value: Fraction | None
    if match["parts"] is not None:
        parts = int(match["parts"])
        value = None if parts == 0 else int(match["whole"]) + Fraction(int(match["part"]), parts)
    elif match["under"] is not None:
        divisor = _decimal(match["under"])
        value = None if divisor == 0 else _decimal(match["over"]) / divisor
    elif match["mantissa"] is not None:
        value = _decimal(match["mantissa"]) * Fraction(10) ** int(match["exponent"])
    else:
        digits = match["decimal"]
        places = len(digits.partition(".")[2])
        value = meant_fraction(_decimal(digits), places) + (Fraction(1, 2) if match["half"] else 0)
    return -value if value is not None and negative else value


def _decimal(digits: str) -> Fraction:
    return Fraction(digits.replace(",", "").replace(" ", ""))


def _with_tail(value: Fraction, unit: Unit | None, tail: str) -> Quantity | None:
    """Read what stands behind a number: a scale, a unit, nouns. ``None`` where it is none of these, so that
    ``4t`` and ``2 sqrt 3`` stay expressions."""
    words = tail.removeprefix("-").split()
    if not words:
        return None if tail.strip() else Quantity(value, unit)
    glued = not tail[0].isspace() and tail[0] != "-"
    if glued and words[0] in _ORDINALS:
        del words[0]
        glued = False
    while words and not glued and words[0].lower() in ("hundred", *SCALES):
        word = words.pop(0).lower()
        value *= SCALES.get(word, 100)
    if not words:
        return Quantity(value, unit)
    if len(words) > MOST_WORDS:
        return None
    named = _unit_of(words)
    if named is not None:
        algebra = glued and len(words[0]) == 1 and words[0].isalpha()
        return None if algebra else Quantity(value, unit or named)
    if glued and find_unit(_POWER.sub("", words[0].partition("/")[0])) is None:
        return None
    return Quantity(value, unit, noun=unit is None) if all(map(_is_noun, words)) else None


def _unit_of(words: list[str]) -> Unit | None:
    """The unit that ``words`` are as a whole: ``km``, ``per cent``, ``miles per hour``."""
    if len(words) == 1:
        return find_unit(words[0])
    if len(words) == 2 and words[0].rstrip(".") in ("square", "sq", "cubic", "cu"):
        return find_unit(" ".join(words))
    phrase = _PHRASES.get(" ".join(words).lower())
    return find_unit(phrase) if phrase is not None else None


def _is_noun(word: str) -> bool:
    if word in _LINKS:
        return True
    pieces = [_POWER.sub("", piece) for piece in word.split("/")]
    return all(
        find_unit(piece) is not None
        or (_NOUN.fullmatch(piece) is not None and piece.lower() not in NOT_NOUNS)
        for piece in pieces
    )


def _read_spelled_quantity(text: str) -> Quantity | None:
    words = text.lower().replace("-", " ").split()
    negative = words[0] in ("minus", "negative") and len(words) > 1
    words = words[1:] if negative else words
    used, value = read_spelled(words)
    if used == 0:
        return None
    tail = words[used:]
    quantity = _with_tail(value, None, " " + " ".join(tail)) if tail else Quantity(value)
    if quantity is None or not negative:
        return quantity
    return Quantity(-quantity.value, quantity.unit, quantity.noun)

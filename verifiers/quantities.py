"""Numbers as people write them: ``$1,234.50``, ``3 1/2``, ``50%``, ``1.5 million``, ``seventy-two clips``.

Only literals are read, never expressions, and only short ones, into exact fractions: there is nothing here
that a hostile answer could make expensive. Input is plain text as ``math_text.plain_math`` leaves it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from verifiers.units import Unit, find_unit

LONGEST: Final = 200
"""Characters of the longest text read as a quantity. Beyond that it is compared as text."""

_DECIMAL: Final = r"(?:\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+(?![\d/])|\d+)(?:\.\d*)?|\.\d+"
_NUMBER: Final = re.compile(
    rf"""
    (?P<sign>[-+]?)\s?
    (?P<currency>(?:[$€£¥₹]|(?:US\$|USD|EUR|GBP|Rs\.?)(?=[\s\d.]))?)\s?
    (?P<sign2>[-+]?)\s?
    (?:
        (?P<whole>\d+)(?:\s(?:and\s|&\s)?|-(?=\d+/\d+\s*[A-Za-z]*$))(?P<part>\d+)\s?/\s?(?P<parts>\d+)
      | \(?(?P<over>{_DECIMAL})\)?\s?/\s?\(?(?P<under>{_DECIMAL})\)?
      | (?P<mantissa>{_DECIMAL})(?:\s?[*x]\s?10\s?\^\s?[{{(]?|[eE](?=[-+]?\d))(?P<exponent>[-+]?\d{{1,3}})[)}}]?
      | (?P<decimal>{_DECIMAL})(?P<half>\sand\sa\shalf)?
    )
    (?P<tail>.*)
    """,
    re.VERBOSE | re.DOTALL,
)
_SCALES: Final = {
    "hundred": 100,
    "thousand": 1_000,
    "million": 1_000_000,
    "billion": 1_000_000_000,
    "trillion": 1_000_000_000_000,
}
_NOUN: Final = re.compile(r"[A-Za-z][A-Za-z'’-]{2,}[.]?")
_NOT_NOUNS: Final = frozenset(
    "sqrt sin cos tan cot sec csc log exp arcsin arccos arctan mod choose plus minus over divided frac cdot "
    "infinity and but not than through between times-x root squared-root factorial remainder".split()
)
_ORDINALS: Final = frozenset(("st", "nd", "rd", "th"))


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact number, its known unit if it has one, and whether a word nobody knows stands behind it."""

    value: Fraction
    unit: Unit | None = None
    noun: bool = False

    def key(self) -> str:
        """The number alone, in lowest terms: ``72``, ``-1/2``."""
        return str(self.value)


def read_quantity(text: str) -> Quantity | None:
    """The quantity that ``text`` is as a whole, or ``None``."""
    if len(text) > LONGEST:
        return None
    match = _NUMBER.fullmatch(text)
    if match is None:
        return _spelled_quantity(text)
    value = _value(match)
    if value is None:
        return None
    currency = match["currency"]
    unit = find_unit(currency.removeprefix("US").strip() or "$") if currency else None
    return _with_tail(value, unit, match["tail"])


def _value(match: re.Match[str]) -> Fraction | None:
    negative = (match["sign"] == "-") != (match["sign2"] == "-")
    if match["parts"] is not None:
        over, under = int(match["part"]), int(match["parts"])
        value = None if under == 0 else int(match["whole"]) + Fraction(over, under)
    elif match["under"] is not None:
        divisor = _decimal(match["under"])
        value = None if divisor == 0 else _decimal(match["over"]) / divisor
    elif match["mantissa"] is not None:
        value = _decimal(match["mantissa"]) * Fraction(10) ** int(match["exponent"])
    else:
        value = _decimal(match["decimal"]) + (Fraction(1, 2) if match["half"] else 0)
    return -value if value is not None and negative else value


def _decimal(digits: str) -> Fraction:
    return Fraction(digits.replace(",", "").replace(" ", ""))


def _with_tail(value: Fraction, unit: Unit | None, tail: str) -> Quantity | None:
    """Read what stands behind a number: a unit, a scale, nouns. ``None`` where it is none of these, so that
    ``4t`` and ``2 sqrt 3`` stay expressions."""
    if not tail.strip():
        return Quantity(value, unit)
    glued = tail[0] not in " -"
    words = tail.replace("-", " ", 1).split() if tail[0] == "-" else tail.split()
    if not words:
        return None
    if words[0] in _ORDINALS and glued:
        words = words[1:]
    while words and words[0].lower() in _SCALES and not glued:
        value *= _SCALES[words.pop(0).lower()]
    if not words:
        return Quantity(value, unit)
    if len(words) > 6:
        return None
    named = _unit_of(words)
    if named is not None:
        first = words[0]
        if glued and len(first) == 1 and first.isalpha():
            return None
        return Quantity(value, unit or named)
    if glued and find_unit(re.split(r"[/^²³]", words[0])[0]) is None:
        return None
    if all(_is_noun(word) for word in words):
        return Quantity(value, unit, noun=unit is None)
    return None


def _unit_of(words: list[str]) -> Unit | None:
    """The unit that ``words`` are as a whole ("km", "per cent", "US dollars")."""
    whole = "".join(words) if len(words) <= 3 else ""
    if whole.lower() in (
        "percent",
        "percentagepoints",
        "degreescelsius",
        "degreesfahrenheit",
        "kilometersperhour",
    ):
        whole = {"percentagepoints": "%", "kilometersperhour": "km/h"}.get(whole.lower(), whole[:7])
    if whole.lower() == "milesperhour":
        whole = "mph"
    if whole.lower() == "usdollars":
        whole = "$"
    return find_unit(whole) if whole else None


def _is_noun(word: str) -> bool:
    if word in ("/", "of", "a", "an", "in", "at", "on", "per", "to", "by", "CD", "TV"):
        return word != "/"
    pieces = [re.sub(r"(?:\^?[23]|[²³])$", "", piece) for piece in word.split("/")]
    return all(
        find_unit(piece) is not None
        or (_NOUN.fullmatch(piece) is not None and piece.lower() not in _NOT_NOUNS)
        for piece in pieces
    )


_ONES: Final = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS: Final = {
    word: 10 * number
    for number, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_PARTS: Final = {
    "half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4,
    "fifth": 5, "fifths": 5, "sixth": 6, "sixths": 6, "eighth": 8, "eighths": 8, "tenth": 10, "tenths": 10,
}  # fmt: skip


def _spelled_quantity(text: str) -> Quantity | None:
    """``seventy-two clips``, ``two thirds``, ``two and a half``; numbers below a quadrillion."""
    words = text.lower().replace("-", " ").split()
    if not words or len(words) > 20 or not _starts_number(words):
        return None
    negative = words[0] in ("minus", "negative")
    words = words[1:] if negative else words
    used, value = _read_words(words)
    if used == 0:
        return None
    tail = words[used:]
    quantity = _with_tail(value, None, " " + " ".join(tail)) if tail else Quantity(value)
    if quantity is None:
        return None
    return Quantity(-quantity.value, quantity.unit, quantity.noun) if negative else quantity


def _starts_number(words: list[str]) -> bool:
    first = words[0]
    if first in ("a", "an", "minus", "negative"):
        return len(words) > 1 and (
            words[1] in _ONES or words[1] in _TENS or words[1] in _SCALES or words[1] in ("half", "dozen")
        )
    return first in _ONES or first in _TENS or first == "half"


def _read_words(words: list[str]) -> tuple[int, Fraction]:
    """How many leading words make a number, and that number."""
    total = current = used = 0
    for place, word in enumerate(words):
        if word in _ONES and (current % 10 == 0 and (current % 100 != 10 or current == 0)):
            if current % 100 and _ONES[word] > 9:
                break
            current += _ONES[word]
        elif word in _TENS and current % 100 == 0:
            current += _TENS[word]
        elif word in ("a", "an") and place == 0:
            current = 1
            continue
        elif word == "dozen" and place == 1 and words[0] == "a":
            current = 12
        elif word == "hundred" and 0 < current < 10:
            current *= 100
        elif word in _SCALES and word != "hundred" and current:
            total += current * _SCALES[word]
            current = 0
        elif (
            word == "and"
            and place + 1 < len(words)
            and used
            and (current % 100 == 0)
            and words[place + 1] in {**_ONES, **_TENS}
        ):
            continue
        else:
            break
        used = place + 1
    value = Fraction(total + current)
    rest = words[used:]
    if words[0] == "half" and not used:
        return 1, Fraction(1, 2)
    if words[:2] in (["a", "half"], ["an", "half"]):
        return 2, Fraction(1, 2)
    if used and rest[:3] == ["and", "a", "half"]:
        return used + 3, value + Fraction(1, 2)
    if used and rest and rest[0] in _PARTS and (rest[0].endswith("s") or value == 1 or rest[0] == "halves"):
        return used + 1, value / _PARTS[rest[0]]
    return used, value

"""Numbers in English words: ``seventy-two``, ``two hundred and five``, ``two and a half``, ``half``.

Small models and careful ones spell numbers out. Only what can mean nothing else is read; "a few", "several"
and "a couple" stay words.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

_ONES: Final = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9,
}  # fmt: skip
_TEENS: Final = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS: Final = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
}  # fmt: skip
SCALES: Final = {
    "thousand": 1_000,
    "million": 1_000_000,
    "billion": 1_000_000_000,
    "trillion": 1_000_000_000_000,
}
_PARTS: Final = {
    "half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10, "hundredth": 100,
}  # fmt: skip


def read_spelled(words: Sequence[str]) -> tuple[int, Fraction]:
    """How many of the leading lower-case ``words`` make one number, and that number; (0, 0) for none."""
    if words[0] in ("a", "an"):
        return _read_article(words)
    if words[0] == "half" and (len(words) == 1 or words[1] != "of"):
        return 1, Fraction(1, 2)
    used, whole = _read_whole(words)
    if used == 0:
        return 0, Fraction(0)
    return _read_part(words, used, Fraction(whole))


def _read_article(words: Sequence[str]) -> tuple[int, Fraction]:
    second = words[1] if len(words) > 1 else ""
    if second == "dozen":
        return 2, Fraction(12)
    if second in _PARTS:
        return 2, Fraction(1, _PARTS[second])
    if second == "hundred" or second in SCALES:
        used, whole = _read_whole(["one", *words[1:]])
        return used, Fraction(whole)
    return 0, Fraction(0)


def _read_whole(words: Sequence[str]) -> tuple[int, int]:
    """The whole number at the start: groups below a thousand, each but the last with its scale."""
    total = used = 0
    ceiling = 10**15
    while used < len(words):
        taken, group = _read_below_thousand(words[used:], joined=used > 0)
        if taken == 0:
            break
        after = used + taken
        scale = SCALES.get(words[after], 1) if after < len(words) else 1
        if group * scale >= ceiling:
            break
        total += group * scale
        used = after + (scale > 1)
        ceiling = scale
        if scale == 1:
            break
    return used, total


def _read_below_thousand(words: Sequence[str], *, joined: bool) -> tuple[int, int]:
    """A number below a thousand. ``joined``: it follows a larger group, so an "and" may come first."""
    start = 1 if joined and len(words) > 1 and words[0] == "and" else 0
    used, value = _read_below_hundred(words[start:])
    if used == 0:
        return 0, 0
    used += start
    if 0 < value < 10 and used < len(words) and words[used] == "hundred":
        value *= 100
        used += 1
        link = 1 if used < len(words) and words[used] == "and" else 0
        more, rest = _read_below_hundred(words[used + link :])
        if more:
            return used + link + more, value + rest
    return used, value


def _read_below_hundred(words: Sequence[str]) -> tuple[int, int]:
    if not words:
        return 0, 0
    first = words[0]
    if first in _TENS:
        one = _ONES.get(words[1], 0) if len(words) > 1 else 0
        return (2, _TENS[first] + one) if one else (1, _TENS[first])
    value = _ONES.get(first, _TEENS.get(first))
    return (0, 0) if value is None else (1, value)


def _read_part(words: Sequence[str], used: int, value: Fraction) -> tuple[int, Fraction]:
    """``two thirds``, ``two and a half``, ``two and three quarters``; else the whole number alone."""
    rest = words[used:]
    if not rest:
        return used, value
    part = _part_size(rest[0], plural=value != 1)
    if part:
        return used + 1, value / part
    if rest[0] == "and" and len(rest) >= 3:
        count = Fraction(1) if rest[1] in ("a", "an") else Fraction(_ONES.get(rest[1], 0))
        part = _part_size(rest[2], plural=count != 1)
        if count and part:
            return used + 3, value + count / part
    return used, value


def _part_size(word: str, *, plural: bool) -> int:
    """2 for "half" or "halves", 3 for "third" or "thirds" ...; 0 for a word that names no part so."""
    if not plural:
        return _PARTS.get(word, 0)
    return 2 if word == "halves" else _PARTS.get(word.removesuffix("s"), 0) if word.endswith("s") else 0

"""What an answer can be besides a number: an interval, a set, a tuple, a matrix; and each one's key.

Keys of numbers are the numbers, and keys of tuples and sets are made of their elements' keys, in the spelling
that ``normal`` uses where it needs no algebra: ``(1;-2)``, ``{2;3}``, ``(-∞;0)∪(0;∞)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeAlias

from verifiers.math.signature import Key
from verifiers.math.tokens import Unreadable

EMPTY: Final = "∅"
REALS: Final = "(-∞;∞)"


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high``; ``None`` is infinity. ``closed`` says of both ends whether they belong to
    it."""

    low: Key | None
    high: Key | None
    closed: tuple[bool, bool]

    def order(self) -> tuple[bool, Fraction, bool]:
        return (self.low is not None, _size(self.low), not self.closed[0])

    @property
    def text(self) -> str:
        left, right = "[" if self.closed[0] else "(", "]" if self.closed[1] else ")"
        return f"{left}{'-∞' if self.low is None else self.low.text};{_high(self)}{right}"

    @property
    def hollow(self) -> bool:
        """Whether nothing is in it."""
        if self.low is None or self.high is None:
            return False
        low, high = _size(self.low), _size(self.high)
        return low > high or (low == high and self.closed != (True, True))


def _high(interval: Interval) -> str:
    return "∞" if interval.high is None else interval.high.text


def _size(key: Key | None) -> Fraction:
    if key is None:
        return Fraction(0)
    if key.size is None:
        raise Unreadable("an end that is no number")
    return key.size


@dataclass(frozen=True, slots=True)
class Region:
    """A union of intervals. ``shown`` keeps a pair that may be a point as it is written: ``(3;1)``."""

    intervals: tuple[Interval, ...]

    @property
    def text(self) -> str:
        merged = _merged(self.intervals)
        return "∪".join(interval.text for interval in merged) or EMPTY


@dataclass(frozen=True, slots=True)
class Values:
    """Numbers or expressions without an order; a single one is itself. ``listed``: written without braces."""

    keys: tuple[str, ...]
    sizes: tuple[Key, ...] = ()
    listed: bool = True

    @property
    def text(self) -> str:
        if not self.keys:
            return EMPTY
        distinct = sorted(set(self.keys))
        if self.listed and len(distinct) < len(self.keys):
            return ";".join(sorted(self.keys))
        return distinct[0] if len(distinct) == 1 else "{" + ";".join(distinct) + "}"


@dataclass(frozen=True, slots=True)
class Ordered:
    """A tuple; vectors are tuples too. With the brackets of an interval where it was written so."""

    parts: tuple[str, ...]
    brackets: str = "()"

    @property
    def text(self) -> str:
        return f"{self.brackets[0]}{';'.join(self.parts)}{self.brackets[1]}"


@dataclass(frozen=True, slots=True)
class Named:
    """``x = 2``: a value and the name it is given."""

    name: str
    thing: Thing

    @property
    def text(self) -> str:
        return self.thing.text


@dataclass(frozen=True, slots=True)
class Relation:
    """An equation or an inequality of more than one variable."""

    text: str


@dataclass(frozen=True, slots=True)
class Several:
    """Points, tuples and the like, without an order."""

    things: tuple[Thing, ...]

    @property
    def text(self) -> str:
        return "{" + ";".join(sorted({thing.text for thing in self.things})) + "}"


Thing: TypeAlias = "Region | Values | Ordered | Named | Relation | Several"


def union(regions: Iterable[Region]) -> Region:
    return Region(tuple(interval for region in regions for interval in region.intervals))


def _merged(intervals: Sequence[Interval]) -> list[Interval]:
    found: list[Interval] = []
    for each in sorted((one for one in intervals if not one.hollow), key=Interval.order):
        if found and _touch(found[-1], each):
            last = found.pop()
            found.append(_joined(last, each))
        else:
            found.append(each)
    return found


def _touch(one: Interval, other: Interval) -> bool:
    if one.high is None or other.low is None:
        return True
    high, low = _size(one.high), _size(other.low)
    return low < high or (low == high and (one.closed[1] or other.closed[0]))


def _joined(one: Interval, other: Interval) -> Interval:
    if one.high is None or other.high is None:
        high, closed = None, False
    else:
        first, second = _size(one.high), _size(other.high)
        high = one.high if first >= second else other.high
        closed = (one.closed[1] and first >= second) or (other.closed[1] and second >= first)
    return Interval(one.low, high, (one.closed[0], closed))


def intersection(one: Region, other: Region) -> Region:
    found = []
    for first in one.intervals:
        for second in other.intervals:
            both = _overlap(first, second)
            if not both.hollow:
                found.append(both)
    return Region(tuple(found))


def _overlap(one: Interval, other: Interval) -> Interval:
    low, low_closed = one.low, one.closed[0]
    if other.low is not None and (low is None or _size(other.low) >= _size(low)):
        same = low is not None and _size(other.low) == _size(low)
        low, low_closed = other.low, other.closed[0] and (low_closed or not same)
    high, high_closed = one.high, one.closed[1]
    if other.high is not None and (high is None or _size(other.high) <= _size(high)):
        same = high is not None and _size(other.high) == _size(high)
        high, high_closed = other.high, other.closed[1] and (high_closed or not same)
    return Interval(low, high, (low_closed, high_closed))


def complement(region: Region) -> Region:
    """The real numbers that are not in it."""
    found = Region((Interval(None, None, (False, False)),))
    for each in region.intervals:
        below = [] if each.low is None else [Interval(None, each.low, (False, not each.closed[0]))]
        above = [] if each.high is None else [Interval(each.high, None, (not each.closed[1], False))]
        found = intersection(found, Region((*below, *above)))
    return found


def without(keys: Iterable[Key], region: Region | None = None) -> Region:
    """A region, by default all real numbers, without some numbers."""
    holes = Region(tuple(Interval(key, key, (True, True)) for key in keys))
    return intersection(region or Region((Interval(None, None, (False, False)),)), complement(holes))

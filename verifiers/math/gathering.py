"""Several things read from one answer, as one: a pair, a table, a list of solutions, joined inequalities."""

from __future__ import annotations

from collections.abc import Sequence

from verifiers.math import signature
from verifiers.math.signature import Key
from verifiers.math.things import (
    Interval,
    Named,
    Ordered,
    Region,
    Relation,
    Several,
    Thing,
    Values,
    intersection,
    union,
)
from verifiers.math.tokens import Unreadable


def table(cells: Sequence[Sequence[str]], *, determinant: bool = False) -> Thing:
    """A matrix by rows. One row, or one column, is a vector, and a vector is a tuple."""
    if determinant or not cells or len({len(row) for row in cells}) != 1:
        raise Unreadable("no matrix")
    if len(cells) == 1 or len(cells[0]) == 1:
        return Ordered(tuple(cell for row in cells for cell in row))
    return Relation(signature.digest("matrix", (";".join(row) for row in cells)))


def pair(parts: Sequence[Thing], brackets: str) -> Thing:
    """``(a, b)``, a point or an interval: one key for both, since only the question knows."""
    low, high = parts
    assert isinstance(low, Values)  # noqa: S101  asked by the caller
    assert isinstance(high, Values)  # noqa: S101
    closed = (brackets[0] == "[", brackets[1] == "]")
    low_end = None if low.text == "-∞" else low.sizes[0] if len(low.sizes) == 1 else Key(low.text)
    high_end = None if high.text == "∞" else high.sizes[0] if len(high.sizes) == 1 else Key(high.text)
    interval = Interval(low_end, high_end, closed)
    try:
        whole = Region((interval,)).text == interval.text
    except Unreadable:
        whole = False
    return Region((interval,)) if whole else Ordered((low.text, high.text), brackets)


def region_of(thing: Thing) -> Region:
    if isinstance(thing, Region):
        return thing
    if isinstance(thing, Named):
        return region_of(thing.thing)
    if isinstance(thing, Values):
        return Region(tuple(Interval(key, key, (True, True)) for key in thing.sizes))
    raise Unreadable("no region of the line")


def gathered(items: list[Thing], joined: set[str]) -> Thing:
    """Several things as one: "x = 2 or x = 3", "x < 2 or x > 3", "x = 1, y = 2"."""
    bare = [item.thing if isinstance(item, Named) else item for item in items]
    names = [item.name for item in items if isinstance(item, Named)]
    names = [name.partition("_")[0] for name in names] if len(set(names)) > 1 else names
    if len(names) == len(items) and len(set(names)) == len(items):
        in_order = sorted(zip(names, bare, strict=True), key=lambda pair: pair[0])
        return tuple_of([thing for _, thing in in_order])
    if len(set(names)) > 1:
        raise Unreadable("values of several things")
    regions = [thing for thing in bare if isinstance(thing, Region)]
    if len(regions) == len(bare) and not _are_points(regions):
        both = regions[0]
        for region in regions[1:]:
            both = intersection(both, region)
        # "x > 0, x < 1" is a part of the line, "x < 0, x > 1" are two.
        together = "or" not in joined and ("and" in joined or both.intervals)
        return both if together else union(regions)
    if all(isinstance(thing, Values) for thing in bare):
        found = [thing for thing in bare if isinstance(thing, Values)]
        return Values(
            tuple(key for thing in found for key in thing.keys),
            tuple(key for thing in found for key in thing.sizes),
        )
    return Several(tuple(bare))


def _are_points(regions: Sequence[Region]) -> bool:
    """Whether pairs in a list are points, ``(1,2), (3,4)``, and not intervals to be joined."""
    return all(
        len(region.intervals) == 1
        and region.intervals[0].closed == (False, False)
        and region.intervals[0].low is not None
        and region.intervals[0].high is not None
        for region in regions
    )


def tuple_of(things: Sequence[Thing]) -> Thing:
    if len(things) == 2 and all(isinstance(thing, Values) for thing in things):
        return pair(things, "()")
    return Ordered(tuple(thing.text for thing in things))

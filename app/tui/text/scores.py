"""What the comparison screen shows, worked out away from the screen's own thread.

Standings are read off the state in the loop, which takes a millisecond or two; intervals, the verdict and the
curves take longer, and are made from the frozen standings in a thread.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from app.runs.compare.standings import Estimate, Standing, Unit
from app.runs.compare.verdict import verdict
from app.runs.result import LEVEL, powers_up_to
from app.tui.text.curves import Ahead, Counts, Curve, spaced

_INTERVALS_AT_MOST = 7
_REACH = 4


@dataclass(frozen=True, slots=True)
class Score:
    """One model: its standing, coverage at one sample and at the most there are."""

    standing: Standing
    first: Estimate | None
    deepest: Estimate | None


@dataclass(frozen=True, slots=True)
class Scores:
    """Best first. ``unit`` is what the models are given the same of; the curves are over ``axis``."""

    scores: tuple[Score, ...] = ()
    verdict: str = ""
    curves: tuple[Curve, ...] = ()
    axis: Unit = "samples"
    unit: Unit = "samples"


@dataclass(frozen=True, slots=True)
class SetCurve(Curve):
    """Coverage of a set: the band is the interval over its problems at ``bands``, (log2 of the axis, low,
    high), and a straight line between them."""

    bands: tuple[tuple[float, float, float], ...] = ()

    def band(self, x: float) -> tuple[float, float]:
        if not self.bands:
            return 0.0, 0.0
        place = bisect_left(self.bands, x, key=lambda band: band[0])
        if place == 0:
            return self.bands[0][1:]
        if place == len(self.bands):
            return self.bands[-1][1:]
        (x0, low0, high0), (x1, low1, high1) = self.bands[place - 1 : place + 1]
        share = (x - x0) / (x1 - x0) if x1 > x0 else 0.0
        return low0 + (low1 - low0) * share, high0 + (high1 - high0) * share


def score(found: Sequence[Standing], unit: Unit, axis: Unit, resolution: int = 48) -> Scores:
    """All of it, some tens of milliseconds a model."""
    scores = [
        Score(
            one, one.coverage(1) if one.deepest else None, one.coverage(one.deepest) if one.deepest else None
        )
        for one in found
    ]
    scores.sort(key=lambda each: -(each.deepest.value if each.deepest else -1.0))
    curves = tuple(
        _curve(each.standing, axis, layer, resolution)
        for layer, each in enumerate(scores)
        if each.standing.deepest
    )
    return Scores(tuple(scores), verdict(list(found), unit), curves, axis, unit)


def unit_cost(one: Standing, axis: Unit) -> float:
    """What a sample of the model costs in units of the axis; 1 where that is not known."""
    if axis == "samples" or not one.samples:
        return 1.0
    spent = one.books.known.usd if axis == "usd" else one.books.known.flops
    return float(spent) / one.samples if spent else 1.0


def _curve(one: Standing, axis: Unit, layer: int, resolution: int) -> SetCurve:
    unit = unit_cost(one, axis)
    counts = Counts(one.model, one.deepest, one.solved, unit, layer)
    ks = spaced(one.deepest, min(resolution, 24 if len(one.counts) > 200 else resolution))
    points = tuple((math.log2(k * unit), one.value(k)) for k in ks)
    bands = []
    if layer == 0:  # only the first curve's band is drawn
        powers = powers_up_to(one.deepest)
        step = max(1, len(powers) // _INTERVALS_AT_MOST)
        for k in sorted({*powers[::step], powers[-1]}):
            at = one.coverage(k)
            bands.append((math.log2(k * unit), at.low, at.high))
    return SetCurve(counts, points, 0.0, 1.0, _ahead(one, unit), tuple(bands))


def _ahead(one: Standing, unit: float) -> Ahead | None:
    from budgets.forecast import forecast

    n, reach = one.deepest, one.deepest * _REACH
    ks = sorted({round(n * _REACH ** (step / 10)) for step in range(11)})
    if len(ks) < 2 or one.stopped:
        return None
    found = forecast(one.counts, ks, LEVEL)
    values = tuple((point.value, point.low, point.high) for point in found.points)
    last = values[-1]
    return Ahead(reach, tuple(math.log2(k * unit) for k in ks), values, (last[1], last[2]), found.prior)

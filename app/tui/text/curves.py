"""Coverage as points to be drawn, computed away from the screen's own thread.

One problem, so coverage at k is 1 - (1 - p)^k for the unknown chance p that a sample is right. The curve is
the unbiased estimate up to the samples there are; the band is the 90% posterior interval of p carried through
the same formula, and so may go on beyond them. The curve goes on as a forecast instead, which knows how hard
such problems usually are.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

MORE = 100
"""How many further samples the words about a problem with nothing right speak of."""

_CERTAIN = 0.9999
_AHEAD = 25


@dataclass(frozen=True, slots=True)
class Counts:
    """One model's decided samples, and what a sample costs it in units of the axis (1 for samples). ``layer``
    is its place among the models, which decides how its curve looks."""

    model: str
    n: int
    correct: int
    unit: float = 1.0
    layer: int = 0


@dataclass(frozen=True, slots=True)
class Ahead:
    """The forecast from n to ``reach`` samples: ``xs`` are log2 of the axis, ``values`` (value, low, high) of
    coverage there, low to high being its 90% interval. ``more`` is the interval for ``MORE`` fresh samples.
    ``prior`` says what is believed beside the samples."""

    reach: int
    xs: tuple[float, ...]
    values: tuple[tuple[float, float, float], ...]
    more: tuple[float, float]
    prior: str

    def at(self, x: float) -> tuple[float, float, float] | None:
        """(value, low, high) at ``x``; ``None`` where the forecast does not go."""
        if not self.xs[0] <= x <= self.xs[-1]:
            return None
        place = max(1, bisect_left(self.xs, x))
        x0, x1 = self.xs[place - 1 : place + 1]
        share = (x - x0) / (x1 - x0)
        value, low, high = (
            a + (b - a) * share for a, b in zip(self.values[place - 1], self.values[place], strict=True)
        )
        return value, low, high


@dataclass(frozen=True, slots=True)
class Curve:
    """``points`` are (log2 of the axis, coverage) for k up to n. ``low`` and ``high`` bound p, the chance of
    one try, with 90% of the posterior between them."""

    counts: Counts
    points: tuple[tuple[float, float], ...]
    low: float
    high: float
    ahead: Ahead | None = None

    def band(self, x: float) -> tuple[float, float]:
        """The interval of coverage at ``x`` = log2 of the axis."""
        k = 2.0**x / self.counts.unit
        return _at_least_once(self.low, k), _at_least_once(self.high, k)


def curve_of(counts: Counts, resolution: int) -> Curve:
    """The curve at about ``resolution`` values of k, evenly spaced in log2 k."""
    from budgets.coverage import pass_at_k, posterior_interval

    low, high = posterior_interval(counts.n, counts.correct, 1)
    points: list[tuple[float, float]] = []
    value = 0.0
    for k in spaced(counts.n, resolution):
        if value < _CERTAIN:  # monotone in k, and the sums behind it are long only where it is near 1
            value = pass_at_k(counts.n, counts.correct, k)
        points.append((math.log2(k * counts.unit), value))
    return Curve(counts, tuple(points), low, high)


def ahead_of(counts: Counts) -> Ahead:
    """The forecast as far as the second power of two beyond the samples there are."""
    from budgets.forecast import forecast

    n, reach = counts.n, 2 << counts.n.bit_length()
    ks = sorted({round(n * (reach / n) ** (step / (_AHEAD - 1))) for step in range(_AHEAD)})
    found = forecast([(n, counts.correct)], [*ks, MORE])
    *points, more = found.points
    return Ahead(
        reach,
        tuple(math.log2(k * counts.unit) for k in ks),
        tuple((point.value, point.low, point.high) for point in points),
        (more.low, more.high),
        found.prior.rpartition(": ")[2],
    )


def curves_of(every: Sequence[Counts], resolution: int) -> list[Curve]:
    """Each model's curve and its forecast."""
    return [replace(curve_of(counts, resolution), ahead=ahead_of(counts)) for counts in every if counts.n > 0]


def warm_up() -> None:
    """Load what curves are made with, which takes most of a second the first time: in a thread, and early."""
    import verifiers.accuracy  # noqa: F401

    curves_of([Counts("", 2, 1)], 2)


def spaced(n: int, count: int) -> list[int]:
    """Whole numbers from 1 to ``n``, about ``count`` of them, evenly spaced in their logarithm."""
    if n < 1:
        return []
    steps = max(1, count - 1)
    return sorted({round(2 ** (math.log2(n) * step / steps)) for step in range(steps + 1)})


def _at_least_once(p: float, k: float) -> float:
    return 1.0 if p >= 1 else -math.expm1(k * math.log1p(-p))

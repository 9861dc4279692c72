"""Coverage beyond the samples at hand: where the curve is likely to go, and how sure that is.

The forecast is for the very problems that were sampled. It averages two things that fail differently, on the
scale log(-log coverage), where the exponentiated power law is a straight line:

* the posterior median of coverage under a prior over difficulty distributions (``budgets.difficulty``), which
  is right about sets with few successes, and
* the straight line through the measured curve, which is right about sets with many. Its weight grows with the
  number of right samples.

A forecast from 100 samples a problem to 10,000 rests as much on the prior as on the samples, and from no
success at all on the prior alone. It is therefore always an interval, never a point, and names its prior.

What was tried: mean absolute error of coverage at 10,000, from n = 100 (and from 20), on the four Pythia
models of the paper and on checkpoints of other sizes and ages (tests/acceptance/test_forecast_bars.py).

    method                                          paper           MATH    GSM8K
    exponentiated power law, on coverage            0.035 (0.074)   0.155   0.186
    beta-binomial, maximum likelihood               0.065 (0.196)   0.233   0.215
    straight line in log(-log coverage)             0.029 (0.059)   0.244   0.270
    one vague prior over difficulties, posterior    0.079 (0.115)   0.075   0.087
    its left tail tied to level and right tail      0.040 (0.078)   0.132   0.135
    that, averaged with the line                    0.031 (0.081)   0.091   0.127
    two regimes, averaged with the line             0.028 (0.069)   0.075   0.122
    this: three regimes, and the line               0.026 (0.053)   0.135   0.141

Only the last row leaves the scored model and half of the problems out of the fit; the rows in between were
fitted to everything and served to choose the form. The line's (0.059) is without the draws that show nothing
right. With the model left out, two regimes err by 0.031 (0.072), 0.118 and 0.106. The rows trade: what lowers
the paper's errors raises those of MATH and GSM8K, whose weak checkpoints spread their chances less.

Intervals are calibrated on such measured sets. On made-up sets that the prior does not expect (128 problems,
log-normal or logistic chances) the values are no better than the power law's, and from n = 100 the intervals
hold the truth in 3 to 19 of 20 draws, least where chances are log-normal and narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING, TypeAlias

from budgets.difficulty import DEFAULT_PRIOR, Prior, evidence, posterior
from budgets.laws import coverage_curve, log_spaced

if TYPE_CHECKING:
    from budgets.amounts import Usd

__all__ = ["Forecast", "Method", "Point", "forecast", "forecaster", "k_for_flops", "k_for_usd"]

Line: TypeAlias = Callable[[float], float]

_LINE_THROUGH = 40
_EDGE = 1e-9
_STEEPEST = 0.75
_BEND = 2.5
"""The line is least trusted where the curve bends away from it: the interval grows on that side by this many
times the distance to the line through the last part of the curve, from k = n^_STEEPEST on."""
_NARROWING = 0.65
"""The posterior's intervals rest on the prior where little is right, and then are as wide as the prior says.
Where much is right, measured forecasts miss by less than it admits; this share of its width goes."""
_DOUBT = 0.5
"""How much of the distance between value and posterior median is added to the interval."""


@dataclass(frozen=True, slots=True)
class Method:
    """How a forecast is made. After ``right`` right samples the straight line weighs
    ``right / (right + evidence)``."""

    prior: Prior = field(default=DEFAULT_PRIOR)
    evidence: float = 20.0


DEFAULT_METHOD = Method()


@dataclass(frozen=True, slots=True)
class Point:
    """Coverage at ``k``: most likely ``value``, and between ``low`` and ``high`` at the forecast's level."""

    k: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """``points`` in the order asked for. ``prior`` says in words what is believed beside the samples."""

    points: tuple[Point, ...]
    level: float
    prior: str


def forecast(
    counts: Sequence[tuple[int, int]], ks: Sequence[int], level: float = 0.9, method: Method = DEFAULT_METHOD
) -> Forecast:
    """Coverage at each of ``ks`` for the problems with (n, c) in ``counts``, n of any size and mix.

    Values never fall as k grows, nor below the coverage measured at the fewest samples of a problem.
    Raises ``ValueError`` for no problems, impossible counts, or k below 1.
    """
    at = forecaster(counts, level, method)
    ordered: dict[int, Point] = {}
    floor = Point(0, 0.0, 0.0, 0.0)
    for k in sorted(set(ks)):
        point = at(k)
        floor = Point(
            k, max(point.value, floor.value), max(point.low, floor.low), max(point.high, floor.high)
        )
        ordered[k] = floor
    return Forecast(tuple(ordered[k] for k in ks), level, describe_prior(counts))


def forecaster(
    counts: Sequence[tuple[int, int]], level: float = 0.9, method: Method = DEFAULT_METHOD
) -> Callable[[int], Point]:
    """What gives the point at any k, for a chart that asks for many; the fitting is done once, here."""
    if not 0 < level < 1:
        raise ValueError(f"A level lies between 0 and 1; {level} does not.")
    believed = posterior(evidence(counts), method.prior)
    line, steepest = straight_line(counts), straight_line(counts, _STEEPEST)
    right, samples = sum(c for _, c in counts), sum(n for n, _ in counts)
    weight = right / (right + method.evidence)
    width = 1 - _NARROWING * weight
    fewest = min(n for n, _ in counts)
    reached = float(coverage_curve(counts, [fewest])[0])
    tail = (1 - level) / 2
    normal = NormalDist().inv_cdf(1 - tail)

    def at(k: int) -> Point:
        if k < 1:
            raise ValueError("Coverage is asked at k of at least 1.")
        low, middle, high = (float(value) for value in believed.quantiles(k, (tail, 0.5, 1 - tail)))
        value = middle
        if len(counts) == 1:
            # The chance that k samples hold a right one is the mean; the median would hide the fat tails.
            value = min(max(believed.mean(k), low), high)
        elif line is not None:
            value = _coverage((1 - weight) * _log_log(middle) + weight * line(k))
        if len(counts) > 1:
            apart, within = _DOUBT * (value - middle), normal * width * believed.spread(k)
            bend = 0.0
            if line is not None and steepest is not None:
                bend = _BEND * weight * (_coverage(steepest(k)) - _coverage(line(k)))
            low = value - math.hypot(width * (middle - low), within, apart, min(bend, 0.0))
            high = value + math.hypot(width * (high - middle), within, apart, max(bend, 0.0))
        if k >= fewest:
            value = max(value, reached)
            high = max(high, value)
        # As is the custom, intervals start at 0 where nothing was right and end at 1 where everything was.
        return Point(
            k,
            value,
            0.0 if right == 0 else max(0.0, low),
            1.0 if right == samples else min(1.0, high),
        )

    return at


def straight_line(counts: Sequence[tuple[int, int]], start: float = 0.0) -> Line | None:
    """log(-log coverage) as a function of k: the least-squares line in log k through the measured curve, from
    k = n^start on, n being the fewest samples of a problem.

    Curves bend: the further up the line starts, the steeper it is, and the more of it is chance. None where
    fewer than two points of the curve lie strictly between 0 and 1.
    """
    import numpy as np

    n = min((n for n, _ in counts), default=0)
    ks = [k for k in log_spaced(n, _LINE_THROUGH) if k >= n**start]
    curve = coverage_curve(counts, ks)
    inside = (curve > 0) & (curve < 1)
    if inside.sum() < 2:
        return None
    x, y = np.log(np.asarray(ks, dtype=np.float64)[inside]), np.log(-np.log(curve[inside]))
    slope = float(((x - x.mean()) @ (y - y.mean())) / ((x - x.mean()) @ (x - x.mean())))
    level = float(y.mean() - slope * x.mean())
    return lambda k: level + slope * math.log(k)


def _log_log(coverage: float) -> float:
    return math.log(-math.log(min(max(coverage, _EDGE), 1 - _EDGE)))


def _coverage(log_log: float) -> float:
    return math.exp(-math.exp(min(log_log, 10.0)))


def describe_prior(counts: Sequence[tuple[int, int]]) -> str:
    """What the forecast believes beside the samples, in one line for people."""
    right, problems = sum(c for _, c in counts), len(counts)
    usual = "difficulty spread as in problem sets measured before (Pythia models on MATH and GSM8K)"
    if right == 0:
        return f"nothing is right yet, so this is the prior alone: {usual}"
    if problems == 1:
        return f"one problem's samples, and a prior: {usual}"
    return f"{right} right samples of {problems} problems, and a prior: {usual}"


def k_for_usd(budget: Usd, each: Usd, prompt: Usd | None = None) -> int:
    """How many samples a problem ``budget`` dollars a problem buy, at ``each`` a sample after ``prompt`` for
    what is paid once. Raises ``ValueError`` for a price that is not above zero."""
    if not each > 0:
        raise ValueError("Samples that cost nothing have no price to divide by.")
    left = budget if prompt is None else budget - prompt
    return max(0, int(left // each))


def k_for_flops(budget: int, each: int, prompt: int = 0) -> int:
    """As ``k_for_usd``, in FLOPs, with the prompt counted once."""
    if each <= 0:
        raise ValueError("Samples that cost nothing have no cost to divide by.")
    return max(0, (budget - prompt) // each)

"""What a problem set's successes say about how hard its problems are.

Each problem has its own chance p that a sample is right. Over a set, logit(p) is taken to follow a logistic
with tails of its own on either side (the generalised logistic of type IV),

    density(x)  proportional to  exp(left u) / (1 + exp(u))^(left + right),    u = x - shift,  x = logit(p),

so that the density of p near 0 behaves like p^(left - 1): the heavier the left tail, the more problems stay
out of reach, and the slower coverage grows (Schaeffer et al. 2025, arXiv 2502.17578). ``right`` says how
quickly easy problems thin out.

A few hundred samples do not determine the left tail; a prior must say what is usual. It has regimes, because
measured sets come in two sorts: *broad*, where some problems are easy while others are nearly out of reach,
more so the weaker the model; and *narrow*, where all problems are about as hard. A third, vague one is there
for sets of neither sort. The posterior is summed on a fixed grid of (left, right, level): nothing is drawn at
random, and the same counts give the same forecast.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Thin: TypeAlias = NDArray[np.float32]

__all__ = [
    "DEFAULT_PRIOR",
    "Evidence",
    "Posterior",
    "Prior",
    "Regime",
    "evidence",
    "posterior",
    "usual_prior",
]

_NEGLIGIBLE = 1e-6
"""Grid points this much less likely than the best are dropped."""


@dataclass(frozen=True, slots=True)
class Regime:
    """One sort of problem set: ``right`` and ``left`` are log-normal around the given medians; that of
    ``left`` is exp(trend) times as large for every unit that the level's logit lies above -6."""

    share: float
    right: float
    right_spread: float
    left: float
    left_spread: float
    trend: float = 0.0


@dataclass(frozen=True, slots=True)
class Prior:
    """The regimes, and a two-piece normal over the level, the logit of the mean chance."""

    regimes: tuple[Regime, ...]
    level: float
    level_below: float
    level_above: float


def usual_prior(*, vague: float = 0.1, broad: float = 0.85, trend: float = 0.65) -> Prior:
    """The prior by its three fitted numbers: the share of the vague regime, the share of the broad one in
    the rest, and how fast the broad one's left tail thins with the level."""
    return Prior(
        regimes=(
            Regime((1 - vague) * broad, right=1.0, right_spread=0.5, left=0.1, left_spread=0.4, trend=trend),
            Regime((1 - vague) * (1 - broad), right=12.0, right_spread=0.7, left=0.35, left_spread=0.3),
            Regime(vague, right=3.0, right_spread=1.2, left=0.35, left_spread=0.8),
        ),
        level=-7.0,
        level_below=4.0,
        level_above=4.0,
    )


DEFAULT_PRIOR = usual_prior()


@dataclass(frozen=True)
class _Grid:
    """``logit`` (G,) values of x; ``weight`` (J, G) the density of each candidate on them; ``left``,
    ``right`` (both as logarithms) and ``level`` (J,) the candidates."""

    logit: Floats
    weight: Thin
    left: Floats
    right: Floats
    level: Floats


@lru_cache(maxsize=1)
def _grid() -> _Grid:
    import numpy as np

    logit = np.linspace(-25.0, 12.0, 248)
    chance = np.exp(-np.logaddexp(0.0, -logit))
    shifts = np.linspace(-32.0, 16.0, 161)
    levels = np.linspace(-16.5, 4.5, 55)
    weights, points = [], []
    for left in np.log(np.geomspace(0.03, 2.5, 20)):
        for right in np.log(np.geomspace(0.5, 40.0, 10)):
            mean = _density(logit, shifts, left, right) @ chance
            level = np.log(mean) - np.log1p(-mean)
            within = levels[(levels > level[0]) & (levels < level[-1])]
            weights.append(_density(logit, np.interp(within, level, shifts), left, right).astype(np.float32))
            points.append(np.column_stack([np.full((len(within), 2), (left, right)), within]))
    left, right, level = np.concatenate(points).T
    return _Grid(logit, np.concatenate(weights), left, right, level)


def _density(logit: Floats, shifts: Floats, left: float, right: float) -> Floats:
    """The family's densities on the grid, each summing to one: shape (len(shifts), G)."""
    import numpy as np

    u = logit - shifts[:, None]
    log = np.exp(left) * u - (np.exp(left) + np.exp(right)) * np.logaddexp(0.0, u)
    density: Floats = np.exp(log - log.max(axis=1, keepdims=True))
    density /= density.sum(axis=1, keepdims=True)
    return density


@lru_cache(maxsize=4)
def _log_prior(prior: Prior) -> Floats:
    import numpy as np

    grid = _grid()
    regimes = [
        np.log(regime.share)
        + _log_normal(grid.right, np.log(regime.right), regime.right_spread)
        + _log_normal(grid.left, np.log(regime.left) + regime.trend * (grid.level + 6), regime.left_spread)
        for regime in prior.regimes
    ]
    spread = np.where(grid.level < prior.level, prior.level_below, prior.level_above)
    log: Floats = np.logaddexp.reduce(regimes, axis=0)
    log -= 0.5 * ((grid.level - prior.level) / spread) ** 2
    return log


def _log_normal(x: Floats, mean: Any, spread: float) -> Floats:
    import numpy as np

    log: Floats = -0.5 * ((x - mean) / spread) ** 2 - np.log(spread)
    return log


@dataclass(frozen=True)
class Posterior:
    """What is believed of a set's coverage once its samples are counted.

    ``weights`` (J,) of the candidate distributions that are left; ``chances`` (J, G) under each, the chance p
    of a problem drawn from this very set (not a new one: its own successes are known); ``each`` (U, G) the
    same for each distinct (n, c), averaged over the candidates, and ``times`` (U,) how many problems have it.
    """

    weights: Floats
    chances: Floats
    each: Floats
    times: Floats

    @property
    def problems(self) -> int:
        return int(self.times.sum())

    def candidates(self, k: float) -> Floats:
        """The set's coverage at ``k`` as each candidate has it: shape (J,)."""
        return self.chances @ _solved(k)

    def quantiles(self, k: float, at: tuple[float, ...]) -> Floats:
        """Quantiles of the coverage at ``k`` over the candidates; for one problem, over its chance p."""
        values, weights = self.candidates(k), self.weights
        if self.problems == 1:
            values, weights = _solved(k), self.each[0]
        return _weighted_quantiles(values, weights, at)

    def spread(self, k: float) -> float:
        """The standard deviation of the set's coverage at ``k`` that is left when the distribution is known
        and the problems are not. Zero for one problem, whose quantiles have it already."""
        import numpy as np

        if self.problems == 1:
            return 0.0
        solved = _solved(k)
        mean = self.each @ solved
        variance = self.each @ solved**2 - mean**2
        return float(np.sqrt(self.times @ np.maximum(variance, 0.0)) / self.times.sum())

    def mean(self, k: float) -> float:
        return min(1.0, float(self.weights @ self.candidates(k)))


def _solved(k: float) -> Floats:
    """1 - (1 - p)^k on the grid."""
    import numpy as np

    solved: Floats = -np.expm1(-k * np.logaddexp(0.0, _grid().logit))
    return solved


def _weighted_quantiles(values: Floats, weights: Floats, at: tuple[float, ...]) -> Floats:
    import numpy as np

    order = np.argsort(values)
    heaped = np.cumsum(weights[order])
    return np.clip(np.interp(at, heaped / heaped[-1], values[order]), 0.0, 1.0)


@dataclass(frozen=True)
class Evidence:
    """What the samples say, whatever the prior: ``likelihood`` (U, G) of each distinct (n, c), found in
    ``times`` (U,) problems; ``of`` (J, U) its mean under each candidate; ``log`` (J,) of all problems."""

    times: Floats
    likelihood: Thin
    of: Thin
    log: Floats


def evidence(counts: Iterable[tuple[int, int]]) -> Evidence:
    """The evidence in (n, c) of each problem; n may differ by problem. Raises ``ValueError`` for none, and
    for counts that cannot be."""
    import numpy as np

    groups = Counter(counts)
    if not groups:
        raise ValueError("A forecast for no problems is undefined.")
    for n, c in groups:
        if not 0 <= c <= n or n < 1:
            raise ValueError(f"{c} of {n} samples cannot be right.")
    grid = _grid()
    pairs = np.array(list(groups), dtype=np.float64)
    times = np.array(list(groups.values()), dtype=np.float64)
    likelihood = _likelihood(pairs[:, :1], pairs[:, 1:], grid.logit)
    of = grid.weight @ likelihood.T + np.float32(1e-37)
    return Evidence(times, likelihood, of, np.log(of).astype(np.float64) @ times)


def posterior(found: Evidence, prior: Prior = DEFAULT_PRIOR) -> Posterior:
    """The prior, once the evidence is in."""
    import numpy as np

    grid = _grid()
    log = _log_prior(prior) + found.log
    weights = np.exp(log - log.max())
    kept = weights > _NEGLIGIBLE
    weights = weights[kept] / weights[kept].sum()
    density = grid.weight[kept]
    share = (found.times / found.times.sum()).astype(np.float32)
    chances = ((share / found.of[kept]) @ found.likelihood) * density
    chances /= chances.sum(axis=1, keepdims=True)
    each = found.likelihood.astype(np.float64) * (weights @ density)
    each /= each.sum(axis=1, keepdims=True)
    return Posterior(weights, chances.astype(np.float64), each, found.times)


def _likelihood(n: Floats, c: Floats, logit: Floats) -> Thin:
    """P(c of n right | x), each row scaled to a maximum of one: shape (U, G)."""
    import numpy as np

    log = -c * np.logaddexp(0.0, -logit) - (n - c) * np.logaddexp(0.0, logit)
    likelihood: Thin = np.exp(log - log.max(axis=1, keepdims=True)).astype(np.float32)
    return likelihood

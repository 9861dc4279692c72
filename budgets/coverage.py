"""What more samples buy: coverage (pass@k), how sure it is, and how likely the next answer is a new one.

Coverage at k is the chance that at least one of k samples is right, averaged over problems. The estimator is
the unbiased one of Chen et al. 2021 (arXiv 2107.03374), used by Brown et al. 2024 (arXiv 2407.21787),

    pass@k = mean over problems of  1 - C(n - c, k) / C(n, k),        k <= n,

with n samples of which c are right. It does not exist for k > n, and asking for it there is an error; beyond
n lie forecasts. The quotient is taken as a sum of logarithms of its factors, shortest side first, and its
complement by ``expm1``, so that neither large n nor tiny chances cost accuracy.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    _Floats: TypeAlias = NDArray[np.float64]

__all__ = [
    "Interval",
    "coverage_interval",
    "mean_pass_at_k",
    "next_is_new",
    "pass_at_k",
    "posterior_interval",
]

_BOOTSTRAP_CELLS = 4_000_000
"""Random draws held in memory at once."""


def pass_at_k(n: int, c: int, k: int) -> float:
    """The unbiased estimate of coverage at ``k`` for one problem with ``c`` of ``n`` samples right.

    Raises ``ValueError`` unless 0 <= c <= n and 1 <= k <= n.
    """
    _check_counts(n, c)
    if not 1 <= k <= n:
        raise ValueError(f"pass@{k} cannot be estimated from {n} samples; k goes from 1 to {n}.")
    if c == 0:
        return 0.0
    if n - c < k:
        return 1.0
    # C(n-c, k) / C(n, k) is symmetric in c and k: a product of min(c, k) factors.
    factors, step = min(c, k), max(c, k)
    return -math.expm1(math.fsum(math.log1p(-step / (n - i)) for i in range(factors)))


def mean_pass_at_k(counts: Iterable[tuple[int, int]], k: int) -> float:
    """Coverage at ``k`` of a problem set, ``counts`` being its pairs (n, c).

    Raises ``ValueError`` for no problems, and for k above the smallest n.
    """
    groups = Counter(counts)
    if not groups:
        raise ValueError("Coverage of no problems is undefined.")
    return math.fsum(times * pass_at_k(n, c, k) for (n, c), times in groups.items()) / groups.total()


def posterior_interval(n: int, c: int, k: int, level: float = 0.9) -> tuple[float, float]:
    """A credible interval for one problem's coverage at ``k``, which here may exceed n.

    The chance p of a right sample has the Jeffreys posterior Beta(c + 1/2, n - c + 1/2); its central interval
    is mapped through 1 - (1 - p)^k, which is monotone. As is the custom for this interval (Brown, Cai and
    DasGupta 2001, "Interval Estimation for a Binomial Proportion"), it starts at 0 where nothing was right
    and ends at 1 where everything was. Raises ``ValueError``.
    """
    _check_counts(n, c)
    if k < 1:
        raise ValueError("Coverage is asked at k of at least 1.")
    low, high = _jeffreys(c, n, level)
    return _at_least_once(low, k), _at_least_once(high, k)


def _jeffreys(successes: float, trials: float, level: float) -> tuple[float, float]:
    """The central interval of Beta(s + 1/2, t - s + 1/2), with the customary ends."""
    from scipy.special import betaincinv

    _check_level(level)
    a, b, tail = successes + 0.5, trials - successes + 0.5, (1 - level) / 2
    low = 0.0 if successes == 0 else float(betaincinv(a, b, tail))
    high = 1.0 if successes == trials else float(betaincinv(a, b, 1 - tail))
    return low, high


def _at_least_once(p: float, k: int) -> float:
    return 1.0 if p >= 1 else -math.expm1(k * math.log1p(-p))


@dataclass(frozen=True, slots=True)
class Interval:
    """``low`` to ``high`` in 0..1, and the name of the method that made it."""

    low: float
    high: float
    method: str


def coverage_interval(
    counts: Sequence[tuple[int, int]], k: int, level: float = 0.9, *, resamples: int = 2000, seed: int = 0
) -> Interval:
    """How sure the coverage at ``k`` of a problem set is, over the choice of its problems.

    Several problems: they are drawn again with replacement, ``resamples`` times, and the percentiles of the
    mean are taken, widened for few problems as by Hesterberg 2015 ("What Teachers Should Know About the
    Bootstrap", the expanded percentile interval). One problem: its posterior. Problems that are all alike
    leave nothing to resample; then the share of solved problems has its Jeffreys interval, which is wider
    than the point that a bootstrap would give.

    The same arguments give the same interval. Raises ``ValueError`` as ``mean_pass_at_k`` does.
    """
    _check_level(level)
    mean = mean_pass_at_k(counts, k)
    problems = len(counts)
    if problems == 1:
        return Interval(*posterior_interval(*counts[0], k, level), "Jeffreys posterior of the one problem")
    values = [pass_at_k(n, c, k) for n, c in counts]
    if min(values) == max(values):
        ends = _jeffreys(problems * mean, problems, level)
        return Interval(*ends, f"Jeffreys interval over {problems} problems that are all alike")
    import numpy as np

    means = _bootstrap_means(np.asarray(values), resamples, np.random.default_rng(seed))
    tail = _expanded_tail((1 - level) / 2, problems)
    low, high = np.quantile(means, [tail, 1 - tail])
    method = f"bootstrap over {problems} problems, expanded percentile, {resamples} resamples"
    return Interval(float(low), float(high), method)


def _bootstrap_means(values: _Floats, resamples: int, generator: np.random.Generator) -> _Floats:
    """Means of ``resamples`` draws with replacement from ``values`` (problems,): shape (resamples,)."""
    import numpy as np

    problems = len(values)
    rows = max(1, _BOOTSTRAP_CELLS // problems)
    means = np.empty(resamples)
    for start in range(0, resamples, rows):
        stop = min(resamples, start + rows)
        drawn = generator.integers(0, problems, size=(stop - start, problems))
        means[start:stop] = values[drawn].mean(axis=1)
    return means


def _expanded_tail(tail: float, n: int) -> float:
    """The percentile whose normal width, from the n-divisor spread, equals Student's at ``tail``."""
    from scipy.special import ndtr, stdtrit

    student: Any = stdtrit(n - 1, tail)
    return float(ndtr(math.sqrt(n / (n - 1)) * student))


def next_is_new(singletons: int, n: int) -> float:
    """The chance that the next sample brings an answer not seen among ``n``: about the share of answers seen
    exactly once (Good 1953, "The population frequencies of species", credited there to Turing).

    The first answer is new for certain. Raises ``ValueError`` unless 0 <= singletons <= n.
    """
    if not 0 <= singletons <= n:
        raise ValueError(f"Between 0 and {n} of {n} answers were seen once, not {singletons}.")
    return singletons / n if n else 1.0


def _check_counts(n: int, c: int) -> None:
    if not 0 <= c <= n:
        raise ValueError(f"{c} of {n} samples cannot be right.")


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"A level lies between 0 and 1; {level} does not.")

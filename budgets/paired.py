"""Which of two models covers more of the same problems, and how sure that is.

Problems differ far more than models do, so models are compared problem by problem: the mean of the
differences has a much narrower interval than the difference of two means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from budgets.coverage import pass_at_k

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Difference", "coverage_difference", "mean_difference"]

_RESAMPLES = 4000


@dataclass(frozen=True, slots=True)
class Difference:
    """The first less the second, between ``low`` and ``high`` at the level asked for. ``sure`` is the chance
    that it is above zero, ties counting half."""

    value: float
    low: float
    high: float
    sure: float
    method: str


def mean_difference(
    first: Sequence[float], second: Sequence[float], level: float = 0.9, *, seed: int = 0
) -> Difference:
    """The mean of ``first[i] - second[i]`` over problems i, drawn again with replacement (a paired bootstrap,
    percentile interval, Efron & Tibshirani 1993). Shape (problems,) each, at least one.

    Where all problems differ alike there is nothing to draw from: then the interval is that of a share of so
    many problems (Jeffreys), on the side of zero where it lies. Raises ``ValueError`` for no problems or
    lengths that differ.
    """
    import numpy as np

    if not first or len(first) != len(second):
        raise ValueError("Two models are compared on the same problems, at least one.")
    apart = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    value = float(apart.mean())
    if np.ptp(apart) < 1e-12:
        return _alike(value, len(apart), level)
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, len(apart), size=(_RESAMPLES, len(apart)))
    return _summed(value, apart[drawn].mean(axis=1), level, f"paired bootstrap over {len(apart)} problems")


def coverage_difference(
    first: Sequence[tuple[int, int]],
    second: Sequence[tuple[int, int]],
    k: tuple[int, int],
    level: float = 0.9,
    *,
    seed: int = 0,
) -> Difference:
    """Coverage of the first model at ``k[0]`` samples less that of the second at ``k[1]``, from (n, c) of the
    same problems in the same order. One problem alone is compared by the posteriors of its two chances."""
    if len(first) == len(second) == 1:
        return _of_one_problem(first[0], second[0], k, level, seed)
    return mean_difference(
        [pass_at_k(n, c, k[0]) for n, c in first],
        [pass_at_k(n, c, k[1]) for n, c in second],
        level,
        seed=seed,
    )


def _of_one_problem(
    first: tuple[int, int], second: tuple[int, int], k: tuple[int, int], level: float, seed: int
) -> Difference:
    import numpy as np

    generator = np.random.default_rng(seed)
    chances = [
        1 - (1 - generator.beta(c + 0.5, n - c + 0.5, _RESAMPLES)) ** each
        for (n, c), each in zip((first, second), k, strict=True)
    ]
    value = pass_at_k(*first, k[0]) - pass_at_k(*second, k[1])
    return _summed(value, chances[0] - chances[1], level, "Jeffreys posteriors of the one problem")


def _alike(value: float, problems: int, level: float) -> Difference:
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    size = min(1.0, abs(value))
    low, high = (
        float(betaincinv(problems * size + 0.5, problems * (1 - size) + 0.5, q)) for q in (tail, 1 - tail)
    )
    method = f"Jeffreys interval over {problems} problems that all differ alike"
    if value == 0:
        return Difference(0.0, -high, high, 0.5, method)
    sure = 1 - 0.5 ** (problems + 1)
    if value > 0:
        return Difference(value, min(low, value), max(high, value), sure, method)
    return Difference(value, min(-high, value), max(-low, value), 1 - sure, method)


def _summed(value: float, drawn: NDArray[np.float64], level: float, method: str) -> Difference:
    import numpy as np

    tail = (1 - level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    sure = float((drawn > 1e-12).mean() + 0.5 * (abs(drawn) <= 1e-12).mean())
    return Difference(value, min(float(low), value), max(float(high), value), sure, method)

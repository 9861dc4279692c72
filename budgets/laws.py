"""Two laws of coverage that others proposed, fitted as they fitted them.

They describe a measured curve well and extend it poorly (``budgets.forecast`` does that); they are here to be
compared with, and because their constants are what papers report.

* The exponentiated power law, c(k) = exp(a k^b) with a, b < 0 (Brown et al. 2024, arXiv 2407.21787).
* The beta-binomial: the chance of a right sample varies over problems as Beta(a, b), so that
  c(k) = 1 - B(a, b + k) / B(a, b) (Kazdan et al. 2025, arXiv 2510.05197).
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

    Floats: TypeAlias = NDArray[np.float64]

__all__ = [
    "BetaBinomial",
    "PowerLaw",
    "beta_binomial",
    "coverage_curve",
    "fit_power_law",
    "log_spaced",
    "pass_at_each",
    "power_law",
]

_FITTED_AT = 40
_JUDGED_AT = 100


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """c(k) = exp(a k^b), and the mean and standard deviation of |measured - fitted| over the curve."""

    a: float
    b: float
    mean_abs_error: float
    sd_abs_error: float

    def coverage(self, k: float) -> float:
        return math.exp(self.a * k**self.b)


@dataclass(frozen=True, slots=True)
class BetaBinomial:
    """Chances of a right sample spread over problems as Beta(a, b)."""

    a: float
    b: float

    def coverage(self, k: float) -> float:
        """1 - B(a, b + k) / B(a, b), for k of any size."""
        from scipy.special import betaln

        difference: Any = betaln(self.a, self.b + k) - betaln(self.a, self.b)
        return -math.expm1(float(difference))


def log_spaced(n: int, points: int) -> list[int]:
    """About ``points`` whole numbers from 1 to ``n``, evenly spaced in the logarithm, without duplicates."""
    if n < 1 or points < 2:
        raise ValueError("Spacing needs n of at least 1 and two points.")
    return sorted({round(n ** (i / (points - 1))) for i in range(points)})


def coverage_curve(counts: Iterable[tuple[int, int]], ks: Sequence[int]) -> Floats:
    """Unbiased coverage (pass@k) at all of ``ks`` at once: shape (len(ks),).

    The same estimator as ``budgets.coverage.mean_pass_at_k``, by log-gamma and vectorised, exact to about
    1e-9 at n = 10^6. Raises ``ValueError`` for no problems and for a k outside 1..smallest n.
    """
    import numpy as np

    groups = Counter(counts)
    if not groups:
        raise ValueError("Coverage of no problems is undefined.")
    pairs = np.array(list(groups), dtype=np.float64)
    times = np.array(list(groups.values()), dtype=np.float64)
    k = np.asarray(ks, dtype=np.float64)
    if k.size and (k.min() < 1 or k.max() > pairs[:, 0].min()):
        raise ValueError(f"pass@k from {pairs[:, 0].min():.0f} samples exists for k from 1 to that.")
    curve: Floats = times @ pass_at_each(pairs[:, 0], pairs[:, 1], k) / times.sum()
    return curve


def pass_at_each(n: Floats, c: Floats, k: Floats) -> Floats:
    """pass@k of each problem at each k: shapes (P,), (P,), and (K,) or (P, K), to (P, K).
    Needs k <= n everywhere."""
    import numpy as np
    from scipy.special import gammaln

    n, c = n[:, None], c[:, None]
    left = np.maximum(n - c - k, 0.0)
    missed: Any = gammaln(n - c + 1) - gammaln(left + 1) + gammaln(n - k + 1) - gammaln(n + 1)
    solved: Floats = -np.expm1(np.minimum(missed, 0.0))
    return np.where(n - c < k, 1.0, np.where(c == 0, 0.0, solved))


def power_law(counts: Sequence[tuple[int, int]]) -> PowerLaw | None:
    """The exponentiated power law of the measured curve, as the paper fits it: least squares on coverage
    itself, at 40 log-spaced k up to the smallest n, duplicates removed. Its error is taken at 100.

    None where no curve determines it: one sample a problem, nothing right, or everything right.
    """
    n = min((n for n, _ in counts), default=0)
    if n < 2:
        return None
    ks = log_spaced(n, _FITTED_AT)
    curve = coverage_curve(counts, ks)
    found = fit_power_law(ks, curve)
    if found is None:
        return None
    import numpy as np

    a, b = found
    judged = log_spaced(n, _JUDGED_AT)
    errors = np.abs(coverage_curve(counts, judged) - np.exp(a * np.asarray(judged, dtype=np.float64) ** b))
    return PowerLaw(a, b, float(errors.mean()), float(errors.std()))


def fit_power_law(ks: Sequence[int], curve: Floats) -> tuple[float, float] | None:
    """(a, b) of exp(a k^b) by ``curve_fit`` on coverage, or None where it does not settle."""
    import warnings

    import numpy as np
    from scipy.optimize import OptimizeWarning, curve_fit

    if len(ks) < 2 or curve.max() <= 0 or curve.min() >= 1:
        return None
    first = float(min(max(curve[0], 1e-6), 1 - 1e-6))
    with warnings.catch_warnings(), np.errstate(over="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", OptimizeWarning)
        try:
            (a, b), _ = curve_fit(
                lambda k, a, b: np.exp(a * k**b),
                np.asarray(ks, dtype=np.float64),
                curve,
                p0=(math.log(first), -0.3),
                maxfev=5000,
            )
        except RuntimeError:
            return None
    return (float(a), float(b)) if math.isfinite(a) and math.isfinite(b) else None


def beta_binomial(counts: Sequence[tuple[int, int]]) -> BetaBinomial | None:
    """Beta(a, b) by maximum likelihood from (n, c) of each problem; n may differ by problem.

    None where the maximum lies at no proper distribution: nothing right, or everything right.
    """
    import numpy as np
    from scipy.optimize import minimize
    from scipy.special import betaln

    groups = Counter(counts)
    if not groups:
        raise ValueError("A law of no problems is undefined.")
    pairs = np.array(list(groups), dtype=np.float64)
    times = np.array(list(groups.values()), dtype=np.float64)
    n, c = pairs[:, 0], pairs[:, 1]
    if not 0 < times @ c < times @ n:
        return None

    def minus_log_likelihood(logs: Floats) -> float:
        a, b = np.exp(logs)
        each: Any = betaln(a + c, b + n - c) - betaln(a, b)
        return -float(times @ each)

    mean = float(times @ (c / n) / times.sum())
    start = np.log([max(mean, 1e-6), max(1 - mean, 1e-6)])
    # Alike problems have no maximum: a and b grow together without end. The bounds stop them where the
    # distribution is a point for every purpose.
    found = minimize(minus_log_likelihood, start, method="L-BFGS-B", bounds=[(-15.0, 15.0)] * 2)
    a, b = np.exp(found.x)
    return BetaBinomial(float(a), float(b))

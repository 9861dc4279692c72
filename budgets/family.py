"""How alike the coverage curves of a family of models are.

Drawn over log k, the curves of one family on one benchmark look like one curve, moved sideways (Brown et al.
2024, arXiv 2407.21787, section 3.3): a stronger model has a head start and then climbs at the same rate. To
see it, take c*, the largest pass@1 in the family; find for each model the k0 at which its own curve reaches
c*; move the curve left by log k0, so that all start at c*; and compare the climbs from there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from budgets.laws import coverage_curve, log_spaced

if TYPE_CHECKING:
    from budgets.laws import Floats

__all__ = ["Family", "Member", "family_similarity"]

_POINTS = 200
_COMPARED_AT = 50


@dataclass(frozen=True, slots=True)
class Member:
    """One curve: it reaches the family's start at ``k0`` samples (``shift`` = log10 k0, the decades it is
    behind), and gains ``slope`` coverage with every tenfold number of samples from there. All None where
    the curve was not measured that far."""

    model: str
    k0: float | None
    shift: float | None
    slope: float | None


@dataclass(frozen=True, slots=True)
class Family:
    """``start`` is c*. ``decades`` is how far all shifted curves reach, and ``apart`` the largest distance
    between two of them over that range; both None where fewer than two curves can be compared."""

    start: float
    members: tuple[Member, ...]
    decades: float | None
    apart: float | None


def family_similarity(models: Mapping[str, Sequence[tuple[int, int]]]) -> Family:
    """Compare the measured curves of ``models``, each a list of (n, c). Raises ``ValueError`` for none."""
    import numpy as np

    if not models:
        raise ValueError("A family needs at least one model.")
    curves = {name: _curve(counts) for name, counts in models.items()}
    start = max(float(coverage[0]) for _, coverage in curves.values())
    shifts = {name: _reaches(curve, start) for name, curve in curves.items()}
    reach = [float(curves[name][0][-1]) - shift for name, shift in shifts.items() if shift is not None]
    decades = min(reach, default=0.0)
    if start <= 0 or decades <= 0:
        return Family(start, tuple(_member(name, shifts[name], None) for name in models), None, None)
    at = np.linspace(0.0, decades, _COMPARED_AT)
    shifted = {
        name: np.interp(at + shift, *curves[name]) for name, shift in shifts.items() if shift is not None
    }
    slopes = {name: float(np.polyfit(at, coverage, 1)[0]) for name, coverage in shifted.items()}
    members = tuple(_member(name, shifts[name], slopes.get(name)) for name in models)
    if len(shifted) < 2:
        return Family(start, members, None, None)
    stacked = np.array(list(shifted.values()))
    return Family(start, members, decades, float((stacked.max(axis=0) - stacked.min(axis=0)).max()))


def _member(name: str, shift: float | None, slope: float | None) -> Member:
    return Member(name, None if shift is None else 10**shift, shift, slope)


def _curve(counts: Sequence[tuple[int, int]]) -> tuple[Floats, Floats]:
    """log10 k and coverage, up to the smallest n."""
    import numpy as np

    ks = log_spaced(min((n for n, _ in counts), default=0), _POINTS)
    return np.log10(np.asarray(ks, dtype=np.float64)), coverage_curve(counts, ks)


def _reaches(curve: tuple[Floats, Floats], start: float) -> float | None:
    """log10 of the k at which the curve first reaches ``start``, between its points by a straight line."""
    x, coverage = curve
    after = int((coverage < start).sum())
    if after == len(x):
        return None
    if after == 0:
        return float(x[0])
    below, above = float(coverage[after - 1]), float(coverage[after])
    share = (start - below) / (above - below)
    place = float(x[after - 1]) + share * float(x[after] - x[after - 1])
    return place if math.isfinite(place) else None

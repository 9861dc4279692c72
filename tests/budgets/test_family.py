"""Curves of a family, moved to a common start."""

from __future__ import annotations

import numpy as np
import pytest

from budgets.family import family_similarity


def counts(mean: float, n: int = 1000) -> list[tuple[int, int]]:
    """A set with chances spread evenly in the logarithm around exp(mean)."""
    return [(n, round(n * p)) for p in np.exp(np.linspace(mean - 3, mean + 3, 60)).clip(0, 1)]


def test_the_same_curve_moved_sideways_is_told_by_its_shift() -> None:
    family = family_similarity({"strong": counts(-4.0, 20_000), "weak": counts(-5.5, 20_000)})
    strong, weak = family.members
    assert strong.k0 == pytest.approx(1.0)
    assert weak.k0 == pytest.approx(np.exp(1.5), rel=0.2)
    assert weak.shift == pytest.approx(np.log10(weak.k0 or 0))
    assert weak.slope == pytest.approx(strong.slope, rel=0.1)
    assert family.apart is not None
    assert family.apart < 0.05


def test_curves_that_differ_are_apart() -> None:
    flat = [(1000, 300)] * 10 + [(1000, 0)] * 90
    family = family_similarity({"spread": counts(-4.0), "flat": flat})
    assert family.apart is not None
    assert family.apart > 0.1


def test_a_curve_that_never_gets_there_says_so() -> None:
    family = family_similarity({"strong": counts(-2.0), "hopeless": [(1000, 0)] * 60})
    assert family.members[1].k0 is None
    assert family.members[1].slope is None
    assert family.apart is None


def test_a_family_of_failures_and_one_of_single_samples() -> None:
    assert family_similarity({"a": [(10, 0)], "b": [(10, 0)]}).apart is None
    assert family_similarity({"a": [(1, 1)], "b": [(1, 0)]}).apart is None
    with pytest.raises(ValueError, match="at least one"):
        family_similarity({})

"""The laws find the constants of curves that follow them, and say so where there is nothing to find."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgets.coverage import mean_pass_at_k
from budgets.laws import beta_binomial, coverage_curve, fit_power_law, log_spaced, power_law


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60)), min_size=1, max_size=8))
def test_the_vectorised_curve_is_the_estimator(raw: list[tuple[int, int]]) -> None:
    counts = [(n, min(n, c)) for n, c in raw]
    ks = list(range(1, min(n for n, _ in counts) + 1))
    curve = coverage_curve(counts, ks)
    assert curve == pytest.approx([mean_pass_at_k(counts, k) for k in ks], abs=1e-11)


def test_the_vectorised_curve_at_a_million_samples() -> None:
    counts, ks = [(10**6, 3), (10**6, 40_000)], [1, 77, 10**5, 10**6]
    assert coverage_curve(counts, ks) == pytest.approx([mean_pass_at_k(counts, k) for k in ks], abs=1e-8)


@pytest.mark.parametrize("k", [0, 6])
def test_a_curve_ends_at_the_fewest_samples(k: int) -> None:
    with pytest.raises(ValueError, match="for k from 1"):
        coverage_curve([(5, 1), (9, 1)], [k])


def test_log_spaced_has_both_ends_and_no_duplicates() -> None:
    assert log_spaced(10_000, 40)[0] == 1
    assert log_spaced(10_000, 40)[-1] == 10_000
    assert log_spaced(5, 40) == [1, 2, 3, 4, 5]
    assert log_spaced(1, 40) == [1]


def test_the_power_law_finds_its_own_constants() -> None:
    ks = log_spaced(10_000, 40)
    curve = np.exp(-6.0 * np.asarray(ks, dtype=float) ** -0.31)
    found = fit_power_law(ks, curve)
    assert found == pytest.approx((-6.0, -0.31), rel=1e-4)


def test_the_power_law_of_counts_tells_its_error() -> None:
    chances = np.exp(np.random.default_rng(4).normal(-6, 2, 200)).clip(0, 0.9)
    law = power_law([(1000, int(1000 * p)) for p in chances])
    assert law is not None
    assert law.a < 0 > law.b
    assert 0 < law.mean_abs_error < 0.03
    assert law.sd_abs_error < 0.03
    assert 0 < law.coverage(10) < law.coverage(100) < 1


@pytest.mark.parametrize("counts", [[(100, 0)], [(100, 100)], [(1, 1), (100, 5)], [], [(100, 0)] * 20])
def test_no_power_law_where_no_curve_determines_it(counts: list[tuple[int, int]]) -> None:
    assert power_law(counts) is None


def test_the_beta_binomial_finds_its_own_constants() -> None:
    generator = np.random.default_rng(1)
    chances = generator.beta(0.4, 6.0, 4000)
    n = generator.choice([40, 100], 4000)
    law = beta_binomial([(int(m), int(c)) for m, c in zip(n, generator.binomial(n, chances), strict=True)])
    assert law is not None
    assert (law.a, law.b) == pytest.approx((0.4, 6.0), rel=0.1)
    assert law.coverage(1) == pytest.approx(law.a / (law.a + law.b), rel=1e-9)
    assert law.coverage(1000) == pytest.approx(float(1 - np.mean((1 - chances) ** 1000)), abs=0.01)


@pytest.mark.parametrize("counts", [[(10, 0), (20, 0)], [(10, 10)]])
def test_no_beta_binomial_at_the_edge(counts: list[tuple[int, int]]) -> None:
    assert beta_binomial(counts) is None


def test_a_beta_binomial_of_problems_that_are_all_alike_stays_finite() -> None:
    law = beta_binomial([(100, 5)] * 50)
    assert law is not None
    assert law.coverage(10) == pytest.approx(1 - 0.95**10, abs=0.01)
    assert math.isfinite(law.a)

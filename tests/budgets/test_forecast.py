"""Forecasts keep order, stay in 0..1, hold what they promise on made-up sets, and are never mere points."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budgets.difficulty import evidence, posterior
from budgets.forecast import forecast, k_for_flops, k_for_usd, straight_line

KS = [200, 1000, 10_000, 10**6]
COUNTS = st.lists(
    st.tuples(st.integers(1, 300), st.integers(0, 300)).map(lambda pair: (pair[0], min(pair))),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(COUNTS)
def test_every_forecast_is_in_order(counts: list[tuple[int, int]]) -> None:
    points = forecast(counts, KS).points
    for point in points:
        assert 0 <= point.low <= point.value <= point.high <= 1
    for before, after in pairwise(points):
        assert before.value <= after.value
        assert before.low <= after.low
        assert before.high <= after.high


def drawn(seed: int, n: int, problems: int = 128) -> tuple[list[tuple[int, int]], float]:
    """A set with tails as measured sets have them (the logarithm of a quotient of two gammas has the
    family's distribution), and its coverage at 10,000."""
    generator = np.random.default_rng(seed)
    quotient = generator.gamma(0.18, size=problems) / generator.gamma(1.5, size=problems)
    chances = quotient * np.exp(-4.0) / (1 + quotient * np.exp(-4.0))
    counts = [(n, int(c)) for c in generator.binomial(n, chances)]
    return counts, float(np.mean(1 - (1 - chances) ** 10_000))


def test_most_intervals_hold_the_truth_of_sets_as_they_are_measured() -> None:
    held = 0
    for seed in range(20):
        counts, truth = drawn(seed, 100)
        point = forecast(counts, [10_000]).points[0]
        assert abs(point.value - truth) < 0.25
        held += point.low <= truth <= point.high
    assert held >= 14


def test_more_samples_narrow_the_interval() -> None:
    widths = []
    for n in (10, 100, 1000):
        point = forecast(drawn(3, n)[0], [10_000]).points[0]
        widths.append(point.high - point.low)
    assert widths[0] > widths[1] > widths[2]


def test_nothing_right_yet_is_an_interval_that_says_it_is_the_prior() -> None:
    found = forecast([(64, 0)], [1000])
    (point,) = found.points
    assert point.low < 0.1
    assert point.high > 0.5
    assert "the prior alone" in found.prior


def test_one_problem_is_told_from_its_own_samples() -> None:
    (often,) = forecast([(64, 32)], [10]).points
    (rarely,) = forecast([(64, 1)], [10]).points
    assert often.low > 0.98
    assert 0.005 < rarely.low < 1 / 6 < rarely.high < 0.8


def test_all_right_stays_right() -> None:
    (point,) = forecast([(50, 50)] * 30, [10_000]).points
    assert point.value > 0.999


def test_the_order_and_repetition_of_problems_and_ks_do_not_matter() -> None:
    counts = [(100, 3), (50, 0), (100, 20)]
    one = {point.k: point.value for point in forecast(counts, [1000, 10_000]).points}
    other = {point.k: point.value for point in forecast(counts[::-1], [10_000, 1000, 10_000]).points}
    assert one == pytest.approx(other, abs=1e-6)


@pytest.mark.parametrize(
    ("counts", "ks", "level"),
    [([], [10], 0.9), ([(0, 0)], [10], 0.9), ([(5, 6)], [10], 0.9), ([(5, 1)], [0], 0.9), ([(5, 1)], [9], 1)],
)
def test_what_cannot_be_forecast(counts: list[tuple[int, int]], ks: list[int], level: float) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        forecast(counts, ks, level)


def test_the_posterior_of_ample_counts_is_the_measurement() -> None:
    chances = np.linspace(0.02, 0.6, 40)
    counts = [(5000, int(5000 * p)) for p in chances]
    low, middle, high = posterior(evidence(counts)).quantiles(20, (0.05, 0.5, 0.95))
    assert middle == pytest.approx(float(np.mean(1 - (1 - chances) ** 20)), abs=0.005)
    assert low <= middle <= high


def test_the_line_is_exact_for_a_curve_that_is_one() -> None:
    # One problem in ten always right, the others never: log(-log c) is flat.
    line = straight_line([(100, 100)] + [(100, 0)] * 9)
    assert line is not None
    assert line(10_000) == pytest.approx(np.log(-np.log(0.1)))
    assert straight_line([(100, 0)] * 5) is None
    assert straight_line([(1, 1), (1, 0)]) is None


def test_samples_that_money_and_flops_buy() -> None:
    assert k_for_usd(Decimal("1.00"), Decimal("0.03")) == 33
    assert k_for_usd(Decimal("1.00"), Decimal("0.03"), prompt=Decimal("0.05")) == 31
    assert k_for_usd(Decimal("0.01"), Decimal("0.03")) == 0
    assert k_for_flops(10**15, 3 * 10**12, prompt=10**12) == 333
    with pytest.raises(ValueError, match="nothing"):
        k_for_usd(Decimal(1), Decimal(0))

"""Coverage against exact rational arithmetic, and intervals against simulated truth."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgets.coverage import (
    coverage_interval,
    mean_pass_at_k,
    next_is_new,
    pass_at_k,
    posterior_interval,
)


def exact(n: int, c: int, k: int) -> Fraction:
    return 1 - Fraction(math.comb(n - c, k), math.comb(n, k))


def test_ten_thousand_random_cases_against_rational_arithmetic() -> None:
    generator = random.Random(20240731)
    for _ in range(10_000):
        n = generator.randint(1, generator.choice([5, 50, 500]))
        c, k = generator.randint(0, n), generator.randint(1, n)
        truth = exact(n, c, k)
        assert pass_at_k(n, c, k) == pytest.approx(float(truth), rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("n", "c", "k"),
    [
        (10_000, 1, 1),
        (10_000, 1, 10_000),
        (10_000, 3, 5_000),
        (10_000, 5_000, 3),
        (10_000, 40, 40),
        (100_000, 7, 9),
    ],
)
def test_many_samples_lose_no_accuracy(n: int, c: int, k: int) -> None:
    assert pass_at_k(n, c, k) == pytest.approx(float(exact(n, c, k)), rel=1e-12, abs=0)


def test_the_smallest_chance_is_not_rounded_away() -> None:
    assert pass_at_k(10**9, 1, 1) == pytest.approx(1e-9, rel=1e-12)


def test_the_ends() -> None:
    assert pass_at_k(10, 0, 10) == 0.0
    assert pass_at_k(10, 10, 1) == 1.0
    assert pass_at_k(10, 1, 10) == 1.0
    assert pass_at_k(1, 1, 1) == 1.0
    assert pass_at_k(10, 3, 1) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("n", "c", "k"), [(10, 5, 11), (10, 10, 11), (10, 0, 11), (10, 3, 0), (10, 3, -1), (0, 0, 1)]
)
def test_beyond_the_samples_there_is_no_estimate(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match="cannot be estimated"):
        pass_at_k(n, c, k)


@pytest.mark.parametrize(("n", "c"), [(5, 6), (5, -1), (-1, 0)])
def test_more_right_than_drawn_is_refused(n: int, c: int) -> None:
    with pytest.raises(ValueError, match="cannot be right"):
        pass_at_k(n, c, 1)


@given(st.integers(1, 200), st.data())
def test_coverage_grows_with_samples_and_with_successes(n: int, data: st.DataObject) -> None:
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    here = pass_at_k(n, c, k)
    assert 0.0 <= here <= 1.0
    assert k == n or here <= pass_at_k(n, c, k + 1) + 1e-12
    assert c == n or here <= pass_at_k(n, c + 1, k) + 1e-12


def test_a_set_has_the_mean_of_its_problems() -> None:
    counts = [(10, 1), (20, 2), (10, 1), (10, 0)]
    expected = float(sum(exact(n, c, 2) for n, c in counts) / 4)
    assert mean_pass_at_k(counts, 2) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match="cannot be estimated"):
        mean_pass_at_k(counts, 11)
    with pytest.raises(ValueError, match="no problems"):
        mean_pass_at_k([], 1)


def test_the_estimator_is_unbiased() -> None:
    """Averaged over all outcomes of n draws it is the truth; the plug-in estimate would be below."""
    n, k, p = 12, 5, Fraction(1, 7)
    outcomes = ((c, math.comb(n, c) * p**c * (1 - p) ** (n - c)) for c in range(n + 1))
    mean = sum(float(weight) * pass_at_k(n, c, k) for c, weight in outcomes)
    assert mean == pytest.approx(float(1 - (1 - p) ** k), rel=1e-12)


# One problem


def test_the_posterior_interval_is_jeffreys_own() -> None:
    # Brown, Cai and DasGupta 2001, table 5: n = 20, x = 5 at 95 %.
    low, high = posterior_interval(20, 5, 1, level=0.95)
    assert (low, high) == pytest.approx((0.102, 0.464), abs=0.0005)


@given(st.integers(1, 300), st.integers(1, 5000), st.sampled_from([0.5, 0.9, 0.99]), st.data())
def test_the_posterior_interval_is_ordered_and_holds_the_plain_share(
    n: int, k: int, level: float, data: st.DataObject
) -> None:
    c = data.draw(st.integers(0, n))
    low, high = posterior_interval(n, c, k, level)
    assert 0.0 <= low <= high <= 1.0
    assert low <= 1 - (1 - c / n) ** k + 1e-9
    assert high >= 1 - (1 - c / n) ** k - 1e-9


def test_the_posterior_interval_ends_at_what_was_always_so() -> None:
    assert posterior_interval(10, 0, 5)[0] == 0.0
    assert posterior_interval(10, 10, 5)[1] == 1.0
    low, high = posterior_interval(0, 0, 1)
    assert (low, high) == (0.0, 1.0)
    with pytest.raises(ValueError, match="at least 1"):
        posterior_interval(10, 1, 0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        posterior_interval(10, 1, 1, level=90)


@pytest.mark.parametrize(("p", "k"), [(0.05, 1), (0.05, 10), (0.3, 3), (0.7, 1)])
def test_the_posterior_interval_covers_the_truth_as_often_as_it_says(p: float, k: int) -> None:
    n, truth = 60, 1 - (1 - p) ** k
    covered = 0.0
    for c in range(n + 1):
        low, high = posterior_interval(n, c, k, level=0.9)
        covered += math.comb(n, c) * p**c * (1 - p) ** (n - c) * (low <= truth <= high)
    assert 0.83 < covered < 0.97


# Problem sets


def test_an_interval_of_a_set_is_the_same_every_time_and_names_its_method() -> None:
    counts = [(20, c) for c in (0, 1, 2, 5, 9, 20, 0, 3)]
    first = coverage_interval(counts, 5, seed=3)
    assert first == coverage_interval(counts, 5, seed=3)
    assert first != coverage_interval(counts, 5, seed=4)
    assert first.low < mean_pass_at_k(counts, 5) < first.high
    assert first.method == "bootstrap over 8 problems, expanded percentile, 2000 resamples"
    wide = coverage_interval(counts, 5, level=0.99)
    assert wide.low < first.low
    assert wide.high > first.high


def test_one_problem_has_its_posterior() -> None:
    interval = coverage_interval([(20, 3)], 4)
    assert (interval.low, interval.high) == posterior_interval(20, 3, 4)
    assert "posterior" in interval.method


@pytest.mark.parametrize(("c", "inside"), [(0, 0.0), (10, 1.0), (5, 0.5)])
def test_problems_that_are_all_alike_do_not_make_certainty(c: int, inside: float) -> None:
    interval = coverage_interval([(10, c)] * 12, 1)
    assert interval.low <= inside <= interval.high
    assert interval.high - interval.low > 0.1
    assert "alike" in interval.method


@pytest.mark.parametrize("problems", [10, 60])
def test_intervals_of_sets_cover_the_truth_about_as_often_as_they_say(problems: int) -> None:
    """Problems drawn with Beta(0.5, 1.5) chances, 20 samples each; the truth at k = 3 in closed form."""
    generator = np.random.default_rng(11)
    k, trials, covered = 3, 300, 0
    truth = 1 - math.exp(
        math.lgamma(1.5 + k) + math.lgamma(2.0) - math.lgamma(1.5) - math.lgamma(2.0 + k)
    )  # 1 - B(a, b + k) / B(a, b) with a = 0.5, b = 1.5
    for trial in range(trials):
        chances = generator.beta(0.5, 1.5, problems)
        counts = [(20, int(c)) for c in generator.binomial(20, chances)]
        interval = coverage_interval(counts, k, level=0.9, resamples=400, seed=trial)
        covered += interval.low <= truth <= interval.high
    assert 0.83 < covered / trials < 0.97


def test_large_sets_are_resampled_in_pieces() -> None:
    counts = [(4, i % 5) for i in range(5000)]
    interval = coverage_interval(counts, 2, resamples=1000)
    assert interval.high - interval.low < 0.05


# The next answer


def test_the_next_answer_is_new_as_often_as_answers_were_single() -> None:
    assert next_is_new(3, 12) == 0.25
    assert next_is_new(0, 5) == 0.0
    assert next_is_new(0, 0) == 1.0
    for singletons, n in ((6, 5), (-1, 5), (1, 0)):
        with pytest.raises(ValueError, match="seen once"):
            next_is_new(singletons, n)


def test_good_turing_against_answers_drawn_from_a_known_law() -> None:
    generator = random.Random(5)
    weights = [1 / rank for rank in range(1, 201)]
    scale = sum(weights)
    errors = []
    for _ in range(200):
        drawn = generator.choices(range(200), weights, k=100)
        singletons = sum(drawn.count(answer) == 1 for answer in set(drawn))
        unseen = sum(weight for answer, weight in enumerate(weights) if answer not in set(drawn)) / scale
        errors.append(next_is_new(singletons, 100) - unseen)
    assert abs(sum(errors) / len(errors)) < 0.02

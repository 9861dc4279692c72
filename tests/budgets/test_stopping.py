"""Stopping rules against exact arithmetic, simulation, and the properties that make them safe."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
import scipy.special  # noqa: F401 - here, so that no example's deadline pays for the import
from hypothesis import given
from hypothesis import strategies as st

from budgets.stopping import (
    chance_of_overtaking,
    chance_pick_stays,
    gain_in_coverage,
    gain_in_pick,
)

pairs = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda two: (max(two), min(two)))
tallies = st.lists(st.integers(1, 30), min_size=1, max_size=8)


def exact_chance(leader: int, rival: int, left: int) -> Fraction:
    """Beta-binomial chances with half-integer parameters are rational: products of rising factorials."""

    def rising(start: Fraction, steps: int) -> Fraction:
        product = Fraction(1)
        for step in range(steps):
            product *= start + step
        return product

    a, b = leader + Fraction(1, 2), rival + Fraction(1, 2)
    total = Fraction(0)
    for k in range(left + 1):
        lead = leader + k - rival - (left - k)
        if lead <= 0:
            chance = comb(left, k) * rising(a, k) * rising(b, left - k) / rising(a + b, left)
            total += chance if lead else chance / 2
    return total


@given(pairs, st.integers(0, 40))
def test_the_chance_is_the_beta_binomial_sum(votes: tuple[int, int], left: int) -> None:
    assert chance_of_overtaking(*votes, left) == pytest.approx(float(exact_chance(*votes, left)), abs=1e-12)


@given(pairs, st.integers(0, 399))
def test_more_samples_left_never_make_the_lead_safer(votes: tuple[int, int], left: int) -> None:
    now = chance_of_overtaking(*votes, left)
    assert now <= chance_of_overtaking(*votes, left + 1) + 1e-12
    assert now <= chance_of_overtaking(*votes, None) + 1e-9


def test_the_sum_meets_its_limit() -> None:
    assert chance_of_overtaking(9, 4, 400) == pytest.approx(chance_of_overtaking(9, 4, 401), abs=0.005)
    assert chance_of_overtaking(9, 4, 10**9) == chance_of_overtaking(9, 4, None)


@pytest.mark.parametrize(
    ("votes", "left", "chance"),
    [
        ([], 10, 0.0),
        ([0, 0], 10, 0.0),
        ([5], 4, 1.0),  # not even all that is left could change it
        ([20, 3, 2], 10, 1.0),
        ([1, 1], 0, 0.5),
        ([1, 1, 1, 1, 1], 100, 0.0),
    ],
)
def test_what_is_certain_is_certain(votes: list[int], left: int, chance: float) -> None:
    assert chance_pick_stays(votes, left) == chance


def test_three_alike_settle_a_run_of_forty_and_two_do_not() -> None:
    assert chance_pick_stays([3], 37) >= 0.95
    assert chance_pick_stays([2], 38) < 0.95
    assert chance_pick_stays([3, 1], 36) < 0.95


@given(tallies, st.integers(0, 60))
def test_order_does_not_matter_and_the_result_is_a_chance(votes: list[int], left: int) -> None:
    stays = chance_pick_stays(votes, left)
    assert 0 <= stays <= 1
    assert stays == chance_pick_stays(votes[::-1], left)


@given(tallies, st.integers(1, 60))
def test_another_rival_never_makes_the_lead_safer(votes: list[int], left: int) -> None:
    assert chance_pick_stays([*votes, 1], left) <= chance_pick_stays(votes, left) + 1e-12


@pytest.mark.parametrize("votes", [[3], [4, 1], [8, 2, 1], [6, 4], [12, 5, 4, 1], [5, 1, 1, 1, 1]])
@pytest.mark.parametrize("left", [5, 30, 200])
def test_it_is_a_bound_on_the_simulated_future(votes: list[int], left: int) -> None:
    """Futures drawn from the Dirichlet posterior over the answers given and one more."""
    generator = np.random.default_rng(0)
    shares = generator.dirichlet([*(count + 0.5 for count in votes), 0.5], size=20_000)
    ends = generator.multinomial(left, shares) + np.array([*votes, 0])
    first = ends[:, 0]
    best_rival = ends[:, 1:].max(axis=1)
    stayed = np.mean(first > best_rival) + np.mean(first == best_rival) / 2
    assert chance_pick_stays(votes, left) <= stayed + 0.01


@given(tallies, st.integers(0, 5), st.integers(1, 300))
def test_the_gain_is_a_small_chance(votes: list[int], silent: int, left: int) -> None:
    gain = gain_in_pick(votes, sum(votes) + silent, left)
    assert 0 <= gain <= 0.5
    assert gain <= gain_in_pick(votes, sum(votes) + silent, None) + 1e-12


def test_the_gain_of_one_vote_at_a_tie() -> None:
    # 1 : 1, and one vote more. Whoever gets it is the mode with the chance P(p > 1/2 | 2 : 1) under
    # Beta(5/2, 3/2), which is 1/2 + 2/(3 pi); before it was a half.
    assert gain_in_pick([1, 1], 2, 1) == pytest.approx(2 / (3 * np.pi), abs=1e-12)


def test_a_clear_lead_and_scattered_answers_are_not_worth_more() -> None:
    close = gain_in_pick([5, 4], 9, 30)
    assert gain_in_pick([9], 9, 30) < close / 10
    assert gain_in_pick([2, 2, *[1] * 40], 44, 200) < close
    assert gain_in_pick([5, 4], 9, 0) == 0


def test_the_first_answer_is_worth_waiting_for() -> None:
    assert gain_in_pick([], 3, 10) == 1 / 5


def test_coverage_gains_less_with_every_wrong_sample_and_nothing_after_a_right_one() -> None:
    gains = [gain_in_coverage(n, 0) for n in range(100)]
    assert gains == sorted(gains, reverse=True)
    assert gains[0] == 0.5
    assert gain_in_coverage(10, 1) == 0


@pytest.mark.parametrize(("leader", "rival", "left"), [(1, 2, 3), (1, -1, 3), (2, 1, -1)])
def test_impossible_votes_are_refused(leader: int, rival: int, left: int) -> None:
    with pytest.raises(ValueError, match=r"cannot|left"):
        chance_of_overtaking(leader, rival, left)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot have cast"):
        gain_in_pick([3, 2], 4, 10)
    with pytest.raises(ValueError, match="cannot be right"):
        gain_in_coverage(3, 4)

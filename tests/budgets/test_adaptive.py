"""Coverage from samples that stopped at success."""

from __future__ import annotations

import random

import pytest

from budgets.adaptive import Tries, fewest_tries, solved_within


def stopped(p: float, most: int, chance: random.Random) -> Tries:
    for number in range(1, most + 1):
        if chance.random() < p:
            return Tries(number, number)
    return Tries(most)


def test_unbiased_where_the_naive_figure_is_not() -> None:
    chance = random.Random(7)
    hard = [0.02, 0.05, 0.1, 0.3, 0.6] * 400
    tries = [stopped(p, 16, chance) for p in hard]
    truth = {k: sum(1 - (1 - p) ** k for p in hard) / len(hard) for k in (1, 4, 16)}
    for k, true in truth.items():
        value, low, high = solved_within(tries, k)
        assert value == pytest.approx(true, abs=0.03)
        assert low < value < high
    naive = sum((each.first is not None) / each.decided for each in tries) / len(tries)
    assert naive > truth[1] + 0.05


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    chance, held = random.Random(3), 0
    hard = [0.01, 0.05, 0.2, 0.5] * 10
    true = sum(1 - (1 - p) ** 8 for p in hard) / len(hard)
    for _ in range(300):
        _, low, high = solved_within([stopped(p, 8, chance) for p in hard], 8)
        held += low <= true <= high
    assert held / 300 > 0.88


def test_no_further_than_the_fewest_tries_of_the_unsolved() -> None:
    tries = [Tries(1, 1), Tries(5), Tries(3)]
    assert fewest_tries(tries) == 3
    assert solved_within(tries, 3)[0] == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="fewest tries are 3"):
        solved_within(tries, 4)


def test_all_solved_tells_up_to_the_longest_search() -> None:
    assert fewest_tries([Tries(2, 2), Tries(9, 9)]) == 9
    assert fewest_tries([]) == 0


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one(k: int) -> None:
    with pytest.raises(ValueError, match="cannot be told"):
        solved_within([Tries(3)], k)


def test_no_problems() -> None:
    with pytest.raises(ValueError, match="at least one problem"):
        solved_within([], 1)

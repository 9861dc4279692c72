"""Which of two models covers more of the same problems."""

from __future__ import annotations

import random

import pytest

from budgets.coverage import pass_at_k
from budgets.paired import coverage_difference, mean_difference


def test_pairing_sees_what_two_intervals_do_not() -> None:
    chance = random.Random(1)
    hard = [chance.random() for _ in range(40)]
    found = mean_difference([min(1, p + 0.05) for p in hard], hard)
    assert found.low > 0
    assert found.sure > 0.99


def test_the_difference_turns_with_its_sides() -> None:
    first, second = [(10, 8), (10, 3), (10, 0), (10, 10)], [(10, 4), (10, 3), (10, 1), (10, 9)]
    there, back = coverage_difference(first, second, (2, 2)), coverage_difference(second, first, (2, 2))
    assert there.value == pytest.approx(-back.value)
    assert there.sure == pytest.approx(1 - back.sure, abs=0.02)
    expected = [pass_at_k(n, c, 2) for n, c in first], [pass_at_k(n, c, 2) for n, c in second]
    assert there.value == pytest.approx((sum(expected[0]) - sum(expected[1])) / 4)


def test_equal_models_are_not_told_apart() -> None:
    counts = [(8, 3), (8, 0), (8, 8)]
    found = coverage_difference(counts, counts, (4, 4))
    assert found.value == 0
    assert found.sure == 0.5
    assert found.low < 0 < found.high


def test_one_problem_is_compared_by_its_chances() -> None:
    found = coverage_difference([(20, 18)], [(20, 2)], (1, 1))
    assert found.value == pytest.approx(0.8)
    assert 0.4 < found.low < 0.8 < found.high < 1
    assert found.sure > 0.99


def test_problems_that_all_differ_alike_leave_room_for_doubt() -> None:
    found = mean_difference([1.0] * 5, [0.0] * 5)
    assert found.value == 1
    assert found.low < 0.95
    assert found.high == 1
    assert 0.9 < found.sure < 1


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    chance, held = random.Random(5), 0
    for trial in range(200):
        first = [chance.random() < 0.6 for _ in range(60)]
        second = [chance.random() < 0.5 for _ in range(60)]
        found = mean_difference([float(x) for x in first], [float(x) for x in second], seed=trial)
        held += found.low <= 0.1 <= found.high
    assert 0.83 < held / 200 < 0.97


@pytest.mark.parametrize(("first", "second"), [([], []), ([1.0], [1.0, 0.0])])
def test_other_problems(first: list[float], second: list[float]) -> None:
    with pytest.raises(ValueError, match="same problems"):
        mean_difference(first, second)

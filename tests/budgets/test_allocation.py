"""Whose turn it is: the order in which a set's problems get samples."""

from __future__ import annotations

import random
from collections import Counter
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgets.allocation import Allocation, Allocator


def draw(allocator: Allocator, place: int, *, right: bool = False, cost: float | None = None) -> None:
    one = allocator.progress[place]
    one.drawn += 1
    one.right += right
    if cost is not None:
        one.cost = cost
    allocator.changed(place)


def test_uniform_goes_round() -> None:
    allocator = Allocator("uniform", 3, most=2)
    order = []
    while (place := allocator.next()) is not None:
        order.append(place)
        draw(allocator, place)
    assert order == [0, 1, 2, 0, 1, 2]


@given(st.integers(1, 8), st.integers(1, 12), st.integers(0, 2**16), st.sampled_from(["uniform", "estimate"]))
def test_every_problem_gets_the_most_it_may(
    problems: int, most: int, seed: int, allocation: Allocation
) -> None:
    allocator, chance = Allocator(allocation, problems, most=most), random.Random(seed)
    while (place := allocator.next()) is not None:
        draw(allocator, place, right=chance.random() < 0.3)
    assert [one.drawn for one in allocator.progress] == [most] * problems


@given(st.integers(1, 8), st.integers(0, 2**16))
def test_uniform_never_lets_one_run_ahead(problems: int, seed: int) -> None:
    allocator, chance = Allocator("uniform", problems), random.Random(seed)
    for _ in range(problems * 5):
        place = allocator.next()
        assert place is not None
        draw(allocator, place, right=chance.random() < 0.5)
        counts = [one.drawn for one in allocator.progress]
        assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("how", ["solve", "first-right"])
def test_solved_problems_stop(how: Literal["solve", "first-right"]) -> None:
    allocator = (
        Allocator("solve", 3, most=4) if how == "solve" else Allocator("uniform", 3, most=4, first_right=True)
    )
    counts: Counter[int] = Counter()
    while (place := allocator.next()) is not None:
        counts[place] += 1
        draw(allocator, place, right=place == 1)
    assert counts == {0: 4, 1: 1, 2: 4}


def test_solve_prefers_the_cheap_among_equals() -> None:
    allocator = Allocator("solve", 2)
    draw(allocator, 0, cost=9.0)
    draw(allocator, 1, cost=1.0)
    drawn = []
    for _ in range(6):
        place = allocator.next()
        assert place is not None
        drawn.append(place)
        draw(allocator, place)
    assert drawn == [1] * 6  # 2.5 x 9 lies above (n + 1.5) x 1 for a long while


def test_estimate_goes_where_least_was_right() -> None:
    allocator = Allocator("estimate", 3)
    draw(allocator, 0, right=True)
    draw(allocator, 1, right=True)
    draw(allocator, 2)
    for _ in range(4):
        assert allocator.next() == 2
        draw(allocator, 2)
    draw(allocator, 2, right=True)
    assert allocator.next() == 0


def test_a_sample_given_back_is_drawn_again() -> None:
    allocator = Allocator("uniform", 2, most=1)
    for place in (0, 1):
        draw(allocator, place)
    assert allocator.next() is None
    allocator.progress[0].drawn -= 1
    allocator.changed(0)
    assert allocator.next() == 0


def test_more_may_be_allowed_later() -> None:
    allocator = Allocator("uniform", 1, most=1)
    draw(allocator, 0)
    assert allocator.next() is None
    assert allocator.left(0) == 0
    allocator.allow(3)
    assert allocator.next() == 0
    assert allocator.left(0) == 2

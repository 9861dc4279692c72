"""Orders of sampling on labelled sets: what stopping saves, and that coverage stays unbiased under it.

On each set the samples of a problem are shuffled, and an order draws them one by one. Printed with ``-s``.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict

import pytest

from app.problems.jsonl import numbered_lines
from budgets.adaptive import Tries, fewest_tries, solved_within
from budgets.allocation import Allocation, Allocator
from budgets.coverage import mean_pass_at_k
from tests.acceptance.labelled import DATA

SETS = ("last_letters_samples.jsonl", "humaneval_codegen_samples.jsonl")
SHUFFLES = 20


def labels(name: str) -> list[list[bool]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is missing: set MONKEYS_TEST_DATA to the folder of labelled samples")
    found: dict[str, list[bool]] = defaultdict(list)
    for _, line in numbered_lines(path.read_text()):
        row = json.loads(line)
        found[row["problem_id"]].append(row["verdict"] == "right")
    return list(found.values())


def drawn(
    problems: list[list[bool]], allocation: Allocation, seed: int, budget: int | None = None, *, stop: bool
) -> tuple[int, list[Tries]]:
    """Samples drawn, and each problem's tries."""
    chance = random.Random(seed)
    shuffled = [chance.sample(each, len(each)) for each in problems]
    allocator = Allocator(allocation, len(problems), most=min(map(len, problems)), first_right=stop)
    first: list[int | None] = [None] * len(problems)
    total = 0
    while (budget is None or total < budget) and (place := allocator.next()) is not None:
        one = allocator.progress[place]
        right = shuffled[place][one.drawn]
        one.drawn += 1
        total += 1
        if right:
            one.right += 1
            first[place] = first[place] or one.drawn
        one.cost = 1.0
        allocator.changed(place)
    return total, [Tries(one.drawn, at) for one, at in zip(allocator.progress, first, strict=True)]


@pytest.mark.parametrize("name", SETS)
def test_stopping_saves_samples_and_solves_as_many(name: str) -> None:
    problems = labels(name)
    every = sum(map(len, problems))
    solvable = sum(any(each) for each in problems)
    spent = [drawn(problems, "solve", seed, stop=True) for seed in range(SHUFFLES)]
    mean = sum(total for total, _ in spent) / SHUFFLES
    print(f"\n{name}: {solvable} solved with {mean:,.0f} of {every:,} samples ({mean / every:.0%})")
    assert all(sum(each.first is not None for each in tries) == solvable for _, tries in spent)
    assert mean <= 0.75 * every
    for part in (0.5, 0.75):
        solved = [
            sum(
                each.first is not None
                for each in drawn(problems, "solve", seed, int(part * mean), stop=True)[1]
            )
            for seed in range(SHUFFLES)
        ]
        print(f"  {part:.0%} of that solves {sum(solved) / SHUFFLES:.1f}")
        assert sum(solved) / SHUFFLES >= 0.8 * solvable


@pytest.mark.parametrize("name", SETS)
def test_coverage_is_unbiased_under_stopping(name: str) -> None:
    problems = labels(name)
    counts = [(len(each), sum(each)) for each in problems]
    orders = [drawn(problems, "solve", seed, stop=True)[1] for seed in range(SHUFFLES)]
    shares = [(each.first is not None) / each.decided for tries in orders for each in tries]
    for k in (1, 4, 16):
        truth = mean_pass_at_k(counts, k)
        found = [solved_within(tries, k) for tries in orders]
        bias = sum(value for value, _, _ in found) / SHUFFLES - truth
        held = sum(low <= truth <= high for _, low, high in found) / SHUFFLES
        naive = sum(shares) / len(shares)
        print(f"\n{name} k={k}: truth {truth:.3f}, bias {bias:+.4f}, held {held:.0%}; c/n says {naive:.3f}")
        assert abs(bias) < 0.02
        assert held >= 0.85


def test_a_budget_that_ends_early_tells_less_far() -> None:
    problems = labels(SETS[0])
    _, tries = drawn(problems, "solve", 0, 600, stop=True)
    assert 1 <= fewest_tries(tries) < 40

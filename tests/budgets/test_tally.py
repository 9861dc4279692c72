"""Coverage kept while samples come in is the coverage of the counts."""

from __future__ import annotations

import random

import pytest

from budgets.coverage import mean_pass_at_k
from budgets.tally import Tally

KS = (1, 2, 5, 20, 100)


def test_the_running_curve_is_the_curve_of_the_counts_at_every_moment() -> None:
    chance = random.Random(3)
    tally = Tally(KS)
    assert tally.curve() == [None] * len(KS)
    for sample in range(400):
        problem = chance.choice("abcdefgh")
        tally.add(problem, chance.random() < 0.1 * (ord(problem) - ord("a")))
        if sample % 7:
            continue
        fewest = min(n for n, _ in tally.counts)
        for k, value in zip(KS, tally.curve(), strict=True):
            if k > fewest:
                assert value is None
            else:
                assert value == pytest.approx(mean_pass_at_k(tally.counts, k), abs=1e-11)
    assert sum(n for n, _ in tally.counts) == 400


@pytest.mark.parametrize("ks", [(), (0, 1)])
def test_a_tally_needs_a_k(ks: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Tally(ks)

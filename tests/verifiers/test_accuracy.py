"""Accuracy over subsets: the picks are those of the rules, and the figures those of the definition."""

from __future__ import annotations

import itertools
import math
from statistics import mean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifiers.accuracy import _PICKS, Point, _Subsets, _Table, accuracy_curves, powers_up_to
from verifiers.candidates import Candidate, candidate, scale_of
from verifiers.rules import RULES, cotnpot_weighted_pick, reward_weighted_pick
from verifiers.verdicts import Verdict

one_sample = st.builds(
    lambda answer, reward, program: candidate(0, answer, "math", reward=reward, program=program),
    st.one_of(st.none(), st.sampled_from(["72", "$72", "72.0", "96", "96.", "x"])),
    # Sums of these are exact, whatever their order, so ties are ties in both forms.
    st.one_of(st.none(), st.sampled_from([0.0, 0.25, 0.5, 1.0])),
    st.sampled_from([None, "not-run", "agrees", "differs", "failed"]),
)
problem = st.lists(one_sample, min_size=1, max_size=12).map(
    lambda given: [
        Candidate(place, each.answer, each.key, each.reward, each.program) for place, each in enumerate(given)
    ]
)


@given(problem, st.integers(0, 2**32 - 1))
def test_the_picks_are_those_of_the_rules(samples: list[Candidate], seed: int) -> None:
    drawn = np.random.default_rng(seed).random((len(samples), 5)) < 0.6
    scale = scale_of(each.reward for each in samples if each.reward is not None)
    subsets = _Subsets(_Table(samples, scale), drawn)

    for rule in RULES:
        if rule.name not in _PICKS:
            continue
        places = _PICKS[rule.name](subsets)
        for row, place in zip(drawn.T, places.tolist(), strict=True):
            subset = list(itertools.compress(samples, row))
            if rule.name == "reward_weighted":
                pick = reward_weighted_pick(subset, scale)
            elif rule.name == "cotnpot_weighted":
                pick = cotnpot_weighted_pick(subset, scale)
            else:
                pick = rule.pick(subset)
            assert place == (-1 if pick is None or pick.sample is None else pick.sample), rule.name


def marked(marks: str, answers: str | None = None) -> list[Candidate]:
    """A problem by its verdicts: r, w, u. By default the right ones answer 1, and each wrong one its own."""
    verdicts: dict[str, Verdict] = {"r": "right", "w": "wrong", "u": "undecided"}
    texts = answers or "".join("1" if mark == "r" else chr(ord("a") + i) for i, mark in enumerate(marks))
    return [
        candidate(place, text, "open", verdict=verdicts[mark])
        for place, (mark, text) in enumerate(zip(marks, texts, strict=True))
    ]


def test_where_every_sample_counts_the_figures_are_exact() -> None:
    curves = accuracy_curves([marked("wrr"), marked("wwr"), marked("uuw"), marked("rrr")])
    majority = curves.rules["majority"]

    assert majority is not None
    assert list(majority) == [1, 2, 3]
    # "wwr" has three different answers, and the first seen is wrong.
    assert majority[3] == Point(0.5, 0.0)
    assert curves.coverage[3] == Point(0.75, 0.0)
    assert curves.rules["reward"] is None
    assert curves.missing["reward"] == "no sample has a reward"
    assert set(curves.missing) == set(_PICKS) - {"majority"}


def test_one_sample_is_as_good_as_the_share_that_is_right() -> None:
    problems = [marked("r" * right + "w" * (20 - right)) for right in (0, 3, 7, 11, 20)]
    curves = accuracy_curves(problems, subsets=4000, seed=3)
    majority = curves.rules["majority"]

    assert majority is not None
    assert majority[1] == curves.coverage[1]
    shares = [right / 20 for right in (0, 3, 7, 11, 20)]
    assert majority[1].mean == pytest.approx(mean(shares), abs=0.01)
    # The spread over subsets of a mean over problems: one sample of each is right or not.
    expected = math.sqrt(sum(p * (1 - p) for p in shares)) / len(shares)
    assert majority[1].sd == pytest.approx(expected, rel=0.05)


def test_coverage_over_subsets_agrees_with_the_unbiased_estimate() -> None:
    counts = (1, 2, 5, 9)
    curves = accuracy_curves([marked("r" * c + "w" * (16 - c)) for c in counts], subsets=4000)

    for k, point in curves.coverage.items():
        exact = mean(1 - math.comb(16 - c, k) / math.comb(16, k) for c in counts)
        assert point.mean == pytest.approx(exact, abs=0.015)


def test_the_seed_fixes_the_subsets() -> None:
    problems = [marked("rwrwwrww"), marked("wwwwwwrr")]

    assert accuracy_curves(problems, seed=5) == accuracy_curves(problems, seed=5)
    assert accuracy_curves(problems, seed=5) != accuracy_curves(problems, seed=6)


def test_problems_with_more_samples_are_cut_to_the_fewest_at_random() -> None:
    curves = accuracy_curves([marked("rrww"), marked("r")], subsets=2000)

    assert list(curves.coverage) == [1]
    assert curves.coverage[1].mean == pytest.approx(0.75, abs=0.02)
    assert curves.coverage[1].sd > 0


def test_a_pick_of_a_group_is_judged_by_the_sample_that_stands_for_it() -> None:
    rows = [
        candidate(0, "72", "math", verdict="wrong"),
        candidate(1, "$72", "math", verdict="right"),
        candidate(2, "$72", "math", verdict="right"),
        candidate(3, None, "math", verdict="wrong"),
    ]
    majority = accuracy_curves([rows]).rules["majority"]

    assert majority is not None
    assert majority[4] == Point(1.0, 0.0)


def test_samples_without_any_answer_are_never_picked() -> None:
    rows = [
        candidate(place, None, "math", reward=1.0, program="agrees", verdict="wrong") for place in range(3)
    ]
    curves = accuracy_curves([rows])

    assert all(curve is not None and curve[3].mean == 0 for curve in curves.rules.values())


def test_the_ks_are_powers_of_two_and_the_whole() -> None:
    assert powers_up_to(1) == [1]
    assert powers_up_to(8) == [1, 2, 4, 8]
    assert powers_up_to(40) == [1, 2, 4, 8, 16, 32, 40]


@pytest.mark.parametrize(("problems", "subsets"), [([], 100), ([[]], 100), ([marked("r")], 0)])
def test_nothing_makes_no_curve(problems: list[list[Candidate]], subsets: int) -> None:
    with pytest.raises(ValueError, match="need"):
        accuracy_curves(problems, subsets=subsets)

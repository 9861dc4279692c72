"""Estimates from agreement: coherent, monotone, and silent where they have nothing to go on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgets.confidence import Curve, confidence, confidence_on

votes = st.lists(st.integers(0, 40), max_size=12)


@given(votes, st.integers(0, 40))
def test_both_are_chances_and_covered_is_never_the_smaller(counts: list[int], silent: int) -> None:
    said = confidence(counts, sum(counts) + silent)
    assert said is not None
    assert 0 <= said.pick_right <= said.covered <= 1


@given(votes, st.integers(0, 40))
def test_the_order_of_the_answers_does_not_matter(counts: list[int], silent: int) -> None:
    samples = sum(counts) + silent
    assert confidence(counts, samples) == confidence(counts[::-1], samples)


@given(st.integers(1, 200), st.integers(1, 200))
def test_one_more_vote_for_the_leader_never_lowers_the_pick(leader: int, others: int) -> None:
    rivals = [1] * others
    before, after = (confidence([count, *rivals], count + others) for count in (leader, leader + 1))
    assert before is not None
    assert after is not None
    assert before.pick_right <= after.pick_right


def test_a_sample_without_an_answer_lowers_what_is_stated() -> None:
    silent, full = confidence([4], 6), confidence([4], 4)
    assert silent is not None
    assert full is not None
    assert silent.pick_right < full.pick_right


def test_agreement_says_more_the_more_agree() -> None:
    two, twenty = confidence([2], 2), confidence([20], 20)
    scattered = confidence([1] * 20, 20)
    assert two is not None
    assert twenty is not None
    assert scattered is not None
    assert scattered.pick_right < 0.1 < 0.5 < two.pick_right < twenty.pick_right < 1


def test_with_one_answer_given_the_chances_are_the_same_one() -> None:
    said = confidence([5], 8)
    assert said is not None
    assert said.pick_right == said.covered


def test_without_an_answer_nothing_is_right_and_nothing_there() -> None:
    for counts in ([], [0, 0]):
        said = confidence(counts, 7)
        assert said is not None
        assert (said.pick_right, said.covered) == (0.0, 0.0)


@pytest.mark.parametrize("kind", ["code", "proof", "patch"])
def test_agreement_of_programs_is_no_evidence(kind: str) -> None:
    assert confidence([4], 4, kind) is None  # type: ignore[arg-type]


def test_more_votes_than_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="3 samples cannot have cast 4 votes"):
        confidence([3, 1], 3)


def test_a_curve_is_a_logistic_one() -> None:
    assert Curve(0.0, 1.0).chance(0.0) == 0.5
    # Log-odds of 1 + 2 log(4.5 / 1.5) for 4 votes of 5: chance 9e / (1 + 9e).
    said = confidence_on(Curve(1.0, 2.0), Curve(-50.0, 0.0), [4, 1], 5)
    assert said.pick_right == pytest.approx(9 * 2.718281828459045 / (1 + 9 * 2.718281828459045))
    assert said.covered == said.pick_right

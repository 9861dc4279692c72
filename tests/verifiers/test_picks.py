"""The majority vote: right, stable, the same in both its forms, and sure of itself by the right amount."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betainc

from verifiers.picks import MajorityVote, Pick, chance_leader_stays, majority
from verifiers.verdicts import Kind

answers_given = st.lists(
    st.one_of(
        st.none(),
        st.sampled_from(
            ["72", "$72", "72.0", "72 clips", "96", "96.", "1/2", "0.5", "x", "Monday", "monday"]
        ),
        st.integers(0, 5).map(str),
    ),
    max_size=60,
)


def vote(answers: list[str | None], kind: Kind = "math") -> MajorityVote:
    counted = MajorityVote(kind)
    for sample, answer in enumerate(answers):
        counted.add(sample, answer)
    return counted


@given(answers_given)
def test_the_vote_that_grows_equals_the_vote_over_the_list(answers: list[str | None]) -> None:
    counted = MajorityVote("math")
    assert counted.pick == majority([], "math")

    for sample, answer in enumerate(answers):
        counted.add(sample, answer)
        assert counted.pick == majority(answers[: sample + 1], "math")


@given(answers_given)
def test_groups_hold_every_answer_once_and_the_first_is_the_pick(answers: list[str | None]) -> None:
    counted = vote(answers)
    groups = counted.groups

    assert sorted(sample for group in groups for sample in group.samples) == [
        sample for sample, answer in enumerate(answers) if answer is not None
    ]
    assert counted.answered == sum(group.support for group in groups)
    assert counted.distinct == len(groups)
    assert counted.singletons == sum(group.support == 1 for group in groups)
    assert [group.support for group in groups] == sorted((group.support for group in groups), reverse=True)
    if groups:
        assert (groups[0].answer, groups[0].support) == (counted.pick.answer, counted.pick.support)
        assert counted.pick.sample in groups[0].samples
    for group in groups:
        assert counted.key_of(group.answer) == group.key


def test_a_pick_says_what_it_rests_on() -> None:
    pick = vote(["72", "96", None, "$72"]).pick

    # Two votes against one: 1 - I_0.5(3, 2) = 11/16.
    assert pick == Pick("majority", "72", 0, 2, 0.5, probability=chance_leader_stays(2, 1))
    assert pick.probability == pytest.approx(11 / 16)


def test_nothing_seen_picks_nothing() -> None:
    assert vote([]).pick == Pick("majority", None, None, 0, 0.0)
    assert vote([None, None]).pick == Pick("majority", None, None, 0, 0.0)


def test_ties_go_to_the_answer_seen_first() -> None:
    assert vote(["5", "7"]).pick.answer == "5"
    assert vote(["5", "7", "7", "5"]).pick.answer == "5"
    assert vote(["7", "5", "5", "7"]).pick.answer == "7"


def test_seen_first_means_added_first_whatever_the_numbers_of_the_samples() -> None:
    counted = MajorityVote("math")
    counted.add(9, "7")
    counted.add(2, "5")

    assert (counted.pick.answer, counted.pick.sample) == ("7", 9)


def test_a_group_shows_its_most_common_spelling_and_opens_a_sample_that_has_it() -> None:
    pick = vote(["72 clips", "72", "$72", "72", "$72"]).pick

    assert (pick.answer, pick.sample, pick.support) == ("72", 1, 5)


def test_spellings_tie_to_the_earliest() -> None:
    assert vote(["$72", "72", "72", "$72"]).pick.answer == "$72"


def test_the_lead_can_change_hands_and_come_back() -> None:
    counted = MajorityVote("math")
    leaders = []
    for sample, answer in enumerate(["1", "2", "2", "1", "1", "2", "2"]):
        counted.add(sample, answer)
        leaders.append(counted.pick.answer)

    assert leaders == ["1", "1", "2", "1", "1", "1", "2"]


@pytest.mark.parametrize(
    ("leader", "runner_up", "chance"),
    [
        (0, 0, 0.5),
        (1, 0, 0.75),
        (2, 0, 0.875),
        (1, 1, 0.5),
        (3, 1, 0.8125),
        (7, 0, 0.99609375),
        (10, 3, 0.9713134765625),
    ],
)
def test_the_chance_that_the_leader_stays_by_hand(leader: int, runner_up: int, chance: float) -> None:
    assert chance_leader_stays(leader, runner_up) == pytest.approx(chance, abs=1e-12)


@given(st.integers(0, 12_000), st.integers(0, 12_000))
def test_the_chance_that_the_leader_stays_is_the_papers_formula(one: int, other: int) -> None:
    leader, runner_up = max(one, other), min(one, other)

    expected = 1 - float(betainc(leader + 1, runner_up + 1, 0.5))
    assert chance_leader_stays(leader, runner_up) == pytest.approx(expected, abs=1e-9)


def test_a_unanimous_vote_of_thousands_is_certain_and_cheap() -> None:
    assert chance_leader_stays(10_000, 0) == 1.0
    assert chance_leader_stays(10**6, 10**6) == pytest.approx(0.5, abs=1e-6)

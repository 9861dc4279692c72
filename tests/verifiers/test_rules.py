"""The rules that choose: by hand on small lists, and the live form against the definition on any."""

from __future__ import annotations

import math
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifiers.candidates import Candidate, candidate, logistic, scale_of
from verifiers.live_rules import live_rule
from verifiers.picks import Pick, chance_leader_stays
from verifiers.rules import (
    RULES,
    FilteredPick,
    Rule,
    cotnpot_pick,
    cotnpot_vote_pick,
    cotnpot_weighted_pick,
    first_verified_pick,
    majority_pick,
    reward_pick,
    reward_weighted_pick,
)

answers = st.one_of(st.none(), st.sampled_from(["72", "$72", "72.0", "96", "96.", "1/2", "0.5", "x"]))
rewards = st.one_of(
    st.none(),
    st.sampled_from([-2.0, -0.5, 0.0, 0.25, 0.5, 1.0, 3.5]),
    st.floats(-800, 800),
    st.just(math.nan),
)
chances = st.one_of(st.none(), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
programs = st.sampled_from([None, "not-run", "agrees", "differs", "failed"])
verdicts = st.sampled_from([None, "right", "wrong", "undecided"])


def drawn(reward: st.SearchStrategy[float | None]) -> st.SearchStrategy[list[Candidate]]:
    """Lists of samples whose numbers are not their places."""
    one = st.builds(
        lambda answer, reward, program, verdict: candidate(
            0, answer, "math", reward=reward, program=program, verdict=verdict
        ),
        answers,
        reward,
        programs,
        verdicts,
    )
    return st.lists(one, max_size=30).map(
        lambda given: [
            Candidate(100 - place, each.answer, each.key, each.reward, each.program, each.verdict)
            for place, each in enumerate(given)
        ]
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@given(st.one_of(drawn(rewards), drawn(chances)))
def test_the_live_rule_equals_its_definition_after_every_sample(rule: Rule, given: list[Candidate]) -> None:
    live = live_rule(rule.name, "math")
    assert live.pick == rule.pick([])

    for place, each in enumerate(given):
        live.add(each)
        assert live.pick == rule.pick(given[: place + 1])


def samples(
    *rows: tuple[str | None, float | None] | tuple[str | None, float | None, str],
) -> list[Candidate]:
    """Answers with rewards and, as a letter, what their programs did: a, d, f or n."""
    status = {"a": "agrees", "d": "differs", "f": "failed", "n": "not-run"}
    return [
        candidate(place, row[0], "math", reward=row[1], program=status[row[2]] if len(row) > 2 else None)  # type: ignore[arg-type]
        for place, row in enumerate(rows)
    ]


def picked(pick: Pick | None) -> tuple[str | None, int | None]:
    assert pick is not None
    return pick.answer, pick.sample


def test_every_rule_has_a_name_of_its_own_and_says_what_it_lacks() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    why = {rule.name: rule.why_not(rewards=False, programs=False, verdicts=False) for rule in RULES}

    assert why["majority"] is None
    assert why["reward"] == "no sample has a reward"
    assert why["cotnpot_vote"] == "no program was run for any sample"
    assert why["cotnpot"] == "no program was run for any sample and no sample has a reward"
    assert all(rule.why_not(rewards=True, programs=True) is None for rule in RULES)


def test_the_majority_is_the_same_as_everywhere_else() -> None:
    pick = majority_pick(samples(("96", None), ("$72", None), (None, None), ("72", None), ("72", None)))

    assert pick == Pick("majority", "72", 3, 3, 0.6, probability=chance_leader_stays(3, 1))


def test_the_highest_reward_wins_and_counts_its_company() -> None:
    pick = reward_pick(samples(("72", 0.5), ("96", 3.0), ("72", 0.7), ("96", None)))

    assert pick == Pick("reward", "96", 1, 2, 0.5, score=3.0)


def test_equal_rewards_go_to_the_sample_seen_first() -> None:
    assert picked(reward_pick(samples(("5", 1.0), ("7", 2.0), ("9", 2.0)))) == ("7", 1)


def test_the_best_sample_must_answer_something() -> None:
    assert picked(reward_pick(samples((None, 9.0), ("7", -3.0)))) == ("7", 1)
    assert picked(reward_pick(samples((None, 9.0), (None, 3.0)))) == (None, None)


@pytest.mark.parametrize("reward", [None, math.nan, math.inf, -math.inf])
def test_a_reward_that_is_no_number_is_none(reward: float | None) -> None:
    assert reward_pick(samples(("7", reward))) is None
    assert reward_weighted_pick(samples(("7", reward))) is None
    assert picked(reward_pick(samples(("7", reward), ("5", -4.0)))) == ("5", 1)


def test_probabilities_are_summed_as_they_are() -> None:
    pick = reward_weighted_pick(samples(("72", 0.2), ("96", 0.5), ("72", 0.2), ("72", 0.2)))

    assert picked(pick) == ("72", 0)
    assert pick is not None
    assert pick.score == pytest.approx(0.6 / 1.1)
    assert picked(reward_weighted_pick(samples(("72", 0.2), ("96", 0.5), ("72", 0.2)))) == ("96", 1)


def test_scores_are_summed_as_chances() -> None:
    rows = samples(("72", -1.0), ("72", -1.0), ("96", 0.5), ("72", -1.0))
    pick = reward_weighted_pick(rows)

    # Their plain sum, -3 against 0.5, would punish 72 for each further sample that gives it.
    assert picked(pick) == ("72", 0)
    assert pick is not None
    assert pick.score == pytest.approx(3 * logistic(-1) / (3 * logistic(-1) + logistic(0.5)))


def test_one_more_sample_never_takes_weight_from_its_answer() -> None:
    before = samples(("72", -1.0), ("96", -1.2))
    assert picked(reward_weighted_pick(before)) == ("72", 0)
    assert picked(reward_weighted_pick([*before, *samples(("72", -50.0))])) == ("72", 0)


def test_the_scale_can_be_said() -> None:
    rows = samples(("72", 0.1), ("72", 0.1), ("96", 0.3))

    assert picked(reward_weighted_pick(rows)) == ("96", 2)
    assert picked(reward_weighted_pick(rows, "score")) == ("72", 0)
    assert scale_of([0.0, 0.5, 1.0]) == "probability"
    assert scale_of([0.5, 1.001]) == scale_of([-0.1]) == "score"


def test_rewards_of_any_size_overflow_nothing() -> None:
    assert (logistic(1e308), logistic(-1e308), logistic(0)) == (1.0, 0.0, 0.5)
    assert picked(reward_weighted_pick(samples(("5", -1e308), ("7", 1e308)))) == ("7", 1)


def test_equal_weights_go_to_the_answer_seen_first() -> None:
    assert picked(reward_weighted_pick(samples(("5", 2.0), ("7", 2.0)))) == ("5", 0)
    assert picked(reward_weighted_pick(samples(("7", 0.0), ("5", 0.0)))) == ("7", 0)


FILTERED = samples(
    ("96", 9.0, "d"), ("96", 8.0, "f"), ("72", 1.0, "a"), ("64", 2.0, "a"), ("72", 0.5, "a"), ("96", 7.0, "n")
)


def test_the_filter_keeps_what_its_program_confirms() -> None:
    counts = {"kept": 3, "dropped": 1, "failed": 1, "not_run": 1, "fallback": False}

    pick = cotnpot_pick(FILTERED)
    assert pick == FilteredPick("cotnpot", "64", 3, 1, 1 / 3, 2.0, None, **counts)  # type: ignore[arg-type]
    vote = cotnpot_vote_pick(FILTERED)
    assert vote is not None
    assert (picked(vote), vote.support, vote.share) == (("72", 2), 2, 2 / 3)
    assert vote.probability == chance_leader_stays(2, 1)
    weighted = cotnpot_weighted_pick(FILTERED)
    assert picked(weighted) == ("72", 2)
    assert weighted is not None
    assert counts.items() <= asdict(weighted).items()


def test_if_no_sample_survives_all_are_looked_at_and_the_pick_says_so() -> None:
    rows = samples(("96", 9.0, "d"), ("72", 1.0, "f"), ("72", 2.0, "n"))

    for pick, answer in ((cotnpot_pick(rows), "96"), (cotnpot_vote_pick(rows), "72")):
        assert pick is not None
        assert (pick.answer, pick.fallback, pick.kept, pick.dropped, pick.failed, pick.not_run) == (
            answer, True, 0, 1, 1, 1,
        )  # fmt: skip


def test_survivors_without_a_reward_cannot_be_picked_by_one() -> None:
    pick = cotnpot_pick(samples(("96", 9.0, "d"), ("72", None, "a")))

    assert pick is not None
    assert (pick.answer, pick.fallback, pick.kept) == ("96", True, 1)


def test_without_programs_the_filter_does_not_run() -> None:
    rows = samples(("96", 9.0, "n"), ("72", 1.0))

    assert cotnpot_pick(rows) is None
    assert cotnpot_vote_pick(rows) is None
    assert cotnpot_vote_pick(samples(("72", None, "a"))) is not None
    assert cotnpot_pick(samples(("72", None, "a"))) is None  # nothing to score the survivors by


def test_the_first_sample_found_right_is_taken() -> None:
    rows = [
        candidate(4, "96", "math", verdict="wrong"),
        candidate(2, "72", "math", verdict="right"),
        candidate(7, "72", "math", verdict="undecided"),
        candidate(1, "5", "math", verdict="right"),
    ]

    assert first_verified_pick(rows) == Pick("first_verified", "72", 2, 2, 0.5)
    assert first_verified_pick(rows[:1]) == Pick("first_verified", None, None, 0, 0.0)
    assert first_verified_pick([candidate(0, "5", "math")]) is None

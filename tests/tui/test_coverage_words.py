"""What stands under the coverage chart: coverage, the gap to the pick, what more would buy and cost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.runs.state import RunState, Tally
from app.tui.text.coverage_words import (
    coverage_parts,
    coverage_phrase,
    gap_sentence,
    unverified_sentence,
    worth_sentence,
)
from app.tui.text.curves import Ahead
from app.tui.text.precision import LEAST, Precision, precision_of
from app.tui.text.worth import best_worth, price_words, right_among
from budgets.amounts import Amounts
from budgets.coverage import pass_at_k
from tests.tui.fixtures.made_up import made_up

AHEAD = Ahead(256, (6.0, 8.0), ((0.06, 0.0, 0.26), (0.14, 0.0, 0.7)), (0.03, 0.41), "as usual")


def words(*given: Any) -> str:
    return " ".join(coverage_parts(*given))


def state_of(samples: int, **how: Any) -> RunState:
    state = RunState()
    for event in made_up(samples, **how):
        state.apply(event)
    return state


def with_spend(state: RunState, **spent: Amounts) -> RunState:
    for model, amounts in spent.items():
        state.books_by_model[model].known = amounts
    return state


# -- one model ---------------------------------------------------------------------------------------------


def test_coverage_in_words() -> None:
    assert (
        words(Tally(n=64, correct=21), (0.23, 0.43))
        == "64 checked samples: covered. One try finds it 33% [23–43] of the time."
    )
    assert words(Tally(n=64), (0.0, 0.03)) == "Nothing right in 64; one try finds it at most 3% of the time."
    assert words(Tally(), None) == "Coverage is known from the first checked sample."


def test_with_nothing_right_what_more_would_find_is_an_interval_with_price_and_prior() -> None:
    found = "Nothing right in 64. 100 more would find it in 3–41% of cases like this"
    assert words(Tally(n=64), (0.0, 0.03), AHEAD) == f"{found}. Prior: as usual."
    priced = words(Tally(n=64), (0.0, 0.03), AHEAD, None, "about $0.12")
    assert priced == f"{found}, for about $0.12. Prior: as usual."
    assert "in under 1% of cases" in words(Tally(n=64), None, replace(AHEAD, more=(0.0, 0.001)))


def test_the_prior_is_named_where_it_has_a_say() -> None:
    unsure = Ahead(16, (2.0, 4.0), ((1.0, 0.07, 1.0), (1.0, 0.24, 1.0)), (0.8, 1.0), "as usual")
    sure = replace(unsure, values=((1.0, 1.0, 1.0), (1.0, 1.0, 1.0)))
    one = Tally(n=4, correct=1)
    assert words(one, None, unsure).endswith(" The forecast's prior: as usual.")
    assert words(one, None, sure).endswith(" of the time.")


def test_the_gap_between_coverage_and_the_pick_is_named() -> None:
    precision = Precision(((1, 0.33), (2, 0.33), (16, 0.72), (64, 1.0)))
    tally = Tally(n=64, correct=8)
    covered = round(100 * pass_at_k(64, 8, 16))
    assert gap_sentence(tally, precision) == (
        f"Of 16, coverage is {covered}%, the majority right 72%: a gap of {covered - 72} points."
    )
    assert "no gap" in gap_sentence(Tally(n=64, correct=64), Precision(((1, 1.0), (16, 1.0), (64, 1.0))))
    assert gap_sentence(tally, precision) in words(tally, None, None, precision)


def test_more_samples_of_a_covered_problem_bring_right_ones_at_a_price() -> None:
    low, high = right_among(64, 21, 100)
    assert 15 < low < 33 < high < 55
    told = words(Tally(n=64, correct=21), (0.2, 0.4), None, None, "about $0.12")
    assert told.endswith(f"100 more bring {low}–{high} right ones, for about $0.12.")


def test_what_more_brings_holds_as_often_as_it_says() -> None:
    """Exactly: the chance, under the beta-binomial, that the count lies between the two."""
    from scipy.stats import betabinom

    for n, correct in ((10, 3), (64, 21), (64, 1), (1000, 990)):
        low, high = right_among(n, correct, 100)
        law = betabinom(100, correct + 0.5, n - correct + 0.5)
        assert 0.88 <= law.cdf(high) - law.cdf(low - 1) <= 0.99, (n, correct)


def test_unverified_is_said_with_agreement_and_the_chance_of_something_new() -> None:
    tally = Tally(answers=60, distinct=10, once=6)
    assert (
        unverified_sentence(tally)
        == "Unverified: 10 different answers in 60; the next is new 10% of the time."
    )


# -- precision ---------------------------------------------------------------------------------------------


def test_precision_is_none_for_a_few_samples_and_ends_at_the_pick_itself() -> None:
    assert precision_of(state_of(LEAST - 1).samples) is None
    state = state_of(64)
    found = precision_of(state.samples)
    assert found is not None
    assert [k for k, _ in found.points] == [1, 2, 4, 8, 16, 32, 64]
    picked = state.samples[state.picks["majority"].sample or 0]
    assert picked is not None
    assert found.at(64) == float(picked.verdict == "right")
    share = state.right / state.finished
    assert found.at(1) == pytest.approx(share, abs=0.1)
    assert found.middle == 16


def test_live_failed_and_cancelled_samples_take_no_part_in_precision() -> None:
    ended, more = state_of(20), state_of(20, live=6)
    assert precision_of(ended.samples) == precision_of(more.samples)


# -- prices and several models -----------------------------------------------------------------------------


def test_the_price_of_more_is_the_measured_spend_carried_on() -> None:
    state = state_of(64)
    state.books.known = Amounts(usd=Decimal("0.0768"), flops=10**12, tokens=64, samples=64)
    assert price_words(state, "smollm2", 100) == "about $0.12"
    state.books.known = Amounts(usd=Decimal(0), flops=64 * 24 * 10**9, tokens=64, samples=64)
    state.at = 64 * 0.4
    assert price_words(state, "smollm2", 100) == "about 2.4 TFLOP and 40 s"
    with_spend(state, smollm2=Amounts(usd=Decimal(1), samples=2))
    assert price_words(state, "smollm2", 100) == ""


def test_the_model_that_gains_most_for_its_cost_is_named() -> None:
    state = state_of(40, models=("dear", "cheap"))
    state.tallies = {"dear": Tally(n=20, correct=10), "cheap": Tally(n=20, correct=6)}
    with_spend(
        state, dear=Amounts(usd=Decimal("2.00"), samples=20), cheap=Amounts(usd=Decimal("0.20"), samples=20)
    )
    assert best_worth(state) == ("cheap", "dollar")
    low, high = right_among(20, 6, 100)
    assert worth_sentence(state, {}) == (
        f"Most right samples per dollar: cheap; 100 more bring {low}–{high} for about $1.00."
    )
    state.tallies = {"dear": Tally(n=20), "cheap": Tally(n=10)}
    assert worth_sentence(state, {"cheap": AHEAD}) == (
        "Most per dollar: 100 more of cheap would find it in 3–41% of cases like this for about $1.00."
    )
    assert worth_sentence(state, {}) == ""


def test_models_without_dollars_are_compared_by_their_flops() -> None:
    state = state_of(40, models=("large", "small"))
    state.tallies = {"large": Tally(n=20, correct=10), "small": Tally(n=20, correct=9)}
    with_spend(state, large=Amounts(flops=10**13, samples=20), small=Amounts(flops=10**12, samples=20))
    assert best_worth(state) == ("small", "FLOP")
    state.tallies["small"] = Tally()
    assert best_worth(state) is None


def test_each_model_has_its_own_forecast_in_its_line() -> None:
    assert coverage_phrase(Tally(n=20), (0.0, 0.1), AHEAD) == (
        "not covered in 20 tries; 100 more find it in 3–41%"
    )
    assert coverage_phrase(Tally(n=20, correct=5), (0.1, 0.4), AHEAD) == "covered, 25% [10–40] a try"

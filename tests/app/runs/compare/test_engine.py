"""Several models, each with a budget of its own, over one set of problems."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from app.errors import BadInput, CannotPay
from app.runs import events as ev
from app.runs.compare.launch import fold, reopen_comparison
from app.runs.compare.result import comparison_lines, comparison_result
from app.runs.compare.standings import standings
from app.runs.launch import Launcher
from budgets.amounts import Budget
from budgets.flops import ModelSize, decode_flops, prompt_flops
from tests.app.runs.compare.rigs import Guesser, ended, opened, sums
from tests.app.runs.rigs import HurriedClock, ListStore


async def test_every_model_gets_the_same_samples_of_every_problem() -> None:
    state, _ = await ended(opened([Guesser("a", lambda n: 0.5), Guesser("b", lambda n: 0.1)], sums(6)))
    assert state.status == "completed"
    for model in ("a", "b"):
        assert [(cell.finished, cell.decided) for cell in state.cells[model]] == [(4, 4)] * 6


async def test_the_fold_of_its_events_is_the_state() -> None:
    state, events = await ended(
        opened([Guesser("a", lambda n: 0.5, faults=0.3)], sums(5), clock=HurriedClock())
    )
    again = fold(events)
    assert comparison_result(again) == comparison_result(state)
    assert again.books == state.books


async def test_books_agree_with_the_formula() -> None:
    state, _ = await ended(opened([Guesser("a", lambda n: 0.5)], sums(3), samples_each=5))
    size = ModelSize(1_000_000, 2, 8)
    assert state.books.known.flops == 3 * prompt_flops(size, 50) + 15 * decode_flops(size, 50, 20)
    assert sum((cell.known.flops or 0) for cell in state.cells["a"]) == state.books.known.flops
    assert state.books.held.flops == 0


async def test_a_flop_cap_holds_for_each_model_and_buys_more_of_the_small_one() -> None:
    small, large = Guesser("small", lambda n: 0.2), Guesser("large", lambda n: 0.8, parameters=4_000_000)
    cap = 40_000_000_000
    state, _ = await ended(opened([small, large], sums(8), samples_each=None, budget=Budget(flops=cap)))
    assert state.status == "budget"
    for model in ("small", "large"):
        spent = state.books_by_model[model].at_most.flops
        assert spent is not None
        assert 0.9 * cap < spent <= cap
    assert state.finished_by("small") > 2.5 * state.finished_by("large")


async def test_no_model_runs_ahead_of_another() -> None:
    store = ListStore()
    slow, fast = Guesser("slow", lambda n: 0.5, pause=0.002, concurrency=2), Guesser("fast", lambda n: 0.5)
    comparison = opened([slow, fast], sums(10), samples_each=10, store=store)
    async for event in comparison.run():
        if isinstance(event, ev.SampleFinished):
            used = [entrant.used for entrant in comparison._entrants.values()]
            assert max(used) - min(used) <= 0.02 + 8 / 100
    assert comparison.state.status == "completed"


async def test_faults_lose_nothing() -> None:
    state, _ = await ended(
        opened([Guesser("a", lambda n: 0.5, faults=0.4)], sums(10), samples_each=6, clock=HurriedClock())
    )
    assert state.errors["server"] > 5
    assert [cell.finished for cell in state.cells["a"]] == [6] * 10
    assert state.books.held.tokens == 0


async def test_a_model_that_fails_leaves_the_others_alone() -> None:
    state, _ = await ended(
        opened([Guesser("a", lambda n: 0.5, broken=True), Guesser("b", lambda n: 0.5)], sums(4))
    )
    assert state.status == "completed"
    assert state.finished_by("b") == 16
    assert state.finished_by("a") == 0
    assert any("The key is not accepted." in note for note in comparison_result(state)["notes"])


async def test_all_models_failing_is_a_failure() -> None:
    state, _ = await ended(opened([Guesser("a", lambda n: 0.5, broken=True)], sums(2)))
    assert state.status == "failed"
    assert "The key is not accepted." in state.end_reason


async def test_several_choices_of_one_request_count_the_prompt_once() -> None:
    model = Guesser("a", lambda n: 0.5, choices=16)
    state, _ = await ended(opened([model], sums(3), samples_each=12))
    assert [cell.finished for cell in state.cells["a"]] == [12] * 3
    assert max(request.choices for request in model.requests) == 8
    assert state.books.prompt_tokens == 50 * len(model.requests)


async def test_first_verified_stops_each_problem_and_coverage_stays_unbiased() -> None:
    chance = {n: 0.05 * (n % 10) for n in range(1, 201)}
    model = Guesser("a", chance.__getitem__)
    state, _ = await ended(opened([model], sums(200), samples_each=8, stop="first-verified"))
    assert all(cell.right <= 8 for cell in state.cells["a"])
    found = standings(state)[0]
    true = sum(1 - (1 - p) ** 4 for p in chance.values()) / 200
    at = found.coverage(4)
    assert at.low <= true <= at.high
    assert state.finished < 200 * 8 * 0.8


async def test_a_stopped_comparison_goes_on_where_it_was() -> None:
    whole, _ = await ended(opened([Guesser("a", lambda n: 0.3), Guesser("b", lambda n: 0.6)], sums(6)))
    store = ListStore()
    models = [Guesser("a", lambda n: 0.3, pause=0.001), Guesser("b", lambda n: 0.6, pause=0.001)]
    comparison = opened(models, sums(6), store=store)
    async for event in comparison.run():
        if isinstance(event, ev.SampleFinished) and event.sample == 10:
            comparison.stop()
    assert comparison.state.status == "stopped"
    by_name = {model.info.name: model for model in models}
    again = reopen_comparison(Launcher(make=by_name.__getitem__), store.events)
    state, _ = await ended(again)
    assert state.status == "completed"
    assert comparison_result(state)["matrix"] == comparison_result(whole)["matrix"]


@pytest.mark.parametrize("kept", range(2, 50, 6))
async def test_killed_anywhere_it_goes_on_and_pays_at_most_what_was_held(kept: int) -> None:
    store = ListStore()
    whole, _ = await ended(opened([Guesser("a", lambda n: 0.3, choices=2)], sums(5), store=store))
    prior = [event for batch in store.batches[:kept] for event in batch]
    again = reopen_comparison(Launcher(make=lambda name: Guesser("a", lambda n: 0.3, choices=2)), prior)
    state, _ = await ended(again)
    assert comparison_result(state)["matrix"] == comparison_result(whole)["matrix"]
    assert state.books.held.tokens == 0
    assert state.books.at_most.tokens >= whole.books.known.tokens - 50 * len(prior)


async def test_dollars_are_capped_for_each_model() -> None:
    models = [Guesser("dear", lambda n: 0.9, local=False), Guesser("cheap", lambda n: 0.3, local=False)]
    prices = {"dear": "10,40", "cheap": "1,4"}
    state, _ = await ended(
        opened(models, sums(5), samples_each=None, budget=Budget(usd=Decimal("0.02")), prices=prices)
    )
    for model in ("dear", "cheap"):
        spent = state.books_by_model[model].at_most.usd
        assert spent is not None
        assert Decimal("0.017") < spent <= Decimal("0.02")
    assert state.finished_by("cheap") > 5 * state.finished_by("dear")
    found = comparison_result(state)
    assert found["unit"] == "usd"
    assert found["pairs"][0]["k"][1] > found["pairs"][0]["k"][0]


async def test_an_unpriced_model_under_a_dollar_cap_is_refused() -> None:
    with pytest.raises(CannotPay, match="price of a is unknown"):
        opened([Guesser("a", lambda n: 1, local=False)], sums(2), budget=Budget(usd=Decimal(1)))


async def test_a_budget_of_not_one_sample() -> None:
    state, _ = await ended(opened([Guesser("a", lambda n: 1)], sums(2), budget=Budget(flops=10)))
    assert state.status == "budget"
    assert "does not pay for one sample of a" in state.end_reason


def test_what_is_refused() -> None:
    with pytest.raises(BadInput, match="no problems"):
        opened([Guesser("a", lambda n: 1)], [])
    with pytest.raises(BadInput, match="No model"):
        opened([], sums(1))


async def test_pause_and_budget_while_it_runs() -> None:
    comparison = opened([Guesser("a", lambda n: 0.5, pause=0.001)], sums(4), samples_each=20)
    seen = 0
    async for event in comparison.run():
        if isinstance(event, ev.SampleFinished):
            seen += 1
            if seen == 10:
                comparison.pause()
                asyncio.get_running_loop().call_later(0.05, comparison.resume)
    assert comparison.state.status == "completed"
    assert comparison.state.finished == 80


async def test_the_verdict_names_the_better_at_equal_spend() -> None:
    models = [Guesser("weak", lambda n: 0.05), Guesser("strong", lambda n: 0.9)]
    state, _ = await ended(opened(models, sums(40), samples_each=4))
    found = comparison_result(state)
    assert found["verdict"].startswith("strong covers more than weak")
    assert found["models"]["strong"]["coverage"]["1"][0] == pytest.approx(0.9, abs=0.1)
    assert found["models"]["weak"]["solved"] == sum(
        c[1] > 0 for c in (row["weak"] for row in found["matrix"].values())
    )
    assert any(line.startswith("Verdict") for line in comparison_lines(state))


async def test_equal_models_cannot_be_told_apart() -> None:
    models = [Guesser("one", lambda n: 0.4), Guesser("two", lambda n: 0.4)]
    state, _ = await ended(opened(models, sums(30), samples_each=4))
    assert "cannot be told apart" in comparison_result(state)["verdict"]


async def test_more_samples_of_each_problem_may_be_asked_for_later() -> None:
    store = ListStore()
    await ended(opened([Guesser("a", lambda n: 0.3)], sums(4), samples_each=2, store=store))
    again = reopen_comparison(
        Launcher(make=lambda name: Guesser("a", lambda n: 0.3)), store.events, budget=Budget(samples=5)
    )
    state, events = await ended(again)
    assert [cell.finished for cell in state.cells["a"]] == [5] * 4
    assert fold([*store.events, *events]).samples_each == 5

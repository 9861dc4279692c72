"""Stop rules in live runs: when they end one, what they say, and that nothing in flight is lost."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.plan import Plan, StopRule
from app.runs.state import RunState
from app.runs.stopping import samples_left
from budgets.amounts import Amounts, Budget
from tests.app.runs.rigs import HEADER, RIGHT, SUM, WRONG, ListStore, collect, engine_on, plan, scripted

UNCHECKED = Problem(id="sum", kind="math", prompt="What is 17 + 26?")


def stopping(rule: StopRule, the_plan: Plan) -> Plan:
    return msgspec.structs.replace(the_plan, stop=rule)


async def test_settled_ends_a_run_whose_majority_cannot_plausibly_change() -> None:
    store = ListStore()
    engine = engine_on(scripted(RIGHT), stopping("settled", plan(samples=40)), store=store, problem=UNCHECKED)
    events = await collect(engine)
    state = engine.state
    assert state.status == "stopped"
    assert 3 <= state.finished <= 7  # four are in flight at once
    assert state.end_reason.startswith("The majority cannot plausibly change: ")
    assert state.end_reason.endswith("%.")
    assert isinstance(events[-1], ev.RunEnded)
    assert not state.live
    assert not state.open_calls
    assert state.books.held == Amounts()
    refolded = RunState()
    for event in store.events:
        refolded.apply(event)
    assert refolded.end_reason == state.end_reason


async def test_samples_in_flight_are_cancelled_and_owed() -> None:
    slow = " ".join(["word"] * 400)
    backend = scripted(RIGHT, RIGHT, RIGHT, slow, header=HEADER, tick=0.002)
    the_plan = stopping("settled", plan(samples=40, concurrency=4, max_tokens=512))
    engine = engine_on(backend, the_plan, problem=UNCHECKED)
    await collect(engine)
    state = engine.state
    assert state.status == "stopped"
    assert state.cancelled >= 1
    assert state.finished + state.cancelled == state.started
    assert state.books.held == Amounts()
    assert state.books.at_most.tokens >= sum(sample.tokens for sample in state.every_sample())


async def test_a_divided_vote_goes_on_to_the_end() -> None:
    engine = engine_on(scripted(RIGHT, WRONG), stopping("settled", plan(samples=16, concurrency=1)))
    await collect(engine)
    assert (engine.state.status, engine.state.finished) == ("completed", 16)


async def test_a_lead_that_what_is_left_cannot_turn_is_certain() -> None:
    lines = [RIGHT] * 7 + [WRONG] * 5
    engine = engine_on(scripted(*lines), stopping("settled", plan(samples=8, concurrency=1)))
    await collect(engine)
    assert engine.state.finished < 8
    assert engine.state.status == "stopped"


@pytest.mark.parametrize("rule", ["settled", "worth-it"])
async def test_a_run_that_reaches_its_limit_says_so_itself(rule: StopRule) -> None:
    engine = engine_on(scripted(RIGHT), stopping(rule, plan(samples=2)), problem=UNCHECKED)
    await collect(engine)
    assert (engine.state.status, engine.state.end_reason) == ("completed", "All 2 samples are in.")


async def test_without_a_rule_a_unanimous_run_goes_on() -> None:
    engine = engine_on(scripted(RIGHT), plan(samples=20))
    await collect(engine)
    assert engine.state.finished == 20


@pytest.mark.parametrize("rule", ["settled", "worth-it", "first-verified"])
async def test_asking_for_more_after_the_rule_ended_it_draws_them(rule: StopRule) -> None:
    engine = engine_on(scripted(RIGHT), stopping(rule, plan(samples=40)))
    await collect(engine)
    assert engine.state.status == "stopped"
    before = engine.state.finished
    engine.more(5)
    await collect(engine)
    assert (engine.state.status, engine.state.finished) == ("completed", before + 5)


async def test_asking_for_more_while_it_runs_leaves_the_rule_on() -> None:
    engine = engine_on(scripted(RIGHT), stopping("settled", plan(samples=4)), problem=UNCHECKED)
    async for event in engine.run():
        if isinstance(event, ev.RunStarted):
            engine.more(60)
    assert engine.state.status == "stopped"
    assert engine.state.finished < 20


async def test_worth_it_stops_at_the_first_right_answer() -> None:
    engine = engine_on(scripted(WRONG, WRONG, RIGHT), stopping("worth-it", plan(samples=40, concurrency=1)))
    await collect(engine)
    assert engine.state.finished == 3
    assert engine.state.right == 1
    assert "A checker said yes" in engine.state.end_reason


async def test_worth_it_gives_up_on_a_dear_problem_sooner() -> None:
    finished = []
    for price in ("10", "1000"):
        header = msgspec.structs.replace(HEADER, price=(Decimal(0), Decimal(price)))
        the_plan = stopping("worth-it", plan(samples=150, concurrency=1))
        engine = engine_on(scripted(WRONG, header=header), the_plan)
        await collect(engine)
        finished.append(engine.state.finished)
        assert engine.state.status == ("stopped" if price == "1000" else "completed")
    assert "Not worth more: by estimate a sample adds at most" in engine.state.end_reason
    assert "covering the problem" in engine.state.end_reason
    assert 3 <= finished[1] < finished[0] == 150


async def test_worth_it_without_a_checker_looks_at_the_pick() -> None:
    engine = engine_on(scripted(RIGHT), stopping("worth-it", plan(samples=64)), problem=UNCHECKED)
    await collect(engine)
    assert engine.state.status == "stopped"
    assert 3 <= engine.state.finished < 12
    assert "a right pick" in engine.state.end_reason


async def test_a_resumed_run_decides_as_an_uninterrupted_one() -> None:
    store = ListStore()
    first = engine_on(
        scripted(RIGHT), stopping("settled", plan(samples=2, concurrency=1)), store=store, problem=UNCHECKED
    )
    await collect(first)
    prior = RunState()
    for event in store.events:
        prior.apply(event)
    again = engine_on(
        scripted(RIGHT),
        stopping("settled", plan(samples=2, concurrency=1)),
        problem=UNCHECKED,
        prior=prior,
    )
    again.set_budget(Budget(samples=40))
    await collect(again)
    assert again.state.status == "stopped"
    assert 3 <= again.state.finished <= 7


def state_with(budget: Budget, *, finished: int, spent: Amounts, at: float = 0.0) -> RunState:
    state = RunState()
    state.budget, state.finished, state.at = budget, finished, at
    state.books.at_most = spent
    return state


@pytest.mark.parametrize(
    ("budget", "left"),
    [
        (Budget(), None),
        (Budget(samples=40), 30),
        (Budget(usd=Decimal("0.30")), 20),
        (Budget(flops=1500), 5),
        (Budget(tokens=1900), 9),
        (Budget(seconds=8.0), 10),
        (Budget(samples=40, usd=Decimal("0.30"), tokens=1900), 9),
        (Budget(usd=Decimal("0.05")), 0),
    ],
)
def test_what_the_rest_of_the_budget_buys(budget: Budget, left: int | None) -> None:
    spent = Amounts(Decimal("0.10"), 1000, 1000, 10)
    assert samples_left(state_with(budget, finished=10, spent=spent, at=4.0)) == left


def test_before_the_first_sample_nobody_knows_what_a_limit_in_dollars_buys() -> None:
    assert samples_left(state_with(Budget(usd=Decimal(1)), finished=0, spent=Amounts())) is None


@pytest.mark.parametrize("rule", ["settled", "worth-it"])
async def test_answers_that_never_come_do_not_stop_a_run_early(rule: StopRule) -> None:
    engine = engine_on(scripted("I do not know."), stopping(rule, plan(samples=12)), problem=UNCHECKED)
    await collect(engine)
    assert engine.state.finished == 12


async def test_a_first_verified_run_ends_as_before() -> None:
    engine = engine_on(
        scripted(WRONG, RIGHT), stopping("first-verified", plan(samples=40, concurrency=1)), problem=SUM
    )
    await collect(engine)
    assert engine.state.end_reason == "A checker said yes, and you asked to stop at that."
    assert engine.state.finished == 2

"""Our books against a provider's own: a real engine, real sockets, and a server that bills and misbehaves."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import aclosing
from decimal import Decimal

import pytest

from app.models.base import Settings
from app.models.openai_backend import OpenAIBackend
from app.models.openai_patience import Patience
from app.runs import events as ev
from app.runs.engine import Engine
from app.runs.launch import Launcher
from app.runs.plan import Plan
from app.runs.state import RunState
from budgets.amounts import Amounts, Budget
from budgets.prices import Price
from budgets.rates import Rates
from tests.app.runs.rigs import SUM, HurriedClock, ListStore
from tests.servers.billing import KEY, BillingServer, Fault, Manners, some_faults

INPUT, OUTPUT = Decimal("0.000000004"), Decimal("0.0000006")
PRICE = Price(Rates(INPUT, OUTPUT), source="the test server")
MAX_TOKENS = 24
STREAMS = 64
KINDS: tuple[Fault, ...] = (
    "429", "429-wait", "500", "503", "cut", "cut-first", "hang", "loris", "malformed", "truncated", "empty",
    "error-event", "no-usage", "zero-usage", "half-usage", "negative-usage",
)  # fmt: skip


def words(seed: int) -> list[str]:
    """Long enough that money, not the number of requests, is what a test spends its time on."""
    chance = random.Random(seed)
    steps = [f"step{chance.randrange(100)} " for _ in range(chance.randrange(12, 24))]
    return [*steps, "The ", "answer ", "is ", str(40 + chance.randrange(5)), "."]


def manners(**options: object) -> Manners:
    return Manners(input_usd=INPUT, output_usd=OUTPUT, words=words, **options)  # type: ignore[arg-type]


class Rig:
    """One run against one server."""

    def __init__(self, server: BillingServer, *, choices: int = 1, price: Price = PRICE) -> None:
        self.server = server
        self.backend = OpenAIBackend(
            "m", server.url, KEY, choices_per_request=choices, patience=Patience(first=10.0, between=0.25)
        )
        self.launcher = Launcher(lambda _: self.backend, prices={"openai:m": price}, clock=HurriedClock())
        self.store = ListStore()

    def engine(
        self,
        usd: Decimal | None = None,
        *,
        samples: int | None = None,
        streams: int = STREAMS,
        prior: RunState | None = None,
    ) -> Engine:
        plan = Plan(
            models=("openai:m",),
            settings=Settings(max_tokens=MAX_TOKENS),
            budget=Budget(usd=usd, samples=samples),
            concurrency=streams,
        )
        return self.launcher.open_run(SUM, plan, store=self.store, run_id="r", prior=prior)

    async def run(self, engine: Engine) -> list[ev.Event]:
        try:
            found = [event async for event in engine.run()]
        finally:
            await self.launcher.close()
        await asyncio.to_thread(self.server.wait_idle)
        return found

    def worst(self, engine: Engine) -> Decimal:
        """The most that one sample in a request of its own can cost."""
        prompt = self.backend.prompt_tokens_at_most(engine._lanes["openai:m"].prompt)
        return PRICE.worst(prompt, MAX_TOKENS, 1)


def settled_once(events: list[ev.Event]) -> None:
    """Every part of every call is charged once, and every sample of it ends once."""
    started = [event for event in events if isinstance(event, ev.CallStarted)]
    parts = [(call.call, part) for call in started for part in (None, *call.samples)]
    charged = [(event.call, event.sample) for event in events if isinstance(event, ev.Charged)]
    assert sorted(charged, key=str) == sorted(parts, key=str)
    ended = [
        (event.call, event.sample)
        for event in events
        if isinstance(event, (ev.SampleFinished, ev.SampleFailed))
    ]
    assert sorted(ended) == sorted((call.call, sample) for call in started for sample in call.samples)


def true_reports(server: BillingServer) -> Counter[tuple[int, int, Decimal]]:
    return Counter((bill.seed, bill.choices, bill.usd) for bill in server.bills if bill.reported)


def all_bills(server: BillingServer) -> Counter[tuple[int, int, Decimal]]:
    return Counter((bill.seed, bill.choices, bill.usd) for bill in server.bills)


def certain_calls(events: list[ev.Event]) -> Counter[tuple[int, int, Decimal]]:
    """(seed, samples, dollars) of the calls whose every sample finished and whose cost is certain."""
    calls = {event.call: event for event in events if isinstance(event, ev.CallStarted)}
    failed = {event.call for event in events if isinstance(event, ev.SampleFailed)}
    known: Counter[int] = Counter()
    dollars: dict[int, Decimal] = {}
    for event in events:
        if isinstance(event, ev.Charged):
            assert event.known.usd is not None
            dollars[event.call] = dollars.get(event.call, Decimal(0)) + event.known.usd
            known[event.call] += event.known != event.at_most
    return Counter(
        (call.seed, len(call.samples), dollars[number])
        for number, call in calls.items()
        if number not in failed and not known[number]
    )


def calls_that_failed(events: list[ev.Event]) -> set[tuple[int, int]]:
    """(seed, samples) of calls that we gave up, whatever the server thought of them."""
    failed = {event.call for event in events if isinstance(event, ev.SampleFailed)}
    calls = [event for event in events if isinstance(event, ev.CallStarted)]
    return {(call.seed, len(call.samples)) for call in calls if call.call in failed}


def most_in_flight(events: list[ev.Event]) -> int:
    most = now = 0
    for event in events:
        if isinstance(event, ev.CallStarted):
            now += len(event.samples)
        elif isinstance(event, (ev.SampleFinished, ev.SampleFailed)):
            now -= 1
        most = max(most, now)
    return most


def assert_nothing_held(state: RunState) -> None:
    held = state.books.held
    assert not held.usd
    assert not held.tokens
    assert not held.samples
    assert not state.live
    assert not state.open_calls


def dollars(amounts: Amounts) -> Decimal:
    assert amounts.usd is not None
    return amounts.usd


@pytest.mark.parametrize("case", range(20))
async def test_a_cap_holds_whatever_the_server_does(case: int) -> None:
    choices = (1, 1, 4, 3)[case % 4]
    faults = some_faults(0.2, KINDS, seed=case)
    with BillingServer(manners(fault=faults, bills_on=case % 3 != 0)) as server:
        rig = Rig(server, choices=choices)
        worst = rig.worst(rig.engine(Decimal(1)))
        cap = worst * (100 + 5 * case) + Decimal(case) / 10**9
        engine = rig.engine(cap)
        events = await rig.run(engine)
        state = engine.state
        at_most = dollars(state.books.at_most)
        assert state.status == "budget", state.end_reason
        assert server.usd <= at_most <= cap
        assert at_most >= cap * Decimal("0.97")
        assert dollars(state.books.known) <= server.usd
        assert_nothing_held(state)
        certain = certain_calls(events)
        assert certain <= all_bills(server)
        lost = calls_that_failed(events)
        assert all((seed, size) in lost for seed, size, _ in true_reports(server) - certain)
        assert sum(server.seen.faults.values()) >= 5
        # a last place or two may wait for enough others to make a whole request
        assert STREAMS - choices < most_in_flight(events) <= STREAMS
    settled_once(events)
    for sample in state.every_sample():
        if sample.status == "finished":
            assert sample.text == "".join(words(sample.seed)[:MAX_TOKENS])
        else:
            assert sample.status == "failed"
            assert not sample.will_retry or state.status == "budget"


async def test_without_faults_the_books_equal_the_bill_to_the_last_digit() -> None:
    with BillingServer(manners()) as server:
        rig = Rig(server, choices=4)
        engine = rig.engine(samples=100)
        events = await rig.run(engine)
        state = engine.state
        assert (state.status, state.finished) == ("completed", 100)
        assert dollars(state.books.known) == dollars(state.books.at_most) == server.usd
        assert state.books.prompt_tokens == sum(bill.prompt_tokens for bill in server.bills)
        assert len(server.bills) == 25
    settled_once(events)


@pytest.mark.parametrize("choices", [1, 4])
async def test_cached_prompts_and_hidden_thoughts_cost_what_they_cost(choices: int) -> None:
    cached, thought = Decimal("0.000000001"), Decimal("0.0000009")
    price = Price(Rates(INPUT, OUTPUT, cached=cached, reasoning=thought), source="the test server")
    dear = manners(thoughts=3, cached_tokens=10, cached_usd=cached, reasoning_usd=thought)
    with BillingServer(dear) as server:
        rig = Rig(server, choices=choices, price=price)
        engine = rig.engine(Decimal("0.01"), samples=20)
        await rig.run(engine)
        assert engine.state.finished == 20
        assert dollars(engine.state.books.known) == dollars(engine.state.books.at_most) == server.usd


async def test_every_request_has_a_limit_on_its_tokens() -> None:
    with BillingServer(manners(wants_max_completion_tokens=True)) as server:
        rig = Rig(server)
        await rig.run(rig.engine(samples=8))
        limits = [body.get("max_tokens") or body.get("max_completion_tokens") for body in server.seen.bodies]
        assert set(limits) == {MAX_TOKENS}


@pytest.mark.parametrize("bills_on", [True, False])
@pytest.mark.parametrize("choices", [1, 4])
async def test_what_is_cancelled_in_mid_stream_stays_on_the_books(bills_on: bool, choices: int) -> None:
    cap = Decimal("0.01")
    with BillingServer(manners(pace=0.005, bills_on=bills_on)) as server:
        rig = Rig(server, choices=choices)
        engine = rig.engine(cap, streams=16)
        deltas = 0
        async with aclosing(engine.run()) as events:
            async for event in events:
                deltas += isinstance(event, ev.TextDelta)
                if deltas == 200:
                    engine.stop()
        await rig.launcher.close()
        await asyncio.to_thread(server.wait_idle)
        books = engine.state.books
        assert engine.state.cancelled > 0
        assert dollars(books.known) <= server.usd <= dollars(books.at_most) <= cap
        assert dollars(books.known) > 0
        assert_nothing_held(engine.state)
    settled_once(rig.store.events)


async def test_a_retry_is_reserved_and_paid_anew() -> None:
    with BillingServer(manners(fault=lambda number: "cut" if number < 2 else None)) as server:
        rig = Rig(server)
        engine = rig.engine(Decimal("0.01"), samples=2, streams=2)
        events = await rig.run(engine)
        state = engine.state
        assert (state.status, state.finished) == ("completed", 2)
        assert len(server.bills) == 4
        assert dollars(state.books.known) < server.usd <= dollars(state.books.at_most)
        assert state.errors == {"crashed": 2}
    settled_once(events)


async def test_a_storm_of_refusals_does_not_end_a_run() -> None:
    with BillingServer(manners(fault=lambda number: "429-wait" if number < STREAMS else None)) as server:
        rig = Rig(server)
        engine = rig.engine(samples=STREAMS)
        await rig.run(engine)
        assert (engine.state.status, engine.state.finished) == ("completed", STREAMS)
        assert dollars(engine.state.books.at_most) == server.usd


async def test_a_run_finds_the_pace_that_a_server_bears() -> None:
    with BillingServer(manners(room=8, pace=0.002)) as server:
        rig = Rig(server)
        engine = rig.engine(samples=300)
        events = await rig.run(engine)
        state = engine.state
        assert (state.status, state.finished) == ("completed", 300)
        assert all(sample.status == "finished" for sample in state.every_sample())
        # On a busy machine a connection may break of itself: then what it cost is only known at the most.
        assert dollars(state.books.known) <= server.usd <= dollars(state.books.at_most)
        assert server.seen.turned_away < 200
    settled_once(events)


async def test_a_server_that_only_fails_is_set_aside() -> None:
    with BillingServer(manners(fault=lambda _: "503")) as server:
        rig = Rig(server)
        engine = rig.engine(samples=100)
        await rig.run(engine)
        assert engine.state.status == "failed"
        assert "overloaded" in engine.state.end_reason
        assert engine.state.books.at_most.tokens == 0
        assert not server.bills


@pytest.mark.parametrize("manner", ["refused", "ignored"])
async def test_a_server_without_n_costs_nothing_more(manner: str) -> None:
    with BillingServer(manners(n=manner)) as server:
        rig = Rig(server, choices=4)
        engine = rig.engine(samples=40)
        events = await rig.run(engine)
        assert (engine.state.status, engine.state.finished) == ("completed", 40)
        assert dollars(engine.state.books.known) == dollars(engine.state.books.at_most) == server.usd
        seeds = sorted(sample.seed for sample in engine.state.every_sample())
        assert seeds == list(range(40))
    settled_once(events)


async def test_a_crash_turns_what_was_reserved_into_spend_at_most() -> None:
    with BillingServer(manners(pace=0.003)) as server:
        rig = Rig(server)
        worst = rig.worst(rig.engine(Decimal(1)))
        cap = worst * 100
        first = rig.engine(cap, streams=16)
        journal: list[ev.Event] = []
        async with aclosing(first.run()) as events:
            async for _ in events:
                if first.state.finished >= 20 and not journal:
                    journal = list(rig.store.events)  # all that is on disk when the power goes
                    first.stop()
        prior = RunState()
        for event in journal:
            prior.apply(event)
        assert prior.live
        engine = rig.engine(cap, prior=prior)
        await rig.run(engine)
        books = engine.state.books
        assert server.usd <= dollars(books.at_most) <= cap
        assert dollars(books.at_most) >= cap * Decimal("0.97")
        assert dollars(books.known) < server.usd
        assert_nothing_held(engine.state)
        drawn = [sample.seed for sample in engine.state.every_sample() if sample.status == "finished"]
        assert len(set(drawn)) == len(drawn)


async def test_a_count_above_the_worst_case_stops_new_work_and_is_counted() -> None:
    with BillingServer(manners()) as server:
        rig = Rig(server)
        rig.backend.prompt_tokens_at_most = lambda _: 5  # type: ignore[method-assign,assignment]
        engine = rig.engine(Decimal("0.01"), streams=4)
        await rig.run(engine)
        assert engine.state.status == "stopped"
        assert "above what was reserved" in engine.state.end_reason
        assert dollars(engine.state.books.at_most) >= server.usd - 4 * PRICE.worst(40, MAX_TOKENS, 1)
        assert len(server.bills) <= 8

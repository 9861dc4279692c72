"""Samples from a server that fails in every way it can: none is lost, and none is paid twice.

And what becomes of a run whose key is revoked in the middle, whose server falls silent, or whose answers are
dated by another clock. A real engine, real sockets, and a server that keeps its own bill.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal

from app.models.base import Settings
from app.models.openai_backend import OpenAIBackend
from app.models.openai_faults import retry_after
from app.models.openai_patience import Patience
from app.runs import events as ev
from app.runs.engine import Engine
from app.runs.launch import Launcher
from app.runs.plan import Plan
from budgets.amounts import Budget
from budgets.prices import Price
from budgets.rates import Rates
from tests.app.runs.rigs import SUM, HurriedClock, ListStore
from tests.servers.billing import KEY, BillingServer, Fault, Manners, some_faults

PRICE = Price(Rates(Decimal("0.00000015"), Decimal("0.0000006")), source="the test server")
KINDS: tuple[Fault, ...] = (
    "429", "429-wait", "500", "503", "cut", "cut-first", "hang", "loris", "malformed", "truncated", "empty",
    "error-event", "no-usage", "zero-usage", "half-usage", "negative-usage", "absurd-usage", "no-done",
)  # fmt: skip


def words(seed: int) -> list[str]:
    return ["so ", "it ", "is ", str(40 + seed % 5), "."]


class Rig:
    """Runs on any number of servers, each a model of its own."""

    def __init__(self, *servers: BillingServer, between: float = 0.3) -> None:
        patience = Patience(first=10.0, between=between)
        self.names = tuple(f"openai:m{number}" for number in range(len(servers)))
        self._backends = {
            name: OpenAIBackend("m", server.url, KEY, shown_as=name, choices_per_request=1, patience=patience)
            for name, server in zip(self.names, servers, strict=True)
        }
        self.launcher = Launcher(
            lambda name: self._backends[name], prices=dict.fromkeys(self.names, PRICE), clock=HurriedClock()
        )
        self.store = ListStore()

    def engine(self, samples: int, streams: int = 64) -> Engine:
        plan = Plan(
            models=self.names,
            settings=Settings(max_tokens=16),
            budget=Budget(samples=samples),
            concurrency=streams,
        )
        return self.launcher.open_run(SUM, plan, store=self.store, run_id="r")

    async def run(self, engine: Engine) -> None:
        try:
            async for _ in engine.run():
                pass
        finally:
            await self.launcher.close()


async def test_none_is_lost_and_none_is_paid_twice() -> None:
    await none_lost_none_paid_twice(200, share=0.25)


async def none_lost_none_paid_twice(samples: int, *, share: float) -> None:
    """Draw ``samples`` from a server that fails for a ``share`` of its requests, in all ways there are."""
    faults = some_faults(share, KINDS, seed=3)
    with BillingServer(Manners(fault=faults, words=words)) as server:
        rig = Rig(server)
        engine = rig.engine(samples)
        await rig.run(engine)
        await asyncio.to_thread(server.wait_idle)
        state = engine.state
        assert (state.status, state.finished) == ("completed", samples)
        assert len(server.seen.faults) >= len(KINDS) - 2

        finished = [sample for sample in state.every_sample() if sample.status == "finished"]
        seeds = [sample.seed for sample in finished]
        assert len(set(seeds)) == len(seeds) == samples
        assert all(sample.text == "".join(words(sample.seed)) for sample in finished)
        kept = Counter(event.sample for event in rig.store.events if isinstance(event, ev.SampleFinished))
        assert set(kept.values()) == {1}

        charges = Counter(
            (event.call, event.sample) for event in rig.store.events if isinstance(event, ev.Charged)
        )
        assert set(charges.values()) == {1}
        known, at_most = state.books.known.usd, state.books.at_most.usd
        assert known is not None
        assert at_most is not None
        assert known <= server.usd <= at_most
        assert not state.books.held.usd
        assert not state.live


async def test_a_key_that_is_revoked_in_mid_run_ends_its_model_and_keeps_what_came() -> None:
    revoked = Manners(fault=lambda number: "revoked" if number >= 30 else None, words=words)
    with BillingServer(revoked) as server:
        rig = Rig(server)
        engine = rig.engine(200, streams=8)
        await rig.run(engine)
        state = engine.state
        assert state.status == "stopped"
        assert "does not accept the key (401)" in state.end_reason
        assert KEY not in state.end_reason
        assert state.finished == 30
        assert state.books.known.usd == state.books.at_most.usd == server.usd
        assert len(server.seen.bodies) <= 30 + 8  # what was in flight, and nobody after


async def test_the_other_model_goes_on_when_one_is_set_aside() -> None:
    with (
        BillingServer(Manners(fault=lambda _: "revoked")) as bad,
        BillingServer(Manners(words=words)) as good,
    ):
        rig = Rig(bad, good)
        engine = rig.engine(40, streams=4)
        await rig.run(engine)
        state = engine.state
        assert (state.status, state.finished) == ("completed", 40)
        aside = [event for event in rig.store.events if isinstance(event, ev.ModelStatus)]
        told = [event for event in aside if event.state == "set-aside"]
        assert [event.model for event in told] == ["openai:m0"]
        assert "does not accept the key" in told[0].detail


async def test_a_server_that_falls_silent_for_good_is_set_aside_and_what_came_is_charged() -> None:
    with BillingServer(Manners(fault=lambda _: "hang", words=words)) as server:
        rig = Rig(server, between=0.05)
        engine = rig.engine(50, streams=2)
        await rig.run(engine)
        state = engine.state
        assert state.status == "failed"
        assert "silent" in state.end_reason
        assert set(state.errors) == {"timeout"}
        known, at_most = state.books.known.usd, state.books.at_most.usd
        assert known is not None
        assert at_most is not None
        assert 0 < known <= server.usd <= at_most


def test_ten_seconds_of_silence_are_enough() -> None:
    assert Patience().between == 10.0


def test_a_date_to_wait_for_is_read_by_the_clock_that_wrote_it() -> None:
    """The server is an hour behind, and asks for half a minute."""
    headers = {
        "date": "Thu, 01 Jan 2026 10:00:00 GMT",
        "retry-after": "Thu, 01 Jan 2026 10:00:30 GMT",
    }
    assert retry_after(headers) == 30.0
    assert retry_after(headers | {"retry-after": "Thu, 01 Jan 2026 09:00:00 GMT"}) == 0.0
    assert retry_after({"retry-after": "soon"}) is None

"""Several servers of one model: who is asked, who rests, and what a run notices of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from math import inf

import pytest

from app.errors import BadInput, PartMissing
from app.models.base import BackendError, ChoiceDone, Message, Piece, Prompt, Request, Settings
from app.models.openai_backend import OpenAIBackend
from app.models.openai_patience import Patience
from app.models.pace import Pace
from app.models.pool import PoolBackend
from app.runs import events as ev
from app.runs.engine import Engine
from app.runs.launch import Launcher
from app.runs.plan import Plan
from budgets.amounts import Budget
from tests.app.runs.rigs import SUM, ListStore
from tests.servers.billing import KEY, BillingServer, Manners

PROMPT = Prompt(messages=(Message("user", "What is 17 + 26?"),))


def request(seed: int = 7) -> Request:
    return Request(PROMPT, Settings(max_tokens=64), 1, seed)


def pool_of(*urls: str, key: str = KEY) -> PoolBackend:
    patience = Patience(first=20.0, between=10.0)
    backends = [OpenAIBackend("m", url, key, choices_per_request=1, patience=patience) for url in urls]
    return PoolBackend("openai:m", backends)


@asynccontextmanager
async def opened(*servers: BillingServer) -> AsyncIterator[PoolBackend]:
    pool = pool_of(*(server.url for server in servers))
    await pool.open(lambda _: None)
    try:
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def two(first: Manners | None = None, second: Manners | None = None) -> AsyncIterator[
    tuple[BillingServer, BillingServer, PoolBackend]
]:  # fmt: skip
    with BillingServer(first) as a, BillingServer(second) as b:
        async with opened(a, b) as pool:
            yield a, b, pool


async def play(pool: PoolBackend, seed: int = 7) -> list[Piece]:
    async with aclosing(pool.sample(request(seed))) as pieces:
        return [piece async for piece in pieces]


async def ended(pool: PoolBackend, count: int) -> int:
    """How many of ``count`` requests at once bring a sample."""
    tries = await asyncio.gather(*(play(pool, seed) for seed in range(count)), return_exceptions=True)
    return sum(not isinstance(one, BaseException) and isinstance(one[-1], ChoiceDone) for one in tries)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another thread
            await asyncio.sleep(0.005)


async def test_requests_are_spread_over_all_servers() -> None:
    async with two(Manners(pace=0.002), Manners(pace=0.002)) as (a, b, pool):
        assert await ended(pool, 20) == 20
        assert (len(a.bills), len(b.bills)) == (10, 10)
        assert pool.info.server == ", ".join(sorted(url.url[7:-3] for url in (a, b)))


async def test_what_one_server_refuses_another_one_takes_at_no_cost() -> None:
    crowded = Manners(fault=lambda _: "429-wait")
    async with two(crowded) as (a, b, pool):
        assert await ended(pool, 6) == 6
        assert not a.bills
        assert len(b.bills) == 6
        assert a.seen.faults["429-wait"] <= 3


async def test_a_server_that_asks_for_a_rest_gets_it_and_comes_back() -> None:
    async with two(Manners(fault=lambda number: "429-wait" if number == 0 else None)) as (a, b, pool):
        assert await ended(pool, 1) == 1
        assert (len(a.bills), len(b.bills)) == (0, 1)
        await asyncio.sleep(0.55)
        assert await ended(pool, 1) == 1
        assert len(a.bills) == 1


async def test_a_server_that_dies_leaves_its_work_to_the_other() -> None:
    def long() -> Manners:
        return Manners(pace=0.01, words=lambda _: ["word "] * 60)

    async with two(long(), long()) as (a, b, pool):
        work = asyncio.create_task(ended(pool, 8))
        await until(lambda: a.seen.open_now == 4)
        a._loop.call_soon_threadsafe(a._loop.stop)
        lost = 8 - await work
        assert lost == 4
        assert await ended(pool, 8) == 8
        assert len(b.bills) == 4 + 8


async def test_a_sick_server_is_tried_with_one_request_first() -> None:
    sick = Manners(fault=lambda number: "cut-first" if number < 1 else None, pace=0.002)
    async with two(sick, Manners(pace=0.002)) as (a, _, pool):
        assert await ended(pool, 2) == 1
        await asyncio.sleep(0.6)
        work = asyncio.create_task(ended(pool, 9))
        await asyncio.sleep(0.03)
        assert a.seen.most_open == 1
        assert await work == 9
        assert await ended(pool, 8) == 8
        assert a.seen.most_open > 1


async def test_a_key_that_one_server_refuses_leaves_it_out_with_a_note() -> None:
    async with two(Manners(fault=lambda _: "revoked")) as (a, b, pool):
        assert await ended(pool, 4) == 4
        assert len(b.bills) == 4
        assert len(pool.notes) == 1
        assert "does not accept the key" in pool.notes[0]
        assert KEY not in pool.notes[0]
        seen = len(a.seen.bodies)
        assert await ended(pool, 4) == 4
        assert len(a.seen.bodies) == seen


async def test_when_no_server_is_left_the_fault_is_final() -> None:
    async with two(Manners(fault=lambda _: "revoked"), Manners(fault=lambda _: "revoked")) as (_, _, pool):
        with pytest.raises(BackendError) as raised:
            await play(pool)
        assert (raised.value.kind, raised.value.retry) == ("auth", False)
        with pytest.raises(BackendError) as raised:
            await play(pool)
        assert not raised.value.retry


async def test_when_all_servers_rest_the_wait_is_the_shortest_of_theirs() -> None:
    async with two(Manners(room=0), Manners(room=0)) as (_, _, pool):
        with pytest.raises(BackendError) as raised:
            await play(pool)
        assert (raised.value.kind, raised.value.retry) == ("rate-limit", True)
        assert raised.value.retry_after == pytest.approx(0.5, abs=0.1)


async def test_a_server_that_is_not_there_yet_takes_part_when_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.models.pool._FIRST_LOOK", 0.05)
    with BillingServer() as first:
        late = BillingServer()
        with BillingServer() as probe:
            late.port = probe.port  # a port that is free from now on
        pool = pool_of(first.url, late.url)
        await pool.open(lambda _: None)
        try:
            assert await ended(pool, 2) == 2
            assert "until it is there" in pool.notes[0]
            with late:
                await until(lambda: len(pool.notes) == 2)
                assert await ended(pool, 4) == 4
                assert len(late.bills) == 2
        finally:
            await pool.close()


async def test_without_any_server_there_is_nothing_to_begin_with() -> None:
    pool = pool_of("http://127.0.0.1:9", "http://127.0.0.1:11")
    with pytest.raises(PartMissing, match="No connection"):
        await pool.open(lambda _: None)


async def test_a_model_that_one_server_lacks_is_said_at_once() -> None:
    with BillingServer() as a, BillingServer(Manners(models=("other",))) as b:
        async with AsyncExitStack() as stack:
            with pytest.raises(BadInput, match="has no model 'm'") as caught:
                await stack.enter_async_context(opened(a, b))
    assert "other" in (caught.value.fix or "")


# -- under a run ------------------------------------------------------------------------------------------


def engine_over(pool: PoolBackend, *, samples: int, concurrency: int) -> tuple[Launcher, Engine]:
    launcher = Launcher(lambda _: pool)
    plan = Plan(
        models=("openai:m",),
        settings=Settings(max_tokens=64),
        budget=Budget(samples=samples),
        concurrency=concurrency,
    )
    return launcher, launcher.open_run(SUM, plan, store=ListStore(), run_id="r")


async def test_concurrency_is_kept_across_all_servers_and_all_samples_come_once() -> None:
    with BillingServer(Manners(pace=0.001)) as a, BillingServer(Manners(pace=0.001)) as b:
        launcher, engine = engine_over(pool_of(a.url, b.url), samples=60, concurrency=6)
        async for _ in engine.run():
            pass
        await launcher.close()
        assert (engine.state.status, engine.state.finished) == ("completed", 60)
        assert a.seen.most_open + b.seen.most_open <= 6 + 2
        assert sorted(bill.seed for bill in a.bills + b.bills) == list(range(60))
        assert min(len(a.bills), len(b.bills)) > 15


async def test_a_run_goes_on_when_a_server_dies_in_mid_run_and_notices() -> None:
    with BillingServer(Manners(pace=0.002)) as a, BillingServer(Manners(pace=0.002)) as b:
        launcher, engine = engine_over(pool_of(a.url, b.url), samples=60, concurrency=8)
        killed = False
        async for event in engine.run():
            if isinstance(event, ev.SampleFinished) and engine.state.finished >= 10 and not killed:
                killed = True
                await asyncio.to_thread(a.die)
        await launcher.close()
        state = engine.state
        assert (state.status, state.finished) == ("completed", 60)
        assert sorted(sample.seed for sample in state.every_sample()) == list(range(60))
        assert set(state.errors) <= {"crashed", "timeout"}


async def test_servers_of_unlike_strength_are_each_given_what_they_bear() -> None:
    """Rooms of 4 and 12, asked with 48 at once: few are turned away once the pace is found."""
    weak, strong = Manners(room=4, pace=0.001), Manners(room=12, pace=0.001)
    with BillingServer(weak) as a, BillingServer(strong) as b:
        launcher, engine = engine_over(pool_of(a.url, b.url), samples=200, concurrency=48)
        async for _ in engine.run():
            pass
        await launcher.close()
        assert (engine.state.status, engine.state.finished) == ("completed", 200)
        assert len(b.bills) > 1.3 * len(a.bills)
        assert a.seen.turned_away + b.seen.turned_away < 80


# -- the pace ---------------------------------------------------------------------------------------------


def test_the_pace_settles_near_what_a_server_bears_and_never_swings() -> None:
    """A server of room 10, asked for 64: after the first rounds its ceiling stays within a half of 10."""
    pace, in_flight, seen = Pace(), 0, []
    for _ in range(400):
        sent = max(0, pace.width(64) - in_flight)
        taken = min(sent, 10 - in_flight)
        in_flight += taken
        for number in range(sent - taken):
            pace.crowded(in_flight, 64, anew=number == 0)
        done = max(1, in_flight // 3)
        for _ in range(done):
            pace.served()
        in_flight -= done
        seen.append(pace.ceiling)
    settled = seen[20:]
    assert min(settled) >= 5
    assert max(settled) <= 15
    assert sum(settled) / len(settled) == pytest.approx(10, abs=2)


def test_a_burst_of_refusals_halves_the_pace_once() -> None:
    pace = Pace()
    for number in range(50):
        pace.crowded(3, 64, anew=number == 0)
    assert pace.width(64) == 32
    assert Pace().width(64) == 64
    assert Pace().ceiling == inf

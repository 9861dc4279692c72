"""In a run: answers that are the same mathematics vote together, and math-verify holds up nothing."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator

import pytest

from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.state import RunState
from tests.app.runs.rigs import ListStore, collect, engine_on, plan, scripted
from verifiers.math.workers import Command, MathVerify

ROOT = Problem(id="root", kind="math", prompt="What is the square root of 8?", answer="\\sqrt{8}")
HALF = Problem(id="half", kind="math", prompt="What is the area?", answer="1/2")
INTEGRAL = "It is \\boxed{\\int_0^1 x\\,dx}."
HANGS = "import json, time\nprint(json.dumps({'ready': True}), flush=True)\ntime.sleep(600)\n"


def boxed(*answers: str) -> list[str]:
    return [f"It is \\boxed{{{answer}}}." for answer in answers]


def replaced(monkeypatch: pytest.MonkeyPatch, workers: MathVerify) -> None:
    monkeypatch.setattr("app.runs.judging.shared_math_verify", lambda: workers)


async def test_spellings_of_one_number_vote_together_and_are_right() -> None:
    answers = boxed("2\\sqrt{2}", "\\sqrt{8}", "\\frac{4}{\\sqrt{2}}", "2\\sqrt{3}")
    engine = engine_on(scripted(*answers), plan(samples=4), problem=ROOT)
    await collect(engine)

    assert sorted(map(len, engine.state.groups.values())) == [1, 3]
    assert (engine.state.right, engine.state.wrong) == (3, 1)
    assert engine.state.picks["majority"].support == 3


async def test_math_verify_is_asked_where_our_reader_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    with MathVerify(1) as workers:
        replaced(monkeypatch, workers)
        engine = engine_on(scripted(INTEGRAL, *boxed("0.5")), plan(samples=4), problem=HALF)
        await collect(engine)

    assert list(engine.state.groups) == ["1/2"]
    assert (engine.state.right, engine.state.wrong) == (4, 0)


async def test_a_resumed_run_goes_on_with_the_groups_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    store = ListStore()
    with MathVerify(1) as workers:
        replaced(monkeypatch, workers)
        await collect(engine_on(scripted(INTEGRAL), plan(samples=2), problem=HALF, store=store))
    state = RunState()
    for event in store.events:
        state.apply(event)
    with MathVerify(1, lambda: iter([Command("nowhere", ("/no/such/program",), {})])) as broken:
        replaced(monkeypatch, broken)
        engine = engine_on(scripted(INTEGRAL), plan(samples=2), problem=HALF, prior=state)
        engine.more(2)
        await collect(engine)

    assert {group: len(members) for group, members in engine.state.groups.items()} == {"1/2": 4}


async def test_where_it_cannot_start_that_is_said_once_and_the_run_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with MathVerify(1, lambda: iter([Command("nowhere", ("/no/such/program",), {})])) as workers:
        replaced(monkeypatch, workers)
        engine = engine_on(scripted(INTEGRAL), plan(samples=6), problem=HALF)
        events = await collect(engine)

    told = [event.text for event in events if isinstance(event, ev.Notice)]
    assert len([text for text in told if "compared as text only" in text]) == 1
    assert engine.state.finished == 6
    assert engine.state.undecided == 6


async def test_one_that_hangs_holds_up_its_sample_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifiers.math.keys.WAIT_SECONDS", 0.3)
    monkeypatch.setattr("verifiers.math.keys.FIRST_WAIT_SECONDS", 0.3)
    monkeypatch.setattr("verifiers.math.workers.SECONDS", 0.5)

    def hanging() -> Iterator[Command]:
        yield Command("a script", (sys.executable, "-I", "-c", HANGS), {})

    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(0.005)
            longest = max(longest, loop.time() - before)

    with MathVerify(1, hanging) as workers:
        replaced(monkeypatch, workers)
        watching = asyncio.create_task(watch())
        engine = engine_on(scripted(INTEGRAL, *boxed("0.5", "1/2")), plan(samples=6), problem=HALF)
        await collect(engine)
        watching.cancel()

    assert engine.state.finished == 6
    assert (engine.state.right, engine.state.undecided) == (4, 2)
    assert longest < 0.25

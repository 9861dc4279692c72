"""A program that dies: whatever the moment, no finished sample is lost, none repeated, no cap passed."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import BadInput
from app.models.base import ModelInfo
from app.models.script_file import Fault, Line
from app.models.scripted import ScriptedBackend
from app.runs import events as ev
from app.runs.state import RunState
from budgets.amounts import Amounts
from tests.app.runs.rigs import HEADER, HurriedClock, ListStore, collect, engine_on, plan, scripted

LINES = [
    Line(text=f"Attempt {i}. The answer is {i % 3}.", prompt_tokens=20, completion_tokens=12)
    if i % 4
    else Line(
        text=f"Attempt {i}. The answer is {i % 3}.",
        prompt_tokens=20,
        completion_tokens=12,
        error=Fault(kind="server", retry=True, after=3, times=1, retry_after=0.001),
    )
    for i in range(30)
]


def fold(events: list[ev.Event]) -> RunState:
    state = RunState()
    for event in events:
        state.apply(event)
    return state


def killed_after(store: ListStore, batches: int) -> RunState:
    """What the journal holds when the program dies after this many transactions."""
    return fold([event for batch in store.batches[:batches] for event in batch])


@given(kill=st.integers(1, 200), choices=st.sampled_from([1, 3]), tokens=st.sampled_from([None, 900]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_killed_run_goes_on_where_it_stood(kill: int, choices: int, tokens: int | None) -> None:
    async def scenario() -> None:
        header = msgspec.structs.replace(HEADER, choices_per_request=choices)
        the_plan = plan(samples=16, tokens=tokens, max_tokens=32)
        first = ListStore()
        await collect(engine_on(scripted(*LINES, header=header), the_plan, store=first, clock=HurriedClock()))

        prior = killed_after(first, min(kill, len(first.batches)))
        kept = {s.index: s.text for s in prior.every_sample() if s.status == "finished"}
        spent_before, held_before = prior.books.at_most, prior.books.held

        second = ListStore()
        engine = engine_on(
            scripted(*LINES, header=header), the_plan, store=second, prior=prior, clock=HurriedClock()
        )
        await collect(engine)
        state = engine.state

        again = [e.sample for e in second.events if isinstance(e, ev.SampleFinished)]
        assert not set(again) & set(kept), "a finished sample was drawn again"
        assert all(state.samples[i].text == text for i, text in kept.items())  # type: ignore[union-attr]
        for sample in state.every_sample():
            if sample.status == "finished":
                assert sample.text == LINES[sample.index].text
        if tokens is None:
            assert state.finished == 16
            assert sorted(state.groups) == ["0", "1", "2"]
        else:
            assert state.books.at_most.tokens <= tokens
        assert state.books.held == Amounts()
        assert state.books.at_most.tokens >= spent_before.tokens + held_before.tokens
        assert state.books.known.samples == state.finished

    asyncio.run(scenario())


async def test_what_was_in_the_air_is_spend_at_most_and_never_a_sample() -> None:
    first = ListStore()
    await collect(
        engine_on(scripted(*LINES[1:4]), plan(samples=3, concurrency=1), store=first, clock=HurriedClock())
    )
    at_call = next(i for i, batch in enumerate(first.batches) if isinstance(batch[0], ev.CallStarted))
    prior = killed_after(first, at_call + 1)
    held = prior.books.held
    assert held.samples == 1
    store = ListStore()
    engine = engine_on(
        scripted(*LINES[1:4]), plan(samples=3, concurrency=1), store=store, prior=prior, clock=HurriedClock()
    )
    await collect(engine)
    lost = [event for event in store.events if isinstance(event, ev.Charged) and event.call == -1]
    assert [(event.known, event.at_most) for event in lost] == [(Amounts(), held.without_samples())]
    assert engine.state.finished == 3
    assert engine.state.books.at_most.tokens == engine.state.books.known.tokens + held.tokens
    assert engine.state.errors == {"interrupted": 1}


async def test_a_run_goes_on_at_the_server_it_was_sampled_from_and_nowhere_else() -> None:
    class Served(ScriptedBackend):
        host = "gpu-box:8000"

        @property
        def info(self) -> ModelInfo:
            return msgspec.structs.replace(super().info, server=self.host)

    class Elsewhere(Served):
        host = "a-provider.example"

    store = ListStore()
    await collect(engine_on(Served(["The answer is 1."], HEADER), plan(samples=2), store=store))
    prior = fold(store.events)
    with pytest.raises(BadInput, match="gpu-box:8000"):
        engine_on(Elsewhere(["The answer is 1."], HEADER), plan(samples=4), prior=prior)
    engine_on(Served(["The answer is 1."], HEADER), plan(samples=4), prior=prior)

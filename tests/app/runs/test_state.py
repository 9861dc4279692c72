"""The reducer: what each event does to the run as it stands."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.base import ModelInfo
from app.runs import events as ev
from app.runs.state import RunState
from budgets.amounts import Amounts, Budget
from tests.app.runs.rigs import SUM, ListStore, collect, engine_on, plan, scripted

INFO = ModelInfo(name="m", kind="scripted", local=True, stops_when_told=True)
HELD = Amounts(usd=Decimal("0.5"), flops=1000, tokens=100, samples=2)


def started(samples: int = 4) -> ev.RunStarted:
    return ev.RunStarted(
        at=0, run_id="r", created="2026-01-01T00:00:00+00:00", problem=SUM, plan=plan("m", samples=samples),
        models=(INFO,),
    )  # fmt: skip


def call(*samples: int, at: float = 1.0, number: int = 0, seed: int = 0) -> ev.CallStarted:
    return ev.CallStarted(at=at, call=number, model="m", samples=samples, seed=seed, held=HELD)


def done(sample: int, answer: str | None = "43", at: float = 3.0, number: int = 0) -> ev.SampleFinished:
    return ev.SampleFinished(
        at=at, sample=sample, call=number, model="m", text="whole text", finish_reason="stop",
        prompt_tokens=7, completion_tokens=9, estimated=False, seconds=2.0, answer=answer, group=answer,
        how="stated",
    )  # fmt: skip


def folded(*events: ev.Event) -> RunState:
    state = RunState()
    for event in events:
        state.apply(event)
    return state


def test_a_call_makes_its_samples_live_and_holds_their_worst() -> None:
    state = folded(started(), call(0, 1, seed=10))
    assert sorted(state.live) == [0, 1]
    assert [sample.seed for sample in state.every_sample()] == [10, 11]
    assert state.books.held == HELD
    assert state.phase == "sampling"


def test_deltas_gather_and_the_end_replaces_them() -> None:
    state = folded(
        started(), call(0), ev.TextDelta(at=1.5, sample=0, text="who", tokens=1),
        ev.TextDelta(at=1.6, sample=0, text="le", tokens=1),
    )  # fmt: skip
    sample = state.samples[0]
    assert sample is not None
    assert (sample.tail(2), sample.tail(99), sample.text, sample.tokens) == ("le", "whole", "whole", 2)
    state.apply(done(0))
    assert (sample.text, sample.tokens, sample.status) == ("whole text", 9, "finished")
    assert state.groups == {"43": [0]}
    assert not state.open_calls


def test_a_delta_after_the_end_changes_nothing() -> None:
    state = folded(started(), call(0), done(0), ev.TextDelta(at=4, sample=0, text="late", tokens=1))
    assert state.samples[0] is not None
    assert state.samples[0].text == "whole text"


def test_charges_move_from_held_to_spent() -> None:
    part = Amounts(usd=Decimal("0.2"), flops=400, tokens=50, samples=1)
    known = Amounts(usd=Decimal("0.1"), flops=300, tokens=30, samples=1)
    state = folded(
        started(), call(0, 1),
        ev.Charged(at=2, call=0, model="m", sample=0, known=known, at_most=part, released=part),
    )  # fmt: skip
    assert state.books.known == known
    assert state.books.at_most == part
    assert state.books.held == HELD - part
    assert state.books_by_model["m"].known == known


def test_a_cancelled_sample_is_kept_and_does_not_count() -> None:
    event = msgspec.structs.replace(done(0, None), finish_reason="cancelled")
    state = folded(started(), call(0), event)
    assert (state.finished, state.cancelled, state.groups) == (0, 1, {})


def test_a_new_verdict_replaces_the_old_one() -> None:
    judged = ev.Judged(at=3, sample=0, verdict="undecided", reason="timed out", checker="symbolic")
    state = folded(started(), call(0), done(0), judged)
    assert (state.right, state.undecided) == (0, 1)
    state.apply(msgspec.structs.replace(judged, at=4, verdict="right"))
    assert (state.right, state.undecided) == (1, 0)
    assert state.first_right_at == 4


def test_since_when_a_pick_holds() -> None:
    def pick(answer: str) -> ev.PickChanged:
        return ev.PickChanged(at=3, rule="majority", answer=answer, sample=0, support=1, share=1.0)

    state = folded(started(), call(0, 1, 2), done(0), pick("43"), done(1), pick("33"), done(2), pick("33"))
    assert state.pick_since["majority"] == 2


def test_a_sample_tried_again_keeps_what_it_cost_before() -> None:
    cost = Amounts(tokens=5)
    state = folded(
        started(), call(0),
        ev.SampleFailed(at=2, sample=0, call=0, model="m", kind="server", message="gone", retry=True),
        ev.Charged(at=2, call=0, model="m", sample=0, known=cost, at_most=cost, released=HELD),
        call(0, number=1),
    )  # fmt: skip
    assert state.errors == {"server": 1}
    assert state.samples[0] is not None
    assert (state.samples[0].status, state.samples[0].known) == ("live", cost)
    assert state.books.held == HELD


def test_speed_is_of_the_last_seconds() -> None:
    state = folded(started(), call(0))
    for tick in range(100):
        state.apply(ev.TextDelta(at=1 + tick * 0.1, sample=0, text="x", tokens=3))
    assert state.tokens_per_second() == pytest.approx(30, rel=0.1)
    state.apply(ev.Notice(at=60, text="quiet"))
    assert state.tokens_per_second() == 0


def test_an_end_and_going_on() -> None:
    state = folded(started(), ev.RunEnded(at=5, status="completed", reason="All in."))
    assert (state.phase, state.status) == ("ended", "completed")
    state.apply(ev.BudgetChanged(at=5, budget=Budget(samples=9)))
    state.apply(ev.Resumed(at=5))
    assert (state.phase, state.status, state.budget.samples) == ("sampling", None, 9)


async def test_every_event_survives_being_written_and_read() -> None:
    store = ListStore()
    engine = engine_on(scripted(), plan(samples=6, usd="0.50", flops=10**18), store=store)
    events = await collect(engine)
    again = [ev.from_json(ev.to_json(event)) for event in events]
    assert again == events
    state = folded(*again)
    assert state.finished == engine.state.finished
    assert state.books == engine.state.books
    assert state.picks == engine.state.picks
    assert state.tallies == engine.state.tallies


async def test_the_store_alone_gives_the_same_run() -> None:
    store = ListStore()
    engine = engine_on(scripted(), plan(samples=6), store=store)
    await collect(engine)
    state = folded(*store.events)
    assert [sample.text for sample in state.every_sample()] == [s.text for s in engine.state.every_sample()]
    assert state.books == engine.state.books
    assert state.status == engine.state.status


@given(st.lists(st.text(max_size=6), max_size=12), st.integers(1, 30))
def test_a_tail_is_the_end_of_the_text(parts: list[str], characters: int) -> None:
    state = folded(started(), call(0), *[ev.TextDelta(at=2, sample=0, text=p, tokens=1) for p in parts])
    sample = state.samples[0]
    assert sample is not None
    assert sample.tail(characters) == "".join(parts)[-characters:]

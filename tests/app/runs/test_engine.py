"""The engine on scripted models: what it samples, what it spends, and how it ends."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from decimal import Decimal

import msgspec
import pytest

from app.errors import BadInput, CannotPay, PartMissing
from app.models.base import ModelInfo, Progress
from app.models.script_file import Fault, Header, Line
from app.models.scripted import ScriptedBackend
from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.state import RunState
from budgets.amounts import Amounts, Budget
from tests.app.runs.rigs import HEADER, RIGHT, SUM, WRONG, ListStore, collect, engine_on, plan, scripted


async def test_as_many_samples_as_asked_for_and_a_pick() -> None:
    engine = engine_on(scripted(), plan(samples=8))
    events = await collect(engine)
    state = engine.state
    assert isinstance(events[0], ev.RunStarted)
    assert isinstance(events[-1], ev.RunEnded)
    assert state.status == "completed"
    assert (state.finished, state.right, state.wrong) == (8, 6, 2)
    assert state.picks["majority"].answer == "43"
    assert (state.picks["majority"].support, state.picks["majority"].share) == (6, 0.75)
    tally = state.tallies["scripted"]
    assert (tally.n, tally.correct, tally.undecided, tally.distinct, tally.once) == (8, 6, 0, 2, 0)
    assert not state.live
    assert not state.open_calls
    assert state.books.held == Amounts()


@pytest.mark.parametrize("choices", [1, 4])
@pytest.mark.parametrize("concurrency", [1, 3, 4])
async def test_a_seed_repeats_a_run_at_any_concurrency(choices: int, concurrency: int) -> None:
    lines = [f"Attempt {i}. The answer is {i % 5}." for i in range(40)]
    header = msgspec.structs.replace(HEADER, choices_per_request=choices)
    engine = engine_on(scripted(*lines, header=header), plan(samples=12, seed=20, concurrency=concurrency))
    await collect(engine)
    texts = [sample.text for sample in engine.state.every_sample()]
    assert texts == lines[20:32]
    assert engine.state.picks["majority"].answer == "0"


async def test_choices_of_one_request_pay_the_prompt_once() -> None:
    header = msgspec.structs.replace(HEADER, choices_per_request=4)
    line = Line(text=RIGHT, prompt_tokens=100, completion_tokens=10)
    engine = engine_on(scripted(line, header=header), plan(samples=4))
    await collect(engine)
    assert engine.state.calls == 1
    assert engine.state.books.known.tokens == 100 + 4 * 10


async def test_prompt_flops_are_paid_once_a_run() -> None:
    line = Line(text=RIGHT, prompt_tokens=100, completion_tokens=10)
    engine = engine_on(scripted(line), plan(samples=3))
    await collect(engine)
    attention = 2 * 8  # layers times hidden
    prompt = 2 * sum(1000 + 2 * attention * t for t in range(1, 101))
    sample = 2 * sum(1000 + 2 * attention * t for t in range(101, 111))
    assert engine.state.books.known.flops == prompt + 3 * sample


@pytest.mark.parametrize("tokens", [200, 300, 777])
async def test_a_cap_on_tokens_holds_at_every_moment(tokens: int) -> None:
    engine = engine_on(scripted(), plan(tokens=tokens))
    seen = RunState()
    async with aclosing(engine.run()) as events:
        async for event in events:
            seen.apply(event)
            assert seen.books.at_most.tokens + seen.books.held.tokens <= tokens
    assert engine.state.status == "budget"
    assert "tokens" in engine.state.end_reason


async def test_a_budget_that_pays_for_no_sample_says_so() -> None:
    engine = engine_on(scripted(), plan(tokens=20))
    await collect(engine)
    assert (engine.state.status, engine.state.calls) == ("budget", 0)
    assert "does not pay for one sample" in engine.state.end_reason


async def test_dollars_follow_the_price_exactly() -> None:
    header = msgspec.structs.replace(HEADER, price=(Decimal("0.15"), Decimal("0.60")))
    line = Line(text=RIGHT, prompt_tokens=100, completion_tokens=10)
    engine = engine_on(scripted(line, header=header), plan(samples=3, usd="1"))
    await collect(engine)
    assert engine.state.books.known.usd == 3 * (100 * Decimal("0.00000015") + 10 * Decimal("0.0000006"))
    assert engine.state.books.at_most == engine.state.books.known


def test_an_unknown_price_under_a_cap_is_refused() -> None:
    class Closed(ScriptedBackend):
        @property
        def info(self) -> ModelInfo:
            return msgspec.structs.replace(super().info, local=False, name="closed-model-of-nobody")

    with pytest.raises(CannotPay, match="price of closed-model-of-nobody is unknown") as refused:
        engine_on({"closed-model-of-nobody": Closed([RIGHT])}, plan("closed-model-of-nobody", usd="1"))
    assert refused.value.fix is not None
    assert "--price" in refused.value.fix


@pytest.mark.parametrize(
    ("problem", "the_plan", "says"),
    [
        (Problem(id="e", kind="math", prompt="  \n"), plan(samples=1), "empty"),
        (SUM, plan("scripted", "scripted", samples=1), "twice"),
        (SUM, plan(samples=0), "buys nothing"),
        (SUM, plan(seconds=0.0), "buys nothing"),
    ],
)
def test_bad_input_is_refused_before_anything_starts(problem: Problem, the_plan: object, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        engine_on(scripted(), the_plan, problem=problem)  # type: ignore[arg-type]


async def test_stopping_keeps_and_charges_what_came() -> None:
    slow = msgspec.structs.replace(HEADER, tokens_per_second=200.0)
    engine = engine_on(scripted(" ".join(["word"] * 400), header=slow), plan(samples=8, max_tokens=400))
    count = 0
    async with aclosing(engine.run()) as events:
        async for event in events:
            count += isinstance(event, ev.TextDelta)
            if count == 6:
                engine.stop()
    state = engine.state
    assert state.status == "stopped"
    assert state.cancelled == 4
    assert state.finished == 0
    assert all(sample.text for sample in state.every_sample())
    assert state.books.known.tokens > 0
    assert state.books.known.samples == 0
    assert state.books.held == Amounts()


async def test_leaving_the_iteration_settles_everything() -> None:
    slow = msgspec.structs.replace(HEADER, tokens_per_second=200.0)
    backend = scripted(" ".join(["word"] * 400), header=slow)
    engine = engine_on(backend, plan(samples=8, max_tokens=400))
    async with aclosing(engine.run()) as events:
        async for event in events:
            if isinstance(event, ev.TextDelta):
                break
    assert engine.state.status == "interrupted"
    assert engine.state.books.held == Amounts()
    assert backend.cancelled == 4


async def test_a_server_that_bills_on_keeps_the_whole_hold_at_most() -> None:
    header = msgspec.structs.replace(
        HEADER, tokens_per_second=100.0, stops_when_told=False, concurrency=1, price=(Decimal(1), Decimal(2))
    )
    engine = engine_on(scripted(" ".join(["word"] * 400), header=header), plan(samples=1, max_tokens=400))
    async with aclosing(engine.run()) as events:
        async for event in events:
            if isinstance(event, ev.TextDelta):
                engine.stop()
    books = engine.state.books
    assert books.known.usd is not None
    assert books.at_most.usd is not None
    assert books.known.usd < books.at_most.usd
    assert books.at_most.tokens >= 400


async def test_more_goes_on_in_place() -> None:
    lines = [f"The answer is {i}." for i in range(20)]
    engine = engine_on(scripted(*lines), plan(samples=4))
    await collect(engine)
    engine.more(6)
    events = await collect(engine)
    assert engine.state.finished == 10
    assert engine.state.status == "completed"
    assert [sample.text for sample in engine.state.every_sample()] == lines[:10]
    assert any(isinstance(event, ev.BudgetChanged) for event in events)
    assert engine.state.books.known.samples == 10


async def test_a_raised_token_budget_goes_on_in_place() -> None:
    engine = engine_on(scripted(), plan(tokens=300))
    await collect(engine)
    before = engine.state.finished
    engine.set_budget(Budget(tokens=900))
    await collect(engine)
    assert engine.state.finished > before
    assert engine.state.books.at_most.tokens <= 900


async def test_pause_starts_nothing_new_and_resume_goes_on() -> None:
    engine = engine_on(scripted(header=msgspec.structs.replace(HEADER, concurrency=1)), plan(samples=6))

    paused = asyncio.Event()

    async def watch() -> None:
        async with aclosing(engine.run()) as events:
            async for event in events:
                if isinstance(event, ev.SampleFinished) and event.sample == 1:
                    engine.pause()
                    paused.set()

    watching = asyncio.create_task(watch())
    await paused.wait()
    await asyncio.sleep(0.05)  # what was in flight lands; nothing else may start
    at_rest = engine.state.finished
    assert at_rest < 6
    assert not engine.state.live
    engine.resume()
    await watching
    assert engine.state.finished == 6


async def test_a_passing_fault_is_tried_again_under_the_same_seed() -> None:
    faulty = Line(text=RIGHT, error=Fault(kind="server", retry=True, after=2, times=1))
    engine = engine_on(scripted(WRONG, faulty, WRONG, WRONG), plan(samples=4))
    events = await collect(engine)
    failures = [event for event in events if isinstance(event, ev.SampleFailed)]
    assert [(failure.sample, failure.retry) for failure in failures] == [(1, True)]
    assert engine.state.finished == 4
    sample = engine.state.samples[1]
    assert sample is not None
    assert sample.text == RIGHT
    assert sample.known.tokens > len(RIGHT.split()) // 2  # the failed attempt stays on its account
    assert engine.state.errors == {"server": 1}


async def test_a_model_that_only_fails_is_set_aside_and_the_run_fails() -> None:
    engine = engine_on(
        scripted(Line(text=RIGHT, error=Fault(kind="auth", message="The key is wrong."))), plan()
    )
    await collect(engine)
    assert engine.state.status == "failed"
    assert engine.state.end_reason == "The key is wrong."
    assert engine.state.books.held == Amounts()
    assert engine.state.finished == 0


async def test_one_failing_model_leaves_the_run_to_the_other() -> None:
    bad = scripted(Line(text="", error=Fault(kind="auth", message="no")), name="bad")
    engine = engine_on({"bad": bad, "good": scripted(name="good")}, plan("bad", "good", samples=6))
    await collect(engine)
    assert engine.state.status == "completed"
    assert engine.state.tallies["good"].n == 6


async def test_a_model_that_cannot_open_ends_the_run_with_its_reason() -> None:
    class Missing(ScriptedBackend):
        async def open(self, report: object) -> None:
            raise PartMissing("The weights are missing.", "Run: monkeys models pull smollm2")

    engine = engine_on(Missing([RIGHT]), plan(samples=2))
    await collect(engine)
    assert engine.state.status == "failed"
    assert "monkeys models pull" in engine.state.end_reason
    assert isinstance(engine.fault, PartMissing)


async def test_a_crash_while_opening_is_raised_after_the_run_was_ended() -> None:
    class Broken(ScriptedBackend):
        async def open(self, report: object) -> None:
            raise RuntimeError("a fault of ours")

    store = ListStore()
    engine = engine_on(Broken([RIGHT]), plan(samples=2), store=store)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        await collect(engine)
    assert isinstance(store.events[-1], ev.RunEnded)


async def test_progress_of_opening_is_told_and_the_sizes_are_learnt() -> None:
    class Learns(ScriptedBackend):
        opened = False

        @property
        def info(self) -> ModelInfo:
            return msgspec.structs.replace(super().info, parameters=1000 if self.opened else None)

        async def open(self, report: object) -> None:
            assert callable(report)
            report(Progress("fetching the weights", 0.5))
            self.opened = True

    engine = engine_on(Learns([RIGHT], HEADER), plan(samples=2))
    events = await collect(engine)
    told = [event for event in events if isinstance(event, ev.ModelStatus)]
    assert [(status.state, status.fraction) for status in told] == [("preparing", 0.5), ("ready", None)]
    assert engine.state.models["scripted"].parameters == 1000
    assert (engine.state.books.known.flops or 0) > 0


async def test_two_models_share_a_budget_in_equal_spend() -> None:
    small = scripted(header=msgspec.structs.replace(HEADER, parameters=1_000_000), name="small")
    large = scripted(header=msgspec.structs.replace(HEADER, parameters=4_000_000), name="large")
    engine = engine_on({"small": small, "large": large}, plan("small", "large", samples=400))
    await collect(engine)
    spent = {name: books.known.flops or 0 for name, books in engine.state.books_by_model.items()}
    assert spent["small"] == pytest.approx(spent["large"], rel=0.15)
    assert engine.state.tallies["small"].n == pytest.approx(4 * engine.state.tallies["large"].n, rel=0.2)


async def test_first_verified_stops_at_the_first_right_answer() -> None:
    engine = engine_on(
        scripted(WRONG, WRONG, RIGHT, WRONG),
        plan(samples=50, first_verified=True, concurrency=1),
    )
    await collect(engine)
    assert engine.state.status == "stopped"
    assert engine.state.right == 1
    assert engine.state.finished == 3


async def test_time_is_a_budget_too() -> None:
    slow = msgspec.structs.replace(HEADER, tokens_per_second=50.0)
    engine = engine_on(scripted(" ".join(["word"] * 400), header=slow), plan(seconds=0.2, max_tokens=400))
    await collect(engine)
    assert (engine.state.status, engine.state.end_reason) == ("budget", "The time is up.")
    assert engine.state.at < 2


async def test_the_reservation_is_kept_before_the_request_leaves() -> None:
    store = ListStore()

    class Looks(ScriptedBackend):
        def _stream(self, choice: int, seed: int, settings: object) -> object:  # type: ignore[override]
            kept = [event for event in store.events if isinstance(event, ev.CallStarted)]
            assert any(seed == call.seed for call in kept)
            return super()._stream(choice, seed, settings)  # type: ignore[arg-type]

    engine = engine_on(Looks([RIGHT], HEADER), plan(samples=6), store=store)
    await collect(engine)
    assert engine.state.finished == 6


async def test_a_sample_and_its_charge_are_one_transaction() -> None:
    store = ListStore()
    await collect(engine_on(scripted(), plan(samples=5), store=store))
    batches = [batch for batch in store.batches if any(isinstance(e, ev.SampleFinished) for e in batch)]
    assert len(batches) == 5
    for batch in batches:
        kinds = [type(event) for event in batch]
        assert {ev.SampleFinished, ev.Charged, ev.Judged, ev.CoverageChanged} <= set(kinds)


async def test_a_journal_that_fails_stops_the_run_and_says_why() -> None:
    class Full(ListStore):
        def append(self, events: object) -> None:
            super().append(events)  # type: ignore[arg-type]
            if len(self.batches) > 8:
                raise PartMissing("The disk is full.", "Free some space.")

    engine = engine_on(scripted(), plan(samples=50), store=Full())
    await collect(engine)
    assert engine.state.status == "failed"
    assert engine.state.end_reason == "The disk is full."
    assert engine.state.finished < 50
    assert engine.state.books.held == Amounts()


async def test_a_cut_off_sample_votes_only_with_an_answer_it_stated() -> None:
    lines = ["We get 48 and then 24 and more 12 and", "The answer is 43. Now 99 and 98 and 97 and 96"]
    engine = engine_on(scripted(*lines, header=Header(concurrency=1)), plan(samples=2, max_tokens=9))
    await collect(engine)
    answers = [sample.answer for sample in engine.state.every_sample()]
    assert answers == [None, "43"]


async def test_dollars_alone_do_not_let_free_models_run_for_ever() -> None:
    engine = engine_on(scripted(), plan(usd="0.50"))
    events = await collect(engine)
    assert engine.state.finished == 64
    assert any(isinstance(event, ev.Notice) and "64 samples" in event.text for event in events)


async def test_an_interruption_is_told_from_a_stop() -> None:
    engine = engine_on(scripted(header=msgspec.structs.replace(HEADER, tokens_per_second=100.0)), plan())
    async with aclosing(engine.run()) as events:
        async for event in events:
            if isinstance(event, ev.TextDelta):
                engine.stop("A signal came.", status="interrupted")
    assert (engine.state.status, engine.state.end_reason) == ("interrupted", "A signal came.")

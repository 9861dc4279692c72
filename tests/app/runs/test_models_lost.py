"""Runs that lose their models on the way: what came counts, and what is told of the lost."""

from __future__ import annotations

from app.cli.session import _fault_of
from app.errors import BadInput, EverySampleFailed, PartMissing
from app.models.script_file import Fault, Line
from app.models.scripted import ScriptedBackend
from app.runs.result import result
from tests.app.runs.rigs import RIGHT, collect, engine_on, plan, scripted

GONE = Fault(kind="auth", message="The key was taken back.", retry=False)


async def test_a_run_whose_only_model_fails_after_some_samples_keeps_them() -> None:
    model = scripted(RIGHT, RIGHT, RIGHT, Line(text=RIGHT, error=GONE))
    engine = engine_on(model, plan(samples=20, concurrency=1))
    await collect(engine)
    state = engine.state
    assert (state.status, state.finished) == ("stopped", 3)
    assert state.end_reason == "No model is left to ask after 3 samples: The key was taken back."
    assert _fault_of(state, engine.fault) is None


async def test_a_run_whose_only_model_fails_at_once_has_failed() -> None:
    engine = engine_on(scripted(Line(text=RIGHT, error=GONE)), plan(samples=20, concurrency=1))
    await collect(engine)
    assert engine.state.status == "failed"
    assert isinstance(_fault_of(engine.state, engine.fault), EverySampleFailed)


async def test_a_model_that_cannot_be_had_leaves_the_run_to_the_others_and_is_named() -> None:
    class Missing(ScriptedBackend):
        async def open(self, report: object) -> None:
            raise PartMissing("The weights are not here.", "Run: monkeys models pull b")

    backends: dict[str, ScriptedBackend] = {"a": scripted(RIGHT, name="a"), "b": Missing((RIGHT,), name="b")}
    engine = engine_on(backends, plan("a", "b", samples=4))
    await collect(engine)
    assert (engine.state.status, engine.state.finished) == ("completed", 4)
    assert _fault_of(engine.state, engine.fault) is None
    assert any(
        note.startswith("b was left out: The weights are not here.") for note in result(engine.state)["notes"]
    )


async def test_a_problem_that_is_too_long_is_bad_input() -> None:
    too_long = Fault(kind="context", message="It reads 4,096 tokens; these are 9,000.", retry=False)
    engine = engine_on(scripted(Line(text=RIGHT, error=too_long)), plan(samples=4, concurrency=1))
    await collect(engine)
    fault = _fault_of(engine.state, engine.fault)
    assert isinstance(fault, BadInput)
    assert "too long for the model. It reads 4,096 tokens" in fault.message


async def test_a_run_that_is_stopped_by_hand_has_not_failed_because_a_model_was_missing() -> None:
    class Missing(ScriptedBackend):
        async def open(self, report: object) -> None:
            raise PartMissing("The weights are not here.", "Run: monkeys models pull b")

    backends: dict[str, ScriptedBackend] = {"a": scripted(RIGHT, name="a"), "b": Missing((RIGHT,), name="b")}
    engine = engine_on(backends, plan("a", "b", samples=400))
    async for _ in engine.run():
        if engine.state.finished >= 2:
            engine.stop()
    assert engine.state.status == "stopped"
    assert _fault_of(engine.state, engine.fault) is None

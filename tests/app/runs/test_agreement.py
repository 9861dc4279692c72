"""Estimates of a run that nothing can check, per model."""

from __future__ import annotations

import msgspec

from app.problems.problem import Problem
from app.runs.agreement import unverified
from tests.app.runs.rigs import RIGHT, WRONG, collect, engine_on, plan, scripted

UNCHECKED = Problem(id="sum", kind="math", prompt="What is 17 + 26?")


async def test_each_model_is_judged_by_its_own_samples() -> None:
    lines = [f"It may be {i}. The answer is {i}." for i in range(50, 70)]
    sure, unsure = scripted(RIGHT, name="sure"), scripted(*lines, name="unsure")
    engine = engine_on(
        {"sure": sure, "unsure": unsure}, plan("sure", "unsure", samples=16), problem=UNCHECKED
    )
    await collect(engine)
    certain, scattered = unverified(engine.state, "sure"), unverified(engine.state, "unsure")
    assert certain.pick_right is not None
    assert scattered.pick_right is not None
    assert certain.pick_right > 0.7 > 0.2 > scattered.pick_right
    assert (certain.next_is_new, scattered.next_is_new) == (0, 1)


async def test_one_model_is_judged_as_if_it_were_one_of_several() -> None:
    alone = engine_on(scripted(RIGHT, RIGHT, WRONG), plan(samples=9), problem=UNCHECKED)
    await collect(alone)
    said = unverified(alone.state, "scripted")
    alone.state.models["silent"] = alone.state.models["scripted"]
    assert unverified(alone.state, "scripted") == said


async def test_programs_have_no_estimate() -> None:
    engine = engine_on(scripted(RIGHT), plan(samples=4), problem=UNCHECKED)
    await collect(engine)
    engine.state.problem = msgspec.structs.replace(UNCHECKED, kind="code")
    assert unverified(engine.state, "scripted").pick_right is None


def test_a_model_nobody_asked_has_none() -> None:
    state = engine_on(scripted(RIGHT), plan(samples=4), problem=UNCHECKED).state
    said = unverified(state, "scripted")
    assert (said.covered, said.pick_right, said.next_is_new) == (None, None, None)

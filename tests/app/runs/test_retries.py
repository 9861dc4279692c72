"""What failures mean for a model: when it rests, and when it is set aside."""

from __future__ import annotations

from app.models.base import BackendError, Message, ModelInfo, Prompt
from app.runs.costs import Meter
from app.runs.lanes import Lane
from app.runs.retries import FAILURES_IN_A_ROW, Retries
from tests.app.runs.rigs import scripted

CROWDED = BackendError("rate-limit", "asks for fewer requests", retry=True)


def lane(in_flight: int) -> Lane:
    info = ModelInfo(name="m", kind="openai", local=False, stops_when_told=False)
    prompt = Prompt(messages=(Message("user", "?"),))
    return Lane(scripted(), Meter(info, None), prompt, ready=True, in_flight=in_flight)


def fail(retries: Retries, one: Lane, times: int) -> None:
    for number in range(times):
        at = float(number)
        retries.after(CROWDED, one, [number], started=at, at=at, now=at)


def test_a_server_that_works_and_bears_no_more_is_never_set_aside() -> None:
    """Its samples may take minutes, and each burst of refusals only halves what is asked of it."""
    busy = lane(in_flight=8)
    fail(Retries(0), busy, 50)
    assert busy.failures_in_a_row == 0
    assert busy.width(512) == 8


def test_a_server_that_refuses_everything_is() -> None:
    idle = lane(in_flight=0)
    fail(Retries(0), idle, FAILURES_IN_A_ROW)
    assert idle.failures_in_a_row == FAILURES_IN_A_ROW


def test_a_wait_that_is_asked_for_is_kept() -> None:
    one = lane(in_flight=3)
    asked = BackendError("rate-limit", "asks for a rest", retry=True, retry_after=7.0)
    assert Retries(0).after(asked, one, [0], started=0.0, at=0.0, now=100.0)
    assert one.rests_until == 107.0

"""What a run says of the rest of itself."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.models.base import ModelInfo, Settings
from app.runs import events as ev
from app.runs.outlook import left, left_words
from app.runs.plan import Plan, StopRule
from app.runs.state import RunState
from budgets.amounts import Amounts, Budget
from tests.app.runs.rigs import SUM

EACH = Amounts(Decimal("0.001"), None, 50, 1)
HELD = Amounts(Decimal("0.004"), None, 200, 1)


def drawn(
    finished: int, budget: Budget, *, live: int = 0, stop: StopRule = "none", recorded: bool = False
) -> RunState:
    """A run that has drawn a sample a second for 0.1 cents each, after three seconds of getting ready."""
    state = RunState()
    plan = Plan(models=("m",), settings=Settings(max_tokens=200), budget=budget, stop=stop)
    info = ModelInfo(name="m", kind="scripted", local=True, stops_when_told=True)
    state.apply(
        ev.RunStarted(
            at=0.0, run_id="r", created="", problem=SUM, plan=plan, models=(info,), recorded=recorded
        )
    )
    for i in range(finished + live):
        state.apply(ev.CallStarted(at=3.0 + i, call=i, model="m", samples=(i,), seed=i, held=HELD))
        if i >= finished:
            continue
        state.apply(
            ev.SampleFinished(
                at=4.0 + i,
                sample=i,
                call=i,
                model="m",
                text="x",
                finish_reason="stop",
                prompt_tokens=0,
                completion_tokens=50,
                estimated=False,
                seconds=1.0,
            )
        )
        charge = ev.Charged(at=4.0 + i, call=i, model="m", sample=i, known=EACH, at_most=EACH, released=HELD)
        state.apply(charge)
    return state


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (Budget(samples=30), "20 more samples, about 20 s"),
        (Budget(samples=11), "1 more sample, about 1 s"),
        (Budget(samples=1000), "990 more samples, about 16 min"),
        # the last sample must still fit at its worst, which is what one more holds
        (Budget(usd=Decimal("0.030")), "about 20 more samples, 20 s"),
        (Budget(tokens=6510), "about 120 more samples, 2 min"),
        (Budget(usd=Decimal(2)), "about 2,000 more samples, 33 min"),
        (Budget(seconds=73.0), "about 60 more samples, 1 min"),
        (Budget(samples=1000, tokens=1000), "about 10 more samples, 10 s"),
    ],
)
def test_the_limit_that_ends_the_run_says_how_far_it_is(budget: Budget, words: str) -> None:
    assert left_words(drawn(10, budget)) == words


def test_what_is_in_flight_must_fit_at_its_worst() -> None:
    found = left(drawn(10, Budget(usd=Decimal("0.030")), live=1))
    assert found is not None
    assert (found.samples, found.limit) == (17, "usd")


def test_a_stop_rule_may_end_it_sooner() -> None:
    assert left_words(drawn(10, Budget(samples=30), stop="settled")).startswith("at most 20 more samples")


@pytest.mark.parametrize(
    "state",
    [
        drawn(4, Budget(samples=30)),
        drawn(10, Budget()),
        drawn(10, Budget(samples=10)),
        drawn(10, Budget(flops=10**15)),  # its FLOPs are unknown, so nobody can say
        drawn(10, Budget(samples=30), recorded=True),
    ],
)
def test_nothing_is_said_where_nothing_is_known(state: RunState) -> None:
    assert left_words(state) == ""


def test_a_paused_or_ended_run_says_nothing() -> None:
    state = drawn(10, Budget(samples=30))
    state.apply(ev.Paused(at=20.0))
    assert left(state) is None
    state.apply(ev.Resumed(at=20.0))
    assert left(state) is not None
    state.apply(ev.RunEnded(at=21.0, status="stopped", reason=""))
    assert left(state) is None

"""The reducer on rewards, programs and what they cost; journals written before there were any still fold."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import pytest

from app.runs import events as ev
from app.runs.state import RunState
from budgets.amounts import Amounts
from tests.app.runs.recordings import MODEL, PER_SAMPLE, call, finished, recording, start

COST = Amounts(usd=Decimal("0.002"), flops=500, tokens=30)


def folded(events: Iterable[ev.Event]) -> RunState:
    state = RunState()
    for event in events:
        state.apply(ev.from_json(ev.to_json(event)))
    return state


def checked(sample: int, status: str, at: float = 9.0) -> ev.ProgramChecked:
    return ev.ProgramChecked(
        at=at,
        sample=sample,
        status=status,  # type: ignore[arg-type]
        answer="72",
        reason="it printed 72",
        program="print(48 + 24)",
        translator="coder",
    )


def test_a_reward_and_a_program_belong_to_their_sample() -> None:
    state = folded(
        [
            *recording(["72", "96"], end=False),
            ev.Rewarded(at=3.0, sample=1, reward=-0.5, model="embedded", truncated=True),
            ev.TranslationDelta(at=3.1, sample=0, text="print(4"),
            ev.TranslationDelta(at=3.2, sample=0, text="8 + 24)"),
            checked(0, "agrees"),
        ]
    )
    first, second = state.samples
    assert first is not None
    assert second is not None
    assert (second.reward, second.reward_model, second.reward_truncated) == (-0.5, "embedded", True)
    assert (first.program_status, first.program_answer, first.program) == ("agrees", "72", "print(48 + 24)")
    assert state.rewarded == 1
    assert first.reward is None


def test_a_reward_that_could_not_be_had_says_why() -> None:
    state = folded(
        [
            *recording(["72"], end=False),
            ev.Rewarded(at=3.0, sample=0, reward=None, model="r", why="it is no number"),
        ]
    )
    sample = state.samples[0]
    assert sample is not None
    assert (sample.reward, sample.reward_model, sample.reward_why) == (None, "r", "it is no number")
    assert state.rewarded == 0


@pytest.mark.parametrize("late", [False, True])
def test_the_filter_is_measured_where_the_truth_is_known(late: bool) -> None:
    made = recording(["72", "72", "96", "96", None], end=False)
    programs: list[ev.Event] = [
        checked(0, "agrees"),
        checked(1, "failed"),
        checked(2, "agrees"),
        checked(3, "differs"),
        checked(4, "not-run"),
    ]
    verdicts = [event for event in made if isinstance(event, ev.Judged)]
    others = [event for event in made if not isinstance(event, ev.Judged)]
    state = folded([*others, *programs, *verdicts] if late else [*made, *programs])
    tally = state.filter
    assert (tally.kept, tally.dropped, tally.failed, tally.not_run) == (2, 1, 1, 1)
    assert tally.precision == 0.5
    assert tally.recall == 0.5


def test_what_each_purpose_cost_is_told_apart() -> None:
    asked = ev.CallStarted(
        at=3.0, call=7, model="coder", samples=(), seed=0, held=COST, purpose="translation", about=(0,)
    )
    paid = ev.Charged(
        at=4.0,
        call=7,
        model="coder",
        sample=None,
        known=COST,
        at_most=COST,
        released=COST,
        purpose="translation",
        read=20,
    )
    state = folded([*recording(["72"], end=False), asked])
    assert state.books_by_purpose["translation"].held == COST
    state = folded([*recording(["72"], end=False), asked, paid])
    mine = state.books_by_purpose["translation"]
    assert (mine.known, mine.held, mine.prompt_tokens, mine.completion_tokens) == (
        COST,
        Amounts(Decimal(0), 0),
        20,
        10,
    )
    assert state.books_by_purpose["samples"].known == PER_SAMPLE
    assert state.books.known == PER_SAMPLE + COST
    assert state.books_by_model[MODEL.name].known == PER_SAMPLE
    assert state.open_calls == {}


def test_time_bought_ahead_is_told_in_journals_that_do_not_say_so() -> None:
    held = Amounts(usd=Decimal("0.01"))
    old = ev.CallStarted(at=0.0, call=ev.RENT, model=MODEL.name, samples=(), seed=0, held=held)
    paid = ev.Charged(
        at=4.0, call=ev.RENT, model=MODEL.name, sample=None, known=held, at_most=held, released=held
    )
    state = folded([start(), old, paid])
    assert state.books_by_purpose["time"].known == held
    assert state.books_by_model[MODEL.name].known == held


def test_events_of_older_journals_read_as_they_were() -> None:
    line = (
        '{"type":"pick-changed","at":1.0,"rule":"majority","answer":"72","sample":0,"support":1,'
        '"share":1.0,"score":null,"probability":0.75}'
    )
    pick = ev.from_json(line)
    assert isinstance(pick, ev.PickChanged)
    assert pick.kept is None
    assert pick.fallback is None
    assert b"purpose" not in ev.to_json(call(0, 1.0))
    assert all(b"purpose" not in ev.to_json(event) for event in finished(0, 1.0, "72"))

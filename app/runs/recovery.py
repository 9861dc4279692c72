"""Going on after the program died: what was in the air is lost, and counted at its worst.

A killed program leaves calls that were reserved and never settled. Nobody can know what they cost, so all
that was held for them becomes spend-at-most: dollars, tokens and FLOPs, never a sample. Their samples are
drawn again, under the same seeds.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.runs import events as ev
from app.runs.lanes import Lane
from app.runs.plan import Plan
from app.runs.sample import Books
from app.runs.state import RunState
from budgets.amounts import Amounts
from budgets.ledger import Ledger

NOTHING = Amounts()


def take_over(state: RunState, lanes: Mapping[str, Lane], ledger: Ledger, run_seed: int) -> None:
    """Bring ledger and lanes to where the journal says the run was."""
    for name, books in state.books_by_model.items():
        ledger.restore(books.known, books.at_most, name)
    if state.helper_books != Books():
        ledger.restore(state.helper_books.known, state.helper_books.at_most, _helper(state))
    for sample in state.every_sample():
        lane = lanes.get(sample.model)
        if lane is None:
            continue
        lane.meter.prompt_was_paid()
        lane.next_ordinal = max(lane.next_ordinal, sample.seed - run_seed + 1)
        if sample.status == "failed" and sample.will_retry:
            lane.again.append((sample.index, sample.seed - run_seed))


def lost_calls(
    state: RunState, lanes: Mapping[str, Lane], ledger: Ledger, run_seed: int, at: float
) -> list[ev.Event]:
    """The events that settle what was in the air, and the lost samples queued to be drawn again."""
    found: list[ev.Event] = []
    for call in list(state.open_calls.values()):
        for choice, index in enumerate(call.samples):
            if index not in state.live or call.model not in lanes:
                continue
            lanes[call.model].again.append((index, call.seed + choice - run_seed))
            found.append(
                ev.SampleFailed(
                    at=at,
                    sample=index,
                    call=call.call,
                    model=call.model,
                    kind="interrupted",
                    message="The program ended before this sample did; it is drawn again.",
                    retry=True,
                )
            )
    held = {name: books.held for name, books in state.books_by_model.items()}
    for call in state.open_others.values():
        purpose = ev.purpose_of(call)
        if purpose == "time" and call.model in held:
            held[call.model] = held[call.model] - call.held
        found.append(_lost(call.call, call.model, call.held, purpose, ledger, at))
    found += [_lost(-1, name, left, "samples", ledger, at) for name, left in held.items() if left != NOTHING]
    return found


def resumed(state: RunState, plan: Plan, at: float) -> ev.Resumed:
    """That the run goes on by ``plan``, and which helpers were asked for only now."""
    before = state.plan or plan
    return ev.Resumed(
        at=at,
        reason="continued",
        translator=plan.translator if plan.translator != before.translator else None,
        reward=plan.reward if plan.reward != before.reward else None,
    )


def _lost(call: int, model: str, held: Amounts, purpose: ev.Purpose, ledger: Ledger, at: float) -> ev.Charged:
    owed = held.without_samples()
    ledger.restore(NOTHING, owed, model)
    return ev.Charged(
        at=at,
        call=call,
        model=model,
        sample=None,
        known=NOTHING,
        at_most=owed,
        released=held,
        purpose=purpose,
    )


def _helper(state: RunState) -> str:
    """Whom to name where what the helpers spent cannot be counted."""
    return next(iter(state.helpers), "the translator")

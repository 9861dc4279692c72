"""Going on after the program died: what was in the air is lost, and counted at its worst.

A killed program leaves calls that were reserved and never settled. Nobody can know what they cost, so all
that was held for them becomes spend-at-most: dollars, tokens and FLOPs, never a sample. Their samples are
drawn again, under the same seeds.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.runs import events as ev
from app.runs.lanes import Lane
from app.runs.state import RunState
from budgets.amounts import Amounts
from budgets.ledger import Ledger

NOTHING = Amounts()


def take_over(state: RunState, lanes: Mapping[str, Lane], ledger: Ledger, run_seed: int) -> None:
    """Bring ledger and lanes to where the journal says the run was."""
    for name, books in state.books_by_model.items():
        ledger.restore(books.known, books.at_most, name)
    for sample in state.every_sample():
        lane = lanes[sample.model]
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
            if index not in state.live:
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
    for name, books in state.books_by_model.items():
        if books.held == NOTHING:
            continue
        owed = books.held.without_samples()
        ledger.restore(NOTHING, owed, name)
        found.append(
            ev.Charged(
                at=at, call=-1, model=name, sample=None, known=NOTHING, at_most=owed, released=books.held
            )
        )
    return found

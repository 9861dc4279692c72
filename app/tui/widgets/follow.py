"""Which sample to look at while nobody chooses one.

A text that is swapped for another in mid-sentence cannot be read, so a live sample is followed to its end,
and a moment longer for its verdict; then comes the newest that has begun to write. When the run has ended,
it is one that gave the picked answer.
"""

from __future__ import annotations

from typing import Final

from app.runs.state import RunState
from app.tui.widgets.order import SampleOrder

LINGER: Final = 1.5
"""Seconds of the run's clock that a followed sample stays in view after it has ended."""


def followed(state: RunState, order: SampleOrder, current: int | None, height: int) -> int | None:
    """The index of the sample to follow now, after ``current``, in a list that shows ``height`` rows."""
    if state.phase == "ended" and (last := _last_of_pick(state)) is not None:
        return last
    if current is not None and _stays(state, order, current, height):
        return current
    if state.live:
        writing = next((index for index in reversed(state.live) if state.live[index].tokens), None)
        row = None if writing is None else order.position(writing)
        return writing if row is not None and row < height else next(reversed(state.live))
    if current is not None:
        return current
    row_at_top = order.row(0)
    return row_at_top if isinstance(row_at_top, int) else None


def _stays(state: RunState, order: SampleOrder, current: int, height: int) -> bool:
    sample = state.samples[current] if current < len(state.samples) else None
    row = order.position(current)
    if sample is None or row is None or row >= max(1, height):
        return False
    return sample.status == "live" or state.at < sample.started + sample.seconds + LINGER


def _last_of_pick(state: RunState) -> int | None:
    """The newest sample that gave the picked answer."""
    for pick in state.picks.values():
        sample = state.samples[pick.sample] if pick.sample is not None else None
        if sample is not None and sample.group is not None and (voters := state.groups.get(sample.group)):
            return max(voters)
    return None

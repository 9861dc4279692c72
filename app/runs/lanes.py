"""The models of a run side by side, and whose turn it is.

The budget is shared by equal spend: the next request goes to the model that has cost least so far, counting
what it holds, in dollars where dollars are capped, else in FLOPs where every model's size is known, else in
tokens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from app.models.base import Backend, Prompt
from app.models.pace import Pace
from app.runs.costs import Meter
from app.runs.state import RunState

_PLENTY: Final = 4
"""Batches in flight; beside so many, a few places that wait to be filled together are no loss."""


@dataclass(slots=True)
class Lane:
    """One model of the run: its backend, its meter, and what it has in flight.

    ``ordinal`` counts a model's own samples: with the run's seed it decides what a sample is, so that a run
    repeats whatever the order in which its requests end.
    """

    backend: Backend
    meter: Meter
    prompt: Prompt
    ready: bool = False
    set_aside: bool = False
    in_flight: int = 0
    next_ordinal: int = 0
    failures_in_a_row: int = 0
    failed_at: float = 0.0
    """When the last of them was counted, in seconds of the run."""
    rests_until: float = 0.0
    pace: Pace = field(default_factory=Pace)
    widest: int = 1
    lent: int = 0
    """Places that others hold who ask this model for something besides samples."""
    again: deque[tuple[int, int]] = field(default_factory=deque)
    """Samples to try again, as (index, ordinal)."""
    told: set[str] = field(default_factory=set)
    """Notes of the backend that the user has been told."""

    @property
    def name(self) -> str:
        return self.meter.info.name

    def width(self, asked: int | None) -> int:
        """The most samples in flight."""
        return max(0, self.places(asked) - self.lent)

    def places(self, asked: int | None) -> int:
        """The most requests in flight, whatever for. A local model's slots are what they are; a server may be
        asked more."""
        most = self.meter.info.concurrency
        if asked is not None:
            most = min(asked, most) if self.meter.info.local else asked
        self.widest = most
        return self.pace.width(most)

    def served(self) -> None:
        """A sample ended well."""
        self.failures_in_a_row = 0
        self.pace.served()

    def crowded(self, *, anew: bool) -> None:
        """The server took no more. ``anew``: this refusal does not belong to the burst before it."""
        self.pace.crowded(self.in_flight, self.widest, anew=anew)

    def news(self) -> list[str]:
        """What the backend has found out for the user since it was last asked: settings it cannot keep."""
        found = [note for note in getattr(self.backend, "notes", ()) if note not in self.told]
        self.told.update(found)
        return found

    def batch(self, free: int, left: int | None) -> int:
        """How many samples the next request asks for, where ``left`` are wanted at all. A whole batch reads
        its prompt once, so while plenty is in flight places are not filled one by one (0)."""
        most = self.backend.info.choices_per_request
        whole = most if left is None else min(most, left)
        if free < whole and self.in_flight >= _PLENTY * most:
            return 0
        return min(whole, free)

    def take(self, wanted: int, first_index: int) -> tuple[tuple[int, ...], int]:
        """The next samples' run-wide indices, and the first one's ordinal. Lost ones come first, singly."""
        if self.again:
            index, ordinal = self.again.popleft()
            return (index,), ordinal
        ordinal = self.next_ordinal
        self.next_ordinal += wanted
        return tuple(range(first_index, first_index + wanted)), ordinal


def whose_turn(lanes: Iterable[Lane], state: RunState, asked: int | None, now: float) -> Lane | None:
    """The ready model that has cost least, if it has a free place. While it has none the dearer ones wait:
    that is what keeps the spend equal."""
    everyone = list(lanes)
    able = [lane for lane in everyone if lane.ready and not lane.set_aside and lane.rests_until <= now]
    if not able:
        return None
    sizes_known = all(lane.meter.size is not None for lane in everyone)

    def spent(lane: Lane) -> float:
        books = state.books_by_model[lane.name]
        total = books.at_most + books.held
        if state.budget.usd is not None and total.usd is not None:
            return float(total.usd)
        if sizes_known and total.flops is not None:
            return float(total.flops)
        return float(total.tokens)

    cheapest = min(able, key=spent) if len(able) > 1 else able[0]
    return cheapest if cheapest.in_flight < cheapest.width(asked) else None

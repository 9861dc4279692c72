"""The two ports of a run: where its events come from, and where they are kept.

A front end is handed a ``RunSource`` and cannot tell a live engine from a recording. The engine is handed a
``Store`` and cannot tell a journal on disk from a list in a test.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol, runtime_checkable

from app.runs.events import Event
from app.runs.state import RunState
from budgets.amounts import Budget


class RunSource(Protocol):
    """A run that is happening. ``state`` has every event applied that ``run`` has yielded.

    Iterate ``run`` once, to its end; it ends after ``RunEnded``. ``more`` and ``set_budget`` on an ended run
    make it go on: iterate ``run`` again.
    """

    @property
    def state(self) -> RunState: ...

    def run(self) -> AsyncGenerator[Event, None]: ...

    def pause(self) -> None:
        """Start nothing new; what is in flight ends. A recording stands still."""
        ...

    def resume(self) -> None: ...

    def stop(self) -> None:
        """Cancel what is in flight, keep and charge what came, and end. Safe to call twice."""
        ...


@runtime_checkable
class LiveRun(RunSource, Protocol):
    """A run that can still spend."""

    def more(self, samples: int) -> None:
        """Raise the sample limit to what is there plus ``samples``."""
        ...

    def set_budget(self, budget: Budget) -> None:
        """Takes effect at the next reservation; never takes back what is held."""
        ...


@runtime_checkable
class RecordedRun(RunSource, Protocol):
    """A run that is played back. ``speed`` is a factor; ``inf`` plays as fast as the machine can."""

    speed: float

    @property
    def duration(self) -> float:
        """Seconds of the whole recording."""
        ...

    @property
    def marks(self) -> Sequence[tuple[float, str]]:
        """Moments worth jumping to: (seconds, what happened)."""
        ...

    def seek(self, at: float) -> None: ...

    def step(self) -> None:
        """Play one finished sample further, then stand still."""
        ...


class Store(Protocol):
    """Where a run's events are kept. What ``append`` is given is kept as a whole or not at all."""

    def append(self, events: Sequence[Event]) -> None:
        """Keep these events, in one transaction, before returning. Text deltas are left out."""
        ...

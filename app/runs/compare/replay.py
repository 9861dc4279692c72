"""A kept comparison played again, on another clock, or shown as it ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import msgspec

from app.clock import Clock, SystemClock
from app.errors import BadInput
from app.runs import events as ev
from app.runs.compare.state import ComparisonState

__all__ = ["ComparisonPlayer"]


class ComparisonPlayer:
    """Plays ``events``, of a comparison. ``speed`` is a factor; ``inf`` applies all of them at once."""

    def __init__(
        self, events: Sequence[ev.Event], *, speed: float = float("inf"), clock: Clock | None = None
    ) -> None:
        if not events or not isinstance(events[0], ev.ComparisonStarted):
            raise BadInput("This is no comparison.", "Play it with: monkeys replay")
        self._events: list[ev.Event] = [msgspec.structs.replace(events[0], recorded=True), *events[1:]]
        self.state = ComparisonState()
        self.speed = speed
        self._clock = clock or SystemClock()
        self._going = asyncio.Event()
        self._going.set()
        self._stopped = False
        self.verdicts_pending = 0

    async def run(self) -> AsyncGenerator[ev.Event, None]:
        """Yield the events at their pace. What is left when it is stopped is applied at once, so that the
        state is that of the whole comparison."""
        for place, event in enumerate(self._events):
            wait = event.at - self.state.at
            if wait > 0 and not self._stopped and self.speed != float("inf"):
                await self._clock.sleep(wait / self.speed)
            elif place % 2000 == 0:
                await asyncio.sleep(0)  # a long recording must not hold up the keys
            await self._going.wait()
            self.state.apply(event)
            yield event

    def pause(self) -> None:
        self._going.clear()
        self.state.phase = "paused"

    def resume(self) -> None:
        self._going.set()
        self.state.phase = "sampling"

    def stop(self) -> None:
        self._stopped = True
        self._going.set()

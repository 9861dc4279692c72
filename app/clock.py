"""Time as a port, so that a test's or a recording's hour passes in an instant."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds from an arbitrary moment; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's monotonic clock: unmoved by a wall clock that jumps."""

    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def sleep_or(event: asyncio.Event, clock: Clock, seconds: float | None) -> None:
    """Until ``event`` is set or ``seconds`` have passed, whichever is first."""
    if seconds is None:
        await event.wait()
        return
    alarm = asyncio.ensure_future(clock.sleep(seconds))
    change = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({alarm, change}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        alarm.cancel()
        change.cancel()

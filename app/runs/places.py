"""Who may ask a model now: the places that a run's helpers share with its sampling.

A translator is often the model that samples. While samples are still to be drawn it lends the helpers a
quarter of its places, so that programs come while samples do and sampling is hardly slower; afterwards they
have all of them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

from app.runs.lanes import Lane

_LENT: Final = 4
"""One place in so many, while samples are still to be drawn."""


class Places:
    """The places of one model for helpers. ``lane`` is the model's own where it samples too, ``asked`` the
    concurrency that the user asked for; ``most`` are the places of a model that does not sample.

    ``hungry`` says whether samples are still to be drawn; ``changed`` is called when a place is wanted or
    given back.
    """

    def __init__(
        self,
        most: int,
        *,
        lane: Lane | None,
        asked: int | None,
        hungry: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        self.in_use = 0
        self.open = True
        """False while the run is paused: nobody new is let in."""
        self._most = most
        self._lane = lane
        self._asked = asked
        self._hungry = hungry
        self._changed = changed
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def size(self) -> int:
        """The most that can ever be let in at once."""
        return self._most if self._lane is None else self._lane.places(self._asked)

    def turn(self) -> None:
        """Let in who may come, and borrow places for those who wait. The engine asks at each turn."""
        while self._waiting and self._waiting[0].done():  # was cancelled
            self._waiting.popleft()
        allowed = self._allowed()
        while self._waiting and self.in_use < allowed and self.open:
            waiting = self._waiting.popleft()
            if not waiting.done():
                self.in_use += 1
                waiting.set_result(None)
        if self._lane is not None:
            self._lane.lent = min(self.in_use + len(self._waiting), max(self._quota(), self.in_use))

    def _quota(self) -> int:
        places = self.size
        return places // _LENT or int(places > 1) if self._hungry() else places

    def _allowed(self) -> int:
        if self._lane is None:
            return self._most
        return min(self._quota(), self.size - self._lane.in_flight)

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[None, None]:
        """Wait for a place, and hold it while inside."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self._changed()
        try:
            await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                self._leave()
            raise
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        self.in_use -= 1
        self._changed()

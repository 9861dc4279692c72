"""Keeps requests from asking llama.cpp for more than it holds.

All slots share one pool of cells, one cell a token. A pool that runs dry in mid-sample fails every sample in
flight, so a request waits at the door until its slots and its worst case of cells are free. First come, first
served: a request for many choices is not overtaken for ever by small ones.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Room:
    """``slots`` and ``cells`` are what is free now; ``hold`` takes some of both for as long as it is open."""

    def __init__(self, slots: int, cells: int) -> None:
        self.slots = slots
        self.cells = cells
        self._waiting: deque[tuple[int, int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def hold(self, slots: int, cells: int) -> AsyncIterator[None]:
        await self._enter(slots, cells)
        try:
            yield
        finally:
            self._give_back(slots, cells)

    async def _enter(self, slots: int, cells: int) -> None:
        if not self._waiting and slots <= self.slots and cells <= self.cells:
            self.slots -= slots
            self.cells -= cells
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = (slots, cells, turn)
        self._waiting.append(place)
        try:
            await turn
        except asyncio.CancelledError:
            if place in self._waiting:
                self._waiting.remove(place)
                self._let_in()
            elif not turn.cancelled():  # let in and cancelled in the same moment
                self._give_back(slots, cells)
            raise

    def _give_back(self, slots: int, cells: int) -> None:
        self.slots += slots
        self.cells += cells
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting:
            slots, cells, turn = self._waiting[0]
            if not turn.cancelled() and (slots > self.slots or cells > self.cells):
                return
            self._waiting.popleft()
            if turn.cancelled():
                continue
            self.slots -= slots
            self.cells -= cells
            turn.set_result(None)

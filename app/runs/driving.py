"""What every engine has in common: a task that drives, events that leave in order, and a hand on the brake.

An engine says what one turn of its loop does and when it is over. Here an event is kept by the store before
it is applied, and applied before anybody sees it; stopping, pausing and a front end that goes away early all
end in the same place, with everything in flight settled.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Sequence
from typing import Generic, Protocol, TypeVar

from app.clock import Clock, SystemClock, sleep_or
from app.errors import MonkeysError
from app.runs import events as ev
from app.runs.source import Store


class Folded(Protocol):
    """A state that events are applied to."""

    run_id: str
    at: float

    def apply(self, event: ev.Event) -> None: ...


State = TypeVar("State", bound=Folded)


class Driver(ABC, Generic[State]):
    """``state`` has every event applied that ``run`` yields. ``fault`` is what kept a model from getting
    ready, or the journal from being written."""

    def __init__(self, state: State, *, store: Store | None, clock: Clock | None) -> None:
        self.state = state
        self.fault: MonkeysError | None = None
        self._store = store
        self._clock = clock or SystemClock()
        self._origin = 0.0
        self._out: deque[ev.Event] = deque()
        self._news = asyncio.Event()
        self._change = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = False
        self._paused = False
        self._stopping = ""
        self._stopped_as: ev.Status = "stopped"
        self._crash: BaseException | None = None

    # -- what a front end may do ------------------------------------------------------------------

    def pause(self) -> None:
        if self._running and not self._paused:
            self._paused = True
            self._emit(ev.Paused(at=self._at()))

    def resume(self) -> None:
        if self._running and self._paused:
            self._paused = False
            self._emit(ev.Resumed(at=self._at(), reason="by hand"))
            self._change.set()

    def stop(
        self, reason: str = "You stopped it; everything that came is kept.", *, status: ev.Status = "stopped"
    ) -> None:
        if self._running and not self._stopping:
            self._stopping, self._stopped_as = reason, status
            self._change.set()

    async def run(self) -> AsyncGenerator[ev.Event, None]:
        """Yield events until the end. Closing the iterator early keeps and charges what came."""
        self._stopping, self.fault, self._crash, self._paused = "", None, None, False
        self._origin = self._clock.now() - self.state.at
        self._running = True
        self._begin()
        driver = asyncio.create_task(self._drive())
        driver.add_done_callback(lambda _: self._news.set())
        try:
            while not driver.done() or self._out:
                while self._out:
                    yield self._out.popleft()
                self._fetched()
                if not driver.done():
                    self._news.clear()
                    await self._news.wait()
            driver.result()
        finally:
            if not driver.done():
                self.stop("It was interrupted; everything that came is kept.", status="interrupted")
                self._fetched()
                await driver

    # -- what an engine says ----------------------------------------------------------------------

    @abstractmethod
    def _begin(self) -> None:
        """Tell how it begins, or that it goes on."""

    @abstractmethod
    def _opening(self) -> Sequence[Awaitable[None]]:
        """What makes its models ready."""

    @abstractmethod
    def _turn(self, now: float) -> None:
        """Start what can be started; ``now`` is the clock's."""

    @abstractmethod
    def _why_end(self, now: float, *, still_opening: bool) -> tuple[ev.Status, str] | None:
        """The status and reason to end with; ``None`` to go on."""

    @abstractmethod
    def _wakes(self, now: float) -> list[float]:
        """Seconds until something has to be looked at that no event tells of."""

    @abstractmethod
    async def _finish(self) -> None:
        """Settle what is left when nothing is in the air any more."""

    def _fetched(self) -> None:
        """Everything that was told has been fetched, or nobody fetches any more."""

    def _over(self) -> None:
        """The run has ended, and its end was told."""

    # -- the loop ---------------------------------------------------------------------------------

    async def _drive(self) -> None:
        status: ev.Status = "failed"
        reason = "It ended by a fault of the program."
        opening = [asyncio.ensure_future(each) for each in self._opening()]
        try:
            while True:
                self._change.clear()
                now = self._clock.now()  # one for the whole turn: a rest that ends within it is not missed
                self._turn(now)
                if self._crash is not None:
                    raise self._crash
                end = self._why_end(now, still_opening=not all(task.done() for task in opening))
                if end is not None:
                    status, reason = end
                    break
                wakes = self._wakes(now)
                await sleep_or(self._change, self._clock, min(wakes) + 0.001 if wakes else None)
        finally:
            for task in opening:
                task.cancel()
            await asyncio.gather(*opening, return_exceptions=True)
            await self._land()
            await self._finish()
            self._emit(ev.RunEnded(at=self._at(), status=status, reason=reason))
            self._running = False
            self._over()

    async def _land(self) -> None:
        """Cancel what is in the air, and wait until all of it is settled."""
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)
            await asyncio.sleep(0)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._crash = self._crash or task.exception()
        self._change.set()

    def _at(self) -> float:
        """Seconds of the run, to the microsecond. They stand still while nothing is running."""
        return round(self._clock.now() - self._origin, 6) if self._running else self.state.at

    def _emit(self, *events: ev.Event) -> None:
        if self._store is not None and type(events[0]) not in ev.PASSING:
            try:
                self._store.append(events)
            except MonkeysError as error:
                self._store = None
                self.fault, self._stopping = error, error.message
        for event in events:
            self.state.apply(event)
        self._out.extend(events)
        self._news.set()

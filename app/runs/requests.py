"""A request for samples while it is in the air: its pieces become events, and its faults another try."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from app.clock import Clock
from app.models.base import BackendError, ChoiceDone, Delta, PromptRead, Request
from app.runs.flight import Flight
from app.runs.lanes import Lane
from app.runs.retries import FAILURES_IN_A_ROW, Retries
from app.runs.telling import Telling


class Requests:
    """Sends requests. ``came`` is told each sample that is there, ``gone`` a model that has to be set aside
    and why, ``changed`` that a place is free; ``breathe`` waits while too much is told that nobody reads."""

    def __init__(
        self,
        telling: Telling,
        retries: Retries,
        clock: Clock,
        *,
        came: Callable[[int], None],
        gone: Callable[[Lane, str], None],
        changed: Callable[[], None],
        breathe: Callable[[], Awaitable[None]],
    ) -> None:
        self._telling = telling
        self._retries = retries
        self._clock = clock
        self._came = came
        self._gone = gone
        self._changed = changed
        self._breathe = breathe

    async def fly(self, lane: Lane, flight: Flight, request: Request, ordinal: int) -> None:
        """Stream ``request`` to its end, whichever way it ends. ``ordinal`` is its first sample's."""
        emit, at = self._telling.emit, self._telling.at
        try:
            async with aclosing(lane.backend.sample(request)) as pieces:
                async for piece in pieces:
                    if type(piece) is Delta:
                        emit(flight.delta(piece, at()))
                    elif type(piece) is ChoiceDone:
                        await self._choice_done(lane, flight, piece)
                    elif type(piece) is PromptRead:
                        emit(*flight.prompt_read(piece, at()))
                    await self._breathe()
            if flight.unfinished:
                raise BackendError("malformed", "The stream ended before its samples did.", retry=True)
            if owed := flight.ended(at()):
                emit(*owed)
        except asyncio.CancelledError:
            lane.in_flight -= len(flight.unfinished)
            emit(*flight.cancelled(at()))
        except BackendError as error:
            self._failed(lane, flight, error, ordinal)
        for note in lane.news():
            self._telling.warn(note)

    async def _choice_done(self, lane: Lane, flight: Flight, piece: ChoiceDone) -> None:
        try:
            if news := await flight.prepare(piece):
                self._telling.warn(news)
        finally:  # a stop must not lose a sample that is in
            self._telling.emit(*flight.choice_done(piece, self._telling.at()))
        self._came(flight.indices[piece.choice])
        lane.in_flight -= 1
        lane.served()
        self._changed()

    def _failed(self, lane: Lane, flight: Flight, error: BackendError, ordinal: int) -> None:
        lost = flight.unfinished
        lane.in_flight -= len(lost)
        at = self._telling.at()
        retry = self._retries.after(error, lane, lost, started=flight.started, at=at, now=self._clock.now())
        self._telling.emit(*flight.failed(error, at, retry=retry))
        if retry:
            first = flight.indices[0]
            lane.again.extend((index, ordinal + index - first) for index in lost)
        if not error.retry or lane.failures_in_a_row >= FAILURES_IN_A_ROW:
            self._gone(lane, error.message)

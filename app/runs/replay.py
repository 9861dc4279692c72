"""A recorded run, played again as if it were happening: the same events, on another clock.

Recordings leave the streaming text out; each finished sample carries its whole text and a track of when how
much of it had come. The player makes the text deltas again from these, only for samples that are in the air,
so that a run of ten thousand samples costs no more to play than it did to watch.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from app.clock import Clock, SystemClock
from app.errors import BadInput
from app.runs import events as ev
from app.runs.recording import Recording
from app.runs.state import RunState

_SLICE = 0.05
"""The longest sleep: how long a pause or a jump may go unnoticed."""
_SOON = 1e-4
"""Seconds too short to sleep: floating point may keep an event a hair ahead of the clock for ever."""
_BREATH = 100
"""Events in a row after which others get their turn, however fast we play."""


@dataclass(slots=True)
class _Track:
    """One sample in the air: its points in time still to come."""

    sample: int
    text: str
    points: list[tuple[float, int, int]]
    """(seconds of the run, characters so far, tokens so far)"""
    played: int = 0
    characters: int = 0
    tokens: int = 0

    @property
    def due(self) -> float:
        return self.points[self.played][0] if self.played < len(self.points) else math.inf

    def delta(self, at: float) -> ev.TextDelta | None:
        """Everything up to ``at`` in one piece."""
        while self.played < len(self.points) and self.points[self.played][0] <= at:
            self.played += 1
        if self.played == 0:
            return None
        when, characters, tokens = self.points[self.played - 1]
        piece, brought = self.text[self.characters : characters], tokens - self.tokens
        self.characters, self.tokens = characters, tokens
        return ev.TextDelta(at=when, sample=self.sample, text=piece, tokens=brought) if piece else None


class Player:
    """Plays a recording; a ``RecordedRun``. ``speed`` is a factor, ``inf`` as fast as the machine can.

    ``run`` yields in the recording's order and returns at its end, or when stopped. ``seek`` and ``step``
    work before, during and after it; a seek backwards puts a fresh state in the place of ``state``, so that
    whoever looks at the run asks for ``state`` anew. What a seek passes over is folded, not yielded.
    """

    def __init__(self, recording: Recording, *, speed: float = 1.0, clock: Clock | None = None) -> None:
        self.state = RunState()
        self._recording = recording
        self._events = recording.events
        self._ends = _untracked_ends(self._events)
        self._clock = clock or SystemClock()
        self._cursor = 0
        self._air: dict[int, _Track] = {}
        self._due: list[tuple[float, int]] = []
        self._paused = False
        self._stopped = False
        self._running = False
        self._steps = 0
        self._wake: asyncio.Event | None = None
        self._from_at = 0.0
        self._from_clock = self._clock.now()
        self._speed = 1.0
        self.speed = speed

    # -- what a front end may ask ------------------------------------------------------------------

    @property
    def duration(self) -> float:
        return self._recording.duration

    @property
    def marks(self) -> Sequence[tuple[float, str]]:
        return self._recording.marks

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def position(self) -> float:
        """Seconds of the recording that have been played; moves between events too."""
        if self._paused or not self._running:
            return self._from_at
        if math.isinf(self._speed):
            return self.state.at
        gone = (self._clock.now() - self._from_clock) * self._speed
        return min(self._from_at + gone, self.duration)

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, factor: float) -> None:
        if not factor > 0:
            raise BadInput(f"A speed of {factor} plays nothing.", "Give a factor above zero, or max.")
        self._anchor(self.position)
        self._speed = factor

    def pause(self) -> None:
        self._anchor(self.position)
        self._paused = True

    def resume(self) -> None:
        self._paused, self._steps = False, 0
        self._anchor(self._from_at)

    def stop(self) -> None:
        """Let ``run`` return. Iterating it again plays on from here."""
        self._stopped = True
        self._nudge()

    def step(self) -> None:
        self.pause()
        self._steps += 1
        self._nudge()

    def seek(self, at: float) -> None:
        """Go to this moment, in seconds, cut to the recording's length."""
        at = min(max(at, 0.0), self.duration)
        if at < self.state.at or self._cursor == 0:
            self.state = RunState()
            self._cursor = 0
            self._air.clear()
        while self._cursor < len(self._events) and self._events[self._cursor].at <= at:
            self._play(self._events[self._cursor])
            self._cursor += 1
        for track in self._air.values():
            if (delta := track.delta(at)) is not None:
                self.state.apply(delta)
        self._due = [(track.due, sample) for sample, track in self._air.items() if track.due < math.inf]
        heapq.heapify(self._due)
        self._anchor(at)

    # -- playing ------------------------------------------------------------------------------------

    async def run(self) -> AsyncGenerator[ev.Event, None]:
        self._stopped, self._running = False, True
        self._wake = asyncio.Event()
        self._anchor(self._from_at)
        in_a_row = 0
        try:
            while not self._stopped and (due := self._next_due()) < math.inf:
                wait = self._wait(due)
                if wait > _SOON:
                    await self._sleep(wait)
                    in_a_row = 0
                    continue
                event = self._advance()
                if event is not None:
                    yield event
                in_a_row += 1
                if in_a_row % _BREATH == 0:
                    await asyncio.sleep(0)
        finally:
            self._anchor(self.position)
            self._running = False

    def _wait(self, due: float) -> float:
        """Seconds of the clock until what is due at ``due`` is to be played; ``inf`` while standing still."""
        if self._steps:
            return 0.0
        if self._paused:
            return math.inf
        return 0.0 if math.isinf(self._speed) else (due - self.position) / self._speed

    async def _sleep(self, seconds: float) -> None:
        if seconds < math.inf:
            await self._clock.sleep(min(seconds, _SLICE))
            return
        assert self._wake is not None  # noqa: S101 (made by run, which calls this)
        self._wake.clear()
        await self._wake.wait()

    def _next_due(self) -> float:
        event = self._events[self._cursor].at if self._cursor < len(self._events) else math.inf
        while self._due and self._air.get(self._due[0][1]) is None:
            heapq.heappop(self._due)
        return min(event, self._due[0][0]) if self._due else event

    def _advance(self) -> ev.Event | None:
        """Play what is due next: text before the event that ends it."""
        event = self._events[self._cursor] if self._cursor < len(self._events) else None
        if self._due and (event is None or self._due[0][0] <= event.at):
            at, sample = heapq.heappop(self._due)
            track = self._air[sample]
            delta = track.delta(at)
            if track.due < math.inf:
                heapq.heappush(self._due, (track.due, sample))
            if delta is not None:
                self.state.apply(delta)
            return delta
        assert event is not None  # noqa: S101 (run asks only while something is due)
        self._cursor += 1
        self._play(event)
        if self._steps and self._step_is_done(event):
            self._steps -= 1
            self._anchor(event.at)
        return event

    def _step_is_done(self, event: ev.Event) -> bool:
        """A sample's end has been played, and all that came with it."""
        if self._cursor == len(self._events):
            return True
        if isinstance(self._events[self._cursor], _CONSEQUENCES):
            return False
        return isinstance(event, (ev.SampleFinished, ev.SampleFailed, *_CONSEQUENCES))

    def _play(self, event: ev.Event) -> None:
        self.state.apply(event)
        if isinstance(event, ev.CallStarted):
            for sample in event.samples:
                end = self._ends.get((event.call, sample))
                if end is not None:
                    track = self._air[sample] = _track(end, event.at)
                    if track.due < math.inf:
                        heapq.heappush(self._due, (track.due, sample))
        elif isinstance(event, ev.SampleFinished | ev.SampleFailed):
            self._air.pop(event.sample, None)

    def _anchor(self, at: float) -> None:
        self._from_at, self._from_clock = at, self._clock.now()
        self._nudge()

    def _nudge(self) -> None:
        if self._wake is not None:
            self._wake.set()


_CONSEQUENCES = (
    ev.Charged,
    ev.Judged,
    ev.Rewarded,
    ev.ProgramChecked,
    ev.PickChanged,
    ev.CoverageChanged,
)


def _untracked_ends(events: Sequence[ev.Event]) -> dict[tuple[int, int], ev.SampleFinished]:
    """By call and sample: the finished samples whose text deltas the recording left out."""
    with_deltas: set[int] = set()
    found: dict[tuple[int, int], ev.SampleFinished] = {}
    for event in events:
        if isinstance(event, ev.TextDelta):
            with_deltas.add(event.sample)
        elif isinstance(event, ev.SampleFinished) and event.sample not in with_deltas and event.track:
            found[event.call, event.sample] = event
        elif isinstance(event, ev.CallStarted):
            with_deltas.difference_update(event.samples)
    return found


def _track(end: ev.SampleFinished, started: float) -> _Track:
    """The points of a sample's track, its tokens spread over them by characters. None lies beyond its end."""
    length = max(1, len(end.text))
    points: list[tuple[float, int, int]] = []
    when, so_far = started, 0
    flat = end.track[: len(end.track) // 2 * 2]
    for milliseconds, characters in zip(flat[::2], flat[1::2], strict=True):
        when = min(max(when, started + milliseconds / 1000), end.at)
        if characters > so_far:
            so_far = min(characters, length)
            points.append((when, so_far, end.completion_tokens * so_far // length))
    return _Track(end.sample, end.text, points)

"""Puts samples of one prompt together into requests that read the prompt once.

llama.cpp shares one reading of a prompt among the completions of a single request and among nothing else: a
sample sent alone into a fresh slot reads the whole prompt again. On a processor, where reading a prompt of
280 tokens costs as much as writing a hundred, single requests are two to four times slower (measured in
``tests/benchmarks/bench_llama.py``). Requests of callers may be small and come as slots fall free, so they
wait here until enough of them make a group.

A group starts when nothing runs or when at least half of all slots are free. Its samples have the same prompt
and settings, and seeds in sequence. It takes its slots and its worst case of cells, one a token: a pool of
cells that runs dry in mid-sample would fail everything in flight.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from app.models.base import BackendError, ChoiceDone, Delta, Piece, PromptRead, Settings

_GATHER_SECONDS = 0.02
"""How long the first of several requests made in one breath waits for the others."""


@dataclass(frozen=True, slots=True)
class Work:
    """What the samples of a group have in common. ``most`` is the longest completion, in tokens."""

    tokens: tuple[int, ...]
    settings: Settings
    most: int


Send: TypeAlias = Callable[[Work, int, int], AsyncGenerator[Piece, None]]
"""Sends one request: the work, the first seed and the number of choices."""


@dataclass(slots=True, eq=False)
class _Ask:
    """One caller's request. ``pieces`` ends with an exception or with None."""

    pieces: asyncio.Queue[Piece | BaseException] = field(default_factory=asyncio.Queue)
    left: int = 0
    told_prompt: bool = False
    gone: bool = False


@dataclass(slots=True, eq=False)
class _Place:
    """One sample that waits or runs, and which choice of which caller it is."""

    ask: _Ask
    choice: int
    work: Work
    seed: int
    done: bool = False


@dataclass(slots=True, eq=False)
class _Group:
    places: list[_Place]
    task: asyncio.Task[None] | None = None


class Groups:
    """Shares ``slots`` and ``cells`` among callers of ``sample``."""

    def __init__(self, slots: int, cells: int, send: Send) -> None:
        self._slots, self._cells, self._send = slots, cells, send
        self._free_slots, self._free_cells = slots, cells
        self._waiting: list[_Place] = []
        self._running: set[_Group] = set()
        self._gathering: asyncio.TimerHandle | None = None
        self._closed = False

    async def sample(self, work: Work, seed: int, choices: int) -> AsyncGenerator[Piece, None]:
        """The pieces of ``choices`` samples. The first to have a prompt read is told its whole length, the
        others of its group that it was ready. Closing it gives up what has not ended."""
        ask = _Ask(left=choices)
        self._waiting += [_Place(ask, choice, work, seed + choice) for choice in range(choices)]
        self._look_soon()
        try:
            while ask.left:
                piece = await ask.pieces.get()
                if isinstance(piece, BaseException):
                    raise piece
                ask.left -= isinstance(piece, ChoiceDone)
                yield piece
        finally:
            ask.gone = True
            self._give_up(ask)

    async def close(self) -> None:
        """End everything; callers that still wait are refused."""
        self._closed = True
        if self._gathering is not None:
            self._gathering.cancel()
        refusal = BackendError("refused", "the model was closed", retry=False)
        self._fail(self._waiting, refusal)
        for group in self._running:
            self._fail(group.places, refusal)
        self._waiting.clear()
        tasks = [group.task for group in self._running if group.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _give_up(self, ask: _Ask) -> None:
        self._waiting = [place for place in self._waiting if place.ask is not ask]
        for group in self._running:
            if group.task is not None and all(place.done or place.ask.gone for place in group.places):
                group.task.cancel()

    def _look_soon(self) -> None:
        if self._gathering is None and not self._closed:
            loop = asyncio.get_running_loop()
            self._gathering = loop.call_later(_GATHER_SECONDS, self._look)

    def _look(self) -> None:
        self._gathering = None
        while (group := self._next_group()) is not None:
            self._waiting = [place for place in self._waiting if place not in group.places]
            self._running.add(group)
            work = group.places[0].work
            self._free_slots -= len(group.places)
            self._free_cells -= len(work.tokens) + len(group.places) * work.most
            group.task = asyncio.create_task(self._run(group))

    def _next_group(self) -> _Group | None:
        """The samples that go together with the one that waited longest, if it is time for them."""
        enough = max(1, self._slots // 2) if self._running else 1
        if not self._waiting or self._free_slots < enough:
            return None
        first = self._waiting[0]
        room = (self._free_cells - len(first.work.tokens)) // first.work.most
        places: list[_Place] = []
        alike = [place for place in self._waiting if place.work == first.work and place.seed >= first.seed]
        for place in sorted(alike, key=lambda place: place.seed):
            if place.seed != first.seed + len(places) or len(places) >= min(self._free_slots, room):
                break
            places.append(place)
        return _Group(places) if places else None

    async def _run(self, group: _Group) -> None:
        work, seed = group.places[0].work, group.places[0].seed
        try:
            async with aclosing(self._send(work, seed, len(group.places))) as pieces:
                async for piece in pieces:
                    self._deal(group, piece)
        except Exception as error:  # noqa: BLE001 (raised again in the callers, who wait for it)
            self._fail(group.places, error)
        finally:
            self._running.discard(group)
            unfinished = sum(not place.done for place in group.places)
            self._free_slots += unfinished
            self._free_cells += len(work.tokens) + unfinished * work.most
            self._look_soon()

    def _fail(self, places: list[_Place], error: Exception) -> None:
        for ask in {place.ask for place in places if not place.done}:
            ask.pieces.put_nowait(error)

    def _deal(self, group: _Group, piece: Piece) -> None:
        if isinstance(piece, PromptRead):
            cached = piece.cached
            for ask in dict.fromkeys(place.ask for place in group.places):
                if not ask.told_prompt:
                    ask.told_prompt = True
                    ask.pieces.put_nowait(PromptRead(piece.tokens, cached))
                    cached = piece.tokens
            return
        place = group.places[piece.choice]
        if isinstance(piece, Delta):
            place.ask.pieces.put_nowait(Delta(place.choice, piece.text, piece.tokens))
            return
        place.done = True
        place.ask.pieces.put_nowait(replace(piece, choice=place.choice))
        self._free_slots += 1
        self._free_cells += place.work.most
        self._look_soon()

"""The program's end of the process that holds LiteLLM: starts it, speaks with it, and never leaves it behind.

One process serves every LiteLLM model of the program; it starts with the first and ends with the last. It
leaves by itself when its standard input ends, however the program went. What its requests were waiting for
when it dies is a fault like a broken connection, and the next request starts another.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from weakref import WeakKeyDictionary

import msgspec

from app.errors import PartMissing
from app.models.base import BackendError, Progress
from app.models.litellm_wire import Account, Ask, Event, Fault, Look, Looked, Stop

_SECONDS_TO_START = 120.0
"""A busy machine with a cold disk takes long to import half a million lines."""
_SECONDS_TO_LOOK = 30.0
_SECONDS_TO_LEAVE = 2.0
_PIPE_BYTES = 1 << 18
_GONE = Fault("crashed", "LiteLLM's process ended.", retry=True)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


class Child:
    """One process. ``start`` once, ``close`` once; requests in between as many at once as one likes."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Queue[Event]] = {}
        self._numbers = itertools.count(1)

    @property
    def alive(self) -> bool:
        return self._reader is not None and not self._reader.done()

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Raises ``PartMissing`` where LiteLLM cannot be loaded."""
        ready = self._waiting[0] = asyncio.Queue()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", "app.models.litellm_worker"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # ctrl+c is the program's to answer
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        self._reader = asyncio.create_task(self._read(self._process))
        try:
            async with asyncio.timeout(_SECONDS_TO_START):
                event = await ready.get()
        except BaseException as error:
            await self.close()
            if isinstance(error, TimeoutError):
                raise PartMissing("LiteLLM does not start.", "See: monkeys doctor") from None
            raise
        finally:
            self._waiting.pop(0, None)
        if event.fault is not None:
            await self.close()
            raise PartMissing(event.fault.message, "Install it again: pip install --force-reinstall litellm")

    async def look(self, account: Account) -> Looked:
        """What LiteLLM knows of a model. Raises ``PartMissing``."""
        async with self._talk() as (number, events):
            try:
                self._write(Look(number, account))
                async with asyncio.timeout(_SECONDS_TO_LOOK):
                    event = await events.get()
            except TimeoutError:
                raise PartMissing("LiteLLM does not answer.", "Try again.") from None
        if event.looked is None:
            raise PartMissing(_GONE.message, "Try again.")
        return event.looked

    @asynccontextmanager
    async def ask(
        self,
        account: Account,
        fields: dict[str, object],
        messages: list[dict[str, str]],
        text: str | None,
    ) -> AsyncGenerator[asyncio.Queue[Event], None]:
        """Send a request, and give its events. Leaving the context before the end gives the request up."""
        async with self._talk() as (number, events):
            self._write(Ask(number, account, fields, messages, text))
            try:
                yield events
            finally:
                with suppress(BackendError):
                    self._write(Stop(number))

    async def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_SECONDS_TO_LEAVE):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._reader is not None:
            await self._reader

    @asynccontextmanager
    async def _talk(self) -> AsyncGenerator[tuple[int, asyncio.Queue[Event]], None]:
        number = next(self._numbers)
        events = self._waiting[number] = asyncio.Queue()
        try:
            yield number, events
        finally:
            del self._waiting[number]

    def _write(self, command: Look | Ask | Stop) -> None:
        """Raises ``BackendError`` where nobody is there to read."""
        process = self._process
        if not self.alive or process is None or process.stdin is None or process.stdin.is_closing():
            raise _GONE.error
        process.stdin.write(_encoder.encode(command) + b"\n")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Hand events to those who wait for them, until the process is gone."""
        pipe, rest = process.stdout, b""
        if pipe is None:
            raise RuntimeError("the process was started without a pipe")
        while data := await pipe.read(_PIPE_BYTES):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                event = _decoder.decode(line)
                if (events := self._waiting.get(event.id)) is not None:
                    events.put_nowait(event)
        for number, events in self._waiting.items():
            events.put_nowait(Event(number, fault=_GONE))


class SharedChild:
    """The one process of an event loop, for as long as somebody uses it."""

    def __init__(self) -> None:
        self._child: Child | None = None
        self._users = 0
        self._lock = asyncio.Lock()

    async def join(self, report: Callable[[Progress], None]) -> None:
        """Begin to use it. Raises ``PartMissing`` where it cannot be started."""
        self._users += 1
        try:
            if self._child is None:
                report(Progress("Loading LiteLLM"))
            await self.child()
        except BaseException:
            await self.leave()
            raise

    async def child(self) -> Child:
        """The process, started anew if it died. Raises ``PartMissing``."""
        async with self._lock:
            if self._child is not None and not self._child.alive:
                await self._child.close()
                self._child = None
            if self._child is None:
                child = Child()
                await child.start()
                self._child = child
            return self._child

    async def leave(self) -> None:
        """End to use it; the last one ends it."""
        self._users -= 1
        if self._users == 0 and self._child is not None:
            child, self._child = self._child, None
            await child.close()


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, SharedChild] = WeakKeyDictionary()


def shared_child() -> SharedChild:
    """The process of the running event loop, started or not."""
    return _shared.setdefault(asyncio.get_running_loop(), SharedChild())

"""Finds the vLLM server of a model, or starts it, and holds it until it is let go.

A server is shared: whoever needs the same model while it is up uses the one that is there, and the last who
lets go of it ends it (see ``vllm_process``).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from app.errors import BadInput, PartMissing
from app.locations import log_file, servers_folder
from app.models.base import Progress
from app.models.file_lock import file_lock
from app.models.vllm_card import SECONDS_TO_STOP, SOCKET, About, Job, Started
from app.models.vllm_faults import explained, port_taken
from app.models.vllm_fetching import fetching
from app.models.vllm_found import answering, connect
from app.models.vllm_log import LogReader, why_it_ended
from app.models.vllm_plan import ServerPlan, Wanted, plan_server
from verifiers.safe_text import file_name

if TYPE_CHECKING:
    import aiohttp

SECONDS_TO_LEAVE = 6.0
"""How long to wait for a server's end when it is let go; its keeper sees to the rest."""
_SECONDS_TO_SPAWN = 30.0
_LOOK_EVERY = 0.5
_SECONDS_TO_ANSWER = 2.0


class _Hold(NamedTuple):
    """A connection to the keeper of the server whose process is ``pid``."""

    about: About
    pid: int
    line: socket.socket


class VllmServer:
    """One hold on a running server. ``about`` says what it is, ``started`` whether this hold started it.

    While it is held the server lives; ``close`` lets go, and the last to let go ends it.
    """

    def __init__(self, hold: _Hold, *, started: bool) -> None:
        self.about, self.pid, line = hold
        self.started = started
        self._line = line
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._ended, self._gone = asyncio.Event(), asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None

    @property
    def root(self) -> str:
        """The server's address, without ``/v1``."""
        return f"http://127.0.0.1:{self.about.port}"

    @property
    def alive(self) -> bool:
        return not self._ended.is_set()

    @property
    def why(self) -> str:
        """In one line why it ended, by its log."""
        return why_it_ended(Path(self.about.log))

    async def watch(self) -> None:
        """Begin to notice the server's end."""
        self._reader, self._writer = await asyncio.open_connection(sock=self._line)
        self._watcher = asyncio.create_task(self._wait_for_end(self._reader))

    async def wait_until_ready(self, report: Callable[[Progress], None]) -> None:
        """Until the server answers. Raises what ``explained`` makes of its end."""
        import aiohttp

        log, told = LogReader(Path(self.about.log)), None
        timeout = aiohttp.ClientTimeout(total=_SECONDS_TO_ANSWER)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while self.alive:
                if await _is_healthy(session, self.root):
                    return
                progress = await asyncio.to_thread(self._progress, log)
                if progress != told:
                    report(progress)
                    told = progress
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), _LOOK_EVERY)
        raise explained(self.about)

    def _progress(self, log: LogReader) -> Progress:
        told = log.read()
        return fetching(self.about.model) or told

    async def died(self, seconds: float = 2.0) -> bool:
        """Whether the server has ended, given it a moment to be seen dead after a connection broke."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)
        return not self.alive

    async def close(self) -> None:
        """Let go. If nobody else holds the server, wait until it has ended; what takes longer than that is
        killed all the same."""
        if self._writer is None:
            self._line.close()
            return
        with suppress(OSError):
            self._writer.write_eof()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._gone.wait(), SECONDS_TO_LEAVE)
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _wait_for_end(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while await reader.read(4096):
                self._ended.set()
        self._ended.set()
        self._gone.set()


async def hold_server(wanted: Wanted) -> VllmServer:
    """A hold on a server, found or started; it need not be ready yet.

    Raises ``PartMissing`` where it cannot be started at all, ``BadInput`` for a port that is taken or a
    server of the model that runs otherwise than asked.
    """
    work = asyncio.ensure_future(asyncio.to_thread(_find_or_start, wanted))
    try:
        hold, started = await asyncio.shield(work)
    except asyncio.CancelledError:
        work.add_done_callback(_drop)
        raise
    server = VllmServer(hold, started=started)
    await server.watch()
    return server


def _find_or_start(wanted: Wanted) -> tuple[_Hold, bool]:
    """A hold, and whether the server was started for it."""
    wanted.check()
    folder = servers_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file_lock(folder / "lock", lambda: None):
            if (found := _find(wanted)) is not None:
                return found, False
            return _start(wanted, plan_server(wanted)), True
    except OSError as error:
        raise PartMissing(
            f"{folder} cannot be written: {error.strerror or error}.",
            "Set MONKEYS_HOME to a folder that can be written.",
        ) from None


def _find(wanted: Wanted) -> _Hold | None:
    """A server of the same model that runs as asked. One that runs otherwise would take its memory."""
    found: _Hold | None = None
    other: About | None = None
    for card, line in answering(patience=sum(SECONDS_TO_STOP)):
        about = card.about
        same = about.model == wanted.model and about.pooling == wanted.pooling
        fitting = wanted.port in (None, about.port) and (not wanted.exact or wanted.flags == about.flags)
        if same and fitting and found is None:
            found = _Hold(about, card.pid, line)
            continue
        other = other or (about if same and not fitting else None)
        line.close()
    if found is None and other is not None:
        raise BadInput(
            f"{wanted.name} is up already, on port {other.port} and with flags of its own.",
            f"Use it as it is, as vllm:{wanted.name}, or end the program that holds it first.",
        )
    return found


def _start(wanted: Wanted, plan: ServerPlan) -> _Hold:
    if wanted.port is not None and _is_taken(wanted.port):
        raise port_taken(wanted.port)
    name = f"vllm-{file_name(plan.served_as, longest=60)}{'-pooling' if wanted.pooling else ''}"
    log = log_file(name)
    log.parent.mkdir(parents=True, exist_ok=True)
    port = wanted.port or _free_port()
    about = About(
        name=wanted.name,
        model=wanted.model,
        served_as=plan.served_as,
        port=port,
        log=str(log),
        device=plan.install.device,
        pooling=wanted.pooling,
        flags=wanted.flags,
        gpus=plan.gpus,
        concurrency=plan.concurrency,
    )
    command = (*plan.install.command, *plan.arguments, "--port", str(port))
    card, folder = servers_folder() / f"{name}.json", _private_folder()
    return _spawn(
        Job(
            command=command,
            environment=plan.environment,
            card=str(card),
            folder=folder,
            about=about,
            seconds_to_stop=SECONDS_TO_STOP,
        )
    )


def _spawn(job: Job) -> _Hold:
    """Start the keeper, and be its first user. The process itself is gone at once; the one that it leaves
    behind keeps the server. Raises ``PartMissing``."""
    keeper = subprocess.Popen(
        [sys.executable, "-P", "-m", "app.models.vllm_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    if keeper.stdin is None or keeper.stdout is None:
        raise RuntimeError("the keeper has no pipes")
    with keeper.stdin as hold, keeper.stdout as answer:
        with suppress(BrokenPipeError):
            hold.write(msgspec.json.encode(job) + b"\n")
            hold.flush()
        told = answer.readline()
        keeper.wait(_SECONDS_TO_SPAWN)
        started = msgspec.json.decode(told, type=Started) if told else Started(failed="its keeper is gone")
        line = None if started.failed else connect(str(Path(job.folder) / SOCKET), started.pid)
    if line is None:
        shutil.rmtree(job.folder, ignore_errors=True)
        why = started.failed or why_it_ended(Path(job.about.log)) or "it was gone at once"
        raise PartMissing(f"vLLM cannot be run: {why}.", "See: monkeys doctor")
    return _Hold(job.about, started.pid, line)


def _private_folder() -> str:
    """A folder of this user alone, with a path short enough for a socket."""
    folder = tempfile.mkdtemp(prefix="monkeys-")
    if len(os.fsencode(folder)) > 90:
        os.rmdir(folder)
        folder = tempfile.mkdtemp(prefix="monkeys-", dir="/tmp")
    return folder


def _drop(work: asyncio.Future[tuple[_Hold, bool]]) -> None:
    if not work.cancelled() and work.exception() is None:
        work.result()[0].line.close()


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _is_healthy(session: aiohttp.ClientSession, root: str) -> bool:
    import aiohttp

    try:
        async with session.get(f"{root}/health") as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False

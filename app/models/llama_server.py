"""Starts, watches and ends the llama.cpp process; knows nothing of prompts and samples.

The process gets a session of its own, so that Ctrl-C in the terminal reaches the program and not the model.
Its socket lies in a private folder of mode 0700: no other user of the machine can talk to it, and no port is
taken. Where there are no Unix sockets it listens on a loopback port behind a random key.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from app.errors import BadInput, MonkeysError, PartMissing
from app.locations import log_file
from app.models.llama_process import Report, ServerPlan

if TYPE_CHECKING:
    import aiohttp

SECONDS_TO_LEAVE = 3.0
_LOG_LIMIT = 1_000_000  # bytes; a longer log is begun anew
_LONGEST_SOCKET_PATH = 100  # bytes; the operating systems allow 104 to 108
_OUT_OF_MEMORY = re.compile(
    r"out of memory|(failed|unable|cannot) to allocate|bad_alloc|cannot allocate", re.IGNORECASE
)
_LOG_LINE = re.compile(r"^[\d.]+ (?P<level>[A-Z]) +(?P<text>.*)$")


class LlamaServer:
    """One running llama.cpp process and a client session to it.

    ``start`` raises ``BadInput`` for a file that is no working model and ``PartMissing`` when the machine
    cannot hold it. ``stop`` may be called at any time, also twice.
    """

    def __init__(
        self,
        *,
        model: Path,
        slots: int,
        threads: int,
        context: int,
        unified: bool = True,
        flash_attention: bool | None = None,
        reads_only: bool = False,
    ) -> None:
        self._model = model
        self._slots, self._threads, self._context = slots, threads, context
        self._unified, self._flash_attention = unified, flash_attention
        self._reads_only = reads_only
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None
        self._folder = ""
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def folder(self) -> Path:
        return Path(self._folder)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the server is not started")
        return self._session

    async def start(self) -> None:
        plan = self._plan()
        log = log_file("llama")
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            if log.exists() and log.stat().st_size > _LOG_LIMIT:
                log.unlink()
            self._log_start = log.stat().st_size if log.exists() else 0
            log.touch(mode=0o600)
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise PartMissing(
                f"cannot write the model's log {log}: {error.strerror}",
                "set MONKEYS_HOME to a folder that can be written",
            ) from None
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", "app.models.llama_process", str(log)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        try:
            report = await self._greet(plan)
        except BaseException:
            await self.stop()
            raise
        if report.failed:
            await self.stop()
            raise self._explained(report.failed)
        self._session = self._connect(plan)

    def _plan(self) -> ServerPlan:
        self._folder = tempfile.mkdtemp(prefix="monkeys-")
        if len(os.fsencode(self._folder)) + 10 > _LONGEST_SOCKET_PATH:
            os.rmdir(self._folder)
            self._folder = tempfile.mkdtemp(prefix="monkeys-", dir="/tmp")
        port, key = (0, "") if hasattr(socket, "AF_UNIX") else (_free_port(), secrets.token_urlsafe(24))
        return ServerPlan(
            model=str(self._model),
            slots=self._slots,
            threads=self._threads,
            context=self._context,
            folder=self._folder,
            port=port,
            key=key,
            unified=self._unified,
            flash_attention=self._flash_attention,
            reads_only=self._reads_only,
        )

    async def _greet(self, plan: ServerPlan) -> Report:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RuntimeError("the process is not started")
        with suppress(ConnectionError):  # a child that is already dead says so by an empty line
            process.stdin.write(msgspec.json.encode(plan) + b"\n")
            await process.stdin.drain()
        line = await process.stdout.readline()
        if not line:
            status = await process.wait()
            return Report(f"the model's process ended with {_status_name(status)}")
        return msgspec.json.decode(line, type=Report)

    def _connect(self, plan: ServerPlan) -> aiohttp.ClientSession:
        import aiohttp

        # The server hangs up after a stream without saying so: a connection is used once.
        unlimited = aiohttp.ClientTimeout(total=None, sock_connect=10)
        if plan.port:
            return aiohttp.ClientSession(
                base_url=f"http://127.0.0.1:{plan.port}",
                connector=aiohttp.TCPConnector(limit=0, force_close=True),
                headers={"Authorization": f"Bearer {plan.key}"},
                timeout=unlimited,
            )
        return aiohttp.ClientSession(
            base_url="http://llama",
            connector=aiohttp.UnixConnector(plan.socket, limit=0, force_close=True),
            timeout=unlimited,
        )

    def last_words(self) -> str:
        """The last line of the log that says what went wrong, or an empty string."""
        try:
            with log_file("llama").open("rb") as log:
                log.seek(self._log_start)
                lines = log.read()[-64_000:].decode("utf-8", "replace").splitlines()
        except OSError:
            return ""
        return _first_cause(lines)

    def _explained(self, failed: str) -> MonkeysError:
        words = self.last_words()
        if _OUT_OF_MEMORY.search(words) or _OUT_OF_MEMORY.search(failed) or "SIGKILL" in failed:
            return PartMissing(
                f"not enough memory for {self._model.name}: {words or failed}",
                "close other programs or choose a smaller model",
            )
        if "xllamacpp" in failed:
            fix = "install it again: pip install --force-reinstall xllamacpp"
            return PartMissing(f"llama.cpp cannot be loaded: {failed}", fix)
        return BadInput(
            f"{self._model.name} cannot be loaded: {words or failed}",
            f"the log {log_file('llama')} has the rest",
        )

    async def crashed(self, seconds: float = 1.0) -> bool:
        """Whether the process is dead, given it a moment to be seen dead after its connection broke."""
        if self._process is None:
            return True
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), seconds)
        return not self.alive

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
        process = self._process
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), SECONDS_TO_LEAVE)
            except TimeoutError:
                _kill_group(process.pid)
                await process.wait()
            transport = getattr(process, "_transport", None)
            if transport is not None:
                transport.close()  # else its pipes are closed by the garbage collector, with a warning
        shutil.rmtree(self._folder, ignore_errors=True)


def _first_cause(lines: list[str]) -> str:
    """llama.cpp reports a fault from the inside out: the first error of the last run of them is the cause."""
    errors = [match["text"] for line in lines if (match := _LOG_LINE.match(line)) and match["level"] == "E"]
    if errors:
        return " ".join(errors[0].split())
    plain = [line.strip() for line in lines if line.strip() and not _LOG_LINE.match(line)]
    return plain[-1] if plain else ""


def _status_name(status: int) -> str:
    if status < 0:
        with suppress(ValueError):
            return signal.Signals(-status).name
    return f"status {status}"


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

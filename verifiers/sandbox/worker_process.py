"""One worker, seen from outside: start it behind its wall, hand it a job, take the answer.

A worker that dies, falls silent or talks nonsense raises ``BoxFailed`` and is not used again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from typing import Any, Final

from verifiers.sandbox.results import BoxFailed
from verifiers.sandbox.walls import Wall

START_SECONDS: Final = 60.0
GRACE_SECONDS: Final = 10.0
"""How much longer than its programs' own limits a job may take before its worker is given up."""
_FRAME_BYTES: Final = 4 << 20
_COMPLAINT_BYTES: Final = 2000


class WorkerProcess:
    def __init__(self, process: asyncio.subprocess.Process, wall: Wall) -> None:
        self._process = process
        self._complaint = b""
        self._listening = asyncio.create_task(self._listen())
        self._jobs = 0
        self.wall = wall
        self.namespaces = False
        self.packages = False

    @classmethod
    async def start(cls, wall: Wall, *, packages: bool) -> WorkerProcess:
        """A warm worker behind ``wall``, with numpy and sympy imported if ``packages``.

        Raises ``BoxFailed`` with the wall's own complaint."""
        try:
            process = await asyncio.create_subprocess_exec(
                *wall.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=wall.environment,
                cwd="/",
                limit=_FRAME_BYTES,
            )
        except OSError as error:
            raise BoxFailed(f"{wall.name} does not start: {error}") from None
        worker = cls(process, wall)
        try:
            worker._send({"packages": packages})
            async with asyncio.timeout(START_SECONDS):
                greeting = await worker._receive()
        except TimeoutError:
            await worker.kill()
            raise BoxFailed(f"{wall.name} did not start within {START_SECONDS:.0f} s") from None
        except BaseException:
            await worker.kill()
            raise
        worker.packages = packages
        worker.namespaces = bool(greeting.get("namespaces"))
        return worker

    @property
    def name(self) -> str:
        """The walls as people read them."""
        return self.wall.name if self.namespaces else f"{self.wall.name}, shared by programs"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def run(
        self, programs: list[tuple[dict[str, Any], dict[str, Any]]], seconds: float
    ) -> dict[str, Any]:
        """Run a job of programs, each its limits and its text, and return the worker's answer, with the
        checker's report (bytes) under ``report`` where there is one. ``seconds`` bounds the job.

        Raises ``BoxFailed``. On cancellation the programs are stopped, and the worker can be used again
        unless that failed, in which case it is killed."""
        self._jobs += 1
        texts = [json.dumps(text).encode() for _limits, text in programs]
        header = {
            "id": self._jobs,
            "programs": [
                {**limits, "bytes": len(text)} for (limits, _text), text in zip(programs, texts, strict=True)
            ],
        }
        working = asyncio.create_task(self._exchange(header, b"".join(texts)))
        try:
            async with asyncio.timeout(seconds + GRACE_SECONDS):
                return await asyncio.shield(working)
        except TimeoutError:
            await self.kill()
            raise BoxFailed("the worker did not answer in time") from None
        except asyncio.CancelledError:
            await self._stop_job(working)
            raise
        finally:
            if working.done() and not working.cancelled():
                working.exception()
            else:
                working.cancel()

    async def _stop_job(self, working: asyncio.Task[dict[str, Any]]) -> None:
        try:
            async with asyncio.timeout(1.0):
                self._send({"stop": self._jobs})
                await asyncio.shield(working)
        except (TimeoutError, BoxFailed, OSError, asyncio.CancelledError):
            await self.kill()

    async def _exchange(self, header: dict[str, Any], texts: bytes) -> dict[str, Any]:
        try:
            self._send(header, texts)
            assert self._process.stdin is not None  # noqa: S101  started with a pipe
            await self._process.stdin.drain()
        except OSError:
            raise BoxFailed(self._why()) from None
        answer = await self._receive()
        if answer.get("id") != header["id"]:
            await self.kill()
            raise BoxFailed("the worker answered another question")
        if "report_bytes" in answer:
            answer["report"] = await self._exactly(answer["report_bytes"])
        return answer

    def _send(self, message: dict[str, Any], texts: bytes = b"") -> None:
        body = json.dumps(message).encode()
        assert self._process.stdin is not None  # noqa: S101  started with a pipe
        self._process.stdin.write(struct.pack(">I", len(body)) + body + texts)

    async def _receive(self) -> dict[str, Any]:
        (length,) = struct.unpack(">I", await self._exactly(4))
        if length > _FRAME_BYTES:
            await self.kill()
            raise BoxFailed("the worker's answer is too long")
        message: dict[str, Any] = json.loads(await self._exactly(length))
        return message

    async def _exactly(self, count: int) -> bytes:
        assert self._process.stdout is not None  # noqa: S101  started with a pipe
        try:
            return await self._process.stdout.readexactly(count)
        except (asyncio.IncompleteReadError, OSError):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await asyncio.shield(self._listening)
            raise BoxFailed(self._why()) from None

    async def _listen(self) -> None:
        """Keep the last of what the wall complains about."""
        assert self._process.stderr is not None  # noqa: S101  started with a pipe
        while piece := await self._process.stderr.read(4096):
            self._complaint = (self._complaint + piece)[-_COMPLAINT_BYTES:]

    def _why(self) -> str:
        said = self._complaint.decode(errors="replace").strip().rsplit("\n", 1)[-1]
        return f"the worker ended: {said}" if said else "the worker ended"

    async def kill(self) -> None:
        """End the worker and everything in its box. Safe to call twice."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(self._process.wait())
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listening

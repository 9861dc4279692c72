"""Running programs that a model wrote, many at a time, behind walls.

    async with Sandbox() as sandbox:
        result = await sandbox.run("print(6 * 7)", seconds=5)

Workers start when they are first needed and stay warm. A worker that dies is replaced; the program it held is
reported with the status ``box``. Cancelling a call stops its program at once.
A sandbox belongs to the event loop it was first used in.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Final

from verifiers.sandbox.interpreter import warm_interpreter
from verifiers.sandbox.results import BoxFailed, CheckResult, NoSandbox, RunResult
from verifiers.sandbox.walls import Wall, how_to_get_one, walls
from verifiers.sandbox.worker_process import WorkerProcess

MEMORY_MB: Final = 512
OUTPUT_BYTES: Final = 64 * 1024
_JOBS_A_WORKER: Final = 5000
"""A worker is replaced after so many jobs: nothing can pile up in it."""


def _walls_here() -> Iterator[Wall]:
    return walls(warm_interpreter())


class Sandbox:
    """A pool of warm workers. ``workers`` defaults to one less than the processors, at least one;
    ``find_walls`` can narrow the choice of walls."""

    def __init__(
        self, workers: int | None = None, find_walls: Callable[[], Iterator[Wall]] = _walls_here
    ) -> None:
        self.size = workers or max(1, (os.cpu_count() or 2) - 1)
        self._find_walls = find_walls
        self._wall: Wall | None = None
        self._choosing = asyncio.Lock()
        self._room = asyncio.Semaphore(self.size)
        self._idle: list[WorkerProcess] = []
        self._all: set[WorkerProcess] = set()
        self._jobs: dict[WorkerProcess, int] = {}
        self._closed = False

    async def __aenter__(self) -> Sandbox:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def probe(self) -> str:
        """The name of the walls that programs run behind here. Raises ``NoSandbox``."""
        async with self._worker("") as worker:
            return worker.name

    async def run(
        self,
        program: str | Sequence[str],
        *,
        stdin: bytes = b"",
        seconds: float = 10.0,
        memory: int = MEMORY_MB,
        output_bytes: int = OUTPUT_BYTES,
    ) -> RunResult:
        """Run ``program`` with ``seconds`` of wall time and ``memory`` megabytes; of several readings of a
        program, the first that compiles. ``output_bytes`` is where each output is cut and the program
        stopped. Raises ``NoSandbox``.
        """
        readings = _readings(program)
        limits = _limits("program", seconds, memory, output_bytes)
        limits["stdin"] = base64.b64encode(stdin).decode("ascii")
        try:
            async with self._worker(*readings) as worker:
                answer = await worker.run([(limits, {"sources": readings})], _bound(seconds))
                return _result(answer["programs"][0], worker.name)
        except BoxFailed as error:
            return _box_failed(error)

    async def check(
        self,
        program: str | Sequence[str],
        tests: str,
        *,
        entry_point: str,
        prelude: str = "",
        seconds: float = 10.0,
        memory: int = MEMORY_MB,
    ) -> CheckResult:
        """Run ``tests`` in a box of their own, with ``entry_point`` of ``program``, which runs in another,
        behind a proxy that passes plain values. ``prelude`` is run before the tests. Raises ``NoSandbox``."""
        readings = _readings(program)
        candidate = (
            _limits("candidate", seconds, memory),
            {"sources": readings, "entry_point": entry_point},
        )
        # The tests may take longer than the candidate: its time is what is limited.
        checker = (
            _limits("checker", seconds * 2 + 5, memory),
            {"tests": tests, "prelude": prelude, "entry_point": entry_point},
        )
        try:
            async with self._worker(*readings, tests) as worker:
                answer = await worker.run([candidate, checker], _bound(seconds * 2 + 5))
                sides = [_result(side, worker.name) for side in answer["programs"]]
                return CheckResult(sides[0], sides[1], _read_report(answer.get("report", b"")))
        except BoxFailed as error:
            return CheckResult(_box_failed(error), _box_failed(error), None)

    def worker_pids(self) -> list[int]:
        """The process ids of the workers that are alive, for those who watch from outside."""
        return [worker.pid for worker in self._all if worker.alive]

    async def close(self) -> None:
        """End all workers, and with them all programs."""
        self._closed = True
        await asyncio.gather(*(worker.kill() for worker in list(self._all)))
        self._all.clear()
        self._idle.clear()

    @asynccontextmanager
    async def _worker(self, *texts: str) -> AsyncIterator[WorkerProcess]:
        """A worker for ``texts``. To clone a process costs by its size, so that what names neither numpy nor
        sympy goes to one without them."""
        packages = any("numpy" in text or "sympy" in text for text in texts)
        async with self._room:
            worker = await self._take(packages=packages)
            try:
                yield worker
            finally:
                await self._give_back(worker)

    async def _take(self, *, packages: bool) -> WorkerProcess:
        for worker in reversed(self._idle):
            if worker.packages == packages:
                self._idle.remove(worker)
                if worker.alive:
                    return worker
                await self._discard(worker)
                break
        if self._wall is None:
            worker = await self._choose(packages=packages)
        else:
            worker = await WorkerProcess.start(self._wall, packages=packages)
        if self._closed:
            await worker.kill()
            raise BoxFailed("the sandbox was closed")
        self._all.add(worker)
        return worker

    async def _choose(self, *, packages: bool) -> WorkerProcess:
        """Start a worker behind the best walls that hold here, and remember which."""
        async with self._choosing:
            if self._wall is not None:
                return await WorkerProcess.start(self._wall, packages=packages)
            complaints = []
            for wall in self._find_walls():
                try:
                    worker = await WorkerProcess.start(wall, packages=packages)
                except BoxFailed as error:
                    complaints.append(f"{wall.name}: {error}")
                    continue
                self._wall = wall
                return worker
        tried = "; ".join(complaints) or "there is neither bubblewrap nor docker nor podman with the image"
        raise NoSandbox(f"No sandbox works on this machine ({tried}).", how_to_get_one())

    async def _give_back(self, worker: WorkerProcess) -> None:
        self._jobs[worker] = self._jobs.get(worker, 0) + 1
        if worker.alive and not self._closed and self._jobs[worker] < _JOBS_A_WORKER:
            self._idle.append(worker)
        else:
            await self._discard(worker)

    async def _discard(self, worker: WorkerProcess) -> None:
        self._all.discard(worker)
        self._jobs.pop(worker, None)
        await worker.kill()


def _readings(program: str | Sequence[str]) -> list[str]:
    return [program] if isinstance(program, str) else list(program)


def _limits(role: str, seconds: float, memory: int, output_bytes: int = OUTPUT_BYTES) -> dict[str, Any]:
    return {"role": role, "seconds": seconds, "memory_mb": memory, "output_bytes": output_bytes}


def _bound(seconds: float) -> float:
    """A program that waits for a busy processor is given up to three times its limit."""
    return seconds * 4


def _result(side: dict[str, Any], box: str) -> RunResult:
    return RunResult(
        status=side["status"],
        exit_code=side["exit_code"],
        stdout=base64.b64decode(side["stdout"]),
        stderr=base64.b64decode(side["stderr"]),
        seconds=side["seconds"],
        memory_mb=side["memory_mb"],
        box=box,
        signal=side["signal"],
    )


def _box_failed(error: BoxFailed) -> RunResult:
    return RunResult("box", None, b"", str(error).encode(), 0.0, 0.0, "none")


def _read_report(report: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(report)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None

"""A Ray cluster as an executor, seen from a program that must not be disturbed.

Ray writes to the standard output of whoever joins a cluster, and ends the process when the cluster's head is
gone. So a process of its own joins (``executors_ray_process``), and this is the other end of its pipes: a
line of JSON for each job and each answer. When that process ends, jobs on their way are undecided and say so,
and the next job joins anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from verifiers.executors import WAITING, Finding, Job, Missing, from_answer
from verifiers.executors_work import Means
from verifiers.verdicts import Judgement

_LONGEST_LINE: Final = 64 << 20
_CLOSE_SECONDS: Final = 10.0
_PACKAGE: Final = str(Path(__file__).resolve().parents[1])
_START: Final = "from verifiers.executors_ray_process import main; main()"


class ClusterExecutor:
    """Jobs judged by the workers of the cluster at ``address`` (``auto``, ``HOST:PORT`` or
    ``ray://HOST:PORT``). ``close`` gives the workers back; the cluster stays."""

    def __init__(self, address: str, means: Means) -> None:
        self._address = address
        self._means = means
        self._link: _Link | None = None
        self._opening = asyncio.Lock()
        self._taken = asyncio.Semaphore(WAITING)
        self._workers = 0
        self._behind = 0

    @property
    def at_once(self) -> int:
        """Jobs judged at the same time: one a worker. Before they are counted, as many as may wait."""
        return self._workers or WAITING

    @property
    def behind(self) -> int:
        return self._behind

    async def submit(self, job: Job) -> Finding:
        await self._joined()
        async with self._taken:
            self._behind += 1
            try:
                answer = await (await self._joined()).ask({"job": asdict(job)})
            except _Ended as ended:
                return Finding(
                    Judgement("undecided", f"the connection to the cluster ended: {ended}", "none")
                )
            finally:
                self._behind -= 1
        return from_answer(answer["answer"])

    async def worker_pids(self) -> list[int]:
        """The process ids of the workers on their machines, for those who watch from outside."""
        answer = await (await self._joined()).ask({"pids": True})
        return list(answer["pids"])

    async def close(self) -> None:
        if self._link is not None:
            await self._link.close()
            self._link = None

    async def _joined(self) -> _Link:
        """The link to the process that has joined the cluster. Raises ``Missing``."""
        async with self._opening:
            if self._link is None or self._link.ended:
                link = await _Link.start()
                try:
                    answer = await link.ask({"address": self._address, "means": asdict(self._means)})
                    if "missing" in answer:
                        raise Missing(*answer["missing"])
                except _Ended as ended:
                    raise Missing(f"The cluster at {self._address} cannot be joined: {ended}", "") from None
                except BaseException:
                    await link.close()
                    raise
                self._link = link
                self._workers = answer["workers"]
                self._taken = asyncio.Semaphore(self._workers + WAITING)
            return self._link


class _Ended(Exception):
    """The process on the other end is gone; the text is the last that it said."""


class _Link:
    """Questions and answers over a process's pipes, many on their way at once."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._count = 0
        self._said = b""
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._listen())]

    @classmethod
    async def start(cls) -> _Link:
        package = _PACKAGE
        found = os.environ.get("PYTHONPATH")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _START,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": f"{package}{os.pathsep}{found}" if found else package},
            limit=_LONGEST_LINE,
            start_new_session=True,  # an interrupt from the keyboard is for us, who then close it
        )
        return cls(process)

    @property
    def ended(self) -> bool:
        return self._process.returncode is not None or self._tasks[0].done()

    async def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The answer. Raises ``_Ended``."""
        if self.ended:
            raise _Ended(self._last_words())
        self._count += 1
        number = self._count
        answered: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[number] = answered
        assert self._process.stdin is not None  # noqa: S101  started with a pipe
        try:
            self._process.stdin.write(json.dumps({"id": number, **question}).encode() + b"\n")
            await self._process.stdin.drain()
            return await answered
        except OSError:
            raise _Ended(self._last_words()) from None
        finally:
            self._asked.pop(number, None)

    async def close(self) -> None:
        """Let the process leave the cluster, or end it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101  started with a pipe
        with contextlib.suppress(ValueError, OSError):
            while line := await self._process.stdout.readline():
                answer = json.loads(line)
                answered = self._asked.get(answer["id"])
                if answered is not None and not answered.done():
                    answered.set_result(answer)
        for answered in self._asked.values():
            if not answered.done():
                answered.set_exception(_Ended(self._last_words()))

    async def _listen(self) -> None:
        assert self._process.stderr is not None  # noqa: S101  started with a pipe
        while piece := await self._process.stderr.read(4096):
            self._said = (self._said + piece)[-4096:]

    def _last_words(self) -> str:
        said = self._said.decode(errors="replace").strip().rsplit("\n", 1)[-1][:200]
        return said or "it gave no reason"

"""Where samples are judged: behind one small protocol, on this machine or on many.

A job is plain data, so that it can go to another process or another machine, and so is what comes back. The
local executor judges with a sandbox of this process's own; ``executors_ray`` does so on the workers of a
cluster, each with a sandbox of its own. Either takes a bounded number of jobs at a time and says how many it
is behind; whoever hands it more waits, and sampling goes on meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol, TypedDict

from verifiers.verdicts import Judgement

WAITING: Final = 64
"""Jobs that an executor keeps beside those at work."""


@dataclass(frozen=True, slots=True)
class Job:
    """One reply to judge. ``problem`` holds the fields of a problem file; ``cut_off`` says that ``text``, the
    whole reply, ended at its token limit."""

    problem: Mapping[str, Any]
    text: str
    cut_off: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """The judgement, and what it took: the cleaned beginning of what was printed, wall seconds, the peak of
    memory, and the name of the sandbox, "none" where nothing ran."""

    judgement: Judgement
    stdout: str = ""
    seconds: float = 0.0
    memory_mb: float = 0.0
    box: str = "none"


class Missing(Exception):
    """The place where a job was to be judged lacks what that takes; ``fix`` says how to get it."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class Executor(Protocol):
    @property
    def at_once(self) -> int:
        """Jobs judged at the same time."""
        ...

    @property
    def behind(self) -> int:
        """Jobs handed over and not answered yet."""
        ...

    async def submit(self, job: Job) -> Finding:
        """The finding on ``job``. What cannot be decided is undecided, with the reason; a job is never lost.
        Raises ``Missing``."""
        ...

    async def close(self) -> None: ...


class Worker(Protocol):
    """Judges one job after the other, or several side by side. See ``executors_work.Workbench``."""

    async def judge(self, job: Job) -> Finding: ...

    async def close(self) -> None: ...


class LocalExecutor:
    """Jobs judged by ``worker`` in this process, ``at_once`` of them at a time."""

    def __init__(self, worker: Worker, *, at_once: int, waiting: int = WAITING) -> None:
        self.at_once = at_once
        self._worker = worker
        self._taken = asyncio.Semaphore(at_once + waiting)
        self._room = asyncio.Semaphore(at_once)
        self._behind = 0

    @property
    def behind(self) -> int:
        return self._behind

    async def submit(self, job: Job) -> Finding:
        async with self._taken:
            self._behind += 1
            try:
                async with self._room:
                    return await self._worker.judge(job)
            finally:
                self._behind -= 1

    async def close(self) -> None:
        await self._worker.close()


class Answer(TypedDict, total=False):
    """A finding as plain data, or what its place is missing."""

    finding: dict[str, Any]
    missing: tuple[str, str]


def to_answer(finding: Finding) -> Answer:
    return {"finding": asdict(finding)}


def from_answer(answer: Answer) -> Finding:
    """The finding in ``answer``. Raises ``Missing``."""
    if "missing" in answer:
        raise Missing(*answer["missing"])
    fields = answer["finding"]
    return Finding(**{**fields, "judgement": Judgement(**fields["judgement"])})

"""Samples judged on an existing Ray cluster, for problem sets that outgrow one machine.

One actor for each processor of the cluster, each with a sandbox of its own, behind whatever walls its machine
has. A worker that dies takes no job with it: the job goes to another, and after ``TRIES`` deaths it is
undecided and says so, because a reply that ends three workers may be what ended them. Only plain data
travels.

Ray itself is imported when a cluster is opened, never before, and in a process of its own
(``executors_ray_process``).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from verifiers.executors import WAITING, Answer, Finding, Job, Missing, from_answer, to_answer
from verifiers.executors_work import Means
from verifiers.verdicts import Judgement

TRIES: Final = 3
INSTALL: Final = "Install Ray on this machine: pip install 'manymonkeys[cluster]'"
_NOBODY_SECONDS: Final = 60.0
"""How long jobs wait for a cluster of which no worker answers."""
_REACH_SECONDS: Final = 5.0
_PID_SECONDS: Final = 30.0


class _Waiting:
    """A job on its way, and who waits for it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.deaths = 0
        self.found: asyncio.Future[Finding] = asyncio.get_running_loop().create_future()


class RayWorkers:
    """Jobs judged by the workers of the cluster at ``address`` (``auto``, ``HOST:PORT`` or
    ``ray://HOST:PORT``), at most ``workers`` of them. ``close`` gives the workers back; the cluster stays."""

    def __init__(
        self, address: str, means: Means, *, workers: int | None = None, nobody: float = _NOBODY_SECONDS
    ) -> None:
        self._address = address
        self._means = means
        self._wanted = workers
        self._nobody = nobody
        self._ray: Any = None
        self._actors: list[Any] = []
        self._serving: list[asyncio.Task[None]] = []
        self._answering = 0
        self._queue: deque[_Waiting] = deque()
        self._news = asyncio.Event()
        self._taken = asyncio.Semaphore(WAITING)
        self._opening = asyncio.Lock()
        self._behind = 0

    @property
    def at_once(self) -> int:
        """Jobs judged at the same time: one a worker. Before they are counted, as many as may wait."""
        return len(self._actors) or WAITING

    @property
    def behind(self) -> int:
        return self._behind

    async def open(self) -> None:
        """Join the cluster and start a worker on each processor. Raises ``Missing``."""
        async with self._opening:
            if self._serving:
                return
            self._ray = await asyncio.to_thread(_joined, self._address)
            processors = int((await asyncio.to_thread(self._ray.cluster_resources)).get("CPU", 1))
            count = max(1, min(processors, self._wanted or processors))
            remote = self._ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=0)(_Actor)
            self._actors = [remote.remote(asdict(self._means)) for _ in range(count)]
            self._taken = asyncio.Semaphore(count + WAITING)
            self._answering = count
            self._serving = [asyncio.create_task(self._serve(actor)) for actor in self._actors]

    async def submit(self, job: Job) -> Finding:
        await self.open()
        async with self._taken:
            waiting = _Waiting(job)
            self._behind += 1
            self._queue.append(waiting)
            self._news.set()
            try:
                return await waiting.found
            finally:
                self._behind -= 1
                waiting.found.cancel()

    async def worker_pids(self) -> list[int]:
        """The process ids of the workers that answer, on their machines, for those who watch from outside."""
        await self.open()
        found = []
        for actor in self._actors:
            with contextlib.suppress(Exception):  # one that just died
                async with asyncio.timeout(_PID_SECONDS):
                    found.append(await actor.pid.remote())
        return found

    async def close(self) -> None:
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        for waiting in self._queue:
            waiting.found.cancel()
        self._queue.clear()
        self._serving = []
        if self._ray is not None:
            for actor in self._actors:
                with contextlib.suppress(Exception):
                    self._ray.kill(actor)
            self._actors = []
            await asyncio.to_thread(self._ray.shutdown)
            self._ray = None

    async def _serve(self, actor: Any) -> None:
        """Hand one worker its jobs, one after the other, and the jobs of its deaths to the others."""
        while True:
            waiting = await self._next()
            try:
                answer: Answer = await actor.judge.remote(asdict(waiting.job))
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001  whatever the cluster's way of saying that it is gone
                self._again(waiting, error)
                await self._back(actor)
                continue
            if waiting.found.done():
                continue
            try:
                waiting.found.set_result(from_answer(answer))
            except Missing as missing:
                waiting.found.set_exception(missing)

    async def _next(self) -> _Waiting:
        while True:
            while self._queue:
                waiting = self._queue.popleft()
                if not waiting.found.done():
                    return waiting
            self._news.clear()
            await self._news.wait()

    def _again(self, waiting: _Waiting, error: Exception) -> None:
        """A job whose worker died is next in line, unless it has outlived too many of them."""
        waiting.deaths += 1
        if waiting.found.done():
            return
        if waiting.deaths < TRIES:
            self._queue.appendleft(waiting)
            self._news.set()
            return
        reason = f"the workers that judged it ended {TRIES} times ({type(error).__name__})"
        waiting.found.set_result(Finding(Judgement("undecided", reason, "none")))

    async def _back(self, actor: Any) -> None:
        """Wait until a worker that died is there again. Where no worker is, jobs do not wait for ever."""
        self._answering -= 1
        began = asyncio.get_running_loop().time()
        try:
            while True:
                try:
                    async with asyncio.timeout(self._nobody):
                        await actor.pid.remote()
                except asyncio.CancelledError:
                    raise
                except Exception:  # noqa: BLE001  still gone, in whatever way
                    waited = asyncio.get_running_loop().time() - began
                    if self._answering == 0 and waited >= self._nobody:
                        self._give_up()
                    await asyncio.sleep(1.0)
                else:
                    return
        finally:
            self._answering += 1

    def _give_up(self) -> None:
        while self._queue:
            waiting = self._queue.popleft()
            if not waiting.found.done():
                reason = "no worker of the cluster answers"
                waiting.found.set_result(Finding(Judgement("undecided", reason, "none")))


class _Actor:
    """What runs on the cluster; Ray makes an actor of it."""

    def __init__(self, means: dict[str, Any]) -> None:
        from verifiers.executors_work import Workbench

        self._bench = Workbench(Means(**means))

    async def judge(self, job: dict[str, Any]) -> Answer:
        try:
            return to_answer(await self._bench.judge(Job(**job)))
        except Missing as missing:
            return {"missing": (missing.message, missing.fix)}
        except Exception as error:  # noqa: BLE001  a fault of the checker must not look like a death
            reason = f"the checker failed: {type(error).__name__}"
            return to_answer(Finding(Judgement("undecided", reason, "none")))

    async def pid(self) -> int:
        return os.getpid()


def _joined(address: str) -> Any:
    """Ray, joined to the cluster. Raises ``Missing``."""
    try:
        import ray
    except ImportError:
        raise Missing("Ray is not installed, so no cluster can be used.", INSTALL) from None
    _reach(address)
    package = str(Path(__file__).resolve().parent)
    try:
        ray.init(
            address=address,
            runtime_env={"py_modules": [package]},
            log_to_driver=False,
            logging_level=logging.ERROR,
            ignore_reinit_error=False,
        )
    except Exception as error:  # noqa: BLE001  Ray has many ways to say that it cannot
        said = str(error).strip().split("\n")[0][:200]
        raise Missing(f"The cluster at {address} cannot be joined: {said}", _START) from None
    return ray


_START: Final = "Start one with `ray start --head`, and give its address: --cluster HOST:6379, or auto."


def _reach(address: str) -> None:
    """Ask the address before Ray does, which takes minutes to give up. Raises ``Missing``."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if address in ("auto", "local") or not colon or not port.isdigit():
        if address == "auto":
            return
        raise Missing(f"{address} is no address of a cluster.", _START)
    try:
        with socket.create_connection((host, int(port)), timeout=_REACH_SECONDS):
            return
    except OSError as error:
        raise Missing(
            f"Nothing answers at {address}: {error.strerror or type(error).__name__}.", _START
        ) from None

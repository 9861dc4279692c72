"""Verdicts that take running something, found while sampling goes on.

A program's tests may take seconds, and neither the engine nor the interface waits for them: finished samples
queue here, a few are judged at a time, and each verdict is handed back when it is there. Replies that are
equal to the letter are judged once.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable

from app.errors import PartMissing
from app.problems.problem import Problem
from app.runs.grading import Checker
from verifiers.verdicts import Judgement

AT_ONCE = 4
"""Judged at the same time; the sandbox lets through as many as it has workers."""


class LiveChecks:
    """Judges samples of ``problem``. ``judged`` is handed each sample's verdict; ``missing`` is told once if
    this machine lacks what judging takes, and then nothing more is judged."""

    def __init__(
        self,
        problem: Problem,
        checker: Checker,
        *,
        judged: Callable[[int, Judgement], None],
        missing: Callable[[PartMissing], None],
    ) -> None:
        self._problem = problem
        self._checker = checker
        self._judged = judged
        self._missing = missing
        self._known: dict[tuple[str, bool], Judgement] = {}
        self._waiting: dict[tuple[str, bool], list[int]] = {}
        self._queue: deque[tuple[str, bool]] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._off = False

    @property
    def behind(self) -> int:
        """Samples that wait for their verdict."""
        return sum(map(len, self._waiting.values()))

    def submit(self, sample: int, text: str, *, cut_off: bool) -> None:
        """Queue one finished sample. Its verdict comes at once if an equal reply has been judged."""
        key = (text, cut_off)
        if self._off:
            return
        if key in self._known:
            self._judged(sample, self._known[key])
        elif key in self._waiting:
            self._waiting[key].append(sample)
        else:
            self._waiting[key] = [sample]
            self._queue.append(key)
            if len(self._workers) < max(AT_ONCE, getattr(self._checker, "at_once", 0)):
                worker = asyncio.create_task(self._work())
                self._workers.add(worker)
                worker.add_done_callback(self._workers.discard)

    async def finish(self, within: float) -> None:
        """Wait until all is judged, for at most ``within`` seconds; what is left stays without a verdict. A
        checker that takes long says with ``patience`` how many seconds each verdict may take instead."""
        patience: float | None = getattr(self._checker, "patience", None)
        judged = -1
        while self._workers and judged < len(self._known):
            judged = len(self._known) if patience else sys.maxsize
            await asyncio.wait(self._workers, timeout=patience or within)
        for worker in self._workers:
            worker.cancel()
        self._queue.clear()
        self._waiting.clear()

    def give_up(self) -> None:
        """Let ``finish`` wait no longer: what has no verdict yet stays without one."""
        for worker in self._workers:
            worker.cancel()

    async def _work(self) -> None:
        while self._queue:
            text, cut_off = key = self._queue.popleft()
            try:
                judgement, _ = await self._checker.judge(self._problem, text, cut_off=cut_off)
            except PartMissing as error:
                if not self._off:
                    self._off = True
                    self._queue.clear()
                    self._waiting.clear()
                    self._missing(error)
                return
            except Exception as error:  # noqa: BLE001 - one sample's checker must not end the others'
                judgement = Judgement("undecided", f"the checker failed: {type(error).__name__}", "none")
            self._known[key] = judgement
            for sample in self._waiting.pop(key, ()):
                self._judged(sample, judgement)

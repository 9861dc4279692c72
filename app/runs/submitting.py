"""Samples handed to whatever judges them, here or on a cluster: an executor as one of our checkers."""

from __future__ import annotations

import msgspec

from app.errors import PartMissing
from app.problems.problem import Problem
from app.runs.grading import Measured
from verifiers.executors import Executor, Job, Missing
from verifiers.verdicts import Judgement


class Submitted:
    """A checker whose work ``executor`` does; its maker closes it."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    @property
    def at_once(self) -> int:
        """Samples that may be handed over at the same time."""
        return self._executor.at_once

    async def judge(self, problem: Problem, text: str, *, cut_off: bool) -> tuple[Judgement, Measured | None]:
        try:
            found = await self._executor.submit(Job(msgspec.to_builtins(problem), text, cut_off))
        except Missing as error:
            raise PartMissing(error.message, error.fix) from None
        if found.box == "none":
            return found.judgement, None
        return found.judgement, Measured(found.stdout, found.seconds, found.memory_mb, found.box)

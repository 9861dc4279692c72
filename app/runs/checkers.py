"""What judges a problem's samples by running something: one checker for each kind, made when it is first
asked for, and all of them closed together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.problems.problem import Problem
from app.runs.grading import Checker

if TYPE_CHECKING:
    from verifiers.sandbox import Sandbox


class Checkers:
    """The checkers of one program run. They share one sandbox. ``close`` when no more samples come."""

    def __init__(self) -> None:
        self._sandbox: Sandbox | None = None

    def checker_for(self, problem: Problem) -> Checker | None:
        """What judges this problem's samples by running something, ``None`` where nothing has to run: a known
        answer decides, or there is nothing to check against."""
        if problem.answer is not None:
            return None
        if problem.kind == "code" and problem.tests is not None:
            from app.runs.code_checks import CodeTests

            return CodeTests(self.programs())
        return None

    def programs(self) -> Sandbox:
        """The strict sandbox: programs that may start no others."""
        if self._sandbox is None:
            from verifiers.sandbox import Sandbox

            self._sandbox = Sandbox()
        return self._sandbox

    async def close(self) -> None:
        if self._sandbox is not None:
            await self._sandbox.close()
            self._sandbox = None

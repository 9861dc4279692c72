"""What judges a problem's samples by running something: one place where they are handed over, made when the
first is, and closed when no more come.

Programs and proofs go to an executor: to this process's own sandboxes, or to the cluster that the settings
name.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from weakref import WeakSet

from app.problems.problem import Problem
from app.runs.grading import Checker

if TYPE_CHECKING:
    from app.runs.patch_checks import PatchTests
    from app.settings import Settings
    from verifiers.executors import Executor
    from verifiers.sandbox import CommandBox, Sandbox


class Checkers:
    """The checkers of one program run. They share one sandbox. ``settings`` are the user's, read when the
    first sample comes if they are not given. ``close`` when no more samples come."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings
        self._sandbox: Sandbox | None = None
        self._executor: Executor | None = None
        self._commands: CommandBox | None = None
        self._repositories: WeakSet[PatchTests] = WeakSet()

    def checker_for(self, problem: Problem) -> Checker | None:
        """What judges this problem's samples by running something, ``None`` where nothing has to run: a known
        answer decides, or there is nothing to check against."""
        if problem.answer is not None:
            return None
        if problem.kind == "code" and problem.tests is not None:
            return self._submitted()
        if problem.kind == "proof":
            from app.runs.proof_checks import is_checkable

            return self._submitted() if is_checkable(problem) else None
        if problem.kind == "patch" and problem.repo is not None:
            return self._patches(problem)
        return None

    @property
    def at_once(self) -> int:
        """Samples that may be handed over at the same time, once there is something to judge."""
        executor = self._executor.at_once if self._executor is not None else 1
        return max(executor, self._commands.at_once if self._commands is not None else 1)

    def programs(self) -> Sandbox:
        """The strict sandbox: programs that may start no others."""
        if self._sandbox is None:
            from verifiers.sandbox import Sandbox

            self._sandbox = Sandbox()
        return self._sandbox

    async def close(self) -> None:
        for patches in list(self._repositories):
            await patches.close()
        if self._commands is not None:
            await self._commands.close()
            self._commands = None
        if self._executor is not None:
            await self._executor.close()
            self._executor = None
        if self._sandbox is not None:
            await self._sandbox.close()
            self._sandbox = None

    def _patches(self, problem: Problem) -> PatchTests:
        """A checker of its own for every run: it holds the repository as it stands now. Patches stay on this
        machine, where the repository and its tools are."""
        from app.runs.patch_checks import PatchTests
        from verifiers.sandbox import CommandBox

        if self._commands is None:
            self._commands = CommandBox()
        found = PatchTests(self._commands, problem)
        self._repositories.add(found)
        return found

    def _submitted(self) -> Checker:
        from app.runs.submitting import Submitted

        if self._executor is None:
            self._executor = self._new_executor()
        return Submitted(self._executor)

    def _new_executor(self) -> Executor:
        from app import settings
        from verifiers.executors import LocalExecutor
        from verifiers.executors_work import Means, Workbench

        mine = self._settings or settings.load().settings
        here = max(1, (os.cpu_count() or 2) - 1)
        if mine.cluster:
            from verifiers.executors_cluster import ClusterExecutor

            return ClusterExecutor(mine.cluster, Means(1, mine.lean_project, mine.proof_seconds))
        means = Means(here, mine.lean_project, mine.proof_seconds)
        # The sandboxes let through what they have workers for; a few more may be on their way.
        return LocalExecutor(Workbench(means, programs=self.programs), at_once=2 * here + 2)

"""Replies to code problems, judged by their tests in the sandbox: ``verifiers.code`` behind our checkers' one
method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.errors import PartMissing
from app.problems.problem import Problem
from app.runs.grading import Measured
from verifiers.verdicts import Judgement

if TYPE_CHECKING:
    from verifiers.sandbox import Sandbox


class CodeTests:
    """A checker for problems of kind code, in ``sandbox``, which its maker opens and closes."""

    def __init__(self, sandbox: Sandbox) -> None:
        from verifiers.code import CodeChecker

        self._checker = CodeChecker(sandbox)

    async def judge(self, problem: Problem, text: str, *, cut_off: bool) -> tuple[Judgement, Measured | None]:
        from verifiers.sandbox import NoSandbox

        try:
            found = await self._checker.judge(
                text,
                prompt=problem.prompt,
                tests=problem.tests or {},
                entry_point=problem.entry_point,
                cut_off=cut_off,
            )
        except NoSandbox as error:
            raise PartMissing(error.message, error.fix) from None
        if found.box == "none":
            return found.judgement, None
        return found.judgement, Measured(found.stdout, found.seconds, found.memory_mb, found.box)

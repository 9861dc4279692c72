"""Replies to problems of a repository: ``verifiers.patches`` behind our checkers' one method, and the diff
that each reply amounts to as the answer it votes with."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import BadInput, PartMissing
from app.problems.problem import Problem
from app.runs.grading import Measured
from verifiers.answers import Extraction
from verifiers.verdicts import Judgement

if TYPE_CHECKING:
    from verifiers.patches import PatchTask
    from verifiers.sandbox import CommandBox


class PatchTests:
    """A checker for one problem of kind patch, in ``box``, which its maker opens and closes. ``close``
    removes the copy of the repository; ``patience`` is how many seconds a verdict may take."""

    def __init__(self, box: CommandBox, problem: Problem) -> None:
        from verifiers.patches import PatchChecker

        task = patch_task(problem)
        self._checker = PatchChecker(box, task)
        self.patience = 60.0 + 2 * task.seconds * task.repeat

    def extract(self, text: str, *, cut_off: bool) -> Extraction:
        """The diff that ``text`` amounts to: replies that bring about the same files give the same answer."""
        from verifiers.patches import BadChange, BadRepository

        try:
            applied = self._checker.apply(text, cut_off=cut_off)
        except (BadChange, BadRepository):
            return Extraction(None, "no change that applies")
        if applied is None:
            return Extraction(None, "cut off" if cut_off else "no answer found")
        return Extraction(applied.diff, "patch")

    async def judge(self, problem: Problem, text: str, *, cut_off: bool) -> tuple[Judgement, Measured | None]:
        from verifiers.sandbox import NoSandbox

        if problem.test_command is None:
            return Judgement("undecided", "the problem names no test command", "none"), None
        try:
            found = await self._checker.judge(text, cut_off=cut_off)
        except NoSandbox as error:
            raise PartMissing(error.message, error.fix) from None
        if found.box == "none":
            return found.judgement, None
        return found.judgement, Measured(found.stdout, found.seconds, found.memory_mb, found.box)

    async def close(self) -> None:
        await self._checker.close()


def patch_task(problem: Problem) -> PatchTask:
    from verifiers.patches import PatchTask
    from verifiers.patches.check import SECONDS

    return PatchTask(
        repository=Path(problem.repo or "").expanduser(),
        command=problem.test_command or "",
        fail_to_pass=problem.fail_to_pass,
        pass_to_pass=problem.pass_to_pass,
        commit=problem.base_commit,
        test_patch=problem.test_patch,
        likely=tuple(source.path for source in problem.sources) or problem.files,
        seconds=problem.test_seconds or SECONDS,
        repeat=problem.repeat_tests,
    )


def look_before(problem: Problem) -> list[str]:
    """What a user should know before anything is spent, each a line: changes that are not committed, and
    tests that show nothing because they pass as things stand.

    Raises ``BadInput`` for a repository that cannot be read, ``PartMissing`` where nothing here can hold its
    test command."""
    from verifiers.patches import BadRepository, PatchChecker, uncommitted
    from verifiers.sandbox import CommandBox, NoSandbox

    if problem.kind != "patch" or problem.repo is None:
        return []
    task = patch_task(problem)
    lines = []
    changed = None if problem.base_commit else uncommitted(task.repository)
    if changed:
        files = "1 file differs" if changed == 1 else f"{changed:,} files differ"
        lines.append(f"{files} from the last commit: the copies are of the repository as it stands.")
    if problem.test_command is None:
        return [*lines, "There is no --test-command: patches will be voted on, not tested."]

    async def run() -> str | None:
        async with CommandBox() as box:
            checker = PatchChecker(box, task)
            try:
                await asyncio.to_thread(checker.snapshot)
                return await checker.before()
            finally:
                await checker.close()

    try:
        fault = asyncio.run(run())
    except BadRepository as error:
        raise BadInput(error.message, error.fix) from None
    except NoSandbox as error:
        raise PartMissing(error.message, error.fix) from None
    return lines if fault is None else [*lines, f"No patch can be shown right: {fault}."]

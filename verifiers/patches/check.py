"""A verdict on a reply to a repository's problem: its change, made in a copy, judged by the test command.

The command runs once on the copy as it is: it has to fail there, or its tests show nothing. A patch is right
when the command then succeeds, its runner came to its own end, and a test was seen to pass that did not
before; where the problem lists the tests that decide, when all of these pass. Wrong is what tests show to be
wrong, what cannot be applied, and what uses up its time or memory. The rest is undecided.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from verifiers.patches.applying import Applied, apply_change
from verifiers.patches.edits import BadChange
from verifiers.patches.judging import Before, Rules, Tried, judged, judgement, useless
from verifiers.patches.outcomes import read_outcomes
from verifiers.patches.protection import set_aside
from verifiers.patches.reading import read_change
from verifiers.patches.snapshot import Snapshot
from verifiers.patches.tree import BadRepository, dependency_folders
from verifiers.safe_text import clean, one_line
from verifiers.sandbox import (
    BoxFailed,
    Command,
    CommandBox,
    CommandLimits,
    CommandResult,
    Toolchain,
    find_toolchain,
)
from verifiers.verdicts import Judgement, Verdict

SECONDS: Final = 120.0
STDOUT_CHARACTERS: Final = 2000
_PLUGIN: Final = Path(__file__).resolve().parent / "inside"


@dataclass(frozen=True, slots=True)
class PatchTask:
    """``repository`` and the shell line that judges it. ``fail_to_pass`` and ``pass_to_pass`` are the tests
    that decide, where the problem lists any. ``commit`` is where to start from instead of the working tree;
    ``test_patch`` a diff of tests to add first. ``likely`` are the files that a change without a name may
    mean. ``seconds`` bound one run of the command; ``repeat`` is how often it runs, for flaky tests."""

    repository: Path
    command: str
    fail_to_pass: tuple[str, ...] = ()
    pass_to_pass: tuple[str, ...] = ()
    commit: str | None = None
    test_patch: str | None = None
    likely: tuple[str, ...] = ()
    seconds: float = SECONDS
    repeat: int = 1


@dataclass(frozen=True, slots=True)
class PatchVerdict:
    """``stdout`` is the cleaned end of what the command printed, where runners sum up; the rest is as in a
    verdict on a program. ``diff`` is the change as it was applied."""

    judgement: Judgement
    stdout: str = ""
    seconds: float = 0.0
    memory_mb: float = 0.0
    box: str = "none"
    flaky: bool = False
    diff: str = ""


class PatchChecker:
    """Judges replies to one task in ``box``, which its maker closes. The repository is copied when it is
    first needed; ``close`` removes the copy. Replies that amount to the same diff are judged once."""

    def __init__(self, box: CommandBox, task: PatchTask, *, memory_mb: int = 2048) -> None:
        self._box = box
        self.task = task
        self._rules = Rules(task.command, task.fail_to_pass, task.pass_to_pass)
        self._limits = CommandLimits(seconds=task.seconds, memory_mb=memory_mb)
        self._snapshot: Snapshot | None = None
        self._toolchain: Toolchain | None = None
        self._before: Before | None = None
        self._preparing = asyncio.Lock()
        self._known: dict[str, PatchVerdict] = {}
        self._judging: dict[str, asyncio.Lock] = {}

    def snapshot(self) -> Snapshot:
        """The copy, made now if there is none. Raises ``BadRepository``."""
        if self._snapshot is None:
            task = self.task
            self._snapshot = Snapshot(task.repository, commit=task.commit, test_patch=task.test_patch)
        return self._snapshot

    def apply(self, reply: str, *, cut_off: bool = False) -> Applied | None:
        """What ``reply`` makes of the repository, ``None`` where it describes no change. Raises ``BadChange``
        where that cannot be applied, ``BadRepository``."""
        change = read_change(reply, cut_off=cut_off)
        return (
            None if change is None else apply_change(change, self.snapshot().files, likely=self.task.likely)
        )

    async def before(self) -> str | None:
        """Run the command on the unchanged copy, once: ``None`` where its failing shows what is wrong, else
        what makes it useless. Raises ``NoSandbox``."""
        return (await self._on_unchanged()).fault

    async def judge(self, reply: str, *, cut_off: bool = False) -> PatchVerdict:
        """The verdict on ``reply``; ``cut_off`` says that it ended at its token limit. Raises ``NoSandbox``
        where nothing here can hold the command."""
        try:
            async with self._preparing:
                await asyncio.to_thread(self.snapshot)
            applied = self.apply(reply, cut_off=cut_off)
        except BadRepository as error:
            return PatchVerdict(judgement("undecided", error.message))
        except BadChange as error:
            return PatchVerdict(judgement("wrong", f"the change does not apply: {error}"))
        if applied is None:
            why = "the reply was cut off" if cut_off else "the reply holds no change to a file"
            return PatchVerdict(judgement("wrong", why))
        async with self._judging.setdefault(applied.diff, asyncio.Lock()):
            if applied.diff not in self._known:
                self._known[applied.diff] = await self._judge_change(applied)
            return self._known[applied.diff]

    async def close(self) -> None:
        if self._snapshot is not None:
            await asyncio.to_thread(self._snapshot.close)
            self._snapshot = None

    async def _judge_change(self, applied: Applied) -> PatchVerdict:
        snapshot, task = self.snapshot(), self.task
        deciding = (*task.fail_to_pass, *task.pass_to_pass, *snapshot.test_files)
        kept, aside = set_aside(applied.files, snapshot.files, task.command, deciding)
        if not kept:
            names = ", ".join(one_line(path, 60) for path in aside[:3])
            return PatchVerdict(judgement("wrong", f"it edits only what judges it ({names})"))
        before = await self._on_unchanged()
        if before.fault is not None:
            return PatchVerdict(judgement("undecided", before.fault), diff=applied.diff)
        runs = []
        for _ in range(max(1, task.repeat)):
            try:
                tried = await self._try(kept, plugin=before.plugin)
            except BoxFailed as error:
                return PatchVerdict(judgement("undecided", f"the sandbox failed: {error}"), diff=applied.diff)
            found = judged(tried, before, self._rules, self._limits)
            if aside:
                names = ", ".join(one_line(path, 60) for path in aside[:3])
                found = judgement(found.verdict, f"{found.reason} (its edits to {names} set aside)")
            runs.append(_verdict(found, tried.result, applied.diff))
        return _majority(runs)

    async def _on_unchanged(self) -> Before:
        async with self._preparing:
            if self._before is None:
                self._before = await self._find_before()
            return self._before

    async def _find_before(self) -> Before:
        try:
            await asyncio.to_thread(self.snapshot)
            tried = await self._try({}, plugin=True)
            plugin = 'importing plugin "monkeys_report"' not in tried.result.output_text
            if not plugin:
                tried = await self._try({}, plugin=False)
        except (BoxFailed, BadRepository) as error:
            return Before(f"the test command cannot be tried: {error}")
        outcomes = tried.outcomes
        passing = frozenset(name for name, one in outcomes.tests.items() if one == "passed")
        fault = useless(tried, self._rules, self._tools().missing)
        return Before(fault, plugin, outcomes.reported, passing)

    async def _try(self, changes: dict[str, str | None], *, plugin: bool) -> Tried:
        snapshot, word = self.snapshot(), secrets.token_hex(8)
        environment = {"PYTEST_ADDOPTS": "-rA"}
        if plugin and "PYTHONPATH=" not in self.task.command:
            environment = {
                "PYTEST_ADDOPTS": "-rA -p monkeys_report",
                "PYTHONPATH": "/box/report",
                "MONKEYS_REPORT": f"{{report}}:{word}",
            }
        shown = [(folder, folder) for folder in dependency_folders(snapshot.repository)]
        command = Command(
            line=self.task.command,
            folder=snapshot.folder,
            place=str(snapshot.repository),
            toolchain=self._tools(),
            changes={
                path: None if text is None else text.encode("utf-8", "surrogateescape")
                for path, text in changes.items()
            },
            environment=environment,
            shown=((str(_PLUGIN), "/box/report"), *shown),
            size_mb=snapshot.size_mb,
        )
        result = await self._box.run(command, self._limits)
        outcomes = await asyncio.to_thread(read_outcomes, result.output_text, result.report, word)
        return Tried(result, outcomes)

    def _tools(self) -> Toolchain:
        if self._toolchain is None:
            self._toolchain = find_toolchain(self.task.command, self.snapshot().repository)
        return self._toolchain


def _verdict(found: Judgement, result: CommandResult, diff: str) -> PatchVerdict:
    return PatchVerdict(
        found,
        stdout=clean(result.output_text[-STDOUT_CHARACTERS:]),
        seconds=result.seconds,
        memory_mb=result.memory_mb,
        box=result.box,
        diff=diff,
    )


def _majority(runs: list[PatchVerdict]) -> PatchVerdict:
    """The verdict of more than half of the runs; undecided where there is none."""
    counts = Counter(run.judgement.verdict for run in runs)
    if len(counts) == 1:
        return replace(runs[0], seconds=sum(run.seconds for run in runs))
    right, wrong = counts["right"], counts["wrong"]
    verdict: Verdict = "undecided" if right == wrong else "right" if right > wrong else "wrong"
    first = next((run for run in runs if run.judgement.verdict == verdict), runs[0])
    reason = f"flaky: right in {right} of {len(runs)} runs; {first.judgement.reason}"
    return replace(
        first, judgement=judgement(verdict, reason), flaky=True, seconds=sum(run.seconds for run in runs)
    )

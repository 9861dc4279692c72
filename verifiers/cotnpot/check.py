"""One solution's way through CoTnPoT: translated, run, and compared with the answer it gave.

Whatever the translator does wrong (nothing written, prose, an endless program, one that prints what it was
told) is a ``failed`` with its reason, never an error: the rules know what to do with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from verifiers.candidates import ProgramStatus
from verifiers.code.readings import readings
from verifiers.cotnpot.compare import answer_printed, same_result
from verifiers.cotnpot.evidence import Program, read_program
from verifiers.cotnpot.prompt import EXAMPLE_PROGRAM, STOP, conversation
from verifiers.cotnpot.withheld import skeleton, withhold
from verifiers.ports import Writer
from verifiers.safe_text import clean
from verifiers.sandbox import RunResult
from verifiers.verdicts import Kind

MAX_TOKENS: Final = 400
"""Of a program: more than a faithful one of a school problem needs, less than a runaway would take."""
SECONDS: Final = 5.0
"""That a program may run."""


class Box(Protocol):
    """What runs a program: ``verifiers.sandbox.Sandbox``."""

    async def run(self, program: str, *, seconds: float) -> RunResult: ...


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of one solution. ``answer`` is the program's, ``program`` what the translator wrote."""

    status: ProgramStatus
    answer: str | None
    reason: str
    program: str


@dataclass(frozen=True, slots=True)
class Task:
    """A solution to be checked. ``key`` is the same for solutions that one translation serves: the same
    answer by the same numbers and operations."""

    sample: int
    answer: str
    shown: str
    key: tuple[str, ...]


def task_of(
    sample: int, text: str, answer: str | None, group: str | None, problem: str, span: tuple[int, int] | None
) -> Task | None:
    """What there is to check; ``None`` for a sample without an answer. ``group`` is the answer's key."""
    if answer is None:
        return None
    shown = withhold(text, answer, problem, span)
    return Task(sample, answer, shown, (group or answer, *skeleton(shown)))


class ProgramCheck:
    """Checks solutions of one problem. ``writer`` is the translator, ``box`` runs what it writes."""

    def __init__(
        self, writer: Writer, box: Box, kind: Kind = "math", *, max_tokens: int = MAX_TOKENS, seed: int = 0
    ) -> None:
        self._writer = writer
        self._box = box
        self._kind: Kind = kind
        self._max_tokens = max_tokens
        self._seed = seed

    async def check(self, task: Task, on_text: Callable[[str], None] | None = None) -> Checked:
        """Translate, run, compare. Raises what the writer and the sandbox raise: ``CannotAfford``,
        ``WriterFailed``, ``NoSandbox``."""
        replies = await self._writer.write(
            conversation(task.shown),
            about=task.sample,
            max_tokens=self._max_tokens,
            temperature=0.0,
            seed=self._seed + task.sample,
            stop=STOP,
            on_text=on_text,
        )
        if not replies or not replies[0].text.strip():
            return Checked("failed", None, "the translator wrote nothing", "")
        written = replies[0]
        text = clean(written.text)
        program, why_not = _program_in(text, task, cut_off=written.cut_off)
        if program is None:
            return Checked("failed", None, why_not, text)
        return self._compared(task, await self._box.run(program.source, seconds=SECONDS), program.source)

    def _compared(self, task: Task, ran: RunResult, program: str) -> Checked:
        if ran.status == "box":
            return Checked("not-run", None, f"the sandbox failed: {_one_line(ran.stderr_text)}", program)
        printed = answer_printed(ran.stdout_text)
        if not ran.succeeded:
            return Checked("failed", None, _why_failed(ran), program)
        if printed is None:
            return Checked("failed", None, "the program printed nothing", program)
        if same_result(task.answer, printed, self._kind):
            return Checked("agrees", printed, f"the program comes to {printed}", program)
        return Checked(
            "differs", printed, f"the program comes to {printed}, the solution to {task.answer}", program
        )


def _program_in(text: str, task: Task, *, cut_off: bool) -> tuple[Program | None, str]:
    """The first reading of a reply that is a program and works something out, or why there is none."""
    why_not = "the program was cut off" if cut_off else "the translator wrote no program"
    for reading in readings(text, prompt="", entry_point=None, cut_off=cut_off):
        if reading.strip() == EXAMPLE_PROGRAM:
            why_not = "the translator copied the example that it was shown"
            continue
        program = read_program(reading, task.shown)
        if program is not None and program.computes:
            return program, ""
        why_not = program.why_not if program is not None else "what the translator wrote is no program"
    return None, why_not


def _why_failed(ran: RunResult) -> str:
    if ran.status == "time":
        return f"the program ran longer than {SECONDS:g} s"
    if ran.status == "output":
        return "the program printed without end"
    if ran.status == "exited":
        last = _one_line(ran.stderr_text.strip().rpartition("\n")[2])
        return f"the program failed: {last}" if last else f"the program failed with status {ran.exit_code}"
    return f"the program was stopped: {ran.status}"


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())[:200]

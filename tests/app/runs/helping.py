"""What tests of translating and scoring share: runs with helpers that are scripted, and a box that runs what
the tests themselves wrote."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from app.clock import Clock
from app.models.base import ModelInfo, Progress
from app.models.script_file import Header, Line
from app.models.scripted import ScriptedBackend
from app.problems.problem import Problem
from app.runs.engine import Engine
from app.runs.hiring import Hiring
from app.runs.launch import Launcher
from app.runs.plan import Plan
from app.runs.source import Store
from app.runs.state import RunState
from tests.app.runs.rigs import HEADER, SUM, plan, scripted
from verifiers.ports import Score, Solution
from verifiers.sandbox import RunResult

RIGHT = "17 + 26 makes 43. The answer is 43."
RIGHT_TOO = "We add 17 + 26 and so get 43. The answer is 43."
SLIP = "17 + 26 makes 33. The answer is 33."
OTHER = "17 * 26 makes 442. The answer is 442."
ADDS = "```python\nprint(17 + 26)\n```"
TIMES = "```python\nprint(17 * 26)\n```"
LIAR = "```python\nprint(33)\n```"


class LocalBox:
    """Runs the programs of a test in this process."""

    def __init__(self) -> None:
        self.programs: list[str] = []

    async def run(self, program: str, *, seconds: float) -> RunResult:
        self.programs.append(program)
        out = io.StringIO()
        try:
            with contextlib.redirect_stdout(out):
                exec(program, {})  # noqa: S102 - the test's own text
        except Exception as error:  # noqa: BLE001 - as a sandbox reports it
            return RunResult("exited", 1, b"", f"{error!r}".encode(), 0.0, 1.0, "local")
        return RunResult("exited", 0, out.getvalue().encode(), b"", 0.0, 1.0, "local")


class LengthReward:
    """Scores a solution by ``of`` its text; what it should do wrong is set by the test."""

    def __init__(
        self,
        of: Callable[[str], float | None] = lambda text: float(len(text)),
        *,
        info: ModelInfo | None = None,
        batch: int = 4,
    ) -> None:
        self.name = "length"
        self.batch = batch
        self.asked: list[list[int]] = []
        self.texts: list[str] = []
        self.fault: BaseException | None = None
        self.faults = 0
        self.drop = 0
        self.truncated = False
        self._of = of
        self._info = info
        self.opened = self.closed = 0

    @property
    def info(self) -> ModelInfo | None:
        return self._info

    async def open(self, report: Callable[[Progress], None]) -> None:
        self.opened += 1

    def tokens_at_most(self, problem: Problem, solutions: Sequence[Solution]) -> int:
        return 100 * len(solutions)

    async def score(self, problem: Problem, solutions: Sequence[Solution]) -> list[Score]:
        self.asked.append([solution.sample for solution in solutions])
        self.texts += [solution.text for solution in solutions]
        if self.fault is not None and self.faults > 0:
            self.faults -= 1
            raise self.fault
        scores = [Score(self._of(each.text), "", self.truncated, 10) for each in solutions]
        return scores[self.drop :]

    async def close(self) -> None:
        self.closed += 1


def helped(
    texts: Sequence[str],
    *,
    translator: ScriptedBackend | Sequence[Line | str] | None = None,
    reward: Any = None,
    box: Any = None,
    store: Store | None = None,
    prior: RunState | None = None,
    problem: Problem = SUM,
    clock: Clock | None = None,
    header: Header = HEADER,
    the_plan: Plan | None = None,
    **limits: Any,
) -> Engine:
    """A run of scripted ``texts``, in their order, with a scripted translator (its line i is for sample i)
    and a reward model."""
    backends = {"scripted": scripted(*texts, header=header)}
    if translator is not None:
        coder = translator if isinstance(translator, ScriptedBackend) else scripted(*translator, name="coder")
        backends["coder"] = coder
    if the_plan is None:
        asked = {"samples": len(texts)} | limits
        the_plan = plan(**asked)
    the_plan = msgspec.structs.replace(
        the_plan,
        translator=None if translator is None else "coder",
        reward=None if reward is None else "length",
    )
    launcher = Launcher(make=lambda name: backends[name], clock=clock)
    launcher._hiring = Hiring(launcher.connection, lambda name: reward, lambda: box or LocalBox())
    return launcher.open_run(problem, the_plan, store=store, run_id="r1", prior=prior)

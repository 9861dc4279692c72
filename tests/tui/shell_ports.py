"""Scripted ports: a run that does what a test tells it to, models that are known, and no disk or network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from app.errors import BadInput
from app.models.base import ModelInfo
from app.problems.problem import Kind, Problem
from app.runs import events as ev
from app.runs.plan import Plan
from app.runs.source import RunSource
from app.runs.state import RunState
from app.tui.app import MonkeysApp
from app.tui.draft import Draft
from app.tui.ports import ModelChoice, PastRun, Ports
from app.tui.prompt_history import PromptHistory
from app.tui.prompt_line import PromptLine
from budgets.amounts import Amounts, Budget

CLIPS = (
    "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May. "
    "How many clips did Natalia sell altogether in April and May?"
)
STARTERS = (
    Problem(id="starter/sum", kind="math", prompt="What is 17 + 26?", answer="43"),
    Problem(id="starter/clips", kind="math", prompt=CLIPS, answer="72"),
)
MODELS = (
    ModelChoice("smollm2", "135M parameters, embedded", cost="0.04 TFLOP a sample"),
    ModelChoice("qwen2.5-coder", "494M parameters", ready=False, missing="491 MB to fetch", upgrade=True),
    ModelChoice("gpt-4o-mini", "OpenAI", ready=False, missing="needs OPENAI_API_KEY"),
)


class TestRun:
    """A live run whose samples end when the test says so. ``calls`` is what it was told."""

    __test__ = False

    state: RunState

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.state = RunState()
        self.calls: list[object] = []
        self._model = plan.models[0]
        self._queue: asyncio.Queue[ev.Event | None] = asyncio.Queue()
        info = tuple(
            ModelInfo(name=name, kind="scripted", local=True, stops_when_told=True) for name in plan.models
        )
        self.emit(
            ev.RunStarted(
                at=0,
                run_id="run-1",
                created="2026-01-02T03:04:05+00:00",
                problem=problem,
                plan=plan,
                models=info,
            )
        )

    def emit(self, event: ev.Event) -> None:
        self._queue.put_nowait(event)

    def sample(self, answer: str, at: float = 1.0) -> None:
        index, model = self.state.started + self._queue.qsize() // 3, self._model
        self.emit(
            ev.CallStarted(at=at, call=index, model=model, samples=(index,), seed=index, held=Amounts())
        )
        self.emit(
            ev.SampleFinished(
                at=at, sample=index, call=index, model=model, text=f"The answer is {answer}.",
                finish_reason="stop", prompt_tokens=9, completion_tokens=6, estimated=False, seconds=at,
                answer=answer, group=answer,
            )
        )  # fmt: skip
        self.emit(ev.PickChanged(at=at, rule="majority", answer=answer, sample=index, support=1, share=1.0))

    def end(self, status: ev.Status = "completed") -> None:
        self.emit(ev.RunEnded(at=self.state.at, status=status, reason="all samples were drawn"))

    async def run(self) -> AsyncGenerator[ev.Event, None]:
        while (event := await self._queue.get()) is not None:
            self.state.apply(event)
            yield event
            if isinstance(event, ev.RunEnded):
                return

    def pause(self) -> None:
        self.calls.append("pause")
        self.emit(ev.Paused(at=self.state.at))

    def resume(self) -> None:
        self.calls.append("resume")
        self.emit(ev.Resumed(at=self.state.at))

    def stop(self) -> None:
        self.calls.append("stop")
        self.end("stopped")

    def more(self, samples: int) -> None:
        self.calls.append(("more", samples))
        self.emit(ev.Resumed(at=self.state.at, reason="more"))

    def set_budget(self, budget: Budget) -> None:
        self.calls.append(budget)
        self.emit(ev.BudgetChanged(at=self.state.at, budget=budget))


class TestRecording:
    """A source that can be watched and not spent from."""

    __test__ = False

    def __init__(self, events: Sequence[ev.Event] = ()) -> None:
        self.state = RunState()
        self._events = events
        self.paused = False

    async def run(self) -> AsyncGenerator[ev.Event, None]:
        for event in self._events:
            self.state.apply(event)
            yield event

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def stop(self) -> None: ...


class PlainRunScreen(Screen[None]):
    """Shows a run in one line, for tests that are about the shell around it."""

    AUTO_FOCUS = "#plain"

    def __init__(self, source: RunSource, prompt: PromptLine) -> None:
        super().__init__()
        self.source = source
        self.prompt = prompt

    def compose(self) -> ComposeResult:
        plain = Static("a run", id="plain")
        plain.can_focus = True
        yield plain
        yield self.prompt


class Scripted:
    """Ports, and what came through them."""

    def __init__(self, **changes: Any) -> None:
        self.runs: list[TestRun] = []
        self.asked: list[tuple[Problem, Plan]] = []
        self.clock = 0.0
        self.refuse: BadInput | None = None
        self.closed = 0
        self.ports = replace(
            Ports(
                launch=self._launch,
                models=lambda: MODELS,
                detect=_detect,
                estimate=_estimate,
                starters=lambda: STARTERS,
                now=lambda: self.clock,
                close=self._close,
            ),
            **changes,
        )

    def _launch(self, problem: Problem, plan: Plan) -> TestRun:
        if self.refuse is not None:
            raise self.refuse
        self.asked.append((problem, plan))
        self.runs.append(TestRun(problem, plan))
        return self.runs[-1]

    async def _close(self) -> None:
        self.closed += 1

    def app(
        self, draft: Draft | None = None, recording: RunSource | None = None, **settings: Any
    ) -> MonkeysApp:
        return MonkeysApp(
            self.ports,
            draft=draft,
            recording=recording,
            run_screen=PlainRunScreen,
            history=PromptHistory(None),
            **settings,
        )


def past_run(run_id: str, title: str = "What is 17 + 26?") -> PastRun:
    return PastRun(run_id, "2026-01-02T03:04:05+00:00", title, ("smollm2",), 64, "completed", "43", 0.5, "$0")


def _detect(text: str) -> tuple[Kind, str]:
    return ("code", "holds a function") if "def " in text else ("math", "asks for a number")


def _estimate(problem: Problem, plan: Plan) -> str:
    samples = plan.budget.samples
    return (
        f"{samples} samples of {', '.join(plan.models)}: about 9,000 tokens, 2.4 TFLOP, $0, some 70 seconds."
    )


SPENT = Amounts(usd=Decimal(0), flops=10, tokens=15, samples=1)

"""The program under load, for ``bench_terminal``: a real app on a run that has thousands of samples already
and streams on at a steady rate.

    python -m tests.benchmarks.loaded_app SAMPLES EVENTS_PER_SECOND
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator

import msgspec

from app.models.base import ChoiceDone, Delta, Piece, PromptRead, Request
from app.models.script_file import Header
from app.models.scripted import ScriptedBackend
from app.problems.problem import Problem
from app.runs.launch import Launcher
from app.runs.plan import Plan
from app.runs.source import LiveRun
from app.runs.state import RunState
from app.tui.app import MonkeysApp
from app.tui.draft import Draft
from app.tui.opening import calm_collector
from app.tui.ports import Ports
from budgets.amounts import Budget
from tests.app.runs.rigs import plan

PROBLEM = Problem(id="load", kind="math", prompt="How much is two and two?", answer="4")
STREAMS = 16
WORDS = 60


class Steady(ScriptedBackend):
    """One word of every stream at even steps of time; without a rate, as fast as it goes."""

    rate: float | None = None

    async def sample(self, request: Request) -> AsyncGenerator[Piece, None]:
        yield PromptRead(20)
        if self.rate is None:
            await asyncio.sleep(0)
            yield Delta(0, self.lines[request.seed % len(self.lines)].words, WORDS)
        else:
            clock = asyncio.get_running_loop()
            due = clock.time()
            for word in self.lines[request.seed % len(self.lines)].words.split(" "):
                due += STREAMS / self.rate
                await asyncio.sleep(max(0.0, due - clock.time()))
                yield Delta(0, word + " ", 1)
        yield ChoiceDone(0, "stop", WORDS)


async def loaded(samples: int) -> RunState:
    engine = Launcher(make=lambda _: _model(None)).open_run(PROBLEM, plan(samples=samples), run_id="load")
    async for _ in engine.run():
        pass
    return engine.state


def _model(rate: float | None) -> Steady:
    filler = " ".join(["so we count on and on"] * (WORDS // 6))
    lines = [f"Attempt {i}: {filler}. The answer is {4 if i % 3 else i % 50}." for i in range(501)]
    model = Steady(lines, Header(concurrency=STREAMS))
    model.rate = rate
    return model


def main() -> None:
    samples, rate = int(sys.argv[1]), float(sys.argv[2])
    state = asyncio.run(loaded(samples))

    def launch(problem: Problem, the_plan: Plan) -> LiveRun:
        endless = msgspec.structs.replace(the_plan, budget=Budget(samples=10**7))
        state.budget = endless.budget
        launcher = Launcher(make=lambda _: _model(rate))
        return launcher.open_run(problem, endless, run_id="load", prior=state)

    ports = Ports(
        launch=launch, models=lambda: (), detect=lambda _: ("math", "a test"), estimate=lambda *_: "a load"
    )
    draft = Draft(text=PROBLEM.prompt, answer="4", models=("scripted",))
    calm_collector()
    MonkeysApp(ports, draft=draft).run()


if __name__ == "__main__":
    main()

"""What engine tests share: a run on a scripted model, collected to its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from decimal import Decimal

from app.clock import Clock
from app.models.base import Settings
from app.models.script_file import Header, Line
from app.models.scripted import ScriptedBackend
from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.engine import Engine
from app.runs.launch import Launcher
from app.runs.plan import Plan
from app.runs.source import Store
from app.runs.state import RunState
from budgets.amounts import Budget

SUM = Problem(id="sum", kind="math", prompt="What is 17 + 26?", answer="43")
RIGHT = "17 and 26 make 43. The answer is 43."
WRONG = "17 and 26 make 33. The answer is 33."
HEADER = Header(concurrency=4, parameters=1000, layers=2, hidden=8, context=4096)


class ListStore:
    """Keeps what it is given, transaction by transaction."""

    def __init__(self) -> None:
        self.batches: list[tuple[ev.Event, ...]] = []

    def append(self, events: Sequence[ev.Event]) -> None:
        self.batches.append(tuple(event for event in events if not isinstance(event, ev.TextDelta)))

    @property
    def events(self) -> list[ev.Event]:
        return [event for batch in self.batches for event in batch]


class HurriedClock:
    """A clock on which waiting between tries costs a test nothing to speak of."""

    FACTOR = 500

    def now(self) -> float:
        return time.monotonic() * self.FACTOR

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.FACTOR)


def plan(
    *models: str,
    samples: int | None = None,
    tokens: int | None = None,
    usd: str | None = None,
    flops: int | None = None,
    seconds: float | None = None,
    max_tokens: int = 64,
    seed: int = 0,
    concurrency: int | None = None,
    first_verified: bool = False,
) -> Plan:
    return Plan(
        models=models or ("scripted",),
        settings=Settings(max_tokens=max_tokens),
        budget=Budget(
            usd=None if usd is None else Decimal(usd),
            flops=flops,
            tokens=tokens,
            samples=samples,
            seconds=seconds,
        ),
        seed=seed,
        concurrency=concurrency,
        stop="first-verified" if first_verified else "none",
    )


def engine_on(
    backends: ScriptedBackend | dict[str, ScriptedBackend],
    the_plan: Plan,
    *,
    store: Store | None = None,
    prior: RunState | None = None,
    problem: Problem = SUM,
    clock: Clock | None = None,
) -> Engine:
    """An engine on scripted models; one backend answers to every name."""
    found = backends if isinstance(backends, dict) else dict.fromkeys(the_plan.models, backends)
    launcher = Launcher(make=lambda name: found[name], clock=clock)
    return launcher.open_run(problem, the_plan, store=store, run_id="r1", prior=prior)


def scripted(
    *lines: Line | str, header: Header = HEADER, name: str = "scripted", tick: float = 0.001
) -> ScriptedBackend:
    return ScriptedBackend(lines or (RIGHT, WRONG, RIGHT, RIGHT), header, name=name, tick=tick)


async def collect(engine: Engine) -> list[ev.Event]:
    return [event async for event in engine.run()]

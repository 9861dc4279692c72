"""What tests of comparisons share: models that answer by a chance of their own for every problem."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence

from app.clock import Clock
from app.models.base import (
    BackendError,
    ChoiceDone,
    Delta,
    ModelInfo,
    Piece,
    Progress,
    Prompt,
    PromptRead,
    Request,
    Settings,
)
from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.compare.engine import Comparison
from app.runs.compare.launch import open_comparison
from app.runs.compare.state import ComparisonState
from app.runs.launch import Launcher
from app.runs.plan import Plan
from app.runs.source import Store
from budgets.allocation import Allocation
from budgets.amounts import Budget
from budgets.rates import Price, parse_price


def sums(count: int) -> list[Problem]:
    return [
        Problem(id=f"p{n}", kind="math", prompt=f"Problem {n}: what is {n} + {n}?", answer=str(2 * n))
        for n in range(1, count + 1)
    ]


class Guesser:
    """Answers problem n rightly with ``chances[n]``, by the seed and the problem alone; 20 tokens a sample.

    ``faults`` is the share of requests that fail once; ``broken`` fails for good from the start.
    """

    def __init__(
        self,
        name: str,
        chance: Callable[[int], float],
        *,
        choices: int = 1,
        local: bool = True,
        concurrency: int = 8,
        parameters: int = 1_000_000,
        faults: float = 0.0,
        broken: bool = False,
        pause: float = 0.0,
    ) -> None:
        self.info = ModelInfo(
            name=name,
            kind="scripted",
            local=local,
            stops_when_told=True,
            parameters=parameters,
            layers=2,
            hidden=8,
            context=4096,
            concurrency=concurrency,
            choices_per_request=choices,
        )
        self.requests: list[Request] = []
        self._chance = chance
        self._faults = faults
        self._broken = broken
        self._pause = pause
        self._failed: set[tuple[str, int]] = set()

    async def open(self, report: Callable[[Progress], None]) -> None:
        return

    async def close(self) -> None:
        return

    def prompt_tokens_at_most(self, prompt: Prompt) -> int:
        return 60

    async def sample(self, request: Request) -> AsyncGenerator[Piece, None]:
        self.requests.append(request)
        asked = request.prompt.messages[-1].content
        await asyncio.sleep(self._pause)
        if self._broken:
            raise BackendError("auth", "The key is not accepted.", retry=False)
        key = (asked, request.seed)
        if key not in self._failed and random.Random(f"fault {key}").random() < self._faults:
            self._failed.add(key)
            raise BackendError("server", "gone for a moment", retry=True, retry_after=0.0)
        yield PromptRead(50)
        for choice in range(request.choices):
            number = int(asked.split()[1].rstrip(":"))
            right = random.Random(
                f"{self.info.name} {asked} {request.seed + choice}"
            ).random() < self._chance(number)
            answer = 2 * number if right else 2 * number + random.Random(request.seed + choice).randint(1, 3)
            yield Delta(choice, f"The answer is {answer}.", 20)
            yield ChoiceDone(choice, "stop", 20)


def opened(
    models: Sequence[Guesser],
    problems: Sequence[Problem],
    *,
    samples_each: int | None = 4,
    budget: Budget | None = None,
    allocation: Allocation = "uniform",
    stop: str = "none",
    store: Store | None = None,
    prices: dict[str, str] | None = None,
    clock: Clock | None = None,
) -> Comparison:
    by_name = {model.info.name: model for model in models}
    launcher = Launcher(
        make=lambda name: by_name[name],
        prices={name: priced(text) for name, text in (prices or {}).items()},
    )
    plan = Plan(
        models=tuple(by_name),
        settings=Settings(max_tokens=40),
        budget=budget or Budget(),
        stop="first-verified" if stop == "first-verified" else "none",
    )
    return open_comparison(
        launcher,
        problems,
        plan,
        name="sums",
        run_id="c1",
        samples_each=samples_each,
        allocation=allocation,
        store=store,
        clock=clock,
    )


def priced(text: str) -> Price:
    return parse_price(text)


async def ended(comparison: Comparison) -> tuple[ComparisonState, list[ev.Event]]:
    events = [event async for event in comparison.run()]
    return comparison.state, events

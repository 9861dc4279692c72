"""From a problem and a plan to a run: finds the models, their prices and prompts, and refuses early.

All that can be refused before anything is spent is refused here, with the line that fixes it. A ``Launcher``
keeps models open between runs, so that a follow-up does not load its model again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from app.clock import Clock
from app.errors import BadInput, CannotPay
from app.models.base import Backend, ModelInfo, Progress, Settings
from app.problems.problem import Problem
from app.problems.repository import with_sources
from app.runs import events as ev
from app.runs.checkers import Checkers
from app.runs.costs import Meter
from app.runs.engine import Engine
from app.runs.estimate import estimate, most_dollars
from app.runs.grading import Checker
from app.runs.habits import Habits
from app.runs.hiring import Hiring, MakeReward
from app.runs.lanes import Lane
from app.runs.plan import DEFAULT_SAMPLES, Plan, with_default_limit
from app.runs.source import Store
from app.runs.state import RunState
from budgets.amounts import Budget
from budgets.rates import Price, gpu_cost, parse_price

MakeBackend = Callable[[str], Backend]


class Launcher:
    """Opens runs. ``make`` turns a model's name into a backend; ``prices`` are the user's own, by name;
    ``gpu_usd_per_hour`` what this machine costs while a local model works, where it costs anything.

    ``close`` when the program ends: it closes every model that a run opened.
    """

    def __init__(
        self,
        make: MakeBackend | None = None,
        *,
        prices: Mapping[str, Price] | None = None,
        clock: Clock | None = None,
        habits: Habits | None = None,
        gpu_usd_per_hour: Decimal | None = None,
        checker_for: Callable[[Problem], Checker | None] | None = None,
        make_reward: MakeReward | None = None,
    ) -> None:
        self._checkers = Checkers()
        self._checker_for = checker_for or self._checkers.checker_for
        self._make = make or _from_registry
        self._habits = habits
        self._gpu_usd_per_hour = gpu_usd_per_hour
        self._prices = prices or {}
        self._clock = clock
        self._kept: dict[str, _KeptOpen] = {}
        self._hiring = Hiring(self.connection, make_reward, self._checkers.programs)

    def open_run(
        self,
        problem: Problem,
        plan: Plan,
        *,
        store: Store | None = None,
        run_id: str,
        prior: RunState | None = None,
    ) -> Engine:
        """A run that is ready to iterate. ``prior`` goes on where a folded state stands.

        Raises ``BadInput`` for an empty problem, no model or a budget of nothing; ``CannotPay`` where a price
        or a size is unknown under a cap on dollars or FLOPs; what the registry raises for unknown models.
        """
        from app.models.prompts import stop_strings

        if not problem.prompt.strip():
            raise BadInput("The problem is empty.", "Write a question, or take one of the starter set.")
        if not plan.models:
            raise BadInput("No model is chosen.", "Name one, for example --model smollm2.")
        if len(set(plan.models)) != len(plan.models):
            raise BadInput("A model is named twice.", "Name each model once; raise --samples instead.")
        problem = with_sources(problem)
        plan = msgspec.structs.replace(
            plan,
            budget=with_default_limit(plan.budget),
            settings=_with_stops(plan.settings, stop_strings(problem, raw=plan.raw)),
        )
        check_budget(plan.budget)
        lanes = [self._lane(problem, plan, name) for name in plan.models]
        if len({lane.name for lane in lanes}) != len(lanes):
            raise BadInput("Two of the models call themselves the same.", "Give them different names.")
        notice, rate = "", self._gpu_usd_per_hour
        if prior is not None and prior.gpu_usd_per_hour is not None:
            rate = prior.gpu_usd_per_hour
        if not rate:
            plan, notice = _with_an_end(plan, [lane.meter for lane in lanes])
        helpers, warning = self._hiring.helpers(problem, plan)
        started = ev.RunStarted(
            at=0.0,
            run_id=run_id,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            problem=problem,
            plan=plan,
            models=tuple(lane.meter.info for lane in lanes),
            gpu_usd_per_hour=rate,
            helpers=helpers.infos,
        )
        if prior is not None:
            _same_servers(prior, [lane.meter.info for lane in lanes])
            _same_servers(prior, helpers.infos)
        learn = self._habits.learn if self._habits else None
        return Engine(
            started,
            lanes,
            store=store,
            clock=self._clock,
            prior=prior,
            ended=learn,
            notice=" ".join(filter(None, (notice, warning))),
            gpu_usd_per_hour=rate,
            checker=self._checker_for(problem),
            helpers=helpers,
        )

    def open_afterwards(self, problem: Problem, plan: Plan, *, prior: RunState) -> Engine:
        """A run that draws no samples: it only re-writes and scores those of ``prior``.

        Raises ``BadInput``, ``CannotPay`` and what the registries raise for the helpers of ``plan``.
        """
        helpers, notice = self._hiring.helpers(problem, plan)
        started = ev.RunStarted(
            at=0.0,
            run_id=prior.run_id,
            created=prior.created,
            problem=problem,
            plan=plan,
            models=tuple(prior.models.values()),
            helpers=helpers.infos,
        )
        return Engine(
            started,
            [],
            clock=self._clock,
            prior=prior,
            notice=notice,
            gpu_usd_per_hour=self._gpu_usd_per_hour,
            helpers=helpers,
        )

    def estimate(self, problem: Problem, plan: Plan) -> str:
        """One sentence: what the plan buys and costs. Raises as ``open_run`` does, but not for budgets."""
        problem = with_sources(problem)
        lanes = [
            self._lane(problem, msgspec.structs.replace(plan, budget=Budget()), name) for name in plan.models
        ]
        return estimate(
            plan,
            [lane.meter for lane in lanes],
            [lane.backend.prompt_tokens_at_most(lane.prompt) for lane in lanes],
            [self._habits.of(lane.name, problem.kind) if self._habits else None for lane in lanes],
            gpu_usd_per_hour=self._gpu_usd_per_hour,
        )

    def most_dollars(self, problem: Problem, plan: Plan) -> Decimal | None:
        """The most that a run of this plan may cost; ``None`` where nothing that is known bounds it."""
        problem = with_sources(problem)
        uncapped = msgspec.structs.replace(plan, budget=Budget())
        lanes = [self._lane(problem, uncapped, name) for name in plan.models]
        prompts = [lane.backend.prompt_tokens_at_most(lane.prompt) for lane in lanes]
        helpers, _ = self._hiring.helpers(problem, uncapped)
        infos = [*(lane.meter.info for lane in lanes), *helpers.infos]
        if plan.budget.usd is None and any(not info.local for info in helpers.infos):
            return None
        most = most_dollars(plan, [lane.meter for lane in lanes], prompts)
        rate = self._gpu_usd_per_hour
        if plan.budget.usd is not None or not rate or not any(info.local for info in infos):
            return most
        if most is None or plan.budget.seconds is None:
            return None
        working = sum(info.local for info in infos)
        return most + working * gpu_cost(rate, plan.budget.seconds)

    def info(self, name: str) -> ModelInfo:
        """What is known of a model without making it ready."""
        return self._backend(name).info

    def price(self, name: str) -> Price | None:
        """The user's own price of a model, else the published one, else ``None``."""
        from budgets.prices import price_of

        backend = self._backend(name)
        scripted = getattr(backend, "price", None)
        if isinstance(scripted, tuple):
            return parse_price(",".join(str(part) for part in scripted))
        published: str | None = getattr(backend, "price_name", name)
        return self._prices.get(name) or (price_of(published) if published else None)

    async def close(self) -> None:
        for backend in self._kept.values():
            await backend.close()
        self._kept.clear()
        await self._hiring.close()
        await self._checkers.close()

    def _backend(self, name: str) -> Backend:
        if name not in self._kept:
            self._kept[name] = _KeptOpen(self._make(name))
        return self._kept[name].backend

    def _lane(self, problem: Problem, plan: Plan, name: str) -> Lane:
        from app.models.prompts import build_prompt

        backend, price = self.connection(name, plan.budget)
        prompt = build_prompt(
            problem, backend.info, system=plan.system, shots=plan.shots, raw=plan.raw, own=plan.examples
        )
        return Lane(backend, Meter(backend.info, price), prompt)

    def connection(self, name: str, budget: Budget) -> tuple[Backend, Price | None]:
        """A model that stays open between runs, and its price. Raises ``CannotPay`` for one whose price is
        unknown under a cap on dollars."""
        info = self._backend(name).info
        price = None if info.local else self.price(name)
        if budget.usd is not None and price is None and not info.local:
            raise CannotPay(
                f"The price of {name} is unknown, so a cap in dollars cannot be kept.",
                "Give it in dollars per million tokens, for example --price 0.15,0.60, or cap samples.",
            )
        return self._kept[name], price


def _same_servers(prior: RunState, infos: Sequence[ModelInfo]) -> None:
    """A run goes on where it was sampled: the next request must not go to somebody else with a key.

    Raises ``BadInput``.
    """
    for info in infos:
        before = prior.models.get(info.name) or prior.helpers.get(info.name)
        if before is not None and before.server != info.server:
            raise BadInput(
                f"This run asked {info.name} at {before.server or 'this machine'}, "
                f"not at {info.server or 'this machine'}.",
                f"Give the same address again: --base-url with {before.server}.",
            )


def _with_an_end(plan: Plan, meters: Sequence[Meter]) -> tuple[Plan, str]:
    """Dollars alone never end a run of models that cost none: then the usual number of samples does."""
    only_dollars = plan.budget == Budget(usd=plan.budget.usd)
    if not only_dollars or not all(meter.price is None and meter.info.local for meter in meters):
        return plan, ""
    notice = f"These models cost no dollars, so the run ends at {DEFAULT_SAMPLES} samples."
    return msgspec.structs.replace(plan, budget=plan.budget.raised(samples=DEFAULT_SAMPLES)), notice


def _with_stops(settings: Settings, more: Sequence[str]) -> Settings:
    """The user's stop strings, and those that a plain completion needs to end where its answer does."""
    stop = (*settings.stop, *(text for text in more if text not in settings.stop))
    return msgspec.structs.replace(settings, stop=stop)


def check_budget(budget: Budget) -> None:
    """Refuse caps that buy nothing at all. Raises ``BadInput`` or ``CannotPay``."""
    for what in ("usd", "flops", "tokens", "samples", "seconds"):
        cap = getattr(budget, what)
        if cap is not None and cap <= 0 and what != "usd":
            raise BadInput(
                f"A limit of {cap} {what} buys nothing.", "Give a limit above zero, or leave it out."
            )


class _KeptOpen:
    """A backend that is opened once however many runs use it, and closed by the launcher alone."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._open = False
        self._opening = asyncio.Lock()
        self.sample = backend.sample
        self.prompt_tokens_at_most = backend.prompt_tokens_at_most

    @property
    def info(self) -> ModelInfo:
        return self.backend.info

    @property
    def notes(self) -> Sequence[str]:
        """What the backend has found out for the user, if it tells such things."""
        notes: Sequence[str] = getattr(self.backend, "notes", ())
        return notes

    @property
    def load(self) -> object:
        """What the model's server says of itself now, where it says anything."""
        return getattr(self.backend, "load", None)

    async def open(self, report: Callable[[Progress], None]) -> None:
        async with self._opening:  # a model may sample and translate: the second one waits for the first
            if not self._open:
                await self.backend.open(report)
                self._open = True

    async def close(self) -> None:
        if self._open:
            self._open = False
            await self.backend.close()


def _from_registry(name: str) -> Backend:
    from app.models.registry import backend_for

    return backend_for(name)

"""Finding a run's helpers by their names: the translator, and what scores.

What cannot be had, or not be paid under a cap on dollars, is refused here, before anything is spent. Reward
models stay open between runs, as other models do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from app.errors import CannotPay
from app.models.base import Backend, ModelInfo, Progress
from app.models.rewards.base import RewardModel, WritingReward
from app.problems.problem import Problem
from app.runs.helpers import AskingHelper, Helper, Helpers, ScoringHelper
from app.runs.plan import Plan
from budgets.amounts import Budget
from budgets.rates import Price

if TYPE_CHECKING:
    from verifiers.cotnpot.check import Box

MakeReward = Callable[[str], RewardModel | WritingReward]
Connect = Callable[[str, Budget], tuple[Backend, Price | None]]

_NO_PROGRAMS = "Solutions of this kind are not re-written as programs, so the translator is left out."


class Hiring:
    """``connect`` gives a chat model and its price, ``make_reward`` what scores under a name, ``box`` the
    sandbox that programs run in. ``close`` when the program ends."""

    def __init__(self, connect: Connect, make_reward: MakeReward | None, box: Callable[[], Box]) -> None:
        self._connect = connect
        self._make_reward = make_reward or _from_registry
        self._box = box
        self._kept: dict[str, OpenOnce] = {}
        self._asking: dict[str, WritingReward] = {}

    def helpers(self, problem: Problem, plan: Plan) -> tuple[Helpers, str]:
        """The helpers of a run, and what people should know of them. Raises ``CannotPay``, and what the
        registries raise for names that mean nothing or cannot be had here."""
        translator, notice = None, ""
        if plan.translator is not None and problem.kind in ("math", "code"):
            translator = self._helper(plan.translator, plan.budget)
        elif plan.translator is not None:
            notice = _NO_PROGRAMS
        reward = None if plan.reward is None else self._reward(plan.reward, plan.budget)
        return Helpers(translator, reward, self._box), notice

    def _helper(self, name: str, budget: Budget) -> Helper:
        backend, price = self._connect(name, budget)
        return Helper(backend.info.name, backend, price)

    def _reward(self, name: str, budget: Budget) -> ScoringHelper | AskingHelper:
        if name not in self._kept and name not in self._asking:
            made = self._make_reward(name)
            if hasattr(made, "model") and not hasattr(made, "open"):
                self._asking[name] = made
            else:
                self._kept[name] = OpenOnce(made)  # type: ignore[arg-type]  # told apart by `open`
        if name in self._asking:
            asking = self._asking[name]
            return AskingHelper(asking, self._helper(asking.model, budget))
        kept = self._kept[name]
        if budget.usd is not None and kept.info is not None and not kept.info.local:
            raise CannotPay(
                f"What {name} costs is unknown, so a cap in dollars cannot be kept.",
                "Take another --reward, or cap samples or tokens.",
            )
        return ScoringHelper(kept, None)

    async def close(self) -> None:
        for kept in self._kept.values():
            await kept.close()
        self._kept.clear()
        self._asking.clear()


class OpenOnce:
    """A reward model that is opened once however many runs use it, and closed by who keeps it."""

    def __init__(self, model: RewardModel) -> None:
        self._model = model
        self._opened = False
        self._opening = asyncio.Lock()
        self.name = model.name
        self.batch = model.batch
        self.score = model.score
        self.tokens_at_most = model.tokens_at_most

    @property
    def info(self) -> ModelInfo | None:
        return self._model.info

    async def open(self, report: Callable[[Progress], None]) -> None:
        async with self._opening:
            if not self._opened:
                await self._model.open(report)
                self._opened = True

    async def close(self) -> None:
        if self._opened:
            self._opened = False
            await self._model.close()


def _from_registry(name: str) -> RewardModel | WritingReward:
    from app.models.rewards.registry import reward_of

    return reward_of(name)

"""The models of a run that draw no samples: its translator, and what scores.

Found by name before the run, so that what cannot be had or paid is refused before anything is spent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.errors import PartMissing
from app.models.base import Backend, ModelInfo, Progress
from app.models.rewards.base import RewardModel, WritingReward
from budgets.rates import Price

if TYPE_CHECKING:
    from verifiers.cotnpot.check import Box


def no_sandbox() -> Box:
    raise PartMissing("Programs cannot be run here.", None)


@dataclass(frozen=True, slots=True)
class Helper:
    """A chat model that is asked for something besides samples."""

    name: str
    backend: Backend
    price: Price | None

    @property
    def info(self) -> ModelInfo:
        return self.backend.info

    async def open(self, report: Callable[[Progress], None]) -> None:
        await self.backend.open(report)


@dataclass(frozen=True, slots=True)
class ScoringHelper:
    """A reward model, and the price of what it reads."""

    model: RewardModel
    price: Price | None

    @property
    def name(self) -> str:
        """What the user called it."""
        return self.model.name

    @property
    def infos(self) -> tuple[ModelInfo, ...]:
        return (self.model.info,) if self.model.info is not None else ()

    async def open(self, report: Callable[[Progress], None]) -> None:
        await self.model.open(report)


@dataclass(frozen=True, slots=True)
class AskingHelper:
    """A reward that is found by asking a chat model."""

    reward: WritingReward
    asked: Helper

    @property
    def name(self) -> str:
        return self.reward.name

    @property
    def infos(self) -> tuple[ModelInfo, ...]:
        return (self.asked.info,)

    async def open(self, report: Callable[[Progress], None]) -> None:
        await self.asked.open(report)


@dataclass(frozen=True, slots=True)
class Helpers:
    """``sandbox`` gives the box that programs run in, and is asked where there is a translator."""

    translator: Helper | None
    reward: ScoringHelper | AskingHelper | None
    sandbox: Callable[[], Box] = no_sandbox

    @property
    def infos(self) -> tuple[ModelInfo, ...]:
        """What is known of them, each model once."""
        found = (self.translator.info,) if self.translator is not None else ()
        return tuple(
            {info.name: info for info in (*found, *(self.reward.infos if self.reward else ()))}.values()
        )

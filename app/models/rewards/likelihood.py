"""``likelihood``: what the sampling model itself thought of its sample. It costs nothing and is a weak judge:
fluent mistakes are likely too. It is the baseline that every other reward has to beat."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from app.models.base import ModelInfo, Progress
from app.problems.problem import Problem
from verifiers.ports import Score, Solution

_UNKNOWN = "the sampling model's server gives no log-probabilities"


class LikelihoodReward:
    """The mean log-probability of a sample's tokens under the model that drew it, in nats a token."""

    name = "likelihood"
    batch = 4096

    @property
    def info(self) -> ModelInfo | None:
        return None

    async def open(self, report: Callable[[Progress], None]) -> None:
        report(Progress("ready", 1.0))

    def tokens_at_most(self, problem: Problem, solutions: Sequence[Solution]) -> int:
        return 0

    async def score(self, problem: Problem, solutions: Sequence[Solution]) -> list[Score]:
        return [_score(solution.mean_logprob) for solution in solutions]

    async def close(self) -> None:
        return


def _score(mean_logprob: float | None) -> Score:
    if mean_logprob is None or not math.isfinite(mean_logprob):
        return Score(None, _UNKNOWN)
    return Score(mean_logprob)

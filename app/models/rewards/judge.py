"""``judge:MODEL``: any chat model, asked what it thinks of each solution. How is in ``verifiers.rewards``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from app.problems.problem import Problem
from verifiers.ports import Score, Solution, Writer
from verifiers.rewards.judge import REPLIES, judge_solution, settle_ties


class JudgeReward:
    """``model`` judges every solution ``replies`` times. Rewards are in 0..1."""

    def __init__(self, model: str, replies: int = REPLIES) -> None:
        self.name = f"judge:{model}"
        self.model = model
        self._replies = replies

    async def score(self, writer: Writer, problem: Problem, solutions: Sequence[Solution]) -> list[Score]:
        asked = (judge_solution(writer, problem.prompt, solution, self._replies) for solution in solutions)
        return list(await asyncio.gather(*asked))

    async def settle(
        self, writer: Writer, problem: Problem, solutions: Sequence[Solution], scores: Sequence[Score]
    ) -> list[Score]:
        return await settle_ties(writer, problem.prompt, problem.kind, solutions, scores, self._replies)

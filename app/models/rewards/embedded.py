"""``embedded``: the reward model that is always there, on this machine's own cores and without a network.

It is weak, and its card (``verifiers.rewards.head``) says how weak. It was fitted to solutions of math
problems and judges no others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from app.models.base import ModelInfo, Progress
from app.models.rewards.fitting import TRUNCATED
from app.models.rewards.hidden_states import LONGEST, TEMPLATE_TOKENS, TOGETHER, StateReader, States
from app.problems.problem import Problem
from verifiers.ports import Score, Solution
from verifiers.rewards.features import cheap_features

if TYPE_CHECKING:
    from verifiers.rewards.head import Head

_LAYERS, _HIDDEN = 18, 576
_PARAMETERS = 92_033_856  # of SmolLM2-135M cut after 18 of its 30 layers
_OTHER_KINDS = "the embedded reward model judges math problems only"


class EmbeddedReward:
    """Rewards are chances of being right, in 0..1, as the head sees them."""

    name = "embedded"
    batch = TOGETHER

    def __init__(self) -> None:
        self._reader = StateReader(_LAYERS)
        self._head: Head | None = None
        self._info = ModelInfo(
            name=self.name,
            kind="embedded",
            local=True,
            stops_when_told=True,
            parameters=_PARAMETERS,
            layers=_LAYERS,
            hidden=_HIDDEN,
            context=LONGEST,
            concurrency=1,
        )

    @property
    def info(self) -> ModelInfo | None:
        return self._info

    async def open(self, report: Callable[[Progress], None]) -> None:
        """Raises ``PartMissing`` where the weights cannot be had."""
        from verifiers.rewards.head import embedded_head

        self._head = embedded_head()
        await self._reader.open(report)
        report(Progress("ready", 1.0))

    async def close(self) -> None:
        await self._reader.close()

    def tokens_at_most(self, problem: Problem, solutions: Sequence[Solution]) -> int:
        if problem.kind != "math":
            return 0
        asked = len(problem.prompt.encode("utf-8", "replace")) + TEMPLATE_TOKENS
        texts = (len(solution.text.encode("utf-8", "replace")) for solution in solutions)
        return sum(min(asked + text, LONGEST) for text in texts)

    async def score(self, problem: Problem, solutions: Sequence[Solution]) -> list[Score]:
        if problem.kind != "math":
            return [Score(None, _OTHER_KINDS)] * len(solutions)
        states = await self._reader.read(problem.prompt, [solution.text for solution in solutions])
        return [
            self._score(problem, solution, state) for solution, state in zip(solutions, states, strict=True)
        ]

    def _score(self, problem: Problem, solution: Solution, states: States) -> Score:
        if self._head is None:
            raise RuntimeError("open first")
        if not solution.text.strip():
            return Score(None, "the solution is empty", tokens=states.read)
        features = cheap_features(problem.prompt, solution.text, solution.answer, solution.mean_logprob)
        state = states.at.mean(axis=0).tolist() if len(states.at) else None
        chance = self._head.chance(state, features)
        return Score(chance, TRUNCATED if states.truncated else "", states.truncated, states.read)

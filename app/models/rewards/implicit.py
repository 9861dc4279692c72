"""``implicit:NAME``: a model's own mean token log-probability of a solution is the reward.

That is what a SimPO-trained verifier scores by (Liang et al. 2024, arXiv 2410.05318): in training,
(beta / |y|) log pi(y | x) of right solutions is pushed above that of wrong ones, without a reference model.
The model is asked to write one token it need not, because a server gives the log-probabilities of a
prompt (``prompt_logprobs``) only beside a completion.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from app.models.base import ModelInfo, Progress
from app.models.rewards.fitting import TRUNCATED, Conversation
from app.models.rewards.server import RewardServer, converted, in_order
from app.models.rewards.vllm_reward import conversation_bound, finite, server_info
from app.models.vllm_plan import Wanted
from app.problems.problem import Problem
from verifiers.ports import Score, Solution
from verifiers.rewards.quoting import harmless
from verifiers.safe_text import clean

BATCH = 16
_WRITTEN = 1  # token


class _Choice(msgspec.Struct):
    index: int
    prompt_logprobs: list[dict[str, Any] | None] | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]


class ImplicitReward:
    """The model called ``name`` by a vLLM server, one that writes (``--runner generate``, the default)."""

    batch = BATCH

    def __init__(
        self,
        name: str,
        base_url: str | None,
        api_key: str | None = None,
        *,
        wanted: Wanted | None = None,
    ) -> None:
        self.name = f"implicit:{name}"
        self._server = RewardServer(name, base_url, api_key, wanted=wanted)
        self._info = server_info(self.name, name, self._server)

    @property
    def info(self) -> ModelInfo | None:
        return self._info

    async def open(self, report: Callable[[Progress], None]) -> None:
        await self._server.open(report)
        self._info = msgspec.structs.replace(self._info, context=self._server.context)

    async def close(self) -> None:
        await self._server.close()

    def tokens_at_most(self, problem: Problem, solutions: Sequence[Solution]) -> int:
        context = self._info.context
        return sum(conversation_bound(problem, solution, context) + _WRITTEN for solution in solutions)

    async def score(self, problem: Problem, solutions: Sequence[Solution]) -> list[Score]:
        texts = await asyncio.gather(*(self._text(problem, solution) for solution in solutions))
        asked = [text for text in texts if text.body]
        found: dict[int, Score] = {}
        if asked:
            body = {
                "prompt": [text.whole for text in asked],
                "max_tokens": _WRITTEN,
                "temperature": 0,
                "prompt_logprobs": 0,
            }
            answer = converted(
                await self._server.post("/v1/completions", body), _Completion, self._server.shown
            )
            choices = in_order(answer.choices, len(asked), self._server.shown)
            found = {id(text): _score(text, one) for text, one in zip(asked, choices, strict=True)}
        return [found.get(id(text), Score(None, "the solution is empty")) for text in texts]

    async def _text(self, problem: Problem, solution: Solution) -> Conversation:
        head = await self._server.head(harmless(clean(problem.prompt)))
        body = await self._server.text_tokens(harmless(clean(solution.text)))
        return self._server.fitted(head, body, _WRITTEN)


def _score(text: Conversation, choice: _Choice) -> Score:
    """The mean over the solution's tokens, each by its own identifier: a server may add likelier ones."""
    read = len(text.whole)
    given = choice.prompt_logprobs
    if given is None or len(given) != read:
        told = "none" if given is None else str(len(given))
        why = f"the server gave {told} of {read} log-probabilities of the prompt"
        return Score(None, why, text.truncated, read)
    total = 0.0
    for token, options in zip(text.body, given[len(text.head) :], strict=True):
        entry = (options or {}).get(str(token))
        logprob = finite(entry.get("logprob") if isinstance(entry, dict) else entry)
        if logprob is None:
            return Score(None, "the server gave a token no log-probability", text.truncated, read)
        total += logprob
    return Score(total / len(text.body), TRUNCATED if text.truncated else "", text.truncated, read)

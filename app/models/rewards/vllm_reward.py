"""``vllm:NAME``: a reward model behind a vLLM pooling server, outcome or process.

An outcome model gives a solution one number, its raw logit (``/classify``). A process model gives every step
a chance of being right (``/pooling``, token level), which are reduced to the last, the least or the product.
Which of the two a server holds is found out when it is opened.

A process model may answer with a row for each token or a row for each step mark (vLLM's STEP pooling); both
are read. Its steps are marked as it was trained: Qwen's and Math-Shepherd's models are known by their names,
any other is given a blank line after each step.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from app.errors import PartMissing
from app.models.base import BackendError, Message, ModelInfo, Progress, Prompt
from app.models.openai_bound import prompt_tokens_at_most
from app.models.rewards.fitting import TRUNCATED, Conversation
from app.models.rewards.server import RewardServer, converted, in_order
from app.models.vllm_plan import Wanted, size_of_model
from app.problems.problem import Problem
from verifiers.ports import Score, Solution
from verifiers.rewards.quoting import harmless
from verifiers.rewards.steps import Reduction, reduced, split_steps
from verifiers.safe_text import clean

BATCH = 32
_TOKENS_OF_MARK = 8
_MARKS = (("math-shepherd", " ки\n"), ("qwen", "<extra_0>"))


class _Class(msgspec.Struct):
    index: int
    probs: list[float | None]


class _Classes(msgspec.Struct):
    data: list[_Class]


class _Rows(msgspec.Struct):
    index: int
    data: list[Any]


class _Pooled(msgspec.Struct):
    data: list[_Rows]


class VllmReward:
    """A model that scores, called ``name`` by the server at ``base_url``, or by one that is found or started
    on this machine as ``wanted`` says. ``steps`` asks for a process model and says how
    its steps become one reward; ``None`` takes an outcome model, or else the least of a process model's."""

    batch = BATCH

    def __init__(
        self,
        name: str,
        base_url: str | None,
        api_key: str | None = None,
        *,
        wanted: Wanted | None = None,
        steps: Reduction | None = None,
        step_mark: str | None = None,
    ) -> None:
        self.name = f"vllm:{name}" + (f"#{steps}" if steps else "")
        self._server = RewardServer(name, base_url, api_key, wanted=wanted)
        self._steps = steps
        self._mark = step_mark or _mark_of(name)
        self._info = server_info(self.name, name, self._server)

    @property
    def info(self) -> ModelInfo | None:
        return self._info

    async def open(self, report: Callable[[Progress], None]) -> None:
        await self._server.open(report)
        self._info = msgspec.structs.replace(self._info, context=self._server.context)
        if self._steps is None:
            await self._find_out_kind()

    async def _find_out_kind(self) -> None:
        try:
            outcome = await self._server.offers("/classify")
        except BackendError as error:
            await self.close()
            fix = "Start it with: monkeys models serve --reward, or vllm serve --runner pooling."
            raise PartMissing(f"{self.name} cannot score: {error.message}", fix) from None
        except BaseException:
            await self.close()
            raise
        if not outcome:
            self._steps = "min"

    async def close(self) -> None:
        await self._server.close()

    def tokens_at_most(self, problem: Problem, solutions: Sequence[Solution]) -> int:
        return sum(self._bound(problem, solution) for solution in solutions)

    def _bound(self, problem: Problem, solution: Solution) -> int:
        marks = _TOKENS_OF_MARK * len(split_steps(solution.text)) if self._steps else 0
        return conversation_bound(problem, solution, self._info.context) + marks

    async def score(self, problem: Problem, solutions: Sequence[Solution]) -> list[Score]:
        if not solutions:
            return []
        return await (self._outcomes if self._steps is None else self._processes)(problem, solutions)

    async def _outcomes(self, problem: Problem, solutions: Sequence[Solution]) -> list[Score]:
        server = self._server
        texts = await asyncio.gather(
            *(server.conversation(problem.prompt, solution.text) for solution in solutions)
        )
        body = {"input": [text.whole for text in texts], "use_activation": False}
        answer = converted(await server.post("/classify", body), _Classes, server.shown)
        parts = in_order(answer.data, len(texts), server.shown)
        return [_outcome(part.probs, text) for part, text in zip(parts, texts, strict=True)]

    async def _processes(self, problem: Problem, solutions: Sequence[Solution]) -> list[Score]:
        server = self._server
        marked = await asyncio.gather(*(self._marked(problem, solution) for solution in solutions))
        scored = [place for place, (_, ends) in enumerate(marked) if ends]
        scores = [Score(None, "the solution has no step to score")] * len(solutions)
        if not scored:
            return scores
        body = {"input": [marked[place][0].whole for place in scored], "task": "token_classify"}
        answer = converted(await server.post("/pooling", body), _Pooled, server.shown)
        parts = in_order(answer.data, len(scored), server.shown)
        for place, part in zip(scored, parts, strict=True):
            scores[place] = self._process(part.data, *marked[place])
        return scores

    async def _marked(self, problem: Problem, solution: Solution) -> tuple[Conversation, list[int]]:
        """The conversation with a mark after each step, and where among its tokens the marks end."""
        server = self._server
        head = await server.head(harmless(clean(problem.prompt)))
        steps = [harmless(step) + self._mark for step in split_steps(solution.text)]
        parts = await asyncio.gather(*(server.text_tokens(step) for step in steps))
        text = server.fitted(head, tuple(token for part in parts for token in part))
        end = len(head) + sum(map(len, parts))
        lost = end - len(text.whole)
        ends, at = [], len(head)
        for part in parts:
            at += len(part)
            if at - lost > len(text.head):
                ends.append(at - lost - 1)
        return text, ends

    def _process(self, rows: Sequence[Any], text: Conversation, ends: Sequence[int]) -> Score:
        read = len(text.whole)
        if len(rows) == read:
            rows = [rows[end] for end in ends]
        elif len(rows) != len(ends):
            why = f"the reward server gave {len(rows)} scores for {len(ends)} steps of {read} tokens"
            return Score(None, why, text.truncated, read)
        chances = [_chance(row) for row in rows]
        told = [chance for chance in chances if chance is not None]
        if len(told) < len(chances):
            return Score(None, "the reward server gave a step no number", text.truncated, read)
        reward = reduced(told, self._steps or "min")
        return Score(reward, TRUNCATED if text.truncated else "", text.truncated, read)


def conversation_bound(problem: Problem, solution: Solution, context: int | None) -> int:
    """The most tokens of problem and solution in a template, no more than the context."""
    messages = (Message("user", problem.prompt), Message("assistant", solution.text))
    most = prompt_tokens_at_most(Prompt(messages))
    return most if context is None else min(most, context)


def server_info(shown_as: str, name: str, server: RewardServer) -> ModelInfo:
    """What the run's ledger needs of a model behind a server."""
    size = size_of_model(name)
    return ModelInfo(
        name=shown_as,
        kind="vllm",
        local=server.loopback,
        stops_when_told=False,
        parameters=size.parameters if size else None,
        active_parameters=size.active_parameters if size else None,
        layers=size.layers if size else None,
        hidden=size.hidden if size else None,
        context=size.context if size else None,
        server=None if server.ours else server.shown,
    )


def finite(number: object) -> float | None:
    """``number`` if it is one."""
    if isinstance(number, (int, float)) and math.isfinite(number):
        return float(number)
    return None


def _outcome(logits: Sequence[float | None], text: Conversation) -> Score:
    read = len(text.whole)
    told = [finite(logit) for logit in logits]
    if len(told) not in (1, 2):
        why = f"the reward model has {len(told)} classes; one number, or wrong and right, is needed"
        return Score(None, why, text.truncated, read)
    right, wrong = told[-1], told[0] if len(told) == 2 else 0.0
    if right is None or wrong is None:
        return Score(None, "the reward server answered with no number", text.truncated, read)
    return Score(right - wrong, TRUNCATED if text.truncated else "", text.truncated, read)


def _chance(row: object) -> float | None:
    """A step's chance of being right: the number of a row of one, the second of a row of two."""
    if isinstance(row, list) and len(row) in (1, 2):
        return finite(row[-1])
    return finite(row)


def _mark_of(name: str) -> str:
    return next((mark for part, mark in _MARKS if part in name.lower()), "\n\n")

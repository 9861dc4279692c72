"""``hf:PATH``: a Hugging Face model in this process, in a thread of its own so that nothing freezes.

PyTorch is large and not part of the plain installation; without it the name is refused with the line that
installs it.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from app.models.base import BackendError, ModelInfo, Progress
from app.models.rewards.hf_model import Scorer, load_scorer
from app.models.rewards.vllm_reward import conversation_bound
from app.problems.problem import Problem
from verifiers.ports import Score, Solution

BATCH = 8


class HfReward:
    """The model in the folder ``path``, or of that name on the hub. ``load`` is replaced in tests."""

    batch = BATCH

    def __init__(self, path: str, load: Callable[[str], Scorer] = load_scorer) -> None:
        self.name = f"hf:{path}"
        self._path, self._load = path, load
        self._info = ModelInfo(
            name=self.name, kind="embedded", local=True, stops_when_told=True, **_sizes(path)
        )
        self._scorer: Scorer | None = None
        self._one_at_a_time = asyncio.Lock()

    @property
    def info(self) -> ModelInfo | None:
        return self._info

    async def open(self, report: Callable[[Progress], None]) -> None:
        """Raises ``PartMissing`` without PyTorch, ``BadInput`` for what cannot be loaded."""
        report(Progress("loading the reward model"))
        scorer = self._scorer = await asyncio.to_thread(self._load, self._path)
        self._info = msgspec.structs.replace(
            self._info,
            parameters=scorer.parameters,
            layers=scorer.layers,
            hidden=scorer.hidden,
            context=scorer.context,
        )

    def tokens_at_most(self, problem: Problem, solutions: Sequence[Solution]) -> int:
        return sum(conversation_bound(problem, solution, self._info.context) for solution in solutions)

    async def score(self, problem: Problem, solutions: Sequence[Solution]) -> list[Score]:
        scorer = self._scorer
        if scorer is None:
            raise RuntimeError("open first")
        texts = [solution.text for solution in solutions]
        stopped = threading.Event()
        async with self._one_at_a_time:
            work = asyncio.ensure_future(
                asyncio.to_thread(scorer.score, problem.prompt, texts, stopped.is_set)
            )
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                stopped.set()
                await asyncio.wait([work])  # the solution at hand, a moment; a thread cannot be broken off
                raise
            except (RuntimeError, MemoryError, ValueError) as error:
                words = " ".join(str(error).split())[:200] or type(error).__name__
                raise BackendError("crashed", f"{self.name} failed: {words}", retry=False) from None

    async def close(self) -> None:
        self._scorer = None


def _sizes(path: str) -> dict[str, Any]:
    """What a model's own folder says of it before it is loaded."""
    try:
        told = json.loads((Path(path).expanduser() / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    named = {"layers": "num_hidden_layers", "hidden": "hidden_size", "context": "max_position_embeddings"}
    known = {ours: told.get(theirs) for ours, theirs in named.items()} if isinstance(told, dict) else {}
    return {name: value for name, value in known.items() if isinstance(value, int)}

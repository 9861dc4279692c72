"""The seam between a run and whatever scores its samples.

A reward model reads a problem and some of its solutions and gives each a number. It makes no promise of
scale; the rules read a scale off the rewards. Like a backend it keeps an upper bound on what it will read, so
that its cost can be reserved before it is asked, and a cancelled call leaves nothing running.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from app.models.base import ModelInfo, Progress
from app.problems.problem import Problem
from verifiers.ports import Score, Solution, Writer


class RewardModel(Protocol):
    """One reward model. ``open`` makes it ready, ``close`` leaves nothing behind; ``score`` may be called
    many times at once.

    ``name`` is what the user gave (``embedded``, ``likelihood``, ``vllm:NAME``, ``judge:MODEL``, …).
    ``info`` sizes it for the FLOP formula and names its server; ``None`` for one that costs nothing.
    ``batch`` is the most solutions one call takes.
    """

    name: str
    batch: int

    @property
    def info(self) -> ModelInfo | None: ...

    async def open(self, report: Callable[[Progress], None]) -> None:
        """Get ready. Raises ``app.errors.MonkeysError`` with the fix when a needed part is missing."""
        ...

    def tokens_at_most(self, problem: Problem, solutions: Sequence[Solution]) -> int:
        """An upper bound on the tokens that scoring these reads; 0 where it reads none."""
        ...

    async def score(self, problem: Problem, solutions: Sequence[Solution]) -> list[Score]:
        """One score a solution, in order. Raises ``BackendError`` where the whole call failed."""
        ...

    async def close(self) -> None: ...


class WritingReward(Protocol):
    """A reward found by asking a chat model, which writes: each reply is paid by the ``Writer`` itself, so
    the run reserves nothing for the score beyond it."""

    name: str
    model: str
    """The chat model to be asked, by its name."""

    async def score(self, writer: Writer, problem: Problem, solutions: Sequence[Solution]) -> list[Score]:
        """One score a solution, in order. A reply that the model failed to write, or that cannot be read, is
        a score without a reward; nothing is raised for it."""
        ...

    async def settle(
        self, writer: Writer, problem: Problem, solutions: Sequence[Solution], scores: Sequence[Score]
    ) -> list[Score]:
        """To be asked once, when no more samples are to come, with all that ``score`` said: the near-best may
        be compared with each other. The scores anew, in order; those given where there is nothing to do."""
        ...

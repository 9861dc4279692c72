"""How a problem is to be sampled: which models, which settings, which budget, when to stop."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import msgspec

from app.models.base import Settings
from app.problems.problem import Worked
from budgets.amounts import Budget

DEFAULT_SAMPLES = 64
"""With no limit given at all. With any other limit, as many samples as it pays for."""

StopRule = Literal["none", "first-verified", "settled", "worth-it"]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """``concurrency`` is the most samples in flight per model; ``None`` leaves it to the model.

    ``shrink``: near the end of a budget, samples may be shorter rather than money be left over.
    ``reward`` and ``translator`` name what scores the samples and what re-writes them as programs, ``None``
    for neither. ``translation_share`` is the part of the budget, in 0..1, that translations may take.
    """

    models: tuple[str, ...]
    settings: Settings = Settings()
    budget: Budget = Budget()
    seed: int = 0
    concurrency: int | None = None
    stop: StopRule = "none"
    system: str | None = None
    shots: int | None = None
    raw: bool = False
    shrink: bool = False
    reward: str | None = None
    translator: str | None = None
    translation_share: float = 0.5
    examples: tuple[Worked, ...] = ()
    """Shown in place of the program's own worked examples."""


def with_default_limit(budget: Budget) -> Budget:
    """The budget itself, or 64 samples where it sets no limit."""
    if budget == Budget():
        return replace(budget, samples=DEFAULT_SAMPLES)
    return budget

"""A solution as the steps that a process reward model scores, and the steps' scores as one reward.

The reductions are the ones in use for process models: the last step's score (Lightman et al. 2023 and
Qwen2.5-Math-PRM report it beside the others), the least ("Let's Verify Step by Step", Math-Shepherd), and the
product, the chance that all steps are right if they were independent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias, get_args

from verifiers.safe_text import clean

Reduction: TypeAlias = Literal["last", "min", "product"]
REDUCTIONS: Final[tuple[Reduction, ...]] = get_args(Reduction)

_MOST_STEPS = 200


def split_steps(solution: str) -> list[str]:
    """The steps of ``solution`` in order: its paragraphs, or its lines where it is one paragraph. None is
    empty. The last of a great many holds all that is left."""
    text = clean(solution).strip()
    parts = re.split(r"\n[ \t]*(?:\n[ \t]*)+", text)
    if len(parts) == 1:
        parts = text.split("\n")
    steps = [part.strip() for part in parts if part.strip()]
    if len(steps) > _MOST_STEPS:
        steps[_MOST_STEPS - 1 :] = ["\n".join(steps[_MOST_STEPS - 1 :])]
    return steps


def reduced(scores: Sequence[float], how: Reduction) -> float:
    """One reward for the scores of a solution's steps. Raises ``ValueError`` where there are none."""
    if not scores:
        raise ValueError("no steps")
    if how == "last":
        return scores[-1]
    if how == "min":
        return min(scores)
    return math.prod(scores)

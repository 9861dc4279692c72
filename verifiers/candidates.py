"""What the rules that choose look at: each sample's answer, and whatever else is known of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from verifiers.normal import normal_form
from verifiers.verdicts import Kind, Verdict

ProgramStatus: TypeAlias = Literal["agrees", "differs", "failed", "not-run"]
"""How the answer of a program written from a sample compares with the sample's own."""

Scale: TypeAlias = Literal["probability", "score"]
"""What a reward is: a chance between 0 and 1, or a number of any size and sign, such as a logit."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sample as the rules see it. ``key`` is its answer's normal form: equal keys are equal answers."""

    sample: int
    answer: str | None
    key: str | None
    reward: float | None = None
    program: ProgramStatus | None = None
    verdict: Verdict | None = None


def candidate(
    sample: int,
    answer: str | None,
    kind: Kind,
    *,
    key: str | None = None,
    reward: float | None = None,
    program: ProgramStatus | None = None,
    verdict: Verdict | None = None,
) -> Candidate:
    """A sample of a problem of ``kind``. ``key`` is its answer's, where the caller knows more than its normal
    form (see ``math.keys``). A reward that is no finite number is none."""
    return Candidate(
        sample,
        answer,
        None if answer is None else key or normal_form(answer, kind),
        reward if reward is not None and math.isfinite(reward) else None,
        program,
        verdict,
    )


def scale_of(rewards: Iterable[float]) -> Scale:
    """Probabilities if every reward lies between 0 and 1, else scores."""
    return "probability" if all(0 <= reward <= 1 for reward in rewards) else "score"


def logistic(score: float) -> float:
    """1 / (1 + e^-score), which reads a logit as a chance; without overflow at either end."""
    if score >= 0:
        return 1 / (1 + math.exp(-score))
    small = math.exp(score)
    return small / (1 + small)

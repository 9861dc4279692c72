"""What can be read off a solution without a model: the cheap half of the embedded reward.

Every feature is a plain number that says the same of any sampler's text. What is unknown is ``None`` and
counts as average, so that a missing log-probability says nothing about who wrote a solution.
"""

from __future__ import annotations

import math
import re
from typing import Final

from verifiers.normal import normal_form
from verifiers.rewards.sums import calculations, numbers_in

NAMES: Final = (
    "mean log-probability",
    "log length",
    "ends with an answer",
    "answers more than once",
    "right calculations",
    "wrong calculations",
    "share of wrong calculations",
    "answer is a right calculation's result",
    "answer is a wrong calculation's result",
    "answer is a number of the problem",
    "share of the problem's numbers used",
    "numbers from nowhere",
)
"""The features in their order."""

_ANSWERING: Final = re.compile(r"\banswers?\b|####|\\boxed\b", re.IGNORECASE)


def cheap_features(
    problem: str, solution: str, answer: str | None, mean_logprob: float | None
) -> tuple[float | None, ...]:
    """One value for each of ``NAMES``. ``mean_logprob`` is the sampler's own, in nats a token."""
    sums = calculations(solution)
    right = [sum_ for sum_ in sums if sum_.right]
    wrong = [sum_ for sum_ in sums if not sum_.right]
    asked = set(numbers_in(problem))
    used = set(numbers_in(solution))
    claimed = {sum_.claimed for sum_ in sums}
    final = _number(answer)
    return (
        mean_logprob if mean_logprob is not None and math.isfinite(mean_logprob) else None,
        math.log1p(len(solution)),
        float(answer is not None),
        float(len(_ANSWERING.findall(solution)) > 1),
        math.log1p(len(right)),
        math.log1p(len(wrong)),
        len(wrong) / len(sums) if sums else None,
        float(final is not None and final in {sum_.claimed for sum_ in right}),
        float(final is not None and final in {sum_.claimed for sum_ in wrong}),
        float(final is not None and final in asked),
        len(asked & used) / len(asked) if asked else None,
        math.log1p(len(used - asked - claimed)),
    )


def _number(answer: str | None) -> object:
    """An answer as a number, where it is one."""
    found = numbers_in(normal_form(answer, "math")) if answer is not None else []
    return found[-1] if len(found) == 1 else None

"""Coverage from samples that were not drawn evenly.

Where a problem stops at its first right sample, c / n is too high (one sample in one try says 1.0), and so is
every pass@k computed from it. Two things may still be read off:

* For k up to the fewest samples of any unsolved problem, the share of problems that were solved within their
  first k samples. Each problem's first k samples are what they would have been without the rule, so this is
  unbiased for coverage at k (the success time of a geometric variable is observed up to k).
* Beyond that, what rests on likelihoods alone (``budgets.forecast``): the chance of the same samples under
  any difficulty does not depend on why sampling stopped (the likelihood principle; Berger & Wolpert 1988).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from budgets.coverage import posterior_interval

__all__ = ["Tries", "fewest_tries", "solved_within"]


@dataclass(frozen=True, slots=True)
class Tries:
    """One problem: ``decided`` samples, the first right one of which was number ``first``, counted from 1;
    ``None`` where none was right."""

    decided: int
    first: int | None = None


def fewest_tries(tries: Sequence[Tries]) -> int:
    """The highest k that ``solved_within`` can tell; 0 without problems."""
    unsolved = [each.decided for each in tries if each.first is None]
    return min(unsolved) if unsolved else max((each.first or 0 for each in tries), default=0)


def solved_within(tries: Sequence[Tries], k: int, level: float = 0.9) -> tuple[float, float, float]:
    """Coverage at ``k``, and its Jeffreys interval as a share of so many problems.

    Raises ``ValueError`` for no problems, or k below 1 or above ``fewest_tries``.
    """
    if not tries:
        raise ValueError("Coverage needs at least one problem.")
    if not 1 <= k <= fewest_tries(tries):
        raise ValueError(f"Coverage at {k} cannot be told: the fewest tries are {fewest_tries(tries)}.")
    solved = sum(each.first is not None and each.first <= k for each in tries)
    return solved / len(tries), *posterior_interval(len(tries), solved, 1, level)

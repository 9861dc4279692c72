"""What agreement says of a run that nothing can check: is the pick right, is a right answer there at all?

Nobody can know; these are estimates. They are read off the leading answer's share of the samples by two
curves fitted on samples whose answers are known, of several systems and kinds of questions
(``confidence.json`` says which). ``tests/acceptance/confidence_fit.py`` fits them, and
``test_confidence_bars.py`` beside it measures how far off they are, also on sets that the fit has not seen:
right to a few points over all cases, but up to 20 points off on a single set. The same agreement means
less where a system errs in unison, and more where different systems agree; from counts alone that cannot be
told, which is why nothing finer than a curve in one figure is fitted.

Only answers that can meet are evidence: two right programs or proofs are rarely the same text, so for these
nothing is stated.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

__all__ = ["Confidence", "Curve", "confidence", "confidence_on", "covered_figure", "pick_figure"]

Kind = Literal["math", "code", "proof", "patch", "open"]
_COMPARABLE = ("math", "open")


@dataclass(frozen=True, slots=True)
class Confidence:
    """Estimated chances, in 0..1: that the most frequent answer is right, and that a right one is among all
    that were given."""

    pick_right: float
    covered: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Log-odds of the chance: ``level + slope * figure``."""

    level: float
    slope: float

    def chance(self, figure: float) -> float:
        return 1 / (1 + math.exp(-(self.level + self.slope * figure)))


def confidence(votes: Iterable[int], samples: int, kind: Kind = "math") -> Confidence | None:
    """The estimate from the counts of equal answers among ``samples``, those without an answer included.

    ``None`` for kinds whose answers cannot be compared. Without any answer both chances are 0: nothing was
    picked, and nothing is there. Raises ``ValueError`` for more votes than samples.
    """
    return confidence_on(*_fitted(), votes, samples) if kind in _COMPARABLE else None


def confidence_on(pick: Curve, covered: Curve, votes: Iterable[int], samples: int) -> Confidence:
    """The estimate by these two curves. Where only one answer was given, both chances are the same one."""
    counts = [count for count in votes if count > 0]
    if sum(counts) > samples:
        raise ValueError(f"{samples} samples cannot have cast {sum(counts)} votes.")
    if not counts:
        return Confidence(0.0, 0.0)
    leader = max(counts)
    right = pick.chance(pick_figure(leader, samples))
    if len(counts) == 1:
        return Confidence(right, right)
    return Confidence(right, max(right, covered.chance(covered_figure(leader, samples))))


def pick_figure(leader: int, samples: int) -> float:
    """The log-odds of the leader's share, with half a vote more on either side."""
    return math.log((leader + 0.5) / (samples - leader + 0.5))


def covered_figure(leader: int, samples: int) -> float:
    """The same with one and a half votes more against: few samples are no sign of a lost problem."""
    return math.log((leader + 0.5) / (samples - leader + 1.5))


@cache
def _fitted() -> tuple[Curve, Curve]:
    told: dict[str, Any] = json.loads(files("budgets").joinpath("confidence.json").read_bytes())
    return Curve(**told["pick_right"]), Curve(**told["covered"])

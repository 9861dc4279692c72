"""How often a rule picks a right answer from k of the samples there are: its line beside coverage.

For one problem with a known answer. What lies between the two lines is what more samples find and no pick
brings back: the gap between coverage and the picks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.runs.state import Sample

RULE: Final = "majority"
LEAST: Final = 8
"""Samples below which subsets of them say nothing."""
_FEWEST, _MOST, _CELLS = 100, 400, 40_000
"""Subsets drawn: as many as make a smooth line of few samples, and stay cheap for many."""


@dataclass(frozen=True, slots=True)
class Precision:
    """``points`` are (k, share of subsets of k samples from which the pick is right), k rising."""

    points: tuple[tuple[int, float], ...]

    def at(self, k: int) -> float | None:
        return next((share for size, share in self.points if size == k), None)

    @property
    def middle(self) -> int:
        """A k that says most: far enough from the end that subsets differ, far enough on to be a vote."""
        n = self.points[-1][0]
        return max((size for size, _ in self.points if 4 * size <= n), default=1)


def precision_of(samples: Sequence[Sample | None]) -> Precision | None:
    """The majority's, from the finished samples; ``None`` while there are too few, or none is right. For a
    thread of its own: ten thousand samples take half a second."""
    from verifiers.accuracy import accuracy_curves
    from verifiers.candidates import Candidate

    candidates = [
        Candidate(sample.index, sample.answer, sample.group, verdict=sample.verdict)
        for sample in samples
        if sample is not None and sample.status == "finished"
    ]
    if len(candidates) < LEAST or all(each.verdict != "right" for each in candidates):
        return None
    subsets = max(_FEWEST, min(_MOST, _CELLS // len(candidates)))
    found = accuracy_curves([candidates], subsets=subsets).rules[RULE]
    return None if found is None else Precision(tuple((k, point.mean) for k, point in found.items()))

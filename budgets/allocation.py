"""Which problem of a set gets the next sample.

Three purposes, three orders:

``uniform``   the problem with the fewest samples, so that every problem has the same number: coverage is read
              off as pass@k, and any moment is a fair place to stop.
``solve``     solved problems stop. Of the others the one whose next sample is the likeliest to solve it for
              its cost: after n wrong samples that chance is about 1 / (n + 1.5) of what it was (a Beta prior
              with half a success), so that failures count against a problem and dear samples do as well.
``estimate``  the problem with the fewest right samples, which tells most about the set's coverage at many
              samples (Kazdan et al. 2025, arXiv 2510.05197), and of equals the one with the fewest samples.

How much an unsolved problem's wrong answers agree was tried as a sign of which can be solved. It is none: on
word puzzles agreement went with problems that were solved later, on programs disagreement did, and following
either needed more samples than going round.

An order that looks at results biases every plain average of them: ``budgets.adaptive`` says what may still be
read off such counts.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Final, Literal, get_args

Allocation = Literal["uniform", "solve", "estimate"]
ALLOCATIONS: Final[tuple[Allocation, ...]] = get_args(Allocation)

_HALF: Final = 1.5


@dataclass(slots=True)
class Progress:
    """What is known of one problem: ``drawn`` samples are there or in flight, ``right`` of them are right.
    ``cost`` is the mean of its samples so far, in any unit, ``None`` before the first."""

    drawn: int = 0
    right: int = 0
    cost: float | None = None


class Allocator:
    """The order of one model's problems. ``progress`` is read and changed by its owner, who says ``changed``
    where a problem may have moved forward; moving back is noticed. A choice takes logarithmic time.

    ``most`` is the most samples of one problem; ``first_right`` stops a problem at its first right sample, as
    ``solve`` always does. Equals go to the earlier problem.
    """

    def __init__(
        self, allocation: Allocation, problems: int, *, most: int | None = None, first_right: bool = False
    ) -> None:
        self.progress = [Progress() for _ in range(problems)]
        self._allocation = allocation
        self._most = most
        self._stops = first_right or allocation == "solve"
        self._heap: list[tuple[tuple[float, ...], int]] = []
        self.allow(most)

    def next(self) -> int | None:
        """The place of the problem to draw the next sample of, ``None`` where no more is wanted of any."""
        heap = self._heap
        while heap:
            known, place = heap[0]
            rank = self._rank(self.progress[place])
            if rank is None:
                heapq.heappop(heap)
            elif rank > known:
                heapq.heapreplace(heap, (rank, place))
            else:
                return place
        return None

    def left(self, place: int) -> int | None:
        """How many more samples of the problem are wanted at the most; ``None`` without a limit."""
        one = self.progress[place]
        if self._stops and one.right:
            return 0
        return None if self._most is None else max(0, self._most - one.drawn)

    def changed(self, place: int) -> None:
        rank = self._rank(self.progress[place])
        if rank is not None:
            heapq.heappush(self._heap, (rank, place))

    def allow(self, most: int | None) -> None:
        """Change the most samples of one problem."""
        self._most = most
        ranked = ((self._rank(one), place) for place, one in enumerate(self.progress))
        self._heap = [(rank, place) for rank, place in ranked if rank is not None]
        heapq.heapify(self._heap)

    def _rank(self, one: Progress) -> tuple[float, ...] | None:
        """Lower is sooner; ``None`` where no more is wanted."""
        if (self._most is not None and one.drawn >= self._most) or (self._stops and one.right):
            return None
        if self._allocation == "uniform":
            return (one.drawn,)
        if self._allocation == "estimate":
            return (one.right, one.drawn)
        return ((one.drawn + _HALF) * one.cost,) if one.cost is not None else (0.0, one.drawn)

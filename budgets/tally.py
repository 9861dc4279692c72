"""Coverage while samples come in, one at a time, for very many of them.

A sample changes one problem, so only that problem's row is worked out anew, and only when somebody looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from budgets.laws import pass_at_each

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Tally"]


class Tally:
    """Counts of right samples by problem, and the set's coverage at fixed ``ks``."""

    def __init__(self, ks: Sequence[int]) -> None:
        import numpy as np

        if not ks or min(ks) < 1:
            raise ValueError("Coverage is asked at k of at least 1.")
        self.ks = tuple(ks)
        self._k = np.asarray(ks, dtype=np.float64)
        self._places: dict[str, int] = {}
        self._n: list[int] = []
        self._correct: list[int] = []
        self._changed: set[int] = set()
        self._rows: NDArray[np.float64] = np.empty((0, len(self.ks)))

    def add(self, problem: str, right: bool) -> None:
        """One more decided sample of ``problem``."""
        place = self._places.get(problem)
        if place is None:
            place = self._places[problem] = len(self._n)
            self._n.append(0)
            self._correct.append(0)
        self._n[place] += 1
        self._correct[place] += right
        self._changed.add(place)

    @property
    def counts(self) -> list[tuple[int, int]]:
        """(n, c) of every problem, in the order of their first samples."""
        return list(zip(self._n, self._correct, strict=True))

    def curve(self) -> list[float | None]:
        """Coverage at each of ``ks``; None where k exceeds the fewest samples of any problem."""
        if not self._n:
            return [None] * len(self.ks)
        self._refresh()
        fewest = min(self._n)
        means = self._rows.mean(axis=0)
        return [float(mean) if k <= fewest else None for k, mean in zip(self.ks, means, strict=True)]

    def _refresh(self) -> None:
        import numpy as np

        if len(self._rows) < len(self._n):
            more = np.zeros((len(self._n) - len(self._rows), len(self.ks)))
            self._rows = np.concatenate([self._rows, more])
        if not self._changed:
            return
        places = sorted(self._changed)
        n = np.array([self._n[place] for place in places], dtype=np.float64)
        correct = np.array([self._correct[place] for place in places], dtype=np.float64)
        # A k beyond a problem's n has no estimate; the row is filled with that at n, and never shown.
        self._rows[places] = pass_at_each(n, correct, np.minimum(self._k, n[:, None]))
        self._changed.clear()

"""How many samples a server bears at once, found out by what it refuses and what it finishes.

Additive increase, multiplicative decrease (Chiu and Jain 1989), as TCP does it: a burst of refusals halves
the ceiling at the most, whatever the number of refusals in it; every finished sample raises it a little. So
two clients of one server settle on fair shares, and none of them swings between everything and nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

_SMALLEST_STEP = 1 / 4


@dataclass(slots=True)
class Pace:
    """``ceiling`` is the most samples in flight that the server has shown it bears; infinite until it refuses
    some. Below ``calm`` it rises quickly again."""

    ceiling: float = inf
    calm: float = 0.0
    _floor: float = 0.0
    """Half of the ceiling before the last burst of refusals: one burst lowers it no further."""
    _step: float = 1.0
    """Places tried anew each round: fewer where the last tries were refused, because each refusal costs a
    wait."""
    _mark: float = 0.0
    """The ceiling when it was last refused, or last seen to be too low."""

    def width(self, asked: int) -> int:
        """How many of the ``asked`` may be in flight now, at least one."""
        return min(asked, int(self.ceiling)) if self.ceiling < asked else asked

    def served(self) -> None:
        """A sample ended well: the ceiling rises, by one a sample at first, then by one a round or less."""
        if self.ceiling == inf:
            return
        self.ceiling += 1.0 if self.ceiling < self.calm else self._step / self.ceiling
        if self.ceiling >= self._mark + 2:
            self._step, self._mark = min(1.0, 2 * self._step), self.ceiling

    def crowded(self, in_flight: int, asked: int, *, anew: bool) -> None:
        """The server took no more: what it is still working on is what it bears. ``anew``: this refusal does
        not belong to the burst before it. ``asked`` is the most that was to be in flight."""
        if anew:
            before = min(self.ceiling, float(asked))
            self._floor, self.calm = before / 2, before * 3 / 4
            self._step = max(_SMALLEST_STEP, self._step / 2)
        self.ceiling = self._mark = min(self.ceiling, max(1.0, self._floor, float(in_flight)))

"""How fast a run goes now, in tokens."""

from __future__ import annotations

from collections import deque
from typing import Final

_WINDOW: Final = 5.0
"""Seconds that count as now."""
_STEP: Final = 0.25
"""What arrives within so many seconds is one entry: a fast run must not keep one for each piece."""


class Speed:
    """Counts tokens as they come, by the run's own clock."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, int]] = deque()

    def add(self, at: float, tokens: int) -> None:
        recent = self._recent
        if recent and at - recent[-1][0] < _STEP:
            recent[-1] = (recent[-1][0], recent[-1][1] + tokens)
            return
        recent.append((at, tokens))
        while recent and recent[0][0] < at - 2 * _WINDOW:
            recent.popleft()

    def at(self, now: float) -> float:
        """Tokens a second over the last few seconds before ``now``."""
        seen = sum(tokens for at, tokens in self._recent if at >= now - _WINDOW)
        span = min(now, _WINDOW)
        return seen / span if span > 0 else 0.0

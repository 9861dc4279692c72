"""What a failed request means for its model and its samples: another try, a rest, or the end of trying."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from app.models.base import BackendError
from app.runs.flight import NEVER_ARRIVED
from app.runs.lanes import Lane

ATTEMPTS: Final = 4
"""How often a model may work on one sample in vain before it is given up."""
FAILURES_IN_A_ROW: Final = 6
"""After so many failed requests without one success between, a model is set aside."""
_LONGEST_BACKOFF: Final = 30.0


class Retries:
    """The failures of one run, by sample. ``seed`` spreads the waits."""

    def __init__(self, seed: int) -> None:
        self._jitter = random.Random(seed)  # noqa: S311 - spreads retries, guards nothing
        self._attempts: dict[int, int] = {}

    def after(
        self, error: BackendError, lane: Lane, lost: Sequence[int], *, started: float, at: float, now: float
    ) -> bool:
        """Take note of a request that lost these samples, and say whether they are tried again.

        ``started`` and ``at`` are seconds of the run, ``now`` is the clock's.
        """
        anew = started >= lane.failed_at  # what left before the last failure shares its cause
        crowded = error.kind == "rate-limit" and error.retry
        if anew:
            lane.failures_in_a_row += not (crowded and lane.in_flight)  # it works, and bears no more
            lane.failed_at = at
        if crowded:
            lane.crowded(anew=anew)
        if error.kind not in NEVER_ARRIVED:
            for index in lost:
                self._attempts[index] = self._attempts.get(index, 0) + 1
        if error.retry:
            wait = min(_LONGEST_BACKOFF, 0.25 * 2.0**lane.failures_in_a_row) * self._jitter.uniform(0.5, 1.0)
            lane.rests_until = max(lane.rests_until, now + max(error.retry_after or 0.0, wait))
        return error.retry and all(self._attempts.get(index, 0) < ATTEMPTS for index in lost)

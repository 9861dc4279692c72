"""How much processor time something takes, for tests that guard against quadratic work."""

from __future__ import annotations

import time
from collections.abc import Callable


def least_cpu(work: Callable[[], object], times: int = 3) -> float:
    """CPU seconds of the cheapest of a few runs: a collector at work in between is not ours."""
    costs: list[float] = []
    for _ in range(times):
        start = time.process_time()
        work()
        costs.append(time.process_time() - start)
    return min(costs)

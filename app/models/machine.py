"""What this machine lets a model use: cores and memory, as the container or the user's limits leave them."""

from __future__ import annotations

import os
from pathlib import Path

MOST_THREADS = 8
"""Small models gain nothing from more, and threads that wait for each other burn cores."""
_ASSUMED_MEMORY = 4 << 30  # bytes, where the system does not say


def cores(control_group: Path = Path("/sys/fs/cgroup")) -> int:
    """Cores this process may use: affinity, cut by the control group's quota, at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _words(control_group / "cpu.max")
    if len(quota) == 2 and quota[0].isdigit() and quota[1].isdigit() and int(quota[1]):
        allowed = min(allowed, int(quota[0]) // int(quota[1]))
    return max(allowed, 1)


def threads_for_model() -> int:
    """One core stays with the interface where there are two or more."""
    return max(1, min(cores() - 1, MOST_THREADS))


def memory_available(system: Path = Path("/proc/meminfo")) -> int:
    """Bytes that could be used without swapping."""
    for line in _lines(system):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return _ASSUMED_MEMORY


def _words(path: Path) -> list[str]:
    return [word for line in _lines(path) for word in line.split()]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []

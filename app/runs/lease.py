"""Who may write a run: one process, as long as it lives.

A lease names its holder well enough that any other program can tell a live one from a dead one at once: the
machine since its last start, the process namespace (containers share a kernel but not process ids), the
process id, and when that process began (ids are used again). Where the holder lives somewhere else and
cannot be looked at, it counts as alive while it wrote within the last minute.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import msgspec

FRESH = 60.0
"""Seconds since its last write during which a holder that cannot be looked at counts as alive."""


class Writer(msgspec.Struct, frozen=True, kw_only=True):
    """One process. ``began`` is opaque: equal for the same process, empty where the system does not tell."""

    place: str
    pid: int
    began: str


def this_process() -> Writer:
    return Writer(place=_place(), pid=os.getpid(), began=_began(os.getpid()) or "")


def is_alive(writer: Writer, seen: float, now: float) -> bool:
    """Whether ``writer``, which last wrote at ``seen`` (seconds since 1970, as ``now``), still lives."""
    if writer.place != _place() or os.name == "nt":  # on Windows, signal 0 is no question: it kills
        return now - seen < FRESH
    try:
        os.kill(writer.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    except OSError:
        return False
    began = _began(writer.pid)
    return began is None or not writer.began or began == writer.began


def _place() -> str:
    def read(*paths: str) -> str:
        for path in paths:
            try:
                return (
                    os.readlink(path) if path.startswith("/proc/self/ns") else Path(path).read_text().strip()
                )
            except OSError:
                continue
        return ""

    return f"{read('/proc/sys/kernel/random/boot_id') or socket.gethostname()} {read('/proc/self/ns/pid')}"


def _began(pid: int) -> str | None:
    """When the process began, in the system's ticks; ``gone`` for a zombie, which writes no more; ``None``
    where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return "gone" if fields[0] in "ZX" else fields[19]

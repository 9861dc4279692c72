"""A freshly cloned process walls itself in, in this order, before a stranger's first line runs.

Own session (``kill(0, 9)`` crosses pid namespaces but not sessions), own ``/tmp``, no ``/proc``, descriptors
closed, limits, no capabilities, and last the seccomp filter, which forbids most of the steps before it. Any
step that fails ends the process with ``SETUP_FAILED``: a program never runs half walled in.
"""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from verifiers.sandbox.inside import kernel
from verifiers.sandbox.inside.seccomp import strict_filter

SETUP_FAILED: Final = 113
SCRATCH_MB: Final = 64
FILE_MB: Final = 16
OPEN_FILES: Final = 64
PROCESSES: Final = 128

_own_namespace_filter: bytes | None = None


@dataclass(frozen=True, slots=True)
class Walls:
    """What one program gets. ``memory_mb`` is counted on top of what the warm interpreter has mapped."""

    namespaces: bool
    memory_mb: int
    cpu_seconds: int
    descriptors: tuple[int, ...]
    """The process's descriptors 0, 1, 2, 3, ... to be; all others are closed."""


def prepare() -> None:
    """Build in the parent what every child needs."""
    global _own_namespace_filter
    _own_namespace_filter = strict_filter()


def enter(walls: Walls, program: Callable[[], int]) -> None:
    """Wall this process in, run ``program`` and end the process with what it returns. Never returns."""
    status = SETUP_FAILED
    try:
        _wall_in(walls)
    except BaseException as error:  # noqa: BLE001  whatever went wrong, the program must not run
        os.write(2, f"the box could not be closed: {error}\n".encode())
        os._exit(SETUP_FAILED)
    try:
        status = program()
    finally:
        os._exit(status)


def _wall_in(walls: Walls) -> None:
    os.setsid()
    _arrange_descriptors(walls.descriptors)
    if walls.namespaces:
        _map_one_user()
        options = f"size={SCRATCH_MB}m,nr_inodes=4096,mode=0700"
        kernel.mount_tmpfs("/tmp", kernel.MS_NOSUID | kernel.MS_NODEV, options)  # noqa: S108
        hide = kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
        kernel.mount_tmpfs("/proc", hide, "size=4k,nr_inodes=2,mode=0555")
    os.chdir("/tmp")  # noqa: S108
    _reset_signals()
    _set_limits(walls)
    if walls.namespaces:
        kernel.drop_all_capabilities()
        kernel.install_filter(_own_namespace_filter or strict_filter())
    else:
        kernel.install_filter(strict_filter(only_pid=os.getpid()))


def _map_one_user() -> None:
    """One user and one group exist in the new namespace: those we already are outside."""
    user, group = 1000, 1000
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(descriptor, line.encode())
        os.close(descriptor)


def _arrange_descriptors(wanted: tuple[int, ...]) -> None:
    # First out of each other's way, then to their places.
    spare = [_duplicate_above(descriptor, 32 + len(wanted)) for descriptor in wanted]
    for place, descriptor in enumerate(spare):
        os.dup2(descriptor, place, inheritable=True)
    os.closerange(len(wanted), resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _duplicate_above(descriptor: int, lowest: int) -> int:
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD, lowest)


def _reset_signals() -> None:
    for number in (signal.SIGPIPE, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL if number != signal.SIGPIPE else signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.set_wakeup_fd(-1)


def _set_limits(walls: Walls) -> None:
    megabyte = 1 << 20
    limits = {
        resource.RLIMIT_AS: mapped_bytes() + walls.memory_mb * megabyte,
        resource.RLIMIT_CPU: walls.cpu_seconds,
        resource.RLIMIT_FSIZE: FILE_MB * megabyte,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_NPROC: PROCESSES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_NICE: 0,
        resource.RLIMIT_RTPRIO: 0,
    }
    if sys.platform != "linux":
        return
    for which, value in limits.items():
        ceiling = resource.getrlimit(which)[1]
        least = value if ceiling == resource.RLIM_INFINITY else min(value, ceiling)
        resource.setrlimit(which, (least, least))


_mapped = 0


def measure_mapped() -> None:
    """Remember how much the warm interpreter has mapped; a child has no ``/proc`` to ask."""
    global _mapped
    with open("/proc/self/statm", encoding="ascii") as statm:
        _mapped = int(statm.read().split()[0]) * resource.getpagesize()


def mapped_bytes() -> int:
    return _mapped

"""What holds a command's memory and processes, from the best to the least.

    a cgroup of our own · a scope that the user's systemd makes · limits on each process, and a watch

A test command may start any number of processes, and a limit on each of them limits nothing. A cgroup counts
them all, shared memory and scratch files included. Where none can be made, each process gets an address
space limit, and someone outside adds up what all of them hold ten times a second; the verdict says so.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

_PROBE_SECONDS: Final = 5.0
_counter = itertools.count()


class Holder(Protocol):
    """Holds one command. ``prefix`` stands before the command line; ``limits_each`` asks for an address space
    limit on every process besides."""

    name: str
    limits_each: bool

    @property
    def prefix(self) -> tuple[str, ...]: ...

    def out_of_memory(self) -> bool:
        """Whether something was killed because there was no more."""
        ...

    def peak_mb(self) -> float | None: ...

    def close(self) -> None: ...


class Cgroup:
    """Folders of the kernel's that hold one command: one in the unified hierarchy, or one for memory and one
    for the number of processes in the older ones."""

    name = "cgroup"
    limits_each = False

    def __init__(self, memory: Path, pids: Path | None, *, unified: bool) -> None:
        self._memory = memory
        self._folders = [memory] if unified or pids is None else [memory, pids]
        self._unified = unified

    @classmethod
    def make(cls, memory_mb: int, processes: int) -> Cgroup | None:
        """A new one, ``None`` where this process may make none."""
        for parent, pids_parent, unified in _parents():
            _sweep(parent, pids_parent)
            name = f"monkeys-{os.getpid()}-{next(_counter)}"
            made: list[Path] = []
            try:
                for folder in dict.fromkeys((parent, pids_parent)):
                    if folder is not None:
                        (folder / name).mkdir()
                        made.append(folder / name)
                limit = str(memory_mb << 20)
                if unified:
                    (made[0] / "memory.max").write_text(limit)
                    with contextlib.suppress(OSError):
                        (made[0] / "memory.swap.max").write_text("0")
                        (made[0] / "memory.oom.group").write_text("1")
                else:
                    (made[0] / "memory.limit_in_bytes").write_text(limit)
                    with contextlib.suppress(OSError):
                        (made[0] / "memory.memsw.limit_in_bytes").write_text(limit)
                (made[-1] / "pids.max").write_text(str(processes))
            except OSError:
                for folder in made:
                    with contextlib.suppress(OSError):
                        folder.rmdir()
                continue
            return cls(made[0], made[-1], unified=unified)
        return None

    @property
    def prefix(self) -> tuple[str, ...]:
        joins = " && ".join(f'echo $$ > "${place}/cgroup.procs"' for place in range(len(self._folders)))
        start = f'{joins} && shift {len(self._folders) - 1} && exec "$@"'
        return ("/bin/sh", "-c", start, *map(str, self._folders))

    def out_of_memory(self) -> bool:
        file = "memory.events" if self._unified else "memory.oom_control"
        found = re.search(r"^oom_kill (\d+)$", _read(self._memory / file), re.MULTILINE)
        return found is not None and int(found[1]) > 0

    def peak_mb(self) -> float | None:
        file = "memory.peak" if self._unified else "memory.max_usage_in_bytes"
        text = _read(self._memory / file).strip()
        return int(text) / (1 << 20) if text.isdigit() else None

    def close(self) -> None:
        """End whatever is left in it, and remove it."""
        if self._unified:
            with contextlib.suppress(OSError):
                (self._memory / "cgroup.kill").write_text("1")
        for folder in self._folders:
            for _ in range(50):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.01)


class SystemdScope:
    """A scope that the user's own systemd makes; it goes when the last process in it ends."""

    name = "systemd scope"
    limits_each = False

    def __init__(self, executable: str, memory_mb: int, processes: int) -> None:
        self._executable = executable
        self._limits = (f"MemoryMax={memory_mb}M", "MemorySwapMax=0", f"TasksMax={processes}")

    @classmethod
    def make(cls, memory_mb: int, processes: int) -> SystemdScope | None:
        found = shutil.which("systemd-run")
        if found is None or "XDG_RUNTIME_DIR" not in os.environ:
            return None
        return cls(found, memory_mb, processes)

    @property
    def prefix(self) -> tuple[str, ...]:
        limits = itertools.chain.from_iterable(("--property", limit) for limit in self._limits)
        return (self._executable, "--user", "--scope", "--quiet", "--collect", *limits, "--")

    def out_of_memory(self) -> bool:
        return False

    def peak_mb(self) -> float | None:
        return None

    def close(self) -> None:
        pass


class Watched:
    """No cgroup: limits on each process, and the sum of all by ``Watch``."""

    name = "limits on each process and a watch over their sum"
    limits_each = True
    prefix: tuple[str, ...] = ()

    def out_of_memory(self) -> bool:
        return False

    def peak_mb(self) -> float | None:
        return None

    def close(self) -> None:
        pass


def best_holder(memory_mb: int, processes: int) -> Holder:
    """The best that works here, ready for one command; ``close`` it afterwards."""
    for kind in (Cgroup, SystemdScope):
        if kind in _unusable:
            continue
        holder = kind.make(memory_mb, processes)
        if holder is None:
            _unusable.add(kind)
        elif kind in _proven or _holds(holder):
            _proven.add(kind)
            return holder
        else:
            holder.close()
            _unusable.add(kind)
    return Watched()


_proven: set[type] = set()
_unusable: set[type] = set()


def _holds(holder: Holder) -> bool:
    """Whether a process can really be put into it."""
    try:
        tried = subprocess.run(  # noqa: S603  our own command line
            [*holder.prefix, "/bin/sh", "-c", "exit 0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


class Watch:
    """The sum over a process and all its descendants, seen from outside. Whoever leaves the tree is adopted
    by the first process of the box, which is in it."""

    def __init__(self, root: int) -> None:
        self._root = root
        self.peak_mb = 0.0

    def look(self) -> tuple[float, int]:
        """Megabytes that no other shares, and how many processes."""
        page = os.sysconf("SC_PAGE_SIZE")
        pages = count = 0
        waiting = [self._root]
        while waiting:
            pid = waiting.pop()
            count += 1
            sizes = _read(Path(f"/proc/{pid}/statm")).split()
            pages += int(sizes[1]) - int(sizes[2]) if len(sizes) > 2 else 0
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                waiting += map(int, _read(children).split())
        megabytes = pages * page / (1 << 20)
        self.peak_mb = max(self.peak_mb, megabytes)
        return megabytes, count


def _parents() -> Iterator[tuple[Path, Path | None, bool]]:
    """Where a cgroup could be made: (for memory, for processes, whether the hierarchy is unified)."""
    own = dict(line.split(":", 2)[1:] for line in _read(Path("/proc/self/cgroup")).splitlines())
    mounts = _cgroup_mounts()
    if "" in mounts and "" in own:
        root = mounts[""]
        place = root / own[""].lstrip("/")
        for folder in (place, *place.parents):
            if "memory" in _read(folder / "cgroup.subtree_control").split() and os.access(folder, os.W_OK):
                yield folder, None, True
            if folder == root:
                break
    if "memory" in mounts and "pids" in mounts:
        found = []
        for controller in ("memory", "pids"):
            path = next((path for names, path in own.items() if controller in names.split(",")), "/")
            inside = mounts[controller] / path.lstrip("/")
            found.append(inside if inside.is_dir() else mounts[controller])
        yield found[0], found[1], False


def _sweep(*parents: Path | None) -> None:
    """Remove what programs of ours left that were ended before they could."""
    for parent in parents:
        for left in parent.glob("monkeys-*-*") if parent is not None else ():
            pid = left.name.split("-")[1]
            if pid.isdigit() and not Path(f"/proc/{pid}").exists():
                with contextlib.suppress(OSError):
                    left.rmdir()


def _cgroup_mounts() -> dict[str, Path]:
    """Mount points by controller, "" for the unified hierarchy."""
    mounts: dict[str, Path] = {}
    for line in _read(Path("/proc/self/mountinfo")).splitlines():
        before, _, after = line.partition(" - ")
        kind, _source, options = [*after.split(" ", 2), "", ""][:3]
        if kind == "cgroup2":
            mounts[""] = Path(before.split()[4])
        elif kind == "cgroup":
            for option in options.split(","):
                mounts[option] = Path(before.split()[4])
    return mounts


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError):
        return ""

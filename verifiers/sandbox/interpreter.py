"""The interpreter that programs run in: ours, with its packages, under neutral paths inside the box.

It is bound to ``/box`` whatever its place outside, because that place may be a home, or under ``/tmp``, where
the box has a scratch folder of its own. An interpreter of the system stays in ``/usr``.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

INSIDE = "/box"
_PACKAGE = "verifiers/sandbox/inside"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """``binds`` are (outside, inside) folders to be seen read-only; ``command`` starts the worker there."""

    binds: tuple[tuple[str, str], ...]
    command: tuple[str, ...]
    library_path: str


def warm_interpreter() -> Interpreter:
    """How to start the worker with the interpreter and the packages of this process."""
    prefix = Path(sys.base_prefix).resolve()
    executable = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    if not executable.is_relative_to(prefix):
        prefix = executable.parents[1]
    binds: list[tuple[str, str]] = []
    library_path = ""
    if prefix == Path("/usr") or prefix.is_relative_to("/usr"):
        python = str(executable)
    else:
        binds.append((str(prefix), f"{INSIDE}/python"))
        python = f"{INSIDE}/python/{executable.relative_to(prefix)}"
        library_path = f"{INSIDE}/python/lib"
    packages = _package_folders()
    for place, folder in enumerate(packages):
        binds.append((folder, f"{INSIDE}/packages{place}"))
    binds.append((str(Path(__file__).resolve().parent / "inside"), f"{INSIDE}/{_PACKAGE}"))
    found = [INSIDE, *(f"{INSIDE}/packages{place}" for place in range(len(packages)))]
    start = f"import sys; sys.path += {found!r}; from verifiers.sandbox.inside.worker import main; main()"
    return Interpreter(tuple(binds), (python, "-I", "-S", "-B", "-c", start), library_path)


def _package_folders() -> list[str]:
    """Folders with installed packages: the environment's own, and wherever numpy and sympy really come
    from."""
    folders = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    for name in ("numpy", "sympy", "mpmath"):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            folders.append(str(Path(spec.origin).parents[1]))
    return list(dict.fromkeys(os.path.realpath(folder) for folder in folders if os.path.isdir(folder)))

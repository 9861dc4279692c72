"""The user's own programs that a command needs, to be seen read-only in its box.

A test command is the user's: ``pytest -q`` means the pytest of their project. It is looked up as their shell
would, except that the project's own virtual environment comes first; what has to be seen beside the program
(its environment, the interpreter that this rests on) is read from the file system. Nothing else of a home is
shown.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ENVIRONMENT_NAMES: Final = (".venv", "venv", "env")
_SYSTEM_PATH: Final = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin")
_SYSTEM: Final = tuple(Path(folder) for folder in ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/nix/store"))
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=")
_OURS: Final = ("app", "verifiers", "budgets")
_LONGEST_CHAIN: Final = 8


@dataclass(frozen=True, slots=True)
class Toolchain:
    """``folders`` are shown read-only where they are; ``hidden`` ones among them are shown empty. ``path`` is
    the search path inside; ``environment`` what else the programs need to know. ``missing`` are programs of
    the command that are nowhere."""

    folders: tuple[str, ...]
    hidden: tuple[str, ...]
    path: str
    environment: Mapping[str, str]
    missing: tuple[str, ...] = ()


def find_toolchain(command: str, repository: Path, *, path: str | None = None) -> Toolchain:
    """What ``command``, a shell line that is to run in ``repository``, needs of this machine. ``path`` is the
    user's search path, by default this process's."""
    repository = Path(os.path.abspath(repository))
    project = _project_environment(repository)
    given = os.environ.get("PATH", os.defpath) if path is None else path
    search = os.pathsep.join([*([str(project / "bin")] if project else []), given])
    folders: dict[Path, None] = dict.fromkeys(_environment_and_base(project)) if project else {}
    front: dict[str, None] = {str(project / "bin"): None} if project else {}
    extra: dict[str, str] = {"VIRTUAL_ENV": str(project)} if project else {}
    missing = []
    for word in dict.fromkeys(_programs(command)):
        found = str(repository / word) if "/" in word else shutil.which(word, path=search)
        if found is None or not os.access(found, os.X_OK):
            if "/" in word or not _is_builtin(word):
                missing.append(word)
            continue
        folder = os.path.dirname(os.path.abspath(found))
        if folder not in _SYSTEM_PATH:
            front[folder] = None
        folders |= dict.fromkeys(_needs(Path(os.path.abspath(found))))
        user_base = Path.home() / ".local"
        if Path(found).parent == user_base / "bin":
            folders[user_base / "lib"] = None
            extra["PYTHONUSERBASE"] = str(user_base)
    shown = [
        folder
        for folder in folders
        if folder.is_dir() and not _in_system(folder) and not folder.is_relative_to(repository)
    ]
    if project:
        shown.append(project)
    return Toolchain(
        folders=tuple(sorted({str(folder) for folder in shown})),
        hidden=tuple(str(place) for folder in shown for place in _our_packages(folder)),
        path=os.pathsep.join(dict.fromkeys([*front, *_SYSTEM_PATH])),
        environment=extra,
        missing=tuple(missing),
    )


def _project_environment(repository: Path) -> Path | None:
    for name in ENVIRONMENT_NAMES:
        if (repository / name / "pyvenv.cfg").is_file():
            return repository / name
    return None


def _programs(command: str) -> Iterator[str]:
    """The words of a shell line that stand where a program's name does."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    expected = True
    try:
        for word in lexer:
            if set(word) <= set(";&|()"):
                expected = True
            elif expected and not _ASSIGNMENT.match(word):
                yield word
                expected = word in ("env", "time", "exec", "nice", "!", "then", "do", "else")
    except ValueError:  # an open quotation mark: the shell will say so
        return


def _is_builtin(word: str) -> bool:
    return word in (
        *("cd", "export", "set", "true", "false", "exit", "test", "[", ".", "source", "echo", "exec", "eval"),
        *("if", "then", "else", "fi", "for", "while", "do", "done", "!", "time", "ulimit", "unset", ":"),
    )


def _needs(executable: Path) -> Iterator[Path]:
    """The folders that ``executable`` is made of, following its links and its first line."""
    for _ in range(_LONGEST_CHAIN):
        yield from _environment_and_base(executable.parents[1])
        yield from _prefix(executable)
        if executable.is_symlink():
            executable = Path(os.path.abspath(executable.parent / os.readlink(executable)))
            continue
        interpreter = _first_line(executable)
        if interpreter is None:
            return
        executable = interpreter


def _environment_and_base(folder: Path) -> Iterator[Path]:
    """A virtual environment and the installation that it rests on; nothing for other folders."""
    try:
        lines = (folder / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    yield folder
    for line in lines:
        key, _, value = line.partition("=")
        if key.strip() == "home" and value.strip():
            yield from _prefix(Path(value.strip()) / "python")
    yield from _prefix(Path(os.path.realpath(folder / "bin" / "python")))


def _prefix(executable: Path) -> Iterator[Path]:
    """Where the program's installation begins: above its ``bin``, unless that is a place that many share."""
    folder = executable.parent
    above = folder.parent
    shared = {Path("/"), Path.home(), Path.home() / ".local", Path("/opt"), Path("/root"), Path("/home")}
    if folder.name in ("bin", "sbin", "shims") and above not in shared:
        yield above
    elif folder not in shared:
        yield folder


def _first_line(script: Path) -> Path | None:
    """The interpreter that a script names by its path; ``/usr/bin/env`` finds it on the search path."""
    try:
        with script.open("rb") as file:
            first = file.readline(500)
    except OSError:
        return None
    words = first[2:].split() if first.startswith(b"#!") else []
    return Path(os.fsdecode(words[0])) if words and words[0].startswith(b"/") else None


def _in_system(folder: Path) -> bool:
    return any(folder.is_relative_to(system) for system in _SYSTEM)


def _our_packages(folder: Path) -> Iterator[Path]:
    """Our own packages where they are installed in the user's environment: the name ``app`` is common, and
    ours must not stand in for theirs."""
    for packages in folder.glob("lib/python*/site-packages"):
        if any(packages.glob("manymonkeys-*.dist-info")):
            yield from (packages / name for name in _OURS if (packages / name).is_dir())

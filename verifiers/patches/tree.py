"""The files of a repository as a patch sees them: the working tree as it stands, committed or not.

Where git keeps the folder, git says which files are its; what it ignores stays out (secrets, caches,
environments) but for what was built in place and what tests need to import (compiled modules, generated
version files). Elsewhere all files count but those of well-known caches and environments. The user's own
folder is only ever read.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MOST_FILES: Final = 200_000
MOST_BYTES: Final = 2 << 30
_GIT_SECONDS: Final = 60.0
_LARGEST_TEXT: Final = 4 << 20
_BUILT: Final = re.compile(r"\.(?:so|pyd|dylib|dll|egg-link)$|\.egg-info/|(?:^|/)\w*version\w*\.py$")
"""Ignored files that come along."""
_LEFT_OUT: Final = frozenset(
    (
        *(".git", ".hg", ".svn", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".tox"),
        *(".nox", "node_modules", ".eggs", ".cache", ".idea", ".vscode", ".hypothesis", "site-packages"),
    )
)


class BadRepository(Exception):
    """``message`` says what is wrong with the folder, ``fix`` what to do."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class Files:
    """The files of one repository, read when they are asked for and then remembered, so that all samples of a
    run are held against the same text. ``place`` is where the repository stands."""

    def __init__(self, root: Path, place: str | None = None, paths: list[str] | None = None) -> None:
        self.root = root
        self.place = place or os.path.abspath(root)
        self._paths: frozenset[str] | None = None if paths is None else frozenset(paths)
        self._texts: dict[str, str | None] = {}

    def paths(self) -> frozenset[str]:
        """All paths, relative, with slashes. Raises ``BadRepository``."""
        if self._paths is None:
            self._paths = frozenset(list_files(self.root))
        return self._paths

    def has(self, path: str) -> bool:
        return path in self.paths()

    def text(self, path: str) -> str | None:
        """A file's text, ``None`` where there is none or it is not text. Bytes that are not UTF-8 survive."""
        if path not in self._texts:
            self._texts[path] = self._read(path) if self.has(path) else None
        return self._texts[path]

    def link_on(self, path: str) -> str | None:
        """The first part of a path that is a symbolic link."""
        at = self.root
        for part in path.split("/"):
            at = at / part
            if at.is_symlink():
                return at.relative_to(self.root).as_posix()
        return None

    def _read(self, path: str) -> str | None:
        file = self.root / path
        try:
            if not stat.S_ISREG(file.lstat().st_mode) or file.stat().st_size > _LARGEST_TEXT:
                return None
            content = file.read_bytes()
        except OSError:
            return None
        return None if b"\0" in content else content.decode("utf-8", "surrogateescape")


def list_files(root: Path) -> list[str]:
    """The files that belong to the repository at ``root``. Raises ``BadRepository``."""
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "does not exist"
        raise BadRepository(f"{root} {what}.", "Give the folder of the repository.")
    if os.path.abspath(root) in ("/", "/usr", "/tmp", "/home", str(Path.home())):  # noqa: S108
        raise BadRepository(f"{root} is no repository.", "Give the folder of one project.")
    listed = _git_files(root)
    paths = sorted(set(_walk(root) if listed is None else listed))
    if len(paths) > MOST_FILES:
        raise BadRepository(f"{root} holds more than {MOST_FILES:,} files.", "Give a smaller folder.")
    if not paths:
        raise BadRepository(f"{root} holds no files.", "Give the folder of the repository.")
    return paths


def uncommitted(root: Path) -> int | None:
    """How many files differ from the last commit, ``None`` where git does not keep the folder."""
    said = git_output(root, "status", "--porcelain", "-z", "--untracked-files=normal", "--", ".")
    return None if said is None else said.count(b"\0")


def copy_tree(root: Path, paths: list[str], target: Path) -> int:
    """Copy files and links to ``target``, and return their bytes. Raises ``BadRepository`` where they are too
    many to hold."""
    total = 0
    for path in paths:
        source, copy = root / path, target / path
        try:
            mode = source.lstat()
        except OSError:
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISLNK(mode.st_mode):
            copy.symlink_to(os.readlink(source))
        elif stat.S_ISREG(mode.st_mode):
            total += mode.st_size
            if total > MOST_BYTES:
                raise BadRepository(f"{root} holds more than 2 GB.", "Give a smaller folder.")
            shutil.copy2(source, copy, follow_symlinks=False)
    return total


def dependency_folders(root: Path) -> list[str]:
    """Folders of installed packages inside the repository, to be seen and not copied."""
    return [str(root / name) for name in ("node_modules",) if (root / name).is_dir()]


def _git_files(root: Path) -> list[str] | None:
    kept = _git_list(root, "--cached")
    if kept is None:
        return None
    environments = tuple(f"{cfg.parent.name}/" for cfg in root.glob("*/pyvenv.cfg"))
    new = [
        path
        for path in _git_list(root, "--others", "--exclude-standard") or ()
        if _LEFT_OUT.isdisjoint(path.split("/")) and not path.startswith(environments)
    ]
    ignored = _git_list(root, "--others", "--ignored", "--exclude-standard") or ()
    built = [path for path in ignored if _BUILT.search(path) and _LEFT_OUT.isdisjoint(path.split("/"))]
    found: list[str] = []
    for path in (*kept, *new, *built):
        place = root / path
        if place.is_dir() and not place.is_symlink():  # another repository inside this one
            found += (f"{path.rstrip('/')}/{inner}" for inner in _walk(place))
        elif os.path.lexists(place):
            found.append(path)
    return found


def _git_list(root: Path, *which: str) -> list[str] | None:
    said = git_output(root, "ls-files", "-z", *which, "--", ".")
    return None if said is None else [os.fsdecode(path) for path in said.split(b"\0") if path]


def _walk(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = [
            name
            for name in folders
            if name not in _LEFT_OUT and name not in links and not (here / name / "pyvenv.cfg").is_file()
        ]
        for name in (*files, *links):
            yield (here / name).relative_to(root).as_posix()


def git_output(root: Path, *arguments: str) -> bytes | None:
    """What git says; ``None`` without git, or where it does not keep the folder."""
    safe = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        said = subprocess.run(  # noqa: S603  a fixed command line
            ["git", "-C", str(root), *safe, *arguments],  # noqa: S607  the user's own git
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
            env=environment | {"GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout if said.returncode == 0 else None

"""Which file of the repository does a path in a reply mean? And which paths lead out of it.

A reply may name a file as a diff does (``a/src/x.py``), from the repository's own name on, or by its end
alone; that much is forgiven. What is not: a way out by ``..``, an absolute path, a link, or git's own folder.
"""

from __future__ import annotations

import posixpath
from typing import Final

from verifiers.patches.edits import BadChange, NoSuchFile
from verifiers.patches.tree import Files
from verifiers.safe_text import one_line

_LONGEST: Final = 4096
_QUOTED: Final = 80


def place_of(written: str, files: Files, *, must_exist: bool) -> str:
    """The path in the repository. ``must_exist`` asks for a file that is there; otherwise a new one will do.
    Raises ``BadChange`` where the path leads out of the repository."""
    path = written.strip().replace("\\", "/")
    if path.startswith(f"{files.place}/"):
        path = path[len(files.place) + 1 :]
    refuse_outside(path)
    path = posixpath.normpath(path)
    if files.has(path):
        _refuse_links(path, files)
        return path
    for prefix in ("a/", "b/", f"{posixpath.basename(files.place)}/"):
        shorter = path.removeprefix(prefix)
        if shorter != path and (files.has(shorter) or (not must_exist and prefix in ("a/", "b/"))):
            _refuse_links(shorter, files)
            return shorter
    same_end = [known for known in files.paths() if known.endswith(f"/{path}")]
    if len(same_end) == 1:
        _refuse_links(same_end[0], files)
        return same_end[0]
    if must_exist:
        raise NoSuchFile(f"there is no file {one_line(written, _QUOTED)}")
    _refuse_links(path, files)
    return path


def refuse_outside(path: str) -> None:
    """Raises ``BadChange`` for a path that is not one inside the repository."""
    shown = one_line(path, _QUOTED)
    parts = path.split("/")
    if not path or len(path) > _LONGEST or "\0" in path or "\n" in path:
        raise BadChange(f"{shown or 'an empty name'} is no file name")
    if path.startswith(("/", "~")) or (len(path) > 1 and path[1] == ":") or ".." in parts:
        raise BadChange(f"{shown} leads out of the repository")
    if any(part.lower() in (".git", "git~1") for part in parts):
        raise BadChange(f"{shown} is in git's own folder")


def _refuse_links(path: str, files: Files) -> None:
    link = files.link_on(path)
    if link is not None:
        raise BadChange(f"{one_line(link, _QUOTED)} is a link, and links are not followed")

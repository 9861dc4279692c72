"""What a reply wants changed, as plain data, and the faults a change can have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Replace:
    """Replace the lines ``search`` of a file by ``replace``. An empty ``search`` makes a new file. ``path``
    is as the reply wrote it, ``None`` where it named no file."""

    path: str | None
    search: str
    replace: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines of a diff, each with its sign (`` ``, ``-``, ``+``) in front. ``line`` is where the old ones are
    said to begin, counted from 1; ``None`` where the reply does not say."""

    line: int | None
    lines: tuple[str, ...]

    @property
    def old(self) -> list[str]:
        return [line[1:] for line in self.lines if line[0] != "+"]

    @property
    def new(self) -> list[str]:
        return [line[1:] for line in self.lines if line[0] != "-"]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """A diff of one file. ``old`` is ``None`` for a new file, ``new`` for one that goes."""

    old: str | None
    new: str | None
    hunks: tuple[Hunk, ...]
    binary: bool = False


@dataclass(frozen=True, slots=True)
class WholeFile:
    """A file's new text, all of it."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Definitions:
    """Python functions and classes in a block without a file's name, to replace those of the same names."""

    text: str


Edit: TypeAlias = Replace | FileDiff | WholeFile | Definitions


@dataclass(frozen=True, slots=True)
class Change:
    """The edits of one reply in their order. ``text`` is the part of the reply that they were read from, and
    ``how`` the format in words."""

    edits: Sequence[Edit]
    text: str
    how: str


class BadChange(Exception):
    """A change that cannot be made. The text is one line for people; it may quote the reply."""


class NoSuchFile(BadChange):
    """It names a file that the repository does not have."""

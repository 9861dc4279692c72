"""A change, made to the files of a repository in memory: what they become, and the diff from what they were.

The diff is the answer that a sample gives: two replies that bring about the same files are the same patch,
whatever format they were written in.
"""

from __future__ import annotations

import difflib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from verifiers.patches.definitions import replace_definitions
from verifiers.patches.edits import (
    BadChange,
    Change,
    Definitions,
    FileDiff,
    Hunk,
    NoSuchFile,
    Replace,
    WholeFile,
)
from verifiers.patches.matching import find_lines
from verifiers.patches.paths import place_of
from verifiers.patches.tree import Files
from verifiers.safe_text import one_line

_FUZZ: Final = 3
"""Lines of context at either end of a hunk that may be wrong."""
_QUOTED: Final = 60
_MOST_BYTES: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Applied:
    """``files`` are the new texts by path, ``None`` for one that goes; ``diff`` is what git would apply."""

    files: Mapping[str, str | None]
    diff: str


def apply_change(change: Change, files: Files, *, likely: tuple[str, ...] = ()) -> Applied:
    """The outcome of ``change``. ``likely`` are the files that a search block without a name may mean.

    Raises ``BadChange`` where a path leads out of the repository, or lines to be replaced are not there."""
    draft = _Draft(files, likely)
    for edit in change.edits:
        if isinstance(edit, Replace):
            draft.replace(edit)
        elif isinstance(edit, FileDiff):
            draft.diff(edit)
        elif isinstance(edit, Definitions):
            draft.define(edit)
        else:
            draft.write(edit)
    changed = {path: text for path, text in draft.texts.items() if text != files.text(path)}
    if not changed:
        raise BadChange("the change leaves every file as it is")
    return Applied(changed, diff_of(changed, files))


def diff_of(changed: Mapping[str, str | None], files: Files) -> str:
    """A unified diff with git's headers, files in the order of their names."""
    return "".join(_file_diff(path, files.text(path), changed[path]) for path in sorted(changed))


class _Draft:
    def __init__(self, files: Files, likely: tuple[str, ...]) -> None:
        self._files = files
        self._likely = likely
        self.texts: dict[str, str | None] = {}

    def replace(self, edit: Replace) -> None:
        path = self._path_of(edit)
        now = self._text(path)
        if not edit.search.strip():
            if now is not None and now.strip():
                raise BadChange(f"an empty SEARCH block would overwrite {_shown(path)}")
            self._set(path, _ended(edit.replace))
            return
        if now is None:
            raise BadChange(f"there is no file {_shown(path)}")
        lines, newline = _lines(now)
        wanted = edit.search.split("\n")
        found = find_lines(lines, wanted) or find_lines(lines, _trimmed(wanted))
        if found is None:
            raise BadChange(f"the SEARCH block for {_shown(path)} is not in the file: {_first_of(wanted)}")
        new = edit.replace.split("\n") if edit.replace else []
        self._set(path, _joined(lines, found.start, found.end, [found.indent(one) for one in new], newline))

    def diff(self, edit: FileDiff) -> None:
        if edit.binary:
            raise BadChange("it changes a binary file")
        named = edit.new or edit.old
        if named is None:
            raise BadChange("a diff names no file")
        if edit.old is None:
            path = place_of(named, self._files, must_exist=False)
            self._set(path, _ended("\n".join(line for hunk in edit.hunks for line in hunk.new)))
            return
        path = place_of(edit.old, self._files, must_exist=True)
        now = self._text(path)
        if now is None:
            raise BadChange(f"there is no file {_shown(path)}")
        if edit.new is None:
            self._set(path, None)
            return
        text = self._with_hunks(path, now, edit.hunks)
        if edit.new != edit.old:
            self._set(path, None)
            path = place_of(edit.new, self._files, must_exist=False)
        self._set(path, text)

    def write(self, edit: WholeFile) -> None:
        path = place_of(edit.path, self._files, must_exist=False)
        now = self._text(path)
        # A block much shorter than its file is not the whole of it, whatever its name says.
        part = None
        if now is not None and path.endswith(".py") and edit.text.count("\n") < 0.9 * now.count("\n"):
            part = replace_definitions(now, edit.text)
        self._set(path, part or _ended(edit.text))

    def define(self, edit: Definitions) -> None:
        outcomes = {}
        for path in self._likely:
            now = self._text(path)
            changed = None if now is None else replace_definitions(now, edit.text)
            if changed is not None:
                outcomes[path] = changed
        if len(outcomes) != 1:
            where = "several files" if outcomes else "no file that was shown"
            raise BadChange(f"it names no file, and its definitions belong to {where}")
        for path, text in outcomes.items():
            self._set(path, text)

    def _with_hunks(self, path: str, text: str, hunks: tuple[Hunk, ...]) -> str:
        moved = 0
        for number, hunk in enumerate(hunks, start=1):
            lines, newline = _lines(text)
            near = None if hunk.line is None else hunk.line - 1 + moved
            placed = _placed(lines, hunk, near)
            if placed is None:
                where = f"hunk {number} of {len(hunks)} of {_shown(path)}"
                raise BadChange(f"{where} does not apply: {_first_of(hunk.old)}")
            start, end, new = placed
            text = _joined(lines, start, end, new, newline)
            moved += len(hunk.new) - len(hunk.old)
        return text

    def _path_of(self, edit: Replace) -> str:
        """The file that a block means: the one it names, or the only likely one that holds its lines, where
        it names none or one that is not there."""
        if edit.path is not None:
            new = not edit.search.strip()
            try:
                return place_of(edit.path, self._files, must_exist=not new)
            except NoSuchFile:
                holding = self._holding(edit)
                if len(holding) != 1:
                    raise
                return holding[0]
        holding = self._holding(edit)
        if len(holding) != 1:
            raise BadChange("a SEARCH block names no file")
        return holding[0]

    def _holding(self, edit: Replace) -> list[str]:
        """The likely files that hold the lines of a block."""
        wanted = _trimmed(edit.search.split("\n"))
        return [
            path
            for path in self._likely
            if (text := self._text(path)) is not None and find_lines(_lines(text)[0], wanted) is not None
        ]

    def _text(self, path: str) -> str | None:
        return self.texts[path] if path in self.texts else self._files.text(path)

    def _set(self, path: str, text: str | None) -> None:
        if text is not None and len(text) > _MOST_BYTES:
            raise BadChange(f"{_shown(path)} would become larger than 8 MB")
        self.texts[path] = text


def _placed(lines: list[str], hunk: Hunk, near: int | None) -> tuple[int, int, list[str]] | None:
    """Where a hunk belongs, and its new lines there; context that is wrong at its ends is given up."""
    old = hunk.old
    if not old:
        at = len(lines) if near is None else min(max(near + 1, 0), len(lines))
        return (at, at, hunk.new) if near is not None or not lines else None
    for loosely in (False, True):
        for fuzz in range(_FUZZ + 1):
            before = min(fuzz, _context(hunk.lines))
            after = min(fuzz, _context(hunk.lines[::-1]))
            if fuzz and before < fuzz and after < fuzz:
                break
            kept = hunk.lines[before : len(hunk.lines) - after]
            part = Hunk(hunk.line, kept)
            if not any(line.strip() for line in part.old):
                break
            expected = None if near is None else near + before
            found = find_lines(lines, part.old, near=expected, loosely=loosely)
            if found is not None:
                return found.start, found.end, _new_lines(part, lines[found.start : found.end], found.indent)
    return None


def _context(lines: tuple[str, ...]) -> int:
    """How many lines at the beginning are context."""
    return next((at for at, line in enumerate(lines) if line[0] != " "), len(lines))


def _new_lines(hunk: Hunk, there: list[str], indent: Callable[[str], str]) -> list[str]:
    """The hunk's outcome, with the file's own lines for context, which the reply may have misquoted."""
    if len(there) != len(hunk.old):
        return [indent(line) for line in hunk.new]
    real = iter(there)
    new = []
    for line in hunk.lines:
        if line[0] == "+":
            new.append(indent(line[1:]))
        else:
            own = next(real)
            if line[0] == " ":
                new.append(own)
    return new


def _lines(text: str) -> tuple[list[str], str]:
    """The lines without their ends, the last one empty where the text ends in one; and the kind of end."""
    newline = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    return text.replace("\r\n", "\n").split("\n") if newline == "\r\n" else text.split("\n"), newline


def _joined(lines: list[str], start: int, end: int, new: list[str], newline: str) -> str:
    return newline.join([*lines[:start], *new, *lines[end:]])


def _trimmed(lines: list[str]) -> list[str]:
    """Without empty lines at either end."""
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    last = next((at for at in range(len(lines), 0, -1) if lines[at - 1].strip()), 0)
    return lines[first:last]


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _file_diff(path: str, old: str | None, new: str | None) -> str:
    head = f"diff --git a/{path} b/{path}\n"
    if old is None:
        head += "new file mode 100644\n"
    elif new is None:
        head += "deleted file mode 100644\n"
    before, after = (io.StringIO(text or "", newline="\n").readlines() for text in (old, new))
    names = ("/dev/null" if old is None else f"a/{path}", "/dev/null" if new is None else f"b/{path}")
    body = (
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(before, after, *names)
    )
    return head + "".join(body)


def _shown(path: str) -> str:
    return one_line(path, _QUOTED)


def _first_of(lines: list[str]) -> str:
    """The first line with text, quoted."""
    first = next((line for line in lines if line.strip()), "")
    return f"no place for “{one_line(first.strip(), _QUOTED)}” and what follows" if first else "it is empty"

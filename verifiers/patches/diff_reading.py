"""Unified diffs as models write them: with wrong line counts, without a sign before empty context lines,
with or without git's headers."""

from __future__ import annotations

import re
from typing import Final

from verifiers.patches.edits import FileDiff, Hunk

_GIT: Final = re.compile(r"^diff --git \"?(?:a/)?(.+?)\"? \"?(?:b/)?(.+?)\"?$")
_OLD: Final = re.compile(r"^--- \"?([^\t\n\"]+)")
_NEW: Final = re.compile(r"^\+\+\+ \"?([^\t\n\"]+)")
_HUNK: Final = re.compile(r"^@@(?: -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@| )?")
_HEADERS: Final = (
    *("index ", "old mode ", "new mode ", "similarity index ", "dissimilarity index ", "copy from "),
    *("copy to ", "rename from ", "rename to ", "new file mode ", "deleted file mode ", "Index: ", "======"),
)
_NO_NEWLINE: Final = "\\ No newline"


def read_diff(text: str, *, fenced: bool) -> list[FileDiff]:
    """The diffs of files in ``text``, in their order. In bare text (not ``fenced``) a hunk ends at the first
    line that cannot be part of it, as prose is."""
    reader = _Reader(text.split("\n"), fenced)
    return reader.read()


class _Reader:
    def __init__(self, lines: list[str], fenced: bool) -> None:
        while lines and not lines[-1].strip():
            lines.pop()
        self._lines = lines
        self._fenced = fenced
        self._at = 0
        self._files: list[FileDiff] = []

    def read(self) -> list[FileDiff]:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.startswith(("diff --git ", "@@")) or self._is_file_header(self._at):
                file = self._file()
                if file is not None:
                    self._files.append(file)
            else:
                self._at += 1
        return self._files

    def _is_file_header(self, at: int) -> bool:
        following = self._lines[at + 1] if at + 1 < len(self._lines) else ""
        return bool(_OLD.match(self._lines[at]) and _NEW.match(following))

    def _file(self) -> FileDiff | None:
        old: str | None = None
        new: str | None = None
        is_new = is_gone = binary = named = False
        git = _GIT.match(self._lines[self._at])
        if git:
            old, new, named = git[1], git[2], True
            self._at += 1
            while self._at < len(self._lines) and not self._is_file_header(self._at):
                line = self._lines[self._at]
                if line.startswith("rename to "):
                    new = line.removeprefix("rename to ").strip()
                is_new |= line.startswith("new file mode")
                is_gone |= line.startswith("deleted file mode")
                binary |= line.startswith(("Binary files", "GIT binary patch"))
                if not line.startswith(_HEADERS) and not binary and line.strip():
                    break
                if binary and line.startswith("diff --git "):
                    break
                self._at += 1
        if self._at < len(self._lines) and self._is_file_header(self._at):
            old, new = _path(self._lines[self._at][4:], "a/"), _path(self._lines[self._at + 1][4:], "b/")
            named = True
            self._at += 2
        if not named and self._files:
            # Another hunk without a header belongs to the file before it.
            last = self._files.pop()
            old, new = last.old, last.new
            return FileDiff(old, new, (*last.hunks, *self._hunks()))
        hunks = self._hunks()
        if not named or (not hunks and not binary and not is_gone and old == new and not is_new):
            return None
        return FileDiff(None if is_new else old, None if is_gone else new, hunks, binary)

    def _hunks(self) -> tuple[Hunk, ...]:
        hunks = []
        while self._at < len(self._lines) and self._lines[self._at].startswith("@@"):
            hunk = self._hunk()
            if hunk is not None:
                hunks.append(hunk)
            while self._at < len(self._lines) and not self._lines[self._at].strip():
                self._at += 1
        return tuple(hunks)

    def _hunk(self) -> Hunk | None:
        head = _HUNK.match(self._lines[self._at])
        line = int(head[1]) if head and head[1] else None
        wanted_old = int(head[2] or 1) if head and head[1] else 0
        wanted_new = int(head[3] or 1) if head and head[1] else 0
        self._at += 1
        lines: list[str] = []
        old = new = 0
        while self._at < len(self._lines):
            text = self._lines[self._at]
            complete = old >= wanted_old and new >= wanted_new
            if text.startswith(("@@", "diff --git ")) or self._is_file_header(self._at):
                break
            if text.startswith(_NO_NEWLINE):
                self._at += 1
                continue
            if not text or text[0] not in "+- ":
                if not self._fenced and complete:
                    break
                text = f" {text}"
            lines.append(text)
            old += text[0] != "+"
            new += text[0] != "-"
            self._at += 1
        while lines and lines[-1] == " ":
            lines.pop()
        return Hunk(line, tuple(lines)) if any(one[0] != " " for one in lines) else None


def _path(text: str, prefix: str) -> str | None:
    """A header's path, ``None`` for /dev/null. What follows a tab is a date."""
    path = text.split("\t")[0].strip().strip('"')
    if path == "/dev/null":
        return None
    return path.removeprefix(prefix)

"""What was typed on the prompt line, kept across sessions, one JSON object a line.

Losing it must never cost a run: a file that cannot be read counts as empty, one that cannot be written is
left alone, and a line broken by a crash is passed over.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

KEPT = 500
_ROOM = 2 * KEPT


class PromptHistory:
    """Walks backwards and forwards through earlier lines, as shells do. Read from disk when first needed."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lines: list[str] | None = None
        self._at = 0
        self._draft = ""

    @property
    def lines(self) -> list[str]:
        """Oldest first."""
        if self._lines is None:
            self._lines = self._read()
            self._at = len(self._lines)
        return self._lines

    def add(self, line: str) -> None:
        """Remember a line and stand behind it again. The same line twice in a row is one."""
        lines = self.lines
        if not lines or lines[-1] != line:
            lines.append(line)
            self._write(line)
        self._at, self._draft = len(lines), ""

    def earlier(self, current: str) -> str | None:
        """The line before; ``current`` is what stands there now and is given back at the end of the way."""
        lines = self.lines
        if self._at == 0:
            return None
        if self._at == len(lines):
            self._draft = current
        self._at -= 1
        return lines[self._at]

    def later(self) -> str | None:
        lines = self.lines
        if self._at >= len(lines):
            return None
        self._at += 1
        return self._draft if self._at == len(lines) else lines[self._at]

    def _read(self) -> list[str]:
        if self._path is None:
            return []
        try:
            raw = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []
        lines: list[str] = []
        for row in raw:
            with contextlib.suppress(ValueError):
                record = json.loads(row)
                if isinstance(record, dict) and isinstance(record.get("line"), str):
                    lines.append(record["line"])
        if len(raw) > _ROOM:
            self._rewrite(lines[-KEPT:])
        return lines[-KEPT:]

    def _write(self, line: str) -> None:
        if self._path is None:
            return
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"line": line}) + "\n")

    def _rewrite(self, lines: list[str]) -> None:
        if self._path is None:
            return
        with contextlib.suppress(OSError):
            fresh = self._path.with_suffix(".new")
            fresh.write_text("".join(json.dumps({"line": line}) + "\n" for line in lines), encoding="utf-8")
            fresh.replace(self._path)

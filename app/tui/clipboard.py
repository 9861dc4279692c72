"""Copying, from a program that may run far from the clipboard it writes to.

OSC 52 asks the terminal itself to set the clipboard, so it works over SSH. tmux and screen swallow it
unless it is wrapped for them; inside tmux it is sent both wrapped (for ``allow-passthrough``) and bare (for
``set-clipboard``), since which of the two a user has switched on cannot be asked. A terminal gives no
answer either way, so where it is known not to listen, or the text is longer than terminals take, the text
goes to a file and the user is told which.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app import locations

MOST_BYTES = 74_994
"""Of text: 100,000 bytes is the longest sequence xterm and tmux take, and base64 makes 4 bytes of 3."""

_SCREEN_PIECE = 252
"""Screen forgets a device control string longer than 256 bytes in older versions, so it is sent in pieces."""

_DEAF_TERMS = {"", "dumb", "linux", "unknown"}
_DEAF_PROGRAMS = {"Apple_Terminal"}


@dataclass(frozen=True, slots=True)
class Copied:
    """Where the text went: to the terminal, or to ``path``; or, with ``fault`` set, nowhere."""

    characters: int
    path: Path | None = None
    fault: str | None = None

    def sentence(self, what: str) -> str:
        if self.fault is not None:
            return f"Could not copy {what}: {self.fault}"
        if self.path is not None:
            return f"Wrote {what} to {self.path}"
        return f"Copied {what}, {self.characters:,} character{'s' if self.characters != 1 else ''}"


def copy(text: str, write: Callable[[str], object], environment: Mapping[str, str] | None = None) -> Copied:
    """Put ``text`` on the clipboard through ``write``, or into a file where that cannot work."""
    environment = os.environ if environment is None else environment
    sequence = osc52(text, environment)
    if sequence is None:
        return _to_file(text)
    write(sequence)
    return Copied(len(text))


def osc52(text: str, environment: Mapping[str, str]) -> str | None:
    """The sequence that sets the clipboard, wrapped for what lies between; ``None`` where none would
    arrive."""
    data = text.encode("utf-8", "replace")
    if len(data) > MOST_BYTES or _is_deaf(environment):
        return None
    bare = f"\x1b]52;c;{base64.b64encode(data).decode('ascii')}\x07"
    if environment.get("TMUX"):
        return f"\x1bPtmux;{bare.replace(chr(27), chr(27) * 2)}\x1b\\{bare}"
    if environment.get("TERM", "").startswith("screen"):
        pieces = (bare[at : at + _SCREEN_PIECE] for at in range(0, len(bare), _SCREEN_PIECE))
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return bare


def _is_deaf(environment: Mapping[str, str]) -> bool:
    return environment.get("TERM", "") in _DEAF_TERMS or environment.get("TERM_PROGRAM", "") in _DEAF_PROGRAMS


def _to_file(text: str) -> Copied:
    folder = locations.exports_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = 1
        while (path := folder / f"copied-{number}.txt").exists():
            number += 1
        path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as fault:
        return Copied(len(text), fault=f"{folder} cannot be written ({fault.strerror or fault})")
    return Copied(len(text), path=path)

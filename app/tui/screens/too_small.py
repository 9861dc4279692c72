"""Stands over everything while the terminal is too small to show anything of use."""

from __future__ import annotations

from typing import Final

from textual.app import ComposeResult
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widgets import Static

LEAST: Final = Size(60, 16)
"""Columns and rows from which every screen can be used."""


def fits(size: Size) -> bool:
    return size.width >= LEAST.width and size.height >= LEAST.height


def sentence(size: Size) -> str:
    """How large the terminal must be, in as many words as fit into it."""
    least, now = f"{LEAST.width}x{LEAST.height}", f"{size.width}x{size.height}"
    wordings = (
        f"monkeys needs {LEAST.width} columns and {LEAST.height} rows; this terminal has {now}.",
        f"Make it {least}, it is {now}",
        f"Needs {least}",
    )
    return next((wording for wording in wordings if len(wording) <= size.width), least)


class TooSmall(ModalScreen[None]):
    DEFAULT_CSS = """
    TooSmall { background: $background; align: left top; }
    TooSmall Static { width: 100%; height: 1; }
    """

    def compose(self) -> ComposeResult:
        yield Static(sentence(self.app.size), markup=False)

    def on_resize(self) -> None:
        self.query_one(Static).update(sentence(self.app.size))

"""Tests that are pasted or typed: asserts, a check function, or cases as JSON."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import TextArea

from app.tui.draft import clean
from app.tui.screens.base import ShellDialog

EXAMPLE = """\
assert add(1, 2) == 3
assert add(-1, 1) == 0

or a function check(candidate), or {"type": "stdio", "cases": [{"input": "1 2", "output": "3"}]}"""


class TestsDialog(ShellDialog[str]):
    """Gives back the text, empty to take the tests away."""

    __test__ = False  # a name that test collectors would take for theirs

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r,f5", "accept", "Attach these tests", priority=True)
    ]
    DEFAULT_CSS = """
    TestsDialog TextArea { height: 16; max-height: 70vh; border: none; background: $surface; padding: 0; }
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Tests"
            dialog.border_subtitle = "^r attach · esc leave as it was"
            yield TextArea(
                self._text,
                id="pasted",
                placeholder=EXAMPLE,
                highlight_cursor_line=False,
                tab_behavior="indent",
            )

    def action_accept(self) -> None:
        self.dismiss(clean(self.query_one(TextArea).text).strip())

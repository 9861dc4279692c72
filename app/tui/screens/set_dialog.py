"""Which problem set to compare models on."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from app.problems.sets import KNOWN, STARTER
from app.tui.screens.base import ShellDialog


class SetDialog(ShellDialog[str]):
    """Dismissed with what was typed. ``about`` says what would be compared."""

    NAMES: ClassVar[tuple[str, ...]] = (STARTER, *KNOWN)
    DEFAULT_CSS = """
    SetDialog > .dialog { padding: 1 2; }
    SetDialog Static { height: auto; color: $foreground-muted; }
    SetDialog .about { color: $foreground; margin: 0 0 1 0; }
    """

    def __init__(self, about: str) -> None:
        super().__init__()
        self._about = about

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Compare models on a problem set"
            dialog.border_subtitle = "enter compare · esc close"
            yield Static(self._about, classes="about", markup=False)
            yield Input(
                placeholder="a JSONL file of problems, or starter",
                suggester=SuggestFromList(self.NAMES, case_sensitive=False),
                id="set",
                compact=True,
            )
            yield Static(
                f"{STARTER} ships with the program; {', '.join(KNOWN)} are fetched from a model hub.",
                markup=False,
            )

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.dismiss(event.value.strip())

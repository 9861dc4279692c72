"""What can be done here, and with which key: the table of actions as one reads it, this place first."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from app.tui.action_kinds import Action, Place
from app.tui.actions import ACTIONS, at
from app.tui.key_hints import show_key
from app.tui.screens.base import ShellDialog

_KEYS, _USAGE, _LEAST_WORDS = 9, 18, 20
"""Cells of the columns."""
_PLACES: dict[Place, tuple[str, str]] = {
    "compose": (
        "The form",
        "Type a problem, look at the line beneath the form, which says what it will cost, and start. A known "
        "answer makes coverage exact; without one the samples vote.",
    ),
    "run": (
        "The run",
        "Every row is one sample; the picks say which answer to believe and why, the curve how likely the "
        "right one is in the pile. What is typed at the bottom is a command (/) or a new problem. "
        "Samples are numbered from 1 here, and from 0 in files and on the command line.",
    ),
    "replay": ("A recording", "It looks like the run it was. Nothing is sampled and nothing is spent."),
    "list": ("A list", "Type to search, move with the arrows, choose with enter, close with esc."),
}
_SIGNS = (
    ("✓", "$right", "right"),
    ("✗", "$wrong", "wrong"),
    ("?", "$undecided", "undecided"),
    ("●", "$live", "being written"),
)


class HelpScreen(ShellDialog[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,question_mark,q,enter", "dismiss_empty", "Close", show=False),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]
    DEFAULT_CSS = """
    HelpScreen #help {
        max-width: 108; padding: 0 2;
        scrollbar-background: $surface; scrollbar-size-vertical: 1;
    }
    """

    def __init__(
        self,
        place: Place,
        of_screen: Iterable[tuple[str, str]] = (),
        own_keys: Mapping[str, str] | None = None,
    ) -> None:
        """``of_screen`` are (keys, what they do) of the screen itself, beyond the registry; ``own_keys`` the
        user's keys by action."""
        super().__init__()
        self._place: Place = place
        self._own = list(of_screen)
        self._keys = own_keys or {}

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", id="help") as dialog:
            dialog.border_title = f"Help: {_PLACES[self._place][0].lower()}"
            dialog.border_subtitle = "esc close"
            yield Static(markup=False, id="help-text")

    def on_resize(self) -> None:
        width = self.query_one("#help", VerticalScroll).scrollable_content_region.width
        self.query_one("#help-text", Static).update(self.text(width))

    def text(self, width: int) -> Content:
        """All of it, its longer lines wrapped to ``width`` cells."""
        lines = [Content(""), Content(_PLACES[self._place][1]), Content("")]
        here = list(at(self._place))
        lines += [self._line(action, width) for action in here if action.keys]
        if self._own:
            lines += [
                Content(""),
                *(_columns(keys, "", words, width) for keys, words in self._own),
            ]
        typed = [action for action in here if action.command and not action.keys]
        if typed:
            lines += [Content(""), *(self._line(action, width) for action in typed)]
        elsewhere = [action for action in ACTIONS if self._place not in action.where and action.keys]
        if elsewhere:
            lines += [Content(""), Content.styled("Elsewhere", "bold")]
            lines += [self._line(action, width) for action in elsewhere]
        signs = Content("   ").join(
            Content.assemble((sign, colour), f" {word}") for sign, colour, word in _SIGNS
        )
        return Content("\n").join([*lines, Content(""), signs, Content("")])

    def _line(self, action: Action, width: int) -> Content:
        keys = self._keys[action.id].split(",") if action.id in self._keys else action.keys
        return _columns(" ".join(show_key(key.strip()) for key in keys), action.usage, action.help, width)

    def action_scroll(self, by: int) -> None:
        self.query_one("#help", VerticalScroll).scroll_relative(y=by, animate=False)


def _columns(keys: str, usage: str, words: str, width: int) -> Content:
    left = f"{keys:<{_KEYS}}", f"{usage:<{_USAGE}}"
    indent = len("".join(left))
    wrapped = textwrap.wrap(words, max(_LEAST_WORDS, width - indent))
    return Content.assemble(
        (left[0], "$footer-key-foreground"),
        (left[1], "$foreground"),
        (f"\n{'':{indent}}".join(wrapped), "$foreground-muted"),
    )

"""A list one searches by typing: the field keeps the focus, the arrows move the list, enter chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from app.tui.screens.base import ShellDialog

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Row(Generic[_Value]):
    """``key`` is what a search looks through. A row without a value is a heading."""

    shown: Content
    key: str
    value: _Value | None


class PickerField(Input):
    """Its arrows belong to the list below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "screen.move(-1)", show=False),
        Binding("down,tab", "screen.move(1)", show=False),
        Binding("pageup", "screen.move(-10)", show=False),
        Binding("pagedown", "screen.move(10)", show=False),
    ]

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """A list that marks with the space bar gets it before the field does."""
        marks = isinstance(self.screen, Picker) and self.screen.MARKS
        return super().check_consume_key(key, character) and not (marks and key == "space")


class Picker(ShellDialog[_Value], Generic[_Value]):
    """Subclasses answer ``rows``, and say which keys there are and why a list is empty."""

    TITLE: ClassVar[str | None] = ""
    SEARCH: ClassVar[str] = "type to search"
    KEYS: ClassVar[str] = "enter choose · esc close"
    NOTHING: ClassVar[str] = "Nothing here yet."
    MARKS: ClassVar[bool] = False
    """Whether several rows can be marked, which makes the space bar no letter of the search."""
    DEFAULT_CSS = """
    Picker {
        #nothing { display: none; height: auto; padding: 0 0 1 0; color: $foreground-muted; }
        &.-empty #nothing { display: block; }
        &.-empty OptionList { display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[Row[_Value]] = []

    def rows(self) -> Sequence[Row[_Value]]:
        raise NotImplementedError

    def matching(self, words: Sequence[str]) -> Sequence[Row[_Value]]:
        """The rows to show for what is typed: those that have every word of it somewhere in their key."""
        rows = self.rows()
        if not words:
            return rows
        return [
            row for row in rows if row.value is not None and all(word in row.key.lower() for word in words)
        ]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self.TITLE
            dialog.border_subtitle = self.KEYS
            yield PickerField(placeholder=self.SEARCH, compact=True, id="search")
            yield Static("", id="nothing", markup=False)
            rows = OptionList(id="rows", markup=False)
            rows.can_focus = False
            yield rows

    def on_mount(self) -> None:
        self.refill()

    @property
    def highlighted(self) -> Row[_Value] | None:
        at = self.query_one(OptionList).highlighted
        return None if at is None or at >= len(self._shown) else self._shown[at]

    def refill(self, keep: int = 0) -> None:
        """Show the rows that match what is typed."""
        words = self.query_one(PickerField).value.lower().split()
        rows = self.matching(words)
        self._shown = list(rows)
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(row.shown, disabled=row.value is None) for row in rows])
        first = next((at for at, row in enumerate(rows) if row.value is not None), None)
        self.set_class(first is None, "-empty")
        if first is None:
            self.query_one("#nothing", Static).update(
                self.NOTHING if not words else f"Nothing matches {' '.join(words)!r}."
            )
        else:
            options.highlighted = max(first, min(keep, len(rows) - 1))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.refill()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.choose()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.choose()

    def choose(self) -> None:
        row = self.highlighted
        if row is not None and row.value is not None:
            self.dismiss(row.value)

    def action_move(self, by: int) -> None:
        options = self.query_one(OptionList)
        for _ in range(abs(by)):
            if by > 0:
                options.action_cursor_down()
            else:
                options.action_cursor_up()


def one_line(text: str, width: int) -> str:
    """The beginning of ``text`` on one line, at most ``width`` characters."""
    from verifiers.safe_text import clean

    line = " ".join(clean(text[: 4 * width]).split())
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"

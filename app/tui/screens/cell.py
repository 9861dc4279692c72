"""One cell of a comparison: the samples of one problem by one model, and the text of the one chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from app.problems.problem import Problem
from app.tui.action_kinds import Place
from app.tui.ports import short_name
from app.tui.screens.base import ShellScreen
from verifiers.safe_text import clean, one_line

_MARKS = {
    "right": ("✓", "$right"),
    "wrong": ("✗", "$wrong"),
    "undecided": ("?", "$undecided"),
    None: ("·", "$foreground-muted"),
}


class CellScreen(ShellScreen):
    """``rows`` are samples of the project's own format."""

    PLACE: ClassVar[Place] = "list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Back to the comparison", id="cell.close"),
        Binding("j", "move(1)", "Next sample", show=False),
        Binding("k", "move(-1)", "Previous sample", show=False),
    ]
    DEFAULT_CSS = """
    CellScreen {
        background: $background;
        #cell-head { height: auto; max-height: 6; padding: 0 1; color: $foreground; }
        OptionList {
            width: 38%; height: 1fr; background: $background; border: round $border-blurred;
            text-wrap: nowrap; text-overflow: ellipsis;
        }
        OptionList:focus { border: round $border; }
        VerticalScroll { width: 62%; height: 1fr; border: round $border-blurred; padding: 0 1; }
    }
    """

    def __init__(self, problem: Problem, model: str, rows: Sequence[dict[str, Any]]) -> None:
        super().__init__()
        self._problem = problem
        self._model = model
        self._rows = rows

    def compose(self) -> ComposeResult:
        right = sum(row["verdict"] == "right" for row in self._rows)
        decided = sum(row["verdict"] in ("right", "wrong") for row in self._rows)
        known = f"   = {one_line(self._problem.answer, 40)}" if self._problem.answer else ""
        head = Content.assemble(
            (f"{short_name(self._model)}: {right} of {decided} right{known}\n", "bold"),
            one_line(self._problem.prompt, 600),
        )
        yield Static(head, id="cell-head", markup=False)
        with Horizontal():
            yield OptionList(*(Option(_line(row)) for row in self._rows), id="cell-rows", markup=False)
            with VerticalScroll(can_focus=True):
                yield Static("", id="cell-text", markup=False)

    def on_mount(self) -> None:
        rows = self.query_one(OptionList)
        rows.focus()
        if self._rows:
            rows.highlighted = 0
        else:
            self.query_one("#cell-text", Static).update(Content("No sample has ended here yet."))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        row = self._rows[event.option_index]
        mark, colour = _MARKS.get(row["verdict"], _MARKS[None])
        reason = one_line(row.get("reason") or row.get("error") or "", 300)
        self.query_one("#cell-text", Static).update(
            Content.assemble((f"{mark} {reason}\n\n", colour), clean(row["text"] or ""))
        )

    def action_move(self, by: int) -> None:
        rows = self.query_one(OptionList)
        rows.highlighted = max(0, min(len(self._rows) - 1, (rows.highlighted or 0) + by))

    def action_close(self) -> None:
        self.dismiss()


def _line(row: dict[str, Any]) -> Content:
    mark, colour = _MARKS.get(row["verdict"], _MARKS[None])
    answer = one_line(row["answer"] or row.get("error") or "—", 40)
    return Content.assemble(
        (f"{mark} ", colour),
        f"{answer}  ",
        (f"#{row['index'] + 1} {row['completion_tokens']} tok", "$foreground-muted"),
    )

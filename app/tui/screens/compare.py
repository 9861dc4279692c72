"""A comparison, live or kept: the verdict and the leaderboard, the curves, and who solves what.

As the run screen, it takes nothing from what it shows but the state, which it looks at on a tick; what takes
longer than a tick is worked out in a thread, in proportion to what it costs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, Protocol

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.markup import escape
from textual.widget import Widget

from app.runs.compare.standings import Unit, standings, unit_of
from app.runs.compare.state import ComparisonState
from app.tui.action_kinds import Place
from app.tui.screens.base import ShellScreen
from app.tui.text.scores import Scores, score
from app.tui.widgets.compare.board import CompareBoard
from app.tui.widgets.compare.curves import CompareCurves
from app.tui.widgets.compare.matrix import CompareMatrix
from app.tui.widgets.compare.status import CompareStatus
from verifiers.safe_text import one_line

ROWS_EVERY: Final = 0.25
SCORES_EVERY: Final = 0.5
_REST: Final = 4.0
"""Times as long as scores took to work out that nothing is worked out after them."""

Texts = Callable[[int, str], Sequence[dict[str, Any]]]
"""The samples of a problem (its place in the set) by a model, as rows of the sample format."""


class ComparisonSource(Protocol):
    """A comparison that is happening, or a kept one."""

    @property
    def state(self) -> ComparisonState: ...


class CompareScreen(ShellScreen):
    PLACE: ClassVar[Place] = "compare"
    CSS_PATH = "compare.tcss"
    AUTO_FOCUS = "#matrix"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-normal")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-tall")]  # noqa: RUF012

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "axis", "Curves by samples, dollars or FLOPs", id="compare.axis"),
        Binding("z", "zoom", "Maximise the pane, or give it back", id="compare.zoom"),
    ]

    def __init__(self, source: ComparisonSource, texts: Texts, *, foot: Widget | None = None) -> None:
        super().__init__()
        self.source = source
        self.scores = Scores()
        self._texts = texts
        self._foot = foot
        self._axis: Unit | None = None
        self._scored: object = None
        self._scoring: asyncio.Task[None] | None = None
        self._rests_until = 0.0

    @property
    def state(self) -> ComparisonState:
        return self.source.state

    @property
    def _idle(self) -> bool:
        """Whether no scores are being worked out."""
        return self._scoring is None or self._scoring.done()

    def compose(self) -> ComposeResult:
        with Horizontal(id="upper"):
            yield CompareBoard(self, id="board")
            yield CompareCurves(self, id="curves")
        yield CompareMatrix(self, id="matrix")
        yield CompareStatus(self, id="status")
        if self._foot is not None:
            yield self._foot

    # -- the tick ----------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self._board = self.query_one(CompareBoard)
        self._curves = self.query_one(CompareCurves)
        self._matrix = self.query_one(CompareMatrix)
        self._status = self.query_one(CompareStatus)
        self.set_interval(ROWS_EVERY, self.pull)
        self.set_interval(SCORES_EVERY, self.score)
        self.call_after_refresh(self.pull)
        self.call_after_refresh(self.score)

    def pull(self) -> None:
        name = escape(one_line(self.state.name, 60))
        self._board.border_title = f"{name} · {len(self.state.problems):,} problems"
        for pane in (self._board, self._curves, self._matrix, self._status):
            if pane.display:
                pane.pull()

    def score(self) -> None:
        """Work the scores out anew, if anything changed and the last time is long enough ago."""
        state = self.state
        now = (state.revision if state.phase == "ended" else state.finished, self._axis, len(state.models))
        if not self._idle or now == self._scored or time.monotonic() < self._rests_until or not state.models:
            return
        self._scored = now
        self._scoring = asyncio.create_task(self._work_out())

    async def _work_out(self) -> None:
        state = self.state
        unit = unit_of(state)
        axis = self._axis or unit
        began = time.monotonic()
        found = standings(state, unit)
        self.scores = await asyncio.to_thread(score, found, unit, axis)
        took = time.monotonic() - began
        self._rests_until = 0.0 if state.phase == "ended" else time.monotonic() + _REST * took
        self.pull()

    def do_problem(self, argument: str = "") -> None:
        """Back to the form; a comparison that is live goes on."""
        self.shell.show_form()

    # -- actions -----------------------------------------------------------------------------------

    def axes(self) -> list[Unit]:
        """What the curves may be drawn over."""
        books = [each.known for each in self.state.books_by_model.values()]
        found: list[Unit] = ["samples"]
        if books and all(each.usd for each in books):
            found.append("usd")
        if books and all(each.flops for each in books):
            found.append("flops")
        return found

    def action_axis(self) -> None:
        """The next axis; where there is no room beside the board, the curves take its place and give it
        back."""
        alone = self.has_class("-narrow")
        choices = self.axes()
        if alone and not self.has_class("-curves"):
            self.add_class("-curves")
        else:
            here = self._axis or self.scores.axis
            place = choices.index(here) if here in choices else -1
            self._axis = choices[(place + 1) % len(choices)]
            if alone and self._axis == choices[0]:
                self.remove_class("-curves")
        self._rests_until = 0.0
        self.score()
        self.pull()

    def action_zoom(self) -> None:
        if self.maximized is not None:
            self.minimize()
        elif self.focused is not None:
            self.maximize(self.focused, container=False)

    def on_compare_matrix_opened(self, message: CompareMatrix.Opened) -> None:
        from app.tui.screens.cell import CellScreen

        problem = self.state.problems[message.problem]
        self.app.push_screen(CellScreen(problem, message.model, self._texts(message.problem, message.model)))

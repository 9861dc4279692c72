"""One run, live or recorded: the pick, then coverage, then spend, and the pile of samples under them.

The screen takes nothing from the run but its state, which it looks at on a tick, and gives nothing to it but
pause, resume and stop. Whoever made the run drives it; the screen may be closed while samples still come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input

from app.runs.source import RunSource
from app.runs.state import RunState, Sample
from app.tui.action_kinds import Place
from app.tui.screens.base import ShellScreen
from app.tui.text.marks import number
from app.tui.widgets.coverage import CoverageChart
from app.tui.widgets.gauges import BudgetGauges
from app.tui.widgets.header import ProblemHeader
from app.tui.widgets.panel import Panel
from app.tui.widgets.picks import PicksPanel
from app.tui.widgets.sample_list import SampleList
from app.tui.widgets.sample_view import SampleView
from app.tui.widgets.status import StatusLine

if TYPE_CHECKING:
    from app.tui.screens.detail import DetailScreen

ROWS_EVERY: Final = 0.1
"""Seconds between two looks at the rows and the open sample."""
PANES_EVERY: Final = 1 / 3
"""Seconds between two looks at picks, chart, gauges and status."""


class RunScreen(ShellScreen):
    PLACE: ClassVar[Place] = "run"
    CSS_PATH = "run.tcss"
    AUTO_FOCUS = "#samples"
    ESCAPE_TO_MINIMIZE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-tall"), (38, "-roomy"), (50, "-high")]  # noqa: RUF012

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search in samples", key_display="/", id="run.search"),
        Binding("c", "chart", "Another chart", id="run.chart"),
        Binding("z", "zoom", "Maximise the pane, or give it back", id="run.zoom"),
        Binding("Y", "copy_text", "Copy the sample's whole text", id="run.copy-text"),
    ]

    def __init__(self, source: RunSource, *, foot: Widget | None = None) -> None:
        """``foot`` is put under everything: the prompt line, for example."""
        super().__init__()
        self.source = source
        self._foot = foot
        self._opened: DetailScreen | None = None

    @property
    def state(self) -> RunState:
        return self.source.state

    def compose(self) -> ComposeResult:
        yield ProblemHeader(self.source, id="problem")
        with Horizontal(id="upper"):
            yield PicksPanel(self.source, id="picks")
            yield CoverageChart(self.source, id="chart")
        with Horizontal(id="lower"):
            yield SampleList(self.source, id="samples")
            yield SampleView(self.source, id="view")
        yield Input(placeholder="text in an answer or a sample", id="search", compact=True)
        yield BudgetGauges(self.source, id="gauges")
        yield StatusLine(self.source, id="status")
        if self._foot is not None:
            yield self._foot

    # -- the tick ------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.samples = self.query_one(SampleList)
        self.view = self.query_one(SampleView)
        self.chart = self.query_one(CoverageChart)
        self._panels = list(self.query(Panel))
        self.set_interval(ROWS_EVERY, self.pull_rows)
        self.set_interval(PANES_EVERY, self.pull_panes)
        self.call_after_refresh(self.pull)

    def pull(self) -> None:
        """Show the run as it stands, all of it."""
        self.pull_rows()
        self.pull_panes()

    def pull_rows(self) -> None:
        if self._opened is not None and self._opened in self.app.screen_stack:
            self._opened.pull()
        else:
            self.samples.pull()
            self.view.pull()

    def pull_panes(self) -> None:
        if self._opened is None or self._opened not in self.app.screen_stack:
            for panel in self._panels:
                if panel.display:
                    panel.pull()

    def on_screen_resume(self) -> None:
        if self._opened is not None and self._opened not in self.app.screen_stack:
            self._opened = None
            self.call_after_refresh(self.pull)

    # -- what the list says --------------------------------------------------------------------------------

    def on_sample_list_focused(self, message: SampleList.Focused) -> None:
        self.view.show(message.index)

    def on_sample_list_opened(self, message: SampleList.Opened) -> None:
        self.open_sample(message.index)

    def on_picks_panel_opened(self, message: PicksPanel.Opened) -> None:
        self.open_sample(message.index)

    def open_sample(self, index: int) -> None:
        from app.tui.screens.detail import DetailScreen

        self._opened = DetailScreen(self.source, self.samples)
        self.samples.show_sample(index)
        self.app.push_screen(self._opened)

    # -- actions -------------------------------------------------------------------------------------------

    def do_stop(self, argument: str = "") -> None:
        """Escape leaves what is nearest, a search or a maximised pane; only then does it stop the run."""
        if not self._leave_search() and not self._leave_zoom():
            self.shell.do_stop(argument)

    def do_copy(self, argument: str = "") -> None:
        """The answer of the sample under the cursor, or its text where it has none; else the pick."""
        sample = self._under_cursor()
        if sample is None or self.focused is self.query_one(PicksPanel):
            self.shell.do_copy(argument)
        elif sample.answer:
            self.shell.copy_text(sample.answer, f"the answer of sample {number(sample.index)}")
        else:
            self.action_copy_text()

    def action_copy_text(self) -> None:
        sample = self._under_cursor()
        if sample is None:
            self.notify("There is nothing to copy yet.", severity="warning")
        else:
            self.shell.copy_text(sample.text, f"the text of sample {number(sample.index)}")

    def _under_cursor(self) -> Sample | None:
        index = self.samples.cursor
        return None if index is None else self.state.samples[index]

    def action_chart(self) -> None:
        """The next chart; where only one pane has room, the picks come round again after the last."""
        choices = self.chart.choices()
        alone = self.has_class("-narrow") or self.has_class("-short")
        if alone and not self.has_class("-chart"):
            self.add_class("-chart")
        elif alone and self.chart.showing == choices[-1]:
            self.remove_class("-chart")
            self.chart.cycle()
        elif len(choices) == 1:
            self.notify("Coverage needs a known answer; without one, the answers themselves are shown.")
        else:
            self.chart.cycle()
        self.pull_panes()

    def action_zoom(self) -> None:
        """Give the focused pane the whole screen, or give it back."""
        if not self._leave_zoom() and self.focused is not None:
            self.maximize(self.focused, container=False)

    def _leave_zoom(self) -> bool:
        if self.maximized is None:
            return False
        self.minimize()
        return True

    # -- searching -----------------------------------------------------------------------------------------

    def action_search(self) -> None:
        self.add_class("-search")
        self.query_one("#search", Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "search":
            event.stop()
            self.samples.show_needle(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "search":
            event.stop()
            self.samples.focus()
            if not event.value:
                self.remove_class("-search")

    def _leave_search(self) -> bool:
        if not self.has_class("-search"):
            return False
        self.query_one("#search", Input).value = ""
        self.remove_class("-search")
        self.samples.focus()
        return True

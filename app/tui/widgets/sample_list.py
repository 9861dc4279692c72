"""The pile: every sample of the run on one line, live, for as many samples as there are.

Nothing is kept per sample but what the order needs; a row is painted when it is on screen and its sample has
changed, and never otherwise. The cursor belongs to a sample, not to a place: rows arriving above it do not
move it. Until a key is pressed it follows the run by itself, from one live sample to the next.
"""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.markup import escape
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from app.runs.source import RunSource
from app.runs.state import RunState
from app.tui.widgets.changes import Changes
from app.tui.widgets.colours import palette
from app.tui.widgets.follow import followed
from app.tui.widgets.list_words import nothing, summary, view
from app.tui.widgets.order import FILTERS, SORTS, Filter, GroupRow, SampleOrder, Sort
from app.tui.widgets.row_painter import RowPainter, empty_strip


class SampleList(ScrollView, can_focus=True):
    """Sends ``Focused`` when the cursor comes to another sample, ``Opened`` when one is to be shown whole."""

    DEFAULT_CSS = """
    SampleList { overflow-y: scroll; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Next sample", id="samples.next"),
        Binding("k,up", "move(-1)", "Previous sample", id="samples.previous"),
        Binding("pagedown", "page(1)", "Page down", id="samples.page-down"),
        Binding("pageup", "page(-1)", "Page up", id="samples.page-up"),
        Binding("home", "first", "First, and follow the run", id="samples.first"),
        Binding("end,G", "last", "Last sample", id="samples.last"),
        Binding("enter", "open", "Open sample", id="samples.open"),
        Binding("f", "filter", "Filter by verdict", id="samples.filter"),
        Binding("s", "sort", "Sort", id="samples.sort"),
        Binding("g", "group", "Group by answer", id="samples.group"),
    ]

    class Focused(Message):
        """The cursor stands on this sample now (``None``: on a heading, or there is no sample)."""

        def __init__(self, index: int | None) -> None:
            super().__init__()
            self.index = index

    class Opened(Message):
        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, source: RunSource, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.source = source
        self.order = SampleOrder()
        self._changes = Changes()
        self.follow = True
        self._cursor: int | str | None = None
        self._cursor_row = 0
        self._revision = -1
        self._state: RunState | None = None
        self._painter = RowPainter()
        self._painted: list[object] = []
        self._titles = ("", "")

    # -- what others ask -----------------------------------------------------------------------------------

    @property
    def state(self) -> RunState:
        return self.source.state

    @property
    def cursor(self) -> int | None:
        """The index of the sample under the cursor."""
        return self._cursor if isinstance(self._cursor, int) else None

    @property
    def neighbours(self) -> tuple[int | None, int | None]:
        """The samples one row above and below the cursor."""
        return self._sample_near(-1), self._sample_near(1)

    def _sample_near(self, by: int) -> int | None:
        at = self._cursor_row + by
        row = self.order.row(at) if 0 <= at < len(self.order) else None
        return row if isinstance(row, int) else None

    # -- the tick ------------------------------------------------------------------------------------------

    def pull(self) -> None:
        """Bring rows, cursor and titles up to the state. Costs nothing when the state has not moved."""
        state = self.state
        if state is not self._state or state.revision < self._revision:
            self._state = state
            self.rebuild()
        if state.revision == self._revision and not self.order.is_searching:
            return
        self._revision = state.revision
        self._show()

    def rebuild(self) -> None:
        """Look at every sample again: another state, or a jump back in a recording."""
        self._painter.forget()
        self._revision = -1
        self._changes = Changes()
        self.order.rebuild(self.state)

    def _show(self) -> None:
        state = self.state
        changed = self._changes.take(state)
        self._painter.look_at(state, changed)
        self.order.touch(changed)
        self.order.advance(state)
        self._lay_columns()
        self._set_height(len(self.order))
        self._keep_place(state)
        self._refresh_changed()
        self._title(state)

    def _lay_columns(self) -> None:
        if self._painter.lay(self.scrollable_content_region.width, self.state):
            self._painted = []

    def _set_height(self, rows: int) -> None:
        size = Size(self.scrollable_content_region.width, rows)
        if size != self.virtual_size:
            # Set past the reactive: a layout of the whole screen for every new row costs more than the row.
            self.set_reactive(Widget.virtual_size, size)
            bar = self.vertical_scrollbar
            bar.window_virtual_size, bar.window_size = rows, self._height
            bar.refresh()

    @property
    def _height(self) -> int:
        return self.scrollable_content_region.height

    def _scroll(self, y: int) -> None:
        y = max(0, min(y, self.max_scroll_y))
        if y != self.scroll_offset.y or self.scroll_target_y != y:
            self.set_scroll(None, y)
            self.scroll_target_y = y
            self.vertical_scrollbar.position = y

    # -- the cursor ----------------------------------------------------------------------------------------

    def _keep_place(self, state: RunState) -> None:
        if not len(self.order):
            self._put_cursor(None, 0)
            return
        if self.follow:
            index = followed(state, self.order, self.cursor, self._height)
            row = None if index is None else self.order.position(index)
            self._put_cursor(self._identity(row or 0), row or 0)
            self._scroll(0)
            if state.phase == "ended":
                self._reveal()
            return
        row = self._row_of_cursor()
        if row is None:
            row = min(self._cursor_row, len(self.order) - 1)
            self._put_cursor(self._identity(row), row)
            self._reveal()
            return
        self._scroll(self.scroll_offset.y + row - self._cursor_row)
        self._put_cursor(self._identity(row), row)

    def _identity(self, row: int) -> int | str | None:
        if not 0 <= row < len(self.order):
            return None
        found = self.order.row(row)
        return found.key if isinstance(found, GroupRow) else found

    def _row_of_cursor(self) -> int | None:
        if isinstance(self._cursor, int):
            return self.order.position(self._cursor)
        if self._cursor is None or not self.order.grouped:
            return None
        return self.order.heading(self._cursor)

    def _put_cursor(self, cursor: int | str | None, row: int) -> None:
        self._cursor_row = row
        if cursor != self._cursor:
            self._cursor = cursor
            self.post_message(self.Focused(self.cursor))

    def _reveal(self) -> None:
        y = self.scroll_offset.y
        if self._cursor_row < y:
            self._scroll(self._cursor_row)
        elif self._cursor_row >= y + self._height:
            self._scroll(self._cursor_row - self._height + 1)

    def go_to(self, row: int) -> None:
        """Put the cursor on a row and stop following the run."""
        self.follow = False
        if not len(self.order):
            return
        row = max(0, min(row, len(self.order) - 1))
        self._put_cursor(self._identity(row), row)
        self._reveal()
        self._refresh_changed()

    def show_sample(self, index: int) -> None:
        """Put the cursor on a sample, dropping a filter that hides it."""
        if self.order.position(index) is None:
            self.order.show(self.state, filter="all", needle="", sort="newest", grouped=False)
            self._show()
        row = self.order.position(index)
        if row is not None:
            self.go_to(row)

    # -- actions -------------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        self.go_to(self._cursor_row + by)

    def action_page(self, by: int) -> None:
        self.go_to(self._cursor_row + by * max(1, self._height - 1))

    def action_first(self) -> None:
        self.go_to(0)
        self.follow = self.state.phase != "ended"

    def action_last(self) -> None:
        self.go_to(len(self.order) - 1)

    def action_open(self) -> None:
        if isinstance(self._cursor, str):
            self.order.toggle(self._cursor)
            self._look_again()
        elif self._cursor is not None:
            self.follow = False
            self.post_message(self.Opened(self._cursor))

    def action_filter(self) -> None:
        self.show_filter(FILTERS[(FILTERS.index(self.order.filter) + 1) % len(FILTERS)])

    def show_filter(self, name: Filter) -> None:
        self.order.show(self.state, filter=name)
        self._look_again()

    def show_needle(self, needle: str) -> None:
        """Only samples whose answer or text contains ``needle``, whatever the case."""
        self.order.show(self.state, needle=needle)
        self._look_again()

    def action_sort(self) -> None:
        self.show_sort(SORTS[(SORTS.index(self.order.sort) + 1) % len(SORTS)])

    def show_sort(self, name: Sort) -> None:
        self.order.show(self.state, sort=name)
        self._look_again()

    def action_group(self) -> None:
        self.order.show(self.state, grouped=not self.order.grouped)
        self.follow = False
        self._look_again()
        self.go_to(0)

    def _look_again(self) -> None:
        self._painted = []
        self._show()

    # -- the mouse -----------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        row = offset.y + self.scroll_offset.y
        if row < len(self.order):
            self.go_to(row)
            if event.chain == 2 or isinstance(self._cursor, str):
                self.action_open()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(new_value) != round(old_value):
            self.follow = False  # only wheel and scrollbar come this way: the hand decides
            self._painted = []

    # -- painting ------------------------------------------------------------------------------------------

    def _refresh_changed(self) -> None:
        """Mark as dirty the visible rows that differ from what was painted."""
        top, height = self.scroll_offset.y, self._height
        rows = [self._token(top + y) for y in range(height)]
        if len(rows) != len(self._painted):
            changed = list(range(height))
        else:
            changed = [y for y, row in enumerate(rows) if row != self._painted[y]]
        self._painted = rows
        if 2 * len(changed) > height:
            self.refresh()
        elif changed:
            width = self.scrollable_content_region.width
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def _token(self, row: int) -> object:
        """What the picture of a row depends on."""
        if row >= len(self.order):
            return None
        found = self.order.row(row)
        focused = row == self._cursor_row
        if isinstance(found, GroupRow):
            return (found, focused, self.state.finished)
        sample = self.state.samples[found]
        return (found, 0 if sample is None else sample.revision, focused, self._painter.is_picked(sample))

    def render_line(self, y: int) -> Strip:
        row = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if self._painter.columns.width != width:
            self._lay_columns()
        colours = palette(self.app)
        if row >= len(self.order):
            why = "" if y or len(self.order) else nothing(self.state, self.order)
            return empty_strip(why, width, self.rich_style, colours.dim)
        focused = row == self._cursor_row
        found, base = self.order.row(row), self._base(focused)
        if isinstance(found, GroupRow):
            return self._painter.heading(found, self.state, colours, base, focused=focused)
        return self._painter.sample(found, self.state, colours, base, focused=focused)

    def _base(self, focused: bool) -> Style:
        colours = palette(self.app)
        if not focused:
            return self.rich_style
        return self.rich_style + (colours.cursor if self.has_focus else colours.cursor_blurred)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter.forget()
        self._painted = []

    def on_focus(self) -> None:
        self._painter.forget()
        self.refresh()

    def on_blur(self) -> None:
        self._painter.forget()
        self.refresh()

    def on_resize(self) -> None:
        self._look_again()

    # -- titles --------------------------------------------------------------------------------------------

    def _title(self, state: RunState) -> None:
        titles = (summary(state), view(self.order))
        if titles != self._titles:
            self._titles = titles
            self.border_title, self.border_subtitle = map(escape, titles)

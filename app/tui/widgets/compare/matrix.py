"""Who solves what, and how often: problems down, models across, one line a problem for thousands of them."""

from __future__ import annotations

from typing import ClassVar, Final, Literal, get_args

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from app.runs.compare.state import Cell, ComparisonState
from app.tui.ports import short_name
from app.tui.text import bars, fit
from app.tui.widgets.colours import Palette, palette
from app.tui.widgets.compare.pane import Watched
from verifiers.safe_text import one_line

Shown = Literal["all", "differ", "solved", "unsolved"]
SHOWN: Final[tuple[Shown, ...]] = get_args(Shown)
_WORDS: Final[dict[Shown, str]] = {
    "all": "",
    "differ": "where the models differ",
    "solved": "solved by any",
    "unsolved": "solved by none",
}
_SHADES: Final = " ▁▂▃▄▅▆▇█"
_CELL: Final = 16


class CompareMatrix(ScrollView, can_focus=True):
    """Sends ``Opened`` when a cell is to be shown with its samples."""

    DEFAULT_CSS = """
    CompareMatrix { overflow-y: scroll; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Next problem", id="matrix.next"),
        Binding("k,up", "move(-1)", "Previous problem", id="matrix.previous"),
        Binding("h,left", "aside(-1)", "Model to the left", id="matrix.left"),
        Binding("l,right", "aside(1)", "Model to the right", id="matrix.right"),
        Binding("pagedown", "page(1)", "Page down", id="matrix.page-down"),
        Binding("pageup", "page(-1)", "Page up", id="matrix.page-up"),
        Binding("home", "move(-1000000)", "First problem", id="matrix.first"),
        Binding("end,G", "move(1000000)", "Last problem", id="matrix.last"),
        Binding("enter", "open", "Open its samples", id="matrix.open"),
        Binding("f", "filter", "Show others", id="matrix.filter"),
        Binding("s", "sort", "Hardest first, or as given", id="matrix.sort"),
    ]

    class Opened(Message):
        """``problem`` is its place in the set."""

        def __init__(self, problem: int, model: str) -> None:
            super().__init__()
            self.problem = problem
            self.model = model

    def __init__(self, watched: Watched, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.watched = watched
        self.shown: Shown = "all"
        self.hardest_first = False
        self._rows: list[int] = []
        self._cursor = 0
        self._column = 0
        self._revision = -1

    # -- the tick ----------------------------------------------------------------------------------

    @property
    def state(self) -> ComparisonState:
        return self.watched.state

    @property
    def problem(self) -> int | None:
        """The place of the problem under the cursor."""
        return self._rows[self._cursor] if self._cursor < len(self._rows) else None

    def pull(self) -> None:
        """Show the counts as they stand. Costs a pass over the problems where something changed."""
        if self.state.revision == self._revision:
            return
        self._revision = self.state.revision
        self.rebuild()

    def rebuild(self) -> None:
        kept = self.problem
        state = self.state
        self._rows = [place for place in range(len(state.problems)) if self._wanted(place)]
        if self.hardest_first:
            self._rows.sort(key=self._share)
        if kept in self._rows:
            self._cursor = self._rows.index(kept)
        self._cursor = max(0, min(self._cursor, len(self._rows) - 1))
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)
        title = f"Problems {len(self._rows):,}"
        if self.shown != "all":
            title += f" of {len(state.problems):,}, {_WORDS[self.shown]}"
        self.border_title = title + (", hardest first" if self.hardest_first else "")
        self.refresh()

    def _cells(self, place: int) -> list[Cell]:
        return [cells[place] for cells in self.state.cells.values()]

    def _wanted(self, place: int) -> bool:
        cells = self._cells(place)
        solved = [cell.right > 0 for cell in cells]
        match self.shown:
            case "differ":
                return any(solved) and not all(solved)
            case "solved":
                return any(solved)
            case "unsolved":
                return not any(solved)
            case _:
                return True

    def _share(self, place: int) -> tuple[float, int]:
        cells = self._cells(place)
        decided = sum(cell.decided for cell in cells)
        return (sum(cell.right for cell in cells) / decided if decided else 0.0, place)

    # -- painting ------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        colours = palette(self.app)
        if y == 0:
            return self._heading(width, colours)
        row = self.scroll_offset.y + y - 1
        if row >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        return self._line(row, width, colours)

    def _widths(self, width: int) -> tuple[int, int]:
        """Cells of the problem's words, and of each model's column."""
        models = max(1, len(self.state.models))
        each = max(5, min(_CELL + 8, (width * 3 // 5) // models))
        return max(10, width - each * models), each

    def _heading(self, width: int, colours: Palette) -> Strip:
        words, each = self._widths(width)
        segments = [Segment("problem".ljust(words), self.rich_style + colours.dim)]
        for place, model in enumerate(self.state.models):
            name = short_name(model, each - 1).rjust(each)
            style = colours.strong if place == self._column else colours.dim
            segments.append(Segment(name[-each:], self.rich_style + style))
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _line(self, row: int, width: int, colours: Palette) -> Strip:
        place = self._rows[row]
        words, each = self._widths(width)
        problem = self.state.problems[place]
        under = row == self._cursor
        ground = self.rich_style
        if under:
            ground += colours.cursor if self.has_focus else colours.cursor_blurred
        name = one_line(problem.id, 16)
        text = fit.head(f"{name} · {one_line(problem.title or problem.prompt, 200)}", words - 1)
        segments = [
            Segment(text + " " * (words - cell_len(text)), ground),
        ]
        for column, cell in enumerate(self._cells(place)):
            chosen = under and column == self._column
            segments += _cell(cell, each, ground, colours, chosen=chosen)
        return Strip(segments).adjust_cell_length(width, ground)

    # -- keys ----------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        if self._rows:
            self._cursor = max(0, min(len(self._rows) - 1, self._cursor + by))
            self.scroll_to_region(Region(0, self._cursor, 1, 2), animate=False, force=True)
            self.refresh()

    def action_page(self, by: int) -> None:
        self.action_move(by * max(1, self.size.height - 2))

    def action_aside(self, by: int) -> None:
        self._column = max(0, min(len(self.state.models) - 1, self._column + by))
        self.refresh()

    def action_open(self) -> None:
        if self.problem is not None:
            self.post_message(self.Opened(self.problem, list(self.state.models)[self._column]))

    def action_filter(self) -> None:
        self.shown = SHOWN[(SHOWN.index(self.shown) + 1) % len(SHOWN)]
        self.rebuild()

    def action_sort(self) -> None:
        self.hardest_first = not self.hardest_first
        self.rebuild()

    def on_click(self, event: events.Click) -> None:
        row = self.scroll_offset.y + event.get_content_offset_capture(self).y - 1
        if 0 <= row < len(self._rows):
            self._cursor = row
            self.refresh()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()


def _cell(cell: Cell, width: int, ground: Style, colours: Palette, *, chosen: bool) -> list[Segment]:
    """A bar as long as the share that was right and the counts; where there is no room for both, the counts,
    and in the narrowest columns a block as high as the share."""
    decided, right = cell.decided, cell.right
    style = colours.dim if not decided else colours.right if right else colours.wrong
    mark = colours.cursor + Style(reverse=True, bold=True) if chosen else style
    if not decided:
        return [Segment("·".rjust(width), ground + mark)]
    figures = f"{right}/{decided}"
    if width < len(figures) + 2:
        block = _SHADES[max(1, round(8 * right / decided))] if right else "✗"
        return [Segment(block.rjust(width), ground + mark)]
    room = width - 8
    if room < 4:
        return [Segment(" " * (width - len(figures)), ground), Segment(figures, ground + mark)]
    full, empty = bars.split(room, right / decided)
    return [
        Segment(" ", ground),
        Segment(bars.FULL * full, ground + style),
        Segment(bars.EMPTY * empty, ground + colours.faint),
        Segment(" " * (7 - len(figures)), ground),
        Segment(figures, ground + mark),
    ]

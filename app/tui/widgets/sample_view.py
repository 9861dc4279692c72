"""The sample under the cursor, open: its text as it comes, Markdown once there is something to format.

A text that is still growing is formatted again a few times a second while that is cheap; beyond a few
thousand characters only its end is wrapped, until the sample ends. The view stays at the end of a growing
text unless the reader has scrolled away from it.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.markup import escape
from textual.scroll_view import ScrollView
from textual.strip import Strip

from app.runs.source import RunSource
from app.runs.state import Sample
from app.tui.text import fit
from app.tui.text.markdown import (
    LONGEST_RENDERED,
    Lines,
    Look,
    lines_of,
    looks_like_code,
    plain_lines,
    program_lines,
    warm_up,
)
from app.tui.text.marks import MEANINGS, SIGNS, number, standing
from app.tui.widgets.colours import Palette, palette
from app.tui.widgets.program_lines import translation_lines
from app.tui.widgets.sample_row import WAITING
from app.tui.widgets.verdict_lines import verdict_lines

LONGEST_LIVE: Final = 4_000
"""Characters up to which a growing text is formatted."""
_LIVE_EVERY: Final = 0.3
"""Seconds between two formattings of a growing text."""


class SampleView(ScrollView, can_focus=True):
    DEFAULT_CSS = """
    SampleView { overflow-y: auto; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_down", "Scroll down", show=False, id="text.down"),
        Binding("k,up", "scroll_up", "Scroll up", show=False, id="text.up"),
        Binding("r", "raw", "Formatted or as written", show=False, id="text.raw"),
    ]

    def __init__(self, source: RunSource, *, id: str | None = None, explains: bool = True) -> None:  # noqa: A002
        """``explains``: what the checker found stands above the text, where no other pane tells it."""
        super().__init__(id=id)
        self._explains = explains
        self.source = source
        self.raw = False
        self._index: int | None = None
        self._shown: tuple[object, ...] = ()
        self._lines: Lines = []
        self._strips: dict[int, Strip] = {}
        self._at_end = True
        self._formatted = 0.0
        self._title_text = ""

    def on_mount(self) -> None:
        self.run_worker(asyncio.to_thread(warm_up), group="warm-up")

    @property
    def sample(self) -> Sample | None:
        samples = self.source.state.samples
        return samples[self._index] if self._index is not None and self._index < len(samples) else None

    @property
    def index(self) -> int | None:
        return self._index

    def show(self, index: int | None) -> None:
        """Open this sample, from its beginning if it has ended, at its end if it is being written."""
        if index == self._index:
            return
        self._index = index
        self._formatted = 0.0
        sample = self.sample
        self._at_end = sample is not None and sample.status == "live"
        if self.is_attached and self.display:
            self.set_scroll(None, 0)
            self.scroll_target_y = 0
            self.pull()

    def action_raw(self) -> None:
        self.raw = not self.raw
        self._formatted = 0.0
        self.pull()

    # -- the tick ------------------------------------------------------------------------------------------

    def pull(self) -> None:
        """Bring the text up to the state, at most a few times a second."""
        width, height = self.scrollable_content_region.size
        if not self.display or width <= 0:
            return
        sample = self.sample
        colours = palette(self.app)
        shown = (self._index, None if sample is None else sample.revision, width, self.raw, id(colours))
        if shown == self._shown:
            return
        live = sample is not None and sample.status == "live"
        growing = live or (sample is not None and bool(sample.translation) and sample.program_status is None)
        now = perf_counter()
        if growing and now - self._formatted < _LIVE_EVERY and shown[2:] == self._shown[2:]:
            return
        self._shown, self._formatted = shown, now
        self._lines = [] if sample is None else self._render_text(sample, width, height, colours)
        self._strips.clear()
        self.virtual_size = Size(width, len(self._lines))
        if self._at_end and live:
            self.set_scroll(None, self.max_scroll_y)
            self.scroll_target_y = self.max_scroll_y
        self._title(sample)
        self.refresh()

    def _render_text(self, sample: Sample, width: int, height: int, colours: Palette) -> Lines:
        if sample.status == "live" and not sample.parts:
            return [[Segment(f"{WAITING.capitalize()}.", colours.dim)]]
        if sample.status == "live":
            text = sample.tail(LONGEST_LIVE + 1)
            if len(text) > LONGEST_LIVE or self.raw:
                # Only the end of a long text is wrapped while it grows; all of it once it has ended.
                lines = plain_lines(text[-max(width * height * 2, 400) :], width)
                return _with_caret(lines, width, colours)
            return _with_caret(lines_of(text, None, width, _look(colours)), width, colours)
        text = sample.text
        remarks = self._remarks(sample, width, colours)
        remarks = [*remarks, *translation_lines(sample, width, _look(colours), colours)]
        above = verdict_lines(sample, width, colours) if self._explains else []
        if not text.strip():
            return [*above, *(remarks or [[Segment("The model wrote nothing.", colours.dim)]])]
        if self.raw or len(text) > LONGEST_RENDERED:
            return [*above, *plain_lines(text, width), *remarks]
        if self._is_bare_program(text):
            return [*above, *program_lines(text, width, _look(colours)), *remarks]
        return [*above, *lines_of(text, sample.span, width, _look(colours)), *remarks]

    def _is_bare_program(self, text: str) -> bool:
        """Whether a reply is code and nothing else, as base models go on from a signature."""
        problem = self.source.state.problem
        return problem is not None and problem.kind == "code" and "```" not in text and looks_like_code(text)

    def _remarks(self, sample: Sample, width: int, colours: Palette) -> Lines:
        """What has to be said of a sample that did not end by itself."""
        remark = ""
        if sample.status == "failed":
            remark = f"Failed: {sample.error}"
        elif sample.status == "cancelled":
            remark = "Cancelled: it neither votes nor counts."
        elif sample.finish_reason == "length":
            remark = f"Cut off at {sample.tokens:,} tokens."
        elif sample.finish_reason == "content_filter":
            remark = "The provider withheld the rest."
        if not remark:
            return []
        return [[], *([Segment(line[0].text, colours.wrong)] for line in plain_lines(remark, width))]

    def _title(self, sample: Sample | None) -> None:
        title = "Sample"
        if sample is not None:
            how = standing(sample)
            problem = self.source.state.problem
            short = problem is None or problem.kind in ("math", "open")
            answer = f"{fit.head(sample.answer, 24)} " if sample.answer and short else ""
            checker = f" ({fit.head(sample.checker, 24)})" if sample.verdict is not None else ""
            title = f"#{number(sample.index)}  {answer}{SIGNS[how]} {MEANINGS[how]}{checker}"
        if title != self._title_text:
            self._title_text = title
            self.border_title = escape(title)

    # -- painting ------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        at = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if at >= len(self._lines):
            if not self._lines and y == 0:
                text = " The sample under the cursor opens here."
                return Strip([Segment(fit.left(text, width), self.rich_style + palette(self.app).dim)])
            return Strip.blank(width, self.rich_style)
        strip = self._strips.get(at)
        if strip is None:
            strip = Strip(self._lines[at]).adjust_cell_length(width).apply_style(self.rich_style)
            self._strips[at] = strip
        return strip

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._at_end = new_value >= self.max_scroll_y

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self, _event: events.Resize) -> None:
        self.pull()


def _with_caret(lines: Lines, width: int, colours: Palette) -> Lines:
    """The lines with a sign at their end that more is coming."""
    caret = Segment("▏", colours.live)
    last = Strip(lines[-1]) if lines else Strip([])
    text = last.text.rstrip()
    if cell_len(text) >= width:
        return [*lines, [caret]]
    return [*lines[:-1], [*last.crop(0, cell_len(text)), caret]]


def _look(colours: Palette) -> Look:
    return Look(
        heading=colours.strong,
        code=colours.live,
        dim=colours.dim,
        answer=colours.pick + Style(bold=True, underline=True),
        code_theme="ansi_dark" if colours.dark else "ansi_light",
    )

"""What the panes of the comparison screen share: a comparison to look at, and the scores worked out of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rich.text import Text
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from app.runs.compare.state import ComparisonState
from app.tui.text.scores import Scores
from app.tui.widgets.colours import Palette, palette


class Watched(Protocol):
    """What is shown: the state as it is now, and the scores as of a moment ago."""

    @property
    def state(self) -> ComparisonState: ...

    @property
    def scores(self) -> Scores: ...


class ComparePane(Widget):
    """Paints whole lines, and only when what it shows has changed. Subclasses answer ``looks_at`` and
    ``draw``."""

    def __init__(self, watched: Watched, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.watched = watched
        self._seen: object = None
        self._strips: list[Strip] | None = None
        self._strips_width = -1

    @property
    def palette(self) -> Palette:
        return palette(self.app)

    def looks_at(self) -> object:
        raise NotImplementedError

    def draw(self, width: int, height: int) -> Sequence[Text]:
        raise NotImplementedError

    def pull(self) -> None:
        seen = self.looks_at()
        if seen != self._seen:
            self._seen = seen
            self.repaint()

    def repaint(self) -> None:
        self._strips = None
        self.refresh(layout=self.styles.is_auto_height)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = None

    def on_resize(self) -> None:
        self.repaint()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.draw(width, 0))

    def render_line(self, y: int) -> Strip:
        width, height = self.content_size
        if self._strips is None or self._strips_width != width:
            self._strips = [self._strip(line, width) for line in self.draw(width, height)]
            self._strips_width = width
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(width, self.rich_style)

    def _strip(self, line: Text, width: int) -> Strip:
        console = self.app.console
        style = self.rich_style + console.get_style(line.style)
        return Strip(list(line.render(console, end=""))).adjust_cell_length(width).apply_style(style)

"""A pane that paints whole lines, and only when what it shows has changed.

The run screen calls ``pull`` on a tick. A pane names what it looks at; while that compares equal nothing is
computed and nothing is painted, so a finished run costs nothing however often the tick comes.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from app.runs.source import RunSource
from app.runs.state import RunState
from app.tui.widgets.colours import Palette, palette


class LinePane(Widget):
    """Whole lines, kept as they were painted until ``repaint``. Subclasses answer ``draw``."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._seen: object = None
        self._strips: list[Strip] | None = None
        self._strips_width = -1

    @property
    def palette(self) -> Palette:
        return palette(self.app)

    def draw(self, width: int, height: int) -> Sequence[Text]:
        """The picture as lines of at most ``width`` cells."""
        raise NotImplementedError

    def see(self, seen: object) -> bool:
        """Repaint if what is shown has changed. Returns whether it had."""
        if seen == self._seen:
            return False
        self._seen = seen
        self.repaint()
        return True

    def repaint(self) -> None:
        self._strips = None
        self.refresh()

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
        # Text leaves its own style to whoever prints it, wherever it has no spans.
        style = self.rich_style + console.get_style(line.style)
        return Strip(list(line.render(console, end=""))).adjust_cell_length(width).apply_style(style)


class Panel(LinePane):
    """A pane of the run screen. Subclasses answer ``looks_at`` and ``draw``."""

    DEFAULT_CSS = """
    Panel { height: auto; }
    """

    def __init__(self, source: RunSource, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.source = source

    @property
    def state(self) -> RunState:
        return self.source.state

    def looks_at(self, state: RunState) -> object:
        """What the picture depends on, as a value that is cheap to make and to compare."""
        raise NotImplementedError

    def pull(self) -> bool:
        """Repaint if something shown has changed. Returns whether it had."""
        return self.see(self.looks_at(self.state))

"""The keys that matter here, in one line, from the registry of actions. As many as fit; each can be
clicked."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.style import Style
from textual.widget import Widget

from app.tui.actions import Place, hints


class HintLine(Widget):
    DEFAULT_CSS = """
    HintLine { height: 1; color: $foreground-muted; }
    """

    def __init__(self, place: Place, *, share: float = 1.0, without: frozenset[str] = frozenset()) -> None:
        """``share`` is the part of the screen's width it may take."""
        super().__init__()
        self._place: Place = place
        self._share = share
        self._without = without

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return self._line(viewport.width).cell_length

    def render(self) -> Content:
        return self._line(self.app.size.width)

    def _line(self, screen_width: int) -> Content:
        room = max(10, int(screen_width * self._share) - 2)
        parts = [
            Content.assemble(
                (hint.key, "$footer-key-foreground"), (f" {hint.word}", "$foreground-muted")
            ).stylize(Style.from_meta({"@click": f"app.act('{hint.action.id}')"}))
            for hint in hints(self._place, room, without=self._without)
        ]
        return Content("  ").join(parts)

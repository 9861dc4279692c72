"""The keys that matter here, in one line, from the registry of actions. As many as fit; each can be
clicked."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from app.tui.action_kinds import Place
from app.tui.key_hints import GAP, Hint, hints


class HintLine(Widget):
    DEFAULT_CSS = """
    HintLine { height: 1; color: $foreground-muted; }
    """

    live: reactive[bool] = reactive(True, layout=True)
    """Whether something still comes, and so can be paused and stopped."""

    def __init__(self, place: Place, *, share: float = 1.0) -> None:
        """``share`` is the part of the screen's width it may take."""
        super().__init__()
        self._place: Place = place
        self._share = share

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return self._line(viewport.width).cell_length

    def render(self) -> Content:
        return self._line(self.app.size.width)

    def on_click(self, event: events.Click) -> None:
        left = 0
        for hint in self._hints(self.app.size.width):
            if left <= event.x - self.gutter.left < left + hint.cells:
                event.stop()
                self.call_later(self.run_action, f"app.act('{hint.action.id}')")
                return
            left += hint.cells + GAP

    def _hints(self, screen_width: int) -> list[Hint]:
        return hints(
            self._place,
            max(10, int(screen_width * self._share) - 2),
            live=self.live,
            own_keys=getattr(self.app, "own_keys", None),
        )

    def _line(self, screen_width: int) -> Content:
        return Content(" " * GAP).join(
            Content.assemble((hint.key, "$footer-key-foreground"), f" {hint.word}")
            for hint in self._hints(screen_width)
        )

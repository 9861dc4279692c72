"""The one-line fields that Textual has no widget for: a choice among few words, and the chosen models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from app.tui.ports import ModelChoice, short_name


class Choice(Widget, can_focus=True):
    """One of a few words, side by side: left and right walk through them, a click takes one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "Previous", show=False),
        Binding("right,l,space,enter", "step(1)", "Next", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"choice--chosen", "choice--other"}
    DEFAULT_CSS = """
    Choice {
        height: 1; width: auto;
        & > .choice--other { color: $foreground-muted; }
        & > .choice--chosen { color: $foreground; background: $panel; text-style: bold; }
        &:focus > .choice--chosen { color: $block-cursor-foreground; background: $block-cursor-background; }
    }
    """

    value: reactive[str] = reactive("", layout=True)

    class Changed(Message):
        def __init__(self, choice: Choice, value: str) -> None:
            super().__init__()
            self.choice = choice
            self.value = value

        @property
        def control(self) -> Choice:
            return self.choice

    def __init__(self, options: Sequence[str], value: str, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._options = tuple(options)
        self._names: dict[str, str] = {}
        self.set_reactive(Choice.value, value)

    def rename(self, option: str, shown: str) -> None:
        """Show ``option`` under another word."""
        if self._names.get(option) != shown:
            self._names[option] = shown
            self.refresh(layout=True)

    def render(self) -> Content:
        chosen = Style.from_styles(self.get_component_styles("choice--chosen"))
        other = Style.from_styles(self.get_component_styles("choice--other"))
        return Content("").join(
            Content.styled(self._cell(option), chosen if option == self.value else other)
            for option in self._options
        )

    def on_click(self, event: events.Click) -> None:
        left = 0
        for option in self._options:
            if left <= event.x < left + len(self._cell(option)):
                self.action_choose(option)
                return
            left += len(self._cell(option))

    def _cell(self, option: str) -> str:
        return f" {self._names.get(option, option)} "

    def action_step(self, by: int) -> None:
        at = self._options.index(self.value) + by
        self.action_choose(self._options[at % len(self._options)])

    def action_choose(self, option: str) -> None:
        self.value = option
        self.post_message(self.Changed(self, option))


class ModelChips(Widget, can_focus=True):
    """The chosen models, each with what it costs or still needs. Enter opens the picker."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "app.act('models')", "Choose models", show=False)
    ]
    DEFAULT_CSS = """
    ModelChips { height: 1; width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    ModelChips:focus { background: $block-cursor-background; }
    """

    names: reactive[tuple[str, ...]] = reactive(())

    def __init__(self, names: tuple[str, ...], *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.set_reactive(ModelChips.names, names)
        self._known: dict[str, ModelChoice] = {}

    def know(self, models: Sequence[ModelChoice]) -> None:
        self._known = {model.name: model for model in models}
        self.refresh()

    def render(self) -> Content:
        if not self.names:
            return Content.styled("none chosen: press F2", "$wrong")
        return Content("   ").join(self._chip(name) for name in self.names)

    def _chip(self, name: str) -> Content:
        model = self._known.get(name)
        parts = [Content.styled(f" {short_name(name)} ", "bold $foreground on $panel")]
        if model is None:
            return parts[0]
        if model.ready:
            note = " · ".join(part for part in ("ready", model.cost) if part)
            parts.append(Content.styled(f" {note}", "$foreground-muted"))
        else:
            parts.append(Content.styled(f" {model.missing}", "$undecided"))
        return Content("").join(parts)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.run_action_soon()

    def run_action_soon(self) -> None:
        self.call_later(self.run_action, "app.act('models')")

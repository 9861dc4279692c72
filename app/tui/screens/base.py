"""What every screen of ours shares: its place in the registry of actions, and a typed way to the app."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from app.tui.action_kinds import Place

if TYPE_CHECKING:
    from app.tui.app import MonkeysApp

_Result = TypeVar("_Result")


class ShellScreen(Screen[None]):
    PLACE: ClassVar[Place] = "compose"

    @property
    def shell(self) -> MonkeysApp:
        return cast("MonkeysApp", self.app)


class ShellDialog(ModalScreen[_Result | None]):
    """A list or a text over the screen. Escape closes it with nothing chosen."""

    PLACE: ClassVar[Place] = "list"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss_empty", "Close", show=False)]
    DEFAULT_CSS = """
    ShellDialog {
        align: center middle;
        background: $background 60%;
        & > .dialog {
            width: 90%; max-width: 110; height: auto; max-height: 88%;
            background: $surface; border: round $border; padding: 0 1;
            border-title-color: $foreground; border-title-style: bold;
            border-subtitle-color: $foreground-muted;
        }
        OptionList {
            border: none; background: $surface; height: auto; max-height: 100%; padding: 0;
            text-wrap: nowrap; text-overflow: ellipsis;
        }
        OptionList:focus { border: none; }
        Input { border: none; height: 1; padding: 0; background: $panel; margin: 0 0 1 0; }
    }
    """

    @property
    def shell(self) -> MonkeysApp:
        return cast("MonkeysApp", self.app)

    def action_dismiss_empty(self) -> None:
        self.dismiss(None)

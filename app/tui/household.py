"""What can be done anywhere, whatever is in front: help, earlier runs, looks, copying, pictures.

One method per action of the registry, ``do_<id>(argument)``; each raises ``MonkeysError`` when it cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.binding import Binding
from textual.theme import Theme

from app import locations
from app.errors import BadInput
from app.tui import clipboard
from app.tui.actions import ACTIONS
from app.tui.key_hints import show_key
from app.tui.theme import DARK, LIGHT

if TYPE_CHECKING:
    from app.tui.app import MonkeysApp

_OURS = "monkeys-"


class Household:
    """Mixed into the app."""

    @property
    def _house(self) -> MonkeysApp:
        return cast("MonkeysApp", self)

    def do_help(self, _: str = "") -> None:
        from app.tui.screens.help import HelpScreen

        app = self._house
        screen = app.screen
        known = {key for action in ACTIONS for key in action.keys}
        own: dict[str, list[str]] = {}
        for key, active in screen.active_bindings.items():
            binding = active.binding
            declared = {other.action for other in _declared(type(active.node))}
            if key not in known and binding.description and binding.action in declared:
                own.setdefault(binding.description, []).append(show_key(key))
        of_screen = [(" ".join(keys), words) for words, keys in own.items()]
        app.push_screen(HelpScreen(app.place_of(screen), of_screen, app.own_keys))

    def do_palette(self, _: str = "") -> None:
        self._house.action_command_palette()

    def do_runs(self, _: str = "") -> None:
        from app.tui.screens.history import RunPicker

        app = self._house

        def chosen(run_id: str | None) -> None:
            if run_id is not None:
                app.act("replay", run_id)

        app.push_screen(RunPicker(app.session.ports.runs()), chosen)

    def do_replay(self, argument: str) -> None:
        app = self._house
        if app.session.live:
            raise BadInput("A run is still sampling.", "Stop it with esc, or let it end, and ask again.")
        if (kept := app.session.ports.compared(argument)) is not None:
            app.open_comparison(kept)
            return
        replay = app.session.ports.replay
        if replay is None:
            raise BadInput("Nothing here can play a run again.")
        app.open_recording(replay(argument))

    def do_screenshot(self, _: str = "") -> None:
        folder = locations.exports_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = self._house.save_screenshot(path=str(folder))
        except OSError as fault:
            raise BadInput(f"{folder} cannot be written ({fault.strerror or fault}).") from fault
        self._house.tell(f"Wrote the picture to {path}")

    # -- looks ---------------------------------------------------------------------------------------------

    def do_theme(self, argument: str = "") -> None:
        app = self._house
        if not argument:
            app.theme = LIGHT.name if app.current_theme.dark else DARK.name
            return
        names = {name.removeprefix(_OURS): name for name in app.available_themes}
        name = names.get(argument.removeprefix(_OURS))
        if name is None:
            raise BadInput(f"There is no theme {argument}.", "Type /theme and a space for the list.")
        app.theme = name

    def themes(self) -> list[str]:
        """The names of all themes as one types them, ours first."""

        def ours_first(theme: Theme) -> tuple[bool, str]:
            return not theme.name.startswith(_OURS), theme.name

        known = sorted(self._house.available_themes.values(), key=ours_first)
        return [theme.name.removeprefix(_OURS) for theme in known]

    # -- copying -------------------------------------------------------------------------------------------

    def copy_to_clipboard(self, text: str) -> None:
        """Textual's own way to the clipboard, for whoever copies through it (a selection, a widget)."""
        copied = self._copy(text)
        if copied.path is not None or copied.fault is not None:
            self._house.tell(copied.sentence("the copied text"), warning=copied.fault is not None)

    def copy_text(self, text: str, what: str) -> None:
        """Put ``text`` on the clipboard, or into a file, and say which."""
        copied = self._copy(text)
        self._house.tell(copied.sentence(what), warning=copied.fault is not None)

    def _copy(self, text: str) -> clipboard.Copied:
        app = self._house
        app._clipboard = text
        return clipboard.copy(text, app._driver.write if app._driver is not None else lambda _: None)


def _declared(kind: type[object]) -> list[Binding]:
    """The bindings a class of ours declares itself, without those of Textual's base classes."""
    if not kind.__module__.startswith(("app.tui.screens", "app.tui.widgets")):
        return []
    return [binding for binding in vars(kind).get("BINDINGS", ()) if isinstance(binding, Binding)]

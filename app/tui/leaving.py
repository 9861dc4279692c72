"""How the program ends: on the second press where something could be lost, and in order even by a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from app.tui.screens.compose import ComposeScreen

if TYPE_CHECKING:
    from app.tui.app import MonkeysApp

_QUIT_WINDOW = 3.0
"""Seconds within which a second press means it."""


class Leaving:
    """Mixed into the app."""

    _quit_pressed = float("-inf")
    _farewell: str | None = None

    @property
    def _leaver(self) -> MonkeysApp:
        return cast("MonkeysApp", self)

    def do_quit(self, _: str = "") -> None:
        """At once where nothing can be lost; else the first press says what a second one does."""
        app = self._leaver
        now = app.session.ports.now()
        sure = now - self._quit_pressed <= _QUIT_WINDOW
        self._quit_pressed = now
        if app.session.live and not sure:
            app.tell("Still sampling. Press the same key again to stop and quit; what came is kept.")
        elif not sure and self._typed():
            app.tell("Press the same key again to quit.")
        else:
            app.run_worker(self._leave(), exclusive=True, group="leave")

    def _typed(self) -> bool:
        app = self._leaver
        form = app.screen_stack[0]
        return isinstance(form, ComposeScreen) and bool(form.draft.text.strip()) and app.screen is form

    async def _leave(self) -> None:
        await self._leaver.session.close()
        self._leaver.exit()

    async def action_quit(self) -> None:
        self.do_quit()

    def _fatal_error(self) -> None:
        """Textual would paint the traceback over the user's terminal."""
        from app.tui.crash import report

        app = self._leaver
        source = app.session.source
        run_id = source.state.run_id if source is not None and app.session.spends else None
        self._farewell = report(app._exception or RuntimeError("unknown"), run_id or None)
        app._exit_renderables.clear()
        app._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        """Plainly: a console would cut a path at the width of the terminal."""
        if self._farewell is not None:
            self._leaver.error_console.file.write(f"{self._farewell}\n")
        self._leaver._exit_renderables.clear()

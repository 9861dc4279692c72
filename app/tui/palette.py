"""The command palette: the table of actions, searched."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from app.tui.action_kinds import Action
from app.tui.actions import at
from app.tui.key_hints import first_key

if TYPE_CHECKING:
    from app.tui.app import MonkeysApp


class ActionsProvider(Provider):
    """Offers what can be done on the screen the palette was opened from."""

    @property
    def _shell(self) -> MonkeysApp:
        return cast("MonkeysApp", self.app)

    def _here(self) -> Iterator[Action]:
        place = self._shell.place_of(self.screen)
        return (action for action in at(place) if action.id not in ("palette", "command"))

    def _title(self, action: Action) -> str:
        return f"{action.title}  {first_key(action, self._shell.own_keys)}".rstrip()

    async def discover(self) -> Hits:
        for action in self._here():
            yield DiscoveryHit(self._title(action), partial(self._shell.press, action.id), help=action.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action in self._here():
            words = " ".join((self._title(action), *action.aliases))
            if (score := matcher.match(words)) > 0:
                yield Hit(
                    score,
                    matcher.highlight(self._title(action)),
                    partial(self._shell.press, action.id),
                    help=action.help,
                )

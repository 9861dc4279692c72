"""How keys are named, and which of them are hinted at where there is little room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.tui.action_kinds import Action, Place
from app.tui.actions import at

_SHOWN = {
    "escape": "esc",
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "pageup": "pgup",
    "pagedown": "pgdn",
}


def show_key(key: str) -> str:
    """A key as the hints name it: ``ctrl+r`` is ``^r``, ``escape`` is ``esc``."""
    if key.startswith("ctrl+"):
        return f"^{key.removeprefix('ctrl+')}"
    return _SHOWN.get(key, key)


GAP: Final = 2
"""Cells between two hints."""


@dataclass(frozen=True, slots=True)
class Hint:
    action: Action
    key: str
    word: str

    @property
    def cells(self) -> int:
        return len(self.key) + 1 + len(self.word)


def first_key(action: Action, own_keys: Mapping[str, str]) -> str:
    """The key to show for an action: the user's own where there is one, ``""`` where there is none."""
    keys = own_keys[action.id].split(",") if action.id in own_keys else action.keys
    return show_key(keys[0].strip()) if keys else ""


def hints(
    place: Place, width: int, *, live: bool = True, own_keys: Mapping[str, str] | None = None
) -> list[Hint]:
    """The hints of a place that fit into ``width`` cells; help always has its place."""
    wished = [
        Hint(action, first_key(action, own_keys or {}), action.hint)
        for action in at(place)
        if action.hint and action.keys and (live or not action.live)
    ]
    wished.sort(key=lambda hint: hint.action.id != "help")
    kept: list[Hint] = []
    for hint in wished:
        if sum(other.cells + GAP for other in kept) + hint.cells > width and kept:
            break
        kept.append(hint)
    kept.sort(key=lambda hint: hint.action.rank)
    return kept

"""The table of actions keeps what every face made from it promises."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import pytest

from app.tui.action_kinds import Place
from app.tui.actions import ACTIONS, BY_COMMAND, BY_ID, at
from app.tui.app import MonkeysApp
from app.tui.key_hints import hints, show_key
from app.tui.screens.compose import ComposeScreen

PLACES: tuple[Place, ...] = get_args(Place)
FRAGILE = {"ctrl+s", "ctrl+j", "ctrl+m", "ctrl+enter", "ctrl+b", "ctrl+a", "ctrl+i", "ctrl+h", "ctrl+z"}
"""Keys that a terminal, tmux, screen or the shell's job control keeps, or sends as another key."""


def test_ids_and_commands_are_unique() -> None:
    assert len(BY_ID) == len(ACTIONS)
    words = [word for action in ACTIONS if action.command for word in (action.command, *action.aliases)]
    assert [word for word, times in Counter(words).items() if times > 1] == []


@pytest.mark.parametrize("place", PLACES)
def test_a_key_means_one_thing_in_a_place(place: Place) -> None:
    keys = Counter(key for action in at(place) for key in action.keys)
    assert [key for key, times in keys.items() if times > 1] == []


def test_no_action_hangs_on_a_fragile_key() -> None:
    assert [action.id for action in ACTIONS if action.keys and set(action.keys) <= FRAGILE] == []


def test_every_action_can_be_carried_out() -> None:
    for action in ACTIONS:
        name = f"do_{action.id}"
        owners = [ComposeScreen] if action.where == {"compose"} else [MonkeysApp]
        assert any(callable(getattr(owner, name, None)) for owner in owners), action.id


def test_every_action_can_be_reached_without_a_mouse() -> None:
    for action in ACTIONS:
        assert action.keys or action.command, action.id


def test_every_key_of_the_table_is_bound_and_can_be_remapped() -> None:
    bound = {
        (binding.key, binding.id)
        for _, binding in MonkeysApp._merged_bindings or ()
        if binding.id is not None
    }
    for action in ACTIONS:
        for key in action.keys:
            assert ("colon" if key == ":" else "question_mark" if key == "?" else key, action.id) in bound


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("width", [8, 30, 60, 78, 118, 200])
def test_hints_fit_and_never_lose_the_way_to_help(place: Place, width: int) -> None:
    shown = hints(place, width)
    assert "help" in {hint.action.id for hint in shown}
    assert len("  ".join(f"{hint.key} {hint.word}" for hint in shown)) <= max(width, len("f1 help"))


def test_hints_lead_with_what_matters() -> None:
    assert hints("compose", 30)[0].action.id == "start"
    assert [hint.action.id for hint in hints("run", 60)][:2] == ["pause", "stop"]


def test_what_has_ended_cannot_be_stopped() -> None:
    assert [hint.action.id for hint in hints("run", 60, live=False)][:2] == ["more", "copy"]


def test_keys_are_shown_as_one_reads_them() -> None:
    assert [show_key(key) for key in ("ctrl+r", "escape", "f5", "space", "?")] == [
        "^r",
        "esc",
        "f5",
        "space",
        "?",
    ]


def test_help_lines_are_sentences_of_one_line() -> None:
    for action in ACTIONS:
        assert action.help.endswith(".")
        assert "\n" not in action.help
        assert len(action.help) <= 72, action.id


def test_usage_names_the_argument() -> None:
    assert BY_COMMAND["more"].usage == "/more [N]"
    assert BY_COMMAND["budget"].usage == "/budget LIMIT"
    assert BY_COMMAND["temp"].id == "temperature"
    assert BY_ID["start"].usage == ""

"""Pictures of the shell. Run with ``--snapshot-update`` after a change that is meant, and look at them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from app.tui.app import MonkeysApp
from app.tui.draft import Draft
from app.tui.prompt_line import PromptLine
from app.tui.screens.compose import ComposeScreen
from app.tui.theme import DARK, LIGHT
from tests.tui.shell_ports import CLIPS, Scripted, past_run

EMPTY = Draft(models=("smollm2",))
FILLED = Draft(text=CLIPS, answer="72", models=("smollm2", "gpt-4o-mini"), usd="0.50")
WIDE, NARROW = (120, 40), (80, 24)

Before = Callable[[Pilot[None]], Awaitable[None]]


def keys(*pressed: str, theme: str = DARK.name) -> Before:
    """Wait until the form has been looked at, set the theme, press the keys."""

    async def before(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, MonkeysApp)
        form = app.screen_stack[0]
        assert isinstance(form, ComposeScreen)
        while form.looked_at is None or form.looked_at != form.draft:
            await pilot.pause(0.02)
        app.theme = theme
        form.query_one("#text", TextArea).cursor_blink = False
        for key in pressed:
            await pilot.press(key)
            await pilot.pause()
        for field in app.screen.query(Input):
            field.cursor_blink = False
        await pilot.pause()

    return before


async def typed_wrongly(pilot: Pilot[None]) -> None:
    await keys("ctrl+r", ":", "m", "o")(pilot)
    pilot.app.screen.query_one(PromptLine).fault("There is no command /mo. Did you mean /more [N]?")
    await pilot.pause()


PICTURES: list[tuple[str, Draft, tuple[int, int], Before]] = [
    ("form-empty", EMPTY, WIDE, keys()),
    ("form-filled-light", FILLED, NARROW, keys(theme=LIGHT.name)),
    ("form-fault", Draft(text=CLIPS, models=("smollm2",), usd="a lot"), WIDE, keys("ctrl+r")),
    ("models", FILLED, WIDE, keys("f2")),
    ("problems-light", EMPTY, NARROW, keys("f3", theme=LIGHT.name)),
    ("runs", EMPTY, WIDE, keys("f4")),
    ("help", EMPTY, WIDE, keys("f1")),
    ("prompt", FILLED, WIDE, typed_wrongly),
]


@pytest.mark.parametrize(
    ("draft", "size", "before"), [row[1:] for row in PICTURES], ids=[p[0] for p in PICTURES]
)
def test_picture(
    draft: Draft, size: tuple[int, int], before: Before, snap_compare: Callable[..., bool]
) -> None:
    def runs() -> Sequence[Any]:
        return (past_run("b2", CLIPS), past_run("a1"))

    assert snap_compare(Scripted(runs=runs).app(draft), terminal_size=size, run_before=before)

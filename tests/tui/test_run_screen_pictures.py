"""How the run screen looks: pictures of made-up runs, with everything that moves pinned."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Any

import pytest
from textual.pilot import Pilot

from app.runs import events as ev
from app.tui.app import MonkeysApp
from app.tui.prompt_history import PromptHistory
from app.tui.prompt_line import PromptLine
from app.tui.screens.run import RunScreen
from tests.tui.fixtures.made_up import MadeUpRun, made_up
from tests.tui.shell_ports import Scripted

Before = Callable[[Pilot[None]], Awaitable[None]]


def app_of(run: MadeUpRun) -> MonkeysApp:
    return MonkeysApp(Scripted().ports, recording=run, history=PromptHistory(None))


def when_shown(*keys: str, theme: str = "monkeys-dark") -> Before:
    """Press ``keys``, and wait until all of the state is on the screen."""

    async def before(pilot: Pilot[None]) -> None:
        pilot.app.theme = theme
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        await screen.query(PromptLine).remove()  # the shell's, with pictures of its own
        for step in range(2):
            screen.pull()
            await pilot.app.workers.wait_for_complete()
            if not step:
                await pilot.press(*keys)
            await pilot.pause()
        screen.pull()
        await pilot.pause()

    return before


PICTURES: dict[str, tuple[dict[str, Any], tuple[int, int], Before]] = {
    "live": ({"live": 4}, (120, 40), when_shown()),
    "light": ({}, (120, 40), when_shown(theme="monkeys-light")),
    "small": ({"live": 4}, (80, 24), when_shown()),
    "small-chart": ({"live": 4}, (80, 24), when_shown("c")),
    "large-two-models": ({"samples": 150, "models": ("smollm2", "qwen2.5-coder")}, (200, 60), when_shown()),
    "unverified": ({"answer": None}, (120, 40), when_shown()),
    "hostile": ({"hostile": True, "live": 5}, (120, 40), when_shown("j", "j", "j", "j", "j", "j")),
    "grouped": ({}, (120, 40), when_shown("g", "j", "enter", "j")),
    "rules": ({"helpers": True, "live": 3}, (120, 40), when_shown()),
    "small-rules": ({"helpers": True}, (80, 24), when_shown()),
    "detail": ({}, (120, 40), when_shown("home", "j", "enter")),
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture(name: str, snap_compare: Any) -> None:
    how, size, before = PICTURES[name]
    run = MadeUpRun(made_up(**how)).play()
    assert snap_compare(app_of(run), terminal_size=size, run_before=before)


def test_picture_preparing(snap_compare: Any) -> None:
    run = MadeUpRun(islice(made_up(0), 1)).play()
    run.apply(ev.ModelStatus(at=3, model="smollm2", state="preparing", detail="Fetching 98 MB", fraction=0.4))
    assert snap_compare(app_of(run), terminal_size=(120, 40), run_before=when_shown())


def test_picture_without_colour(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    run = MadeUpRun(made_up(live=4)).play()
    assert snap_compare(app_of(run), terminal_size=(120, 40), run_before=when_shown())

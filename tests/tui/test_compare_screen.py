"""The comparison screen: what it shows of a live and of a kept comparison, and what its keys do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from app.runs import events as ev
from app.runs.compare.engine import Comparison
from app.runs.compare.replay import ComparisonPlayer
from app.runs.compare.samples import comparison_rows
from app.runs.plan import Plan
from app.tui.app import MonkeysApp
from app.tui.ports import Compared
from app.tui.screens.cell import CellScreen
from app.tui.screens.compare import CompareScreen
from app.tui.theme import DARK, LIGHT
from app.tui.widgets.compare.board import CompareBoard
from app.tui.widgets.compare.matrix import CompareMatrix
from tests.app.runs.compare.rigs import Guesser, ended, opened, sums
from tests.app.runs.rigs import ListStore
from tests.tui.shell_ports import Scripted

SIZES = {"wide": (120, 40), "narrow": (80, 24)}


def models() -> list[Guesser]:
    return [
        Guesser("smollm2", lambda n: 0.1 + 0.02 * (n % 7)),
        Guesser("gguf:qwen2.5-coder-0.5b", lambda n: 0.9 if n % 3 else 0.2, parameters=4_000_000),
    ]


async def kept() -> Compared:
    """A comparison that has ended, with its times pinned."""
    _, events = await ended(opened(models(), sums(12), samples_each=8))
    pinned = [_at(event, place / 100) for place, event in enumerate(events)]
    return Compared(
        ComparisonPlayer(pinned),
        lambda problem, model: list(comparison_rows(pinned, problem=problem, model=model)),
    )


def _at(event: ev.Event, at: float) -> ev.Event:
    import msgspec

    if isinstance(event, ev.ComparisonStarted):
        return msgspec.structs.replace(event, at=0.0, created="2026-01-02T03:04:05+00:00")
    return msgspec.structs.replace(event, at=at)


def app_with(ports: Scripted) -> MonkeysApp:
    return ports.app()


async def shown(pilot: Pilot[None], found: Compared) -> CompareScreen:
    """The comparison in front, its scores worked out."""
    app = cast("MonkeysApp", pilot.app)
    app.open_comparison(found)
    await pilot.pause()
    screen = cast("CompareScreen", app.screen)
    while screen.state.phase != "ended" or screen._scored is None or not screen._idle:
        await pilot.pause(0.02)
        screen.pull()
        screen.score()
    await pilot.pause()
    return screen


def text_of(widget: CompareBoard) -> str:
    return "\n".join(line.plain for line in widget.draw(widget.content_size.width, 20))


async def test_the_better_model_stands_first_under_the_verdict() -> None:
    async with app_with(Scripted()).run_test(size=SIZES["wide"]) as pilot:
        screen = await shown(pilot, await kept())
        board = text_of(screen.query_one(CompareBoard))
    lines = board.splitlines()
    assert "gguf:qwen2.5-coder-0.5b" in lines[1]
    assert "smollm2" in lines[2]
    assert "12 of 12" in lines[1]
    assert "seems to cover more than smollm2" in board.replace("\n", " ")


async def test_enter_opens_the_samples_of_a_cell() -> None:
    async with app_with(Scripted()).run_test(size=SIZES["wide"]) as pilot:
        await shown(pilot, await kept())
        await pilot.press("j", "j", "l", "enter")
        assert isinstance(pilot.app.screen, CellScreen)
        rows = pilot.app.screen.query_one(OptionList)
        assert rows.option_count == 8
        await pilot.press("j", "j")
        assert rows.highlighted == 2
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, CompareScreen)


async def test_filter_and_sort_keep_the_problem_under_the_cursor() -> None:
    async with app_with(Scripted()).run_test(size=SIZES["wide"]) as pilot:
        screen = await shown(pilot, await kept())
        matrix = screen.query_one(CompareMatrix)
        await pilot.press("j", "j", "j")
        before = matrix.problem
        await pilot.press("s")
        assert matrix.problem == before
        hardest = [matrix._share(place) for place in matrix._rows]
        assert hardest == sorted(hardest)
        await pilot.press("f")
        assert matrix.shown == "differ"
        cells = list(screen.state.cells.values())
        assert all(len({model[place].right > 0 for model in cells}) == 2 for place in matrix._rows)


async def test_the_curves_turn_through_the_axes_there_are() -> None:
    async with app_with(Scripted()).run_test(size=SIZES["wide"]) as pilot:
        screen = await shown(pilot, await kept())
        assert screen.axes() == ["samples", "flops"]
        first = screen.scores.axis
        await pilot.press("c")
        while screen.scores.axis == first:
            await pilot.pause(0.02)
        assert {first, screen.scores.axis} == {"samples", "flops"}


async def test_a_live_one_is_driven_and_can_be_stopped() -> None:
    slow = [Guesser("a", lambda n: 0.5, pause=0.02, concurrency=2)]
    live = opened(slow, sums(20), samples_each=50, store=ListStore())
    async with app_with(Scripted()).run_test(size=SIZES["narrow"]) as pilot:
        app = cast("MonkeysApp", pilot.app)
        app.open_comparison(Compared(live, lambda problem, model: []))
        while live.state.finished < 4:
            await pilot.pause(0.02)
        assert app.place_of(app.screen) == "compare"
        await pilot.press("escape")
        while live.state.phase != "ended":
            await pilot.pause(0.02)
    assert live.state.status == "stopped"
    assert 4 <= live.state.finished < 1000


async def test_the_command_asks_for_a_set_and_compares_the_models_of_the_form() -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []
    live: list[Comparison] = []

    def compare(name: str, plan: Plan) -> Compared:
        asked.append((name, plan.models))
        live.append(opened(models()[:1], sums(2), samples_each=1))
        return Compared(live[0], lambda problem, model: [])

    app = Scripted(compare=compare).app()
    async with app.run_test(size=SIZES["wide"]) as pilot:
        await pilot.press("f7")
        await pilot.press(*"starter", "enter")
        await pilot.pause()
        assert isinstance(app.screen, CompareScreen)
        while live[0].state.phase != "ended":
            await pilot.pause(0.02)
    assert asked == [("starter", ("smollm2",))]


@pytest.mark.parametrize(("size", "theme"), [("wide", DARK.name), ("narrow", LIGHT.name)])
def test_picture(snap_compare: Callable[..., bool], size: str, theme: str) -> None:
    async def before(pilot: Pilot[None]) -> None:
        pilot.app.theme = theme
        screen = await shown(pilot, await kept())
        await pilot.press("j")
        screen.pull()

    run: Callable[[Pilot[None]], Awaitable[None]] = before
    assert snap_compare(app_with(Scripted()), terminal_size=SIZES[size], run_before=run)

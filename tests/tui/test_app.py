"""The shell around a run: starting, following up, copying, quitting, failing."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from typing import Any

import pytest
from textual.content import Content
from textual.geometry import Size
from textual.pilot import Pilot
from textual.widgets import Static

from app import locations
from app.runs import events as ev
from app.runs.plan import Plan
from app.tui.app import MonkeysApp
from app.tui.draft import Draft
from app.tui.hint_line import HintLine
from app.tui.prompt_line import PromptInput, PromptLine
from app.tui.screens.compose import ComposeScreen
from app.tui.screens.help import HelpScreen
from app.tui.screens.history import RunPicker
from app.tui.screens.too_small import LEAST, TooSmall, sentence
from budgets.amounts import Budget
from tests.tui.shell_ports import STARTERS, PlainRunScreen, Scripted, TestRecording, past_run

DRAFT = Draft(text="What is 17 + 26?", models=("smollm2",))


async def started(pilot: Pilot[None]) -> None:
    await pilot.press("ctrl+r")
    await settled(pilot)


async def settled(pilot: Pilot[None]) -> None:
    for _ in range(4):
        await pilot.pause()


async def enter(pilot: Pilot[None], line: str) -> None:
    """Put a line on the prompt as if it had been pasted, and press enter."""
    prompt(pilot).begin(line)
    await pilot.pause()
    if prompt(pilot).has_class("-offers"):
        await pilot.press("escape")
    await pilot.press("enter")
    await settled(pilot)


def prompt(pilot: Pilot[None]) -> PromptLine:
    return pilot.app.screen.query_one(PromptLine)


def fault(pilot: Pilot[None]) -> str:
    line = pilot.app.screen.query_one("#prompt-fault", Static)
    return str(line.render()) if line.display else ""


def told(app: MonkeysApp) -> list[str]:
    return [notification.message for notification in app._notifications]


async def test_a_run_is_shown_and_its_events_are_taken() -> None:
    scripted = Scripted()
    app = scripted.app(DRAFT)
    async with app.run_test() as pilot:
        await started(pilot)
        assert isinstance(app.screen, PlainRunScreen)
        run = scripted.runs[0]
        run.sample("43")
        await settled(pilot)
        assert run.state.finished == 1
        assert run.state.picks["majority"].answer == "43"
        assert app.session.live
        run.end()
        await settled(pilot)
        assert not app.session.live


async def test_leaving_the_screen_does_not_leave_the_run() -> None:
    scripted = Scripted()
    app = scripted.app(DRAFT)
    async with app.run_test() as pilot:
        await started(pilot)
        await pilot.press("n")
        await settled(pilot)
        assert isinstance(app.screen, ComposeScreen)
        scripted.runs[0].sample("43")
        await settled(pilot)
        assert scripted.runs[0].state.finished == 1


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("/more 100", ("more", 100)),
        ("/more 1k", ("more", 1000)),
        ("/pause", "pause"),
        ("/resume", "resume"),
        ("/stop", "stop"),
        ("/samples 500", Budget(samples=500)),
        ("/budget 10 min", Budget(samples=64, seconds=600.0)),
        ("/budget 1e15 FLOP", Budget(samples=64, flops=10**15)),
    ],
)
async def test_commands_reach_the_run(line: str, call: object) -> None:
    scripted = Scripted()
    async with scripted.app(DRAFT).run_test() as pilot:
        await started(pilot)
        await enter(pilot, line)
        assert scripted.runs[0].calls == [call]
        assert prompt(pilot).value == ""
        assert fault(pilot) == ""


async def test_more_without_a_number_doubles() -> None:
    scripted = Scripted()
    async with scripted.app(DRAFT).run_test() as pilot:
        await started(pilot)
        for _ in range(3):
            scripted.runs[0].sample("43")
            await settled(pilot)
        await enter(pilot, "/more")
        assert scripted.runs[0].calls == [("more", 3)]


async def test_an_ended_run_goes_on() -> None:
    scripted = Scripted()
    async with scripted.app(DRAFT).run_test() as pilot:
        await started(pilot)
        run = scripted.runs[0]
        run.end()
        await settled(pilot)
        assert run.state.status == "completed"
        await enter(pilot, "/more 1")
        run.sample("43")
        await settled(pilot)
        assert run.state.finished == 1
        assert run.state.phase == "sampling"


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("/more none", "not a whole number"),
        ("/more 0", "0 samples are none"),
        ("/budget 10m", "could be minutes or millions"),
        ("/budget 0 samples", "buys nothing"),
        ("/temperature 7", "'7' is not a temperature."),
        ("/bugdet $1", "Did you mean /budget LIMIT?"),
        ("/theme neon", "There is no theme neon."),
        ("/start", "There is no command /start."),
    ],
)
async def test_refusals_stand_under_the_line(line: str, part: str) -> None:
    scripted = Scripted()
    async with scripted.app(DRAFT).run_test() as pilot:
        await started(pilot)
        await enter(pilot, line)
        assert part in fault(pilot)
        assert "\n" not in fault(pilot)
        assert prompt(pilot).value == line, "what was typed is kept to be corrected"
        assert scripted.runs[0].calls == []


async def test_another_temperature_is_a_turn_of_its_own() -> None:
    scripted = Scripted()
    app = scripted.app(DRAFT)
    async with app.run_test() as pilot:
        await started(pilot)
        scripted.runs[0].end()
        await settled(pilot)
        await enter(pilot, "/temperature 1.2")
        assert [plan.settings.temperature for _, plan in scripted.asked] == [0.6, 1.2]
        assert [turn.problem.prompt for turn in app.session.turns] == ["What is 17 + 26?"] * 2
        assert app.session.source is scripted.runs[1]
        scripted.runs[1].sample("43")
        await settled(pilot)
        assert scripted.runs[1].state.finished == 1


async def test_a_live_run_is_replaced_on_the_second_asking() -> None:
    scripted = Scripted()
    async with scripted.app(DRAFT).run_test() as pilot:
        await started(pilot)
        await enter(pilot, "/model gpt-4o-mini")
        assert "still sampling" in fault(pilot)
        assert len(scripted.asked) == 1
        await pilot.press("enter")
        await settled(pilot)
        assert [plan.models for _, plan in scripted.asked] == [("smollm2",), ("gpt-4o-mini",)]
        assert scripted.runs[0].state.status == "stopped"
        scripted.runs[1].sample("43")
        await settled(pilot)
        assert scripted.runs[1].state.finished == 1


async def test_a_line_without_a_slash_fills_the_form() -> None:
    scripted = Scripted()
    app = scripted.app(DRAFT)
    async with app.run_test() as pilot:
        await started(pilot)
        await enter(pilot, "What is 2 + 2?")
        form = app.screen
        assert isinstance(form, ComposeScreen)
        assert (form.draft.text, form.draft.answer, form.draft.models) == ("What is 2 + 2?", "", ("smollm2",))
        assert len(scripted.asked) == 1


@pytest.mark.parametrize(
    ("key", "line"), [("m", "/more "), ("b", "/budget "), ("t", "/temperature "), (":", "/")]
)
async def test_keys_begin_commands(key: str, line: str) -> None:
    async with Scripted().app(DRAFT).run_test() as pilot:
        await started(pilot)
        await pilot.press(key)
        await pilot.pause()
        assert prompt(pilot).value == line
        assert isinstance(pilot.app.focused, PromptInput)


async def test_letters_typed_on_the_line_are_letters() -> None:
    scripted = Scripted()
    async with scripted.app(DRAFT).run_test() as pilot:
        await started(pilot)
        prompt(pilot).begin()
        await pilot.press(*"nyme", "space", "q")
        assert prompt(pilot).value == "nyme q"
        assert scripted.runs[0].calls == []


async def test_space_pauses_and_goes_on_and_escape_stops() -> None:
    scripted = Scripted()
    async with scripted.app(DRAFT).run_test() as pilot:
        await started(pilot)
        run = scripted.runs[0]
        run.sample("43")
        await settled(pilot)
        await pilot.press("space")
        await settled(pilot)
        await pilot.press("space")
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert run.calls == ["pause", "resume", "stop"]
        assert run.state.status == "stopped"
        assert run.state.finished == 1, "what came is kept"


async def test_a_refusal_goes_when_something_is_done() -> None:
    scripted = Scripted()
    async with scripted.app(DRAFT).run_test() as pilot:
        await started(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert "no pick to copy" in fault(pilot)
        scripted.runs[0].sample("43")
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert fault(pilot) == ""


# -- copying -----------------------------------------------------------------------------------------------


async def test_y_copies_the_pick(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted = Scripted()
    app = scripted.app(DRAFT)
    async with app.run_test() as pilot:
        await started(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert "no pick to copy" in fault(pilot)
        scripted.runs[0].sample("43")
        await settled(pilot)
        written: list[str] = []
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)
        await pilot.press("y")
        await settled(pilot)
        assert any(base64.b64encode(b"43").decode() in piece for piece in written)
        assert "Copied the pick of majority, 2 characters" in told(app)


# -- recordings, history -----------------------------------------------------------------------------------


async def test_a_recording_spends_nothing() -> None:
    events: list[ev.Event] = [
        ev.RunStarted(
            at=0,
            run_id="old",
            created="",
            problem=STARTERS[0],
            plan=Plan(models=("m",)),
            models=(),
            recorded=True,
        )
    ]
    recording = TestRecording(events)
    app = Scripted().app(DRAFT, recording=recording)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert isinstance(app.screen, PlainRunScreen)
        assert recording.state.run_id == "old"
        assert not app.session.live
        await enter(pilot, "/more 4")
        assert "does nothing here" in fault(pilot)
        await pilot.press("escape", "n")
        await settled(pilot)
        assert isinstance(app.screen, ComposeScreen)


async def test_earlier_runs_are_listed_searched_and_replayed() -> None:
    asked: list[str] = []

    def replay(run_id: str) -> TestRecording:
        asked.append(run_id)
        return TestRecording()

    runs = lambda: (past_run("b2", "Clips and friends"), past_run("a1"))  # noqa: E731
    app = Scripted(runs=runs, replay=replay).app(DRAFT)
    async with app.run_test() as pilot:
        await pilot.press("f4")
        await pilot.pause()
        assert isinstance(app.screen, RunPicker)
        await pilot.press(*"17", "enter")
        await settled(pilot)
        assert asked == ["a1"]
        assert isinstance(app.screen, PlainRunScreen)


async def test_no_earlier_run_says_how_to_make_one() -> None:
    app = Scripted().app(DRAFT)
    async with app.run_test() as pilot:
        await pilot.press("f4")
        await pilot.pause()
        assert "press F5" in str(app.screen.query_one("#nothing", Static).render())


# -- help, palette, looks ----------------------------------------------------------------------------------


async def test_help_knows_where_it_is_asked() -> None:
    app = Scripted().app(DRAFT)
    async with app.run_test() as pilot:
        await pilot.press("f1")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, HelpScreen)
        here, _, elsewhere = screen.text(110).plain.partition("Elsewhere")
        assert "Sample the problem as the form says." in here
        assert "Stop sampling" in elsewhere
        await pilot.press("escape")
        await started(pilot)
        await pilot.press("?")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, HelpScreen)
        assert "Stop sampling" in screen.text(110).plain.partition("Elsewhere")[0]


async def test_help_wraps_within_its_column_in_a_small_terminal() -> None:
    app = Scripted().app(DRAFT)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f1")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, HelpScreen)
        first = next(line for line in screen.text(68).plain.split("\n") if "starter set." in line)
        assert first == f"{'':27}starter set."
        shown = screen.query_one("#help-text", Static).visual
        assert isinstance(shown, Content)
        assert max(map(len, shown.plain.split("\n")[3:])) <= 70


async def test_the_palette_offers_what_can_be_done_here() -> None:
    scripted = Scripted()
    app = scripted.app(DRAFT)
    async with app.run_test() as pilot:
        await started(pilot)
        await pilot.press("ctrl+p")
        await settled(pilot)
        await pilot.press(*"cancel")
        await app.workers.wait_for_complete()
        await pilot.pause(0.3)
        await pilot.press("enter", "enter")
        await settled(pilot)
        assert scripted.runs[0].calls == ["stop"]


async def test_themes() -> None:
    app = Scripted().app(DRAFT)
    async with app.run_test() as pilot:
        assert app.theme == "monkeys-dark"
        await pilot.press("f8")
        assert app.theme == "monkeys-light"
        app.act("theme", "nord")
        await pilot.pause()
        assert app.theme == "nord"
        assert {"right", "wrong", "undecided", "live", "pick"} <= set(app.theme_variables)


async def test_a_theme_of_the_settings_that_does_not_exist_is_said() -> None:
    app = Scripted().app(DRAFT, theme="neon")
    async with app.run_test() as pilot:
        await settled(pilot)
        assert app.theme == "monkeys-dark"
        assert told(app) == ["There is no theme neon; press F8, or type /theme."]


async def test_keys_of_the_settings_are_bound_and_shown() -> None:
    scripted = Scripted()
    app = scripted.app(DRAFT, keys={"start": "ctrl+g", "nothing": "x"})
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("ctrl+r")
        await settled(pilot)
        assert scripted.asked == []
        assert str(app.screen.query_one(HintLine).render()).startswith("^g start")
        assert told(app) == ["Keys are set for nothing, which no action is called."]
        await pilot.press("ctrl+g")
        await settled(pilot)
        assert len(scripted.asked) == 1


async def test_without_colour_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Scripted().app(Draft())
    async with app.run_test() as pilot:
        await pilot.pause(0.2)
        assert app.no_color
        svg = app.export_screenshot()
        assert "press&#160;F2" in svg


# -- the terminal ------------------------------------------------------------------------------------------


async def test_a_small_terminal_says_how_large_it_must_be() -> None:
    app = Scripted().app(DRAFT)
    async with app.run_test(size=(20, 5)) as pilot:
        await settled(pilot)
        assert isinstance(app.screen, TooSmall)
        shown = str(app.screen.query_one(Static).render())
        assert shown == "Needs 60x16"
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        assert isinstance(app.screen, ComposeScreen)
        await pilot.resize_terminal(59, 24)
        await settled(pilot)
        assert isinstance(app.screen, TooSmall)


@pytest.mark.parametrize("width", range(5, 80, 5))
def test_the_size_is_told_in_one_line(width: int) -> None:
    line = sentence(Size(width, 5))
    assert len(line) <= max(width, 5)
    assert f"{LEAST.width}" in line


# -- the end -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+c"])
async def test_a_live_run_is_left_on_the_second_press(key: str) -> None:
    scripted = Scripted()
    app = scripted.app(DRAFT)
    async with app.run_test() as pilot:
        await started(pilot)
        await pilot.press(key)
        await settled(pilot)
        assert app.is_running
        assert any("Still sampling" in line for line in told(app))
        assert scripted.runs[0].calls == []
        await pilot.press(key)
        await settled(pilot)
    assert scripted.runs[0].calls == ["stop"]
    assert scripted.runs[0].state.status == "stopped", "what came was waited for"
    assert scripted.closed == 1
    assert app.return_code == 0


async def test_two_presses_far_apart_are_two_first_presses() -> None:
    scripted = Scripted()
    app = scripted.app(DRAFT)
    async with app.run_test() as pilot:
        await started(pilot)
        await pilot.press("ctrl+q")
        scripted.clock += 10
        await pilot.press("ctrl+q")
        await settled(pilot)
        assert scripted.runs[0].calls == []


async def test_with_nothing_to_lose_one_press_is_enough() -> None:
    scripted = Scripted()
    app = scripted.app(Draft(models=("smollm2",)))
    async with app.run_test() as pilot:
        await pilot.press("ctrl+q")
        await settled(pilot)
    assert app.return_code == 0
    assert scripted.closed == 1


async def test_a_typed_problem_is_not_lost_to_one_key() -> None:
    app = Scripted().app(DRAFT)
    async with app.run_test() as pilot:
        await pilot.press("ctrl+c")
        await settled(pilot)
        assert told(app) == ["Press the same key again to quit."]


class BrokenError(Exception):
    pass


async def test_a_fault_of_ours_is_one_line_and_a_log() -> None:
    def broken(self: Any) -> None:
        raise BrokenError("a widget with [/red] in its fault")

    scripted = Scripted()
    app = scripted.app(DRAFT)
    screen = io.StringIO()
    with pytest.raises(BrokenError):  # noqa: PT012
        async with app.run_test() as pilot:
            await started(pilot)
            scripted.runs[0].sample("43")
            await settled(pilot)
            app.error_console.file = screen
            app.screen.call_later(broken, app.screen)
            await pilot.pause()
    shown = screen.getvalue()
    log = locations.log_file("tui")
    assert "fault of its own (BrokenError)" in shown
    assert "monkeys runs resume run-1" in shown
    assert str(log) in shown
    assert "Traceback" not in shown
    assert "a widget with [/red] in its fault" in log.read_text()
    assert app.return_code == 1


def test_a_log_that_cannot_be_written_is_said() -> None:
    from app.tui.crash import report

    home = Path(os.environ["MONKEYS_HOME"])
    home.write_text("in the way")
    assert "could not be written" in report(BrokenError("x"), None)

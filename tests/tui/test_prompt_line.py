"""The prompt line: completion, history, faults."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.widgets import OptionList, Static

from app.tui.prompt_history import KEPT, PromptHistory
from app.tui.prompt_line import PromptInput, PromptLine


class Bench(App[None]):
    def __init__(self, history: PromptHistory | None = None) -> None:
        super().__init__()
        self.entered: list[str] = []
        self.left = 0
        self.prompt = PromptLine("run", history or PromptHistory(None), {"themes": lambda: ["dark", "light"]})

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {"wrong": "red"}

    def compose(self) -> ComposeResult:
        yield self.prompt

    def on_prompt_line_entered(self, event: PromptLine.Entered) -> None:
        self.entered.append(event.line)
        event.prompt.accept()

    def on_prompt_line_left(self) -> None:
        self.left += 1

    @property
    def value(self) -> str:
        return self.prompt.value

    @property
    def offers(self) -> list[str]:
        if not self.prompt.has_class("-offers"):
            return []
        options = self.query_one(OptionList)
        return [str(options.get_option_at_index(at).prompt).split()[0] for at in range(options.option_count)]


async def test_a_slash_opens_the_list_and_typing_narrows_it() -> None:
    app = Bench()
    async with app.run_test() as pilot:
        app.prompt.begin()
        await pilot.press("/")
        assert "/more" in app.offers
        assert "/stop" in app.offers
        await pilot.press("s", "t")
        assert app.offers == ["/stop"]
        await pilot.press("x")
        assert app.offers == []


async def test_tab_takes_what_is_offered_and_enter_enters_it() -> None:
    app = Bench()
    async with app.run_test() as pilot:
        app.prompt.begin()
        await pilot.press("/", "t", "h", "tab")
        assert app.value == "/theme "
        assert app.offers == ["dark", "light"]
        await pilot.press("down", "tab")
        assert app.value == "/theme light"
        await pilot.press("enter")
        assert app.entered == ["/theme light"]
        assert app.value == ""


async def test_enter_on_an_unfinished_command_finishes_it() -> None:
    app = Bench()
    async with app.run_test() as pilot:
        app.prompt.begin()
        await pilot.press("/", "p", "a", "u", "enter")
        assert app.entered == ["/pause"]


async def test_enter_waits_for_an_argument_that_is_needed() -> None:
    app = Bench()
    async with app.run_test() as pilot:
        app.prompt.begin()
        await pilot.press("/", "b", "u", "enter")
        assert app.entered == []
        assert app.value == "/budget "


async def test_escape_closes_the_list_then_leaves() -> None:
    app = Bench()
    async with app.run_test() as pilot:
        app.prompt.begin()
        await pilot.press("/", "escape")
        assert app.offers == []
        assert app.left == 0
        await pilot.press("escape")
        assert app.left == 1
        assert app.value == "/"


async def test_a_fault_stands_until_something_is_typed() -> None:
    app = Bench()
    async with app.run_test() as pilot:
        app.prompt.begin("/more x")
        await pilot.pause()
        app.prompt.fault("'x' is not a number.")
        await pilot.pause()
        line = app.query_one("#prompt-fault", Static)
        assert line.display
        assert str(line.render()) == "'x' is not a number."
        await pilot.press("backspace")
        assert not line.display


async def test_model_text_in_a_fault_is_only_text() -> None:
    app = Bench()
    async with app.run_test() as pilot:
        app.prompt.fault("no model [/red][@click=app.quit]x")
        await pilot.pause()
        assert str(app.query_one("#prompt-fault", Static).render()) == "no model [/red][@click=app.quit]x"


async def test_up_and_down_walk_through_what_was_entered() -> None:
    app = Bench()
    async with app.run_test() as pilot:
        app.prompt.begin()
        for line in ("one", "two"):
            await pilot.press(*line, "enter")
        await pilot.press("d")
        await pilot.press("up")
        assert app.value == "two"
        await pilot.press("up", "up")
        assert app.value == "one"
        await pilot.press("down", "down")
        assert app.value == "d"


async def test_earlier_commands_open_no_list() -> None:
    app = Bench()
    async with app.run_test() as pilot:
        app.prompt.begin("/stop")
        await pilot.press("enter", "up")
        assert app.value == "/stop"
        assert app.offers == []
        assert isinstance(app.focused, PromptInput)


def test_history_is_kept_across_sessions(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "history.jsonl"
    history = PromptHistory(path)
    for line in ("/more 4", "/more 4", "a problem\nof two lines"):
        history.add(line)
    assert PromptHistory(path).lines == ["/more 4", "a problem\nof two lines"]


def test_a_broken_history_loses_only_what_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b'{"line": "kept"}\n{"line": "cut\n\xff\xfe\n[1]\n{"other": 1}\n{"line": "also kept"}\n')
    assert PromptHistory(path).lines == ["kept", "also kept"]


def test_a_history_that_cannot_be_written_still_works(tmp_path: Path) -> None:
    path = tmp_path / "file" / "history.jsonl"
    path.parent.write_text("in the way")
    history = PromptHistory(path)
    history.add("one")
    assert history.earlier("") == "one"


def test_history_does_not_grow_without_end(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text("".join(json.dumps({"line": str(n)}) + "\n" for n in range(3 * KEPT)))
    assert len(PromptHistory(path).lines) == KEPT
    assert len(path.read_text().splitlines()) == KEPT


@pytest.mark.parametrize("start", ["", "draft"])
def test_walking_past_either_end_stays_there(start: str) -> None:
    history = PromptHistory(None)
    history.add("only")
    assert history.later() is None
    assert history.earlier(start) == "only"
    assert history.earlier("only") is None
    assert history.later() == start

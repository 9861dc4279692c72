"""What a line on the prompt means, and how it is completed."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from app.errors import BadInput
from app.tui.commands import Command, NewProblem, Offers, complete, read_line

OFFERS: Offers = {
    "models": lambda: ["smollm2", "gguf:model.gguf", "gpt-4o-mini"],
    "themes": lambda: ["dark", "light", "nord"],
}


@pytest.mark.parametrize(
    ("line", "action", "argument"),
    [
        ("/more 100", "more", "100"),
        ("/more", "more", ""),
        ("/MORE   7 ", "more", "7"),
        ("/budget $2", "budget", "$2"),
        ("/budget 10 min", "budget", "10 min"),
        ("/temp 1.0", "temperature", "1.0"),
        ("/model gguf:a b.gguf", "model", "gguf:a b.gguf"),
        ("/problem What is 2 + 2?", "problem", "What is 2 + 2?"),
        ("/stop", "stop", ""),
    ],
)
def test_commands(line: str, action: str, argument: str) -> None:
    asked = read_line(line, "run")
    assert isinstance(asked, Command)
    assert (asked.action.id, asked.argument) == (action, argument)


@pytest.mark.parametrize(
    ("line", "text"), [("What is 2 + 2?", "What is 2 + 2?"), (" /etc is what?", "/etc is what?")]
)
def test_any_other_line_is_a_problem(line: str, text: str) -> None:
    assert read_line(line) == NewProblem(text)


@pytest.mark.parametrize("line", ["", "   ", "\t"])
def test_nothing_is_nothing(line: str) -> None:
    assert read_line(line) is None


@pytest.mark.parametrize(
    ("line", "message", "fix"),
    [
        ("/mroe 3", "There is no command /mroe.", "Did you mean /more [N]?"),
        ("/xyzzy", "There is no command /xyzzy.", "Type / for the list"),
        ("/", "There is no command /.", "Type / for the list"),
        ("/budget", "/budget needs LIMIT.", "Set one limit"),
        ("/stop now", "/stop takes no argument.", "Type /stop alone."),
    ],
)
def test_what_cannot_be_read_is_said(line: str, message: str, fix: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_line(line, "run")
    assert refused.value.message == message
    assert (refused.value.fix or "").startswith(fix)


def test_a_recording_takes_no_spending_command() -> None:
    with pytest.raises(BadInput, match="does nothing here"):
        read_line("/more 4", "replay")


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("/", "/pause"),
        ("/mo", "/more "),
        ("/cancel", "/stop"),
        ("/model g", "/model gguf:model.gguf"),
        ("/model mini", "/model gpt-4o-mini"),
        ("/theme ", "/theme dark"),
    ],
)
def test_completion(line: str, first: str) -> None:
    assert complete(line, "run", OFFERS)[0].line == first


@pytest.mark.parametrize("line", ["", "what", "/more 1", "/nothing ", "/theme dark", "/budget "])
def test_where_nothing_can_be_completed(line: str) -> None:
    assert complete(line, "run", OFFERS) == []


def test_values_are_asked_for_only_when_needed() -> None:
    asked: list[str] = []

    def slow() -> Iterable[str]:
        asked.append("models")
        return ["smollm2"]

    complete("/mod", "run", {"models": slow})
    assert asked == []
    complete("/model ", "run", {"models": slow})
    assert asked == ["models"]


def test_a_completion_is_a_command_that_reads() -> None:
    for completion in complete("/", "run", OFFERS):
        if not completion.more:
            assert isinstance(read_line(completion.line, "run"), Command)

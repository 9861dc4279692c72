"""The program in a real terminal: a problem is typed, sampled and answered, and the terminal given back."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.tui.terminal import Terminal

PROGRAM = (sys.executable, "-c", "import sys; from app.tui.opening import open_tui; sys.exit(open_tui())")
F2 = "\x1bOQ"
CTRL_Q, CTRL_R, ESCAPE = "\x11", "\x12", "\x1b"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    environment = {
        "MONKEYS_HOME": str(tmp_path / "home"),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "PYTHONUNBUFFERED": "1",
    }
    with Terminal(PROGRAM, environment=environment) as opened:
        yield opened


def script(folder: Path, *lines: Mapping[str, object]) -> Path:
    path = folder / "s.jsonl"
    header = {"scripted": 1, "model": "toy", "tokens_per_second": 400, "concurrency": 4}
    path.write_text("".join(json.dumps(line) + "\n" for line in (header, *lines)))
    return path


def ask(terminal: Terminal, path: Path) -> None:
    """Type the problem, choose the scripted model, and start."""
    terminal.wait_for("ask once")
    terminal.press("What is 17 + 26?")
    terminal.wait_for("auto: math")
    terminal.press(F2)
    terminal.wait_for("type to search")
    terminal.press(f"scripted:{path}")
    terminal.wait_for("Nothing matches")
    terminal.press("\r")
    terminal.wait_for("64 samples of toy")
    terminal.press(CTRL_R)


def test_from_a_typed_problem_to_the_pick(terminal: Terminal, tmp_path: Path) -> None:
    right, wrong = {"text": "17 + 26 = 43. The answer is 43."}, {"text": "The answer is 42."}
    ask(terminal, script(tmp_path, right, wrong, right))
    terminal.wait_for("64 of 64")
    majority = next(line for line in terminal.text.splitlines() if "Majority" in line)
    assert "43" in majority
    terminal.resize(80, 24)
    terminal.wait_for("Majority")
    assert max(map(len, terminal.text.splitlines())) <= 80
    terminal.press(":")
    terminal.wait_for("/more [N]")
    terminal.press("more 4\r")
    terminal.wait_for("68 of 68")
    terminal.resize(20, 5)
    terminal.wait_for("Needs 60x16")
    terminal.resize(120, 40)
    terminal.wait_for("68 of 68")
    terminal.press(CTRL_Q)
    assert terminal.wait_for_end() == 0
    assert b"Traceback" not in terminal.raw
    assert terminal.raw.rstrip().endswith((b"\x1b[?1049l", b"h", b"l")), "the terminal is given back"
    assert b"\x1b[?1049l" in terminal.raw


def test_a_live_run_is_left_on_the_second_press_and_kept(terminal: Terminal, tmp_path: Path) -> None:
    ask(
        terminal, script(tmp_path, {"text": "17 and 26, well, ", "hang": True}, {"text": "The answer is 43."})
    )
    terminal.wait_for("17 and 26, well,")
    terminal.press(CTRL_Q)
    terminal.wait_for("Still sampling")
    terminal.press(CTRL_Q)
    assert terminal.wait_for_end() == 0
    home = tmp_path / "home"
    with Terminal(PROGRAM, environment={"MONKEYS_HOME": str(home), "TERM": "xterm-256color"}) as again:
        again.wait_for("ask once")
        again.press("\x1bOS")
        again.wait_for("Earlier runs")
        again.wait_for("What is 17 + 26?")
        assert "stopped" in again.text

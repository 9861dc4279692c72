"""Copying, through what lies between the program and the clipboard."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tui.clipboard import MOST_BYTES, Copied, copy, osc52

XTERM = {"TERM": "xterm-256color"}


def bare(text: str) -> str:
    return f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x07"


def test_a_plain_terminal_gets_the_sequence() -> None:
    assert osc52("72", XTERM) == bare("72")


def test_tmux_gets_it_wrapped_and_bare() -> None:
    sequence = osc52("72", {"TERM": "screen-256color", "TMUX": "/tmp/tmux-0/default,1,0"})
    assert sequence == "\x1bPtmux;\x1b" + bare("72") + "\x1b\\" + bare("72")


@given(st.text(st.characters(codec="utf-8"), max_size=2000))
def test_screen_gets_pieces_that_join_to_the_sequence(text: str) -> None:
    sequence = osc52(text, {"TERM": "screen"})
    assert sequence is not None
    pieces = sequence.split("\x1bP")[1:]
    assert all(piece.endswith("\x1b\\") and len(piece) <= 256 for piece in pieces)
    assert "".join(piece.removesuffix("\x1b\\") for piece in pieces) == bare(text)


@pytest.mark.parametrize(
    "environment",
    [{}, {"TERM": "dumb"}, {"TERM": "linux"}, {"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}],
)
def test_where_nothing_listens_a_file_is_written(environment: dict[str, str]) -> None:
    written: list[str] = []
    copied = copy("the answer", written.append, environment)
    assert written == []
    assert copied.path is not None
    assert copied.path.read_text() == "the answer"
    assert copied.sentence("the answer") == f"Wrote the answer to {copied.path}"


def test_a_long_text_goes_to_a_file_of_its_own() -> None:
    first = copy("x" * (MOST_BYTES + 1), lambda _: None, XTERM)
    second = copy("y" * (MOST_BYTES + 1), lambda _: None, XTERM)
    assert first.path != second.path
    assert first.path is not None
    assert first.path.stat().st_size == MOST_BYTES + 1


def test_the_longest_text_still_goes_to_the_terminal() -> None:
    written: list[str] = []
    assert copy("é" * (MOST_BYTES // 2), written.append, XTERM).path is None
    assert len(written[0]) <= 100_000 + 8


def test_half_a_character_is_no_reason_to_fail() -> None:
    assert osc52("a\ud800b", XTERM) == bare("a?b")


def test_a_folder_that_cannot_be_written_is_said() -> None:
    Path(os.environ["MONKEYS_HOME"]).write_text("in the way")
    copied = copy("x", lambda _: None, {})
    assert copied.fault is not None
    assert copied.sentence("it").startswith("Could not copy it: ")


def test_one_character_is_one_character() -> None:
    assert Copied(1).sentence("it") == "Copied it, 1 character"

"""Model text reaches terminals and file names only when it can do nothing there."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.timing import least_cpu
from tests.verifiers.hostile_replies import HOSTILE_TEXT, TOWERS
from verifiers.safe_text import cell_width, clean, escaped, file_name, one_line

ATTACKS = {
    "red text": ("\x1b[31mred\x1b[0m", "red"),
    "a cleared screen": ("a\x1b[2J\x1b[Hb", "ab"),
    "a new title, ended by BEL": ("\x1b]0;pwned\x07x", "x"),
    "a new title, ended by ST": ("\x1b]0;pwned\x1b\\x", "x"),
    "the clipboard": ("\x1b]52;c;cm0gLXJm\x07x", "x"),
    "a hyperlink": ("\x1b]8;;http://example.com\x1b\\here\x1b]8;;\x1b\\", "here"),
    "8-bit CSI": ("\x9b31mred", "red"),
    "8-bit OSC": ("\x9d0;pwned\x9cx", "x"),
    "a device control string": ("\x1bPq#0;2;0\x1b\\x", "x"),
    "an application command": ("\x1b_Ga=T;AAAA\x1b\\x", "x"),
    "a full reset": ("\x1bcx", "x"),
    "another character set": ("\x1b(0x", "x"),
    "a private mode": ("\x1b[?1049hx", "x"),
    "an unfinished title must not swallow the rest": ("\x1b]0;title and text", "␛]0;title and text"),
    "an unfinished colour": ("a\x1b[31", "a␛[31"),
    "an escape in an escape": ("\x1b\x1b[31m[31mx", "␛[31mx"),
    "a lone escape": ("a\x1b", "a␛"),
    "a bell and a backspace": ("a\x07b\x08c", "a␇b␈c"),
    "a NUL": ("a\x00b", "a␀b"),
    "a DEL": ("a\x7fb", "a␡b"),
    "a carriage return that would overwrite": ("safe\rEVIL", "safe\nEVIL"),
    "line ends of Windows": ("a\r\nb", "a\nb"),
    "other line ends": ("a\x0bb\x0cc\x85d\u2028e\u2029f", "a\nb\nc\nd\ne\nf"),
    "a right-to-left override": ("abc\u202edcba\u202c", "abcdcba"),
    "bidi isolates": ("\u2066a\u2069\u200f", "a"),
    "zero-width characters": ("7\u200b2\u200d\ufeff\u2060", "72"),
    "a soft hyphen": ("co\xadop", "coop"),
    "tags that hide text": ("a\U000e0041\U000e0042b", "ab"),
    "lone surrogates": ("a\ud800b\udfffc", "a\ufffdb\ufffdc"),
    "noncharacters": ("a\uffffb", "a\ufffdb"),
    "a blank that is a letter": ("a\u3164b", "a b"),
    "ordinary text": (
        "Natalia sold 72 clips.\n\tπ ≈ 3.14, 東京 ✓",
        "Natalia sold 72 clips.\n\tπ ≈ 3.14, 東京 ✓",
    ),
    "Arabic and Hebrew letters stay": ("שלום مرحبا", "שלום مرحبا"),
    "markup is only text": ("[/red] <b>", "[/red] <b>"),
}


@pytest.mark.parametrize(("attack", "shown"), ATTACKS.values(), ids=ATTACKS.keys())
def test_attacks_become_harmless_text(attack: str, shown: str) -> None:
    assert clean(attack) == shown


@given(HOSTILE_TEXT)
def test_escaped_json_is_the_same_value_without_a_character_that_acts(text: str) -> None:
    safe = escaped(json.dumps(text, ensure_ascii=False))

    assert json.loads(safe) == text
    assert clean(safe) == safe


@given(HOSTILE_TEXT)
def test_clean_text_holds_no_character_that_acts(text: str) -> None:
    safe = clean(text)

    assert clean(safe) == safe
    safe.encode("utf-8")
    for character in safe:
        assert character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs")
        assert unicodedata.bidirectional(character) not in (
            "RLO",
            "LRO",
            "RLE",
            "LRE",
            "PDF",
            "RLI",
            "LRI",
            "PDI",
        )


@given(HOSTILE_TEXT, st.integers(1, 60), st.booleans())
def test_a_line_fits_its_width(text: str, width: int, end: bool) -> None:
    line = one_line(text, width, end=end)

    assert cell_width(line) <= width
    assert "\n" not in line
    assert "\t" not in line


@pytest.mark.parametrize(
    ("text", "width", "line"),
    [
        ("short", 10, "short"),
        ("exactly ten", 11, "exactly ten"),
        ("one\n two\t three", 20, "one two three"),
        ("Natalia sold clips", 10, "Natalia s…"),
        ("Natalia sold clips", 9, "Natalia…"),
        ("東京都", 4, "東…"),
        ("anything", 1, "…"),
        ("anything", 0, ""),
        ("e\u0301te\u0301", 3, "e\u0301te\u0301"),
        ("", 5, ""),
    ],
)
def test_the_beginning_of_a_text_on_one_line(text: str, width: int, line: str) -> None:
    assert one_line(text, width) == line


def test_the_end_of_a_text_on_one_line() -> None:
    assert one_line("She sold 48\nand then 24", 12, end=True) == "…and then 24"
    assert one_line("short", 12, end=True) == "short"


def test_a_row_costs_the_same_for_an_endless_text() -> None:
    def cost(text: str) -> float:
        def work() -> None:
            for _ in range(200):
                one_line(text, 80)
                one_line(text, 80, end=True)

        return least_cpu(work)

    words = "some words that go on and on "
    assert cost(words * 40_000) < 5 * cost(words * 60) + 0.05


@given(HOSTILE_TEXT, st.integers(1, 100))
def test_file_names_are_plain(text: str, longest: int) -> None:
    name = file_name(text, longest=longest)

    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name)
    assert not name.endswith(".")
    assert len(name) <= max(longest, len("unnamed"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Natalia's clips", "Natalia-s-clips"),
        ("../../etc/passwd", "etc-passwd"),
        (".hidden", "hidden"),
        ("", "unnamed"),
        ("\u202e\x1b[31m", "unnamed"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("Čeština ünïcode", "Cestina-unicode"),
        ("a..b", "a.b"),
        ("東京", "unnamed"),
    ],
)
def test_file_names_of_awkward_titles(text: str, name: str) -> None:
    assert file_name(text) == name


@pytest.mark.parametrize("shape", list(TOWERS))
def test_cleaning_costs_time_in_proportion_to_length(shape: str) -> None:
    def cost(size: int) -> float:
        text = TOWERS[shape](size) + "\x00"
        return least_cpu(lambda: clean(text))

    assert cost(320_000) < 30 * max(cost(40_000), 0.002)

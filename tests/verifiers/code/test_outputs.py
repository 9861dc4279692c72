"""When two outputs are the same."""

from __future__ import annotations

import pytest

from verifiers.code.outputs import first_difference


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        ("3\n", "3"),
        ("a  b\n\nc ", "a b c"),
        ("YES", "yes"),
        ("0.3333333", "0.333334"),
        ("3", "3.0"),
        ("1e3", "1000"),
        ("-0", "0"),
        ("007", "7"),
        ("", " \t\r\n\v"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_matching_outputs(got: str, expected: str) -> None:
    assert first_difference(got, expected) is None
    assert first_difference(expected, got) is None


@pytest.mark.parametrize(
    ("got", "expected", "difference"),
    [
        ("3", "4", ("3", "4")),
        ("1 2", "1 2 3", (None, "3")),
        ("1 2 3", "1 2", ("3", None)),
        ("3.14", "3.15", ("3.14", "3.15")),
        ("9007199254740993", "9007199254740992", ("9007199254740993", "9007199254740992")),
        ("nan", "1", ("nan", "1")),
        ("inf", "1e9999", ("inf", "1e9999")),
        ("three", "3", ("three", "3")),
        ("9" * 5000, "8" * 5000, ("9" * 5000, "8" * 5000)),
        ("1e999999999", "1e999999998", ("1e999999999", "1e999999998")),
    ],
)
def test_different_outputs(got: str, expected: str, difference: tuple[str | None, str | None]) -> None:
    assert first_difference(got, expected) == difference

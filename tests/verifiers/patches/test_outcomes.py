"""Test results read from our plugin's report and from what runners print, and what a patch may not touch."""

from __future__ import annotations

import json

import pytest

from tests.verifiers.patches.shop import make_shop
from verifiers.patches import Files
from verifiers.patches.outcomes import read_outcomes
from verifiers.patches.protection import set_aside

WORD = "w0rd"
PYTEST = """\
PASSED tests/test_a.py::test_one
PASSED tests/test_a.py::test_two[a b]
SKIPPED [1] tests/test_a.py:9: no
FAILED tests/test_a.py::test_three - assert 1 == 2
ERROR tests/test_b.py - ImportError: x
=========== 1 failed, 2 passed, 1 skipped, 1 error in 0.12s ===========
"""
UNITTEST = """\
test_one (tests.test_a.T.test_one) ... ok
test_two (tests.test_a.T)
Says what it does ... FAIL
test_three (tests.test_a.T.test_three) ... skipped 'no'

======================================================================
FAIL: test_two (tests.test_a.T)
----------------------------------------------------------------------
Ran 3 tests in 0.001s

FAILED (failures=1, skipped=1)
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(make_shop(tmp_path_factory.mktemp("shop")))


def report(*events: dict[str, object], word: str = WORD) -> bytes:
    return "".join(f"{word}{json.dumps(event)}\n" for event in events).encode()


def test_the_report_counts_and_not_what_was_printed() -> None:
    said = report(
        {"event": "start"},
        {"event": "test", "name": "t.py::a", "outcome": "failed", "why": "assert 1 == 2"},
        {"event": "test", "name": "t.py::b", "outcome": "passed", "why": ""},
        {"event": "finish", "status": 1},
    )
    found = read_outcomes("9 passed in 0.01s", said, WORD)
    assert (found.reported, found.complete, found.passed) == (True, True, 1)
    assert found.tests == {"t.py::a": "failed", "t.py::b": "passed"}
    assert found.why == {"t.py::a": "assert 1 == 2"}


def test_lines_without_the_word_of_this_run_are_strays() -> None:
    forged = report({"event": "start"}, {"event": "test", "name": "t", "outcome": "passed"}, word="guess")
    assert not read_outcomes("", forged + b"\xff\xfe not json\n", WORD).reported
    broken = forged + f"{WORD}not json\n{WORD}[1]\n".encode()
    assert not read_outcomes("", broken, WORD).reported


def test_a_run_that_never_finished_is_not_complete() -> None:
    assert not read_outcomes("", report({"event": "start"}), WORD).complete


def test_pytest_as_it_prints() -> None:
    found = read_outcomes(PYTEST, b"", WORD)
    assert (found.runner, found.reported, found.complete, found.passed) == ("pytest", False, True, 2)
    assert found.tests == {
        "tests/test_a.py::test_one": "passed",
        "tests/test_a.py::test_two[a b]": "passed",
        "tests/test_a.py::test_three": "failed",
        "tests/test_b.py": "error",
    }
    assert found.of("tests/test_a.py::test_two[a") == "passed", "cut at its space, as some lists are"
    assert found.of("tests/test_a.py::test_absent") is None


def test_unittest_as_it_prints_in_both_spellings() -> None:
    found = read_outcomes(UNITTEST, b"", WORD)
    assert (found.runner, found.complete, found.passed) == ("unittest", True, 1)
    assert found.of("test_one (tests.test_a.T)") == "passed"
    assert found.of("test_one (tests.test_a.T.test_one)") == "passed"
    assert found.of("test_two (tests.test_a.T)") == "failed"
    assert found.of("test_three (tests.test_a.T)") == "skipped"


@pytest.mark.parametrize(
    ("text", "runner", "passed"),
    [
        ("--- PASS: TestA (0.00s)\nPASS\nok  \texample.com/a\t0.01s\n", "go", 1),
        ("test a::b ... ok\ntest a::c ... FAILED\n\ntest result: FAILED. 1 passed; 1 failed\n", "cargo", 1),
        ("all fine\n", "unknown", 0),
        ("", "unknown", 0),
    ],
)
def test_other_runners(text: str, runner: str, passed: int) -> None:
    found = read_outcomes(text, b"", WORD)
    assert (found.runner, found.passed) == (runner, passed)


@pytest.mark.parametrize("text", ["PASSED " * 100_000, "test_a (m)\n" * 50_000, "1 passed, " * 50_000])
def test_long_output_is_read_in_time(text: str) -> None:
    read_outcomes(text, b"", WORD)


@pytest.mark.parametrize(
    ("command", "path", "counts"),
    [
        ("pytest", "shop/basket.py", True),
        ("pytest", "shop/new.py", True),
        ("pytest", "tests/test_new.py", True),
        ("pytest", "tests/test_basket.py", False),
        ("pytest", "conftest.py", False),
        ("pytest", "shop/conftest.py", False),
        ("pytest", "pytest.ini", False),
        ("pytest", "pyproject.toml", False),
        ("pytest", "sitecustomize.py", False),
        ("pytest", "json.py", False),
        ("pytest", "_pytest/main.py", False),
        ("pytest shop/names.py", "shop/names.py", False),
        ("python shop/names.py", "shop/names.py", False),
        ("python -m shop.names", "shop/names.py", False),
        ("grep -q Hi shop/names.py", "shop/names.py", True),
        ("python -m doctest shop/names.py", "shop/names.py", True),
        ("pytest --doctest-modules shop/names.py", "shop/names.py", True),
        ("make check", "Makefile", False),
    ],
)
def test_what_judges_a_patch_is_not_for_it_to_change(
    shop: Files, command: str, path: str, counts: bool
) -> None:
    kept, aside = set_aside({path: "x"}, shop, command, ())
    assert (bool(kept), bool(aside)) == (counts, not counts)


def test_tests_that_a_list_names_are_not_either(shop: Files) -> None:
    _, aside = set_aside({"shop/names.py": "x"}, shop, "pytest", ("shop/names.py::test",))
    assert aside == ("shop/names.py",)

"""Why a sample failed: in its row, above its text, and for all reasons our own checkers give."""

from __future__ import annotations

import pytest
from rich.style import Style

from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.state import Sample
from app.tui.text.markdown import Look, looks_like_code, program_lines
from app.tui.text.verdict_words import reason_facts, short_reason
from app.tui.widgets.sample_list import SampleList
from app.tui.widgets.sample_view import SampleView
from app.tui.widgets.status import StatusLine
from tests.tui.fixtures.made_up import MadeUpRun, made_up
from tests.tui.test_run_screen import opened, picture, shown, started


def judged(reason: str, verdict: ev.Verdict = "wrong", checker: str = "tests") -> Sample:
    return Sample(0, "m", 0, 0.0, 0, status="finished", verdict=verdict, reason=reason, checker=checker)


@pytest.mark.parametrize(
    ("reason", "facts", "short"),
    [
        (
            "case 2 of 5: got 4, expected 3 (input 1 2)",
            {"case": "case 2 of 5", "input": "1 2", "got": "4", "expected": "3"},
            "case 2 of 5: got 4, expected 3",
        ),
        (
            "add(1, 2) gave 4, expected 3",
            {"call": "add(1, 2)", "got": "4", "expected": "3"},
            "got 4, expected 3",
        ),
        (
            "fails assert add(1, 2) == 3: 4 against 3, after add(1, 2)",
            {"test": "assert add(1, 2) == 3", "call": "add(1, 2)", "got": "4", "expected": "3"},
            "got 4, expected 3",
        ),
        (
            "add(1, 2) raised NameError: name 'y' is not defined",
            {"call": "add(1, 2)", "raised": "NameError: name 'y' is not defined"},
            "NameError: name 'y' is not defined",
        ),
        (
            "case 1 of 2: the program failed: ZeroDivisionError: division by zero",
            {"case": "case 1 of 2", "raised": "ZeroDivisionError: division by zero"},
            "ZeroDivisionError: division by zero",
        ),
        ("the reply holds no program", {}, "the reply holds no program"),
    ],
)
def test_a_checkers_line_is_taken_apart(reason: str, facts: dict[str, str], short: str) -> None:
    assert dict(reason_facts(reason)) == facts
    assert short_reason(judged(reason)) == short


def test_a_row_says_nothing_of_what_its_answer_says() -> None:
    assert short_reason(judged("96 is not 72", checker="known answer")) == ""
    assert short_reason(judged("72 is 72", "right", "known answer")) == ""
    assert short_reason(judged("cannot tell 7x from 72", "undecided", "known answer")) != ""


def test_bare_programs_are_told_from_words_about_them() -> None:
    assert looks_like_code("def f(x):\n    return x")
    assert looks_like_code("    return x + 1\n")
    assert looks_like_code("total = 0\nfor x in y: pass")
    assert not looks_like_code("Define the function as follows.")
    assert not looks_like_code("The answer is 3.")


def test_a_bare_program_is_highlighted_and_fits() -> None:
    look = Look(Style(), Style(), Style(), Style(), "ansi_dark")
    lines = program_lines("def f(x):\n    return 'a\x1b[31m' * 100  # " + "long " * 30, 30, look)
    assert len({segment.style for line in lines for segment in line}) > 2
    assert all(sum(segment.cell_length for segment in line) <= 30 for line in lines)
    assert "\x1b" not in "".join(segment.text for line in lines for segment in line)


CODE = Problem(id="add", kind="code", prompt="Write add(a, b).", entry_point="add", tests={"type": "python"})


def coded() -> MadeUpRun:
    run = MadeUpRun(made_up(3, answer=None, end=None)).play()
    run.state.problem = CODE
    run.apply(
        ev.Judged(at=9, sample=0, verdict="right", reason="passes the tests (3 calls)", checker="tests"),
        ev.Judged(at=9, sample=1, verdict="wrong", reason="add(1, 2) gave 4, expected 3", checker="tests"),
    )
    return run


async def test_the_open_sample_names_the_failing_case_and_the_checker() -> None:
    async with opened(coded()) as (pilot, screen):
        screen.samples.show_sample(1)
        await shown(pilot, screen)
        view = screen.query_one(SampleView)
        assert "(tests)" in str(view.border_title)
        lines = picture(view).split("\n")
        assert lines[0].split() == ["✗", "wrong", "·", "tests"]
        assert [line.split() for line in lines[1:4]] == [
            ["call", "add(1,", "2)"],
            ["got", "4"],
            ["expected", "3"],
        ]
        assert "got 4, expected 3" in picture(screen.query_one(SampleList))


async def test_the_status_says_how_far_checks_are_behind() -> None:
    run = coded()
    async with opened(run) as (_, screen):
        assert "Waiting; 1 verdict pending" in picture(screen.query_one(StatusLine))
    async with opened(started(64)) as (_, screen):
        assert "pending" not in picture(screen.query_one(StatusLine))


async def test_a_stop_with_verdicts_pending_says_that_it_waits_once() -> None:
    run = coded()
    run.stop = lambda: run.calls.append("stop")  # type: ignore[method-assign]
    async with opened(run) as (pilot, screen):
        screen.samples.focus()
        await pilot.press("escape")
        await pilot.press("escape")
        await pilot.pause()
        told = [notice.message for notice in pilot.app._notifications]
        assert told == ["Stopping: it waits for 1 verdict. Stop once more to end without them."]
        assert run.calls == ["stop", "stop"]

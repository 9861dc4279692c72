"""The starter set is right: every answer is worked out again, every test is run on a program."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from app.errors import BadInput
from app.problems.detect import detect
from app.problems.problem import Problem
from app.problems.starter import starter, starter_problems
from tests.app.problems.starter_solutions import ANSWERS, PROGRAMS, WRONG_PROGRAMS

CODE = [problem for problem in starter_problems() if problem.kind == "code"]


def run(program: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-c", program],
        input=typed,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def passes(problem: Problem, program: str) -> bool:
    tests = problem.tests
    assert tests is not None
    if tests["type"] == "python":
        return run(f"{program}\n{tests['code']}\ncheck({problem.entry_point})").returncode == 0
    return all(run(program, case["input"]).stdout == case["output"] for case in tests["cases"])


def test_there_are_thirty_of_many_sorts() -> None:
    problems = starter_problems()
    assert len(problems) == 30
    assert Counter(problem.kind for problem in problems) == {"math": 21, "code": 6, "open": 3}
    assert len({problem.title for problem in problems}) == 30
    assert all(problem.title and len(problem.title) <= 24 for problem in problems)
    assert all(len(problem.id) <= 10 for problem in problems)


def test_every_answer_is_what_comes_out() -> None:
    given = {problem.id: problem.answer for problem in starter_problems() if problem.kind != "code"}
    assert given == {problem_id: str(answer) for problem_id, answer in ANSWERS.items()}


@pytest.mark.parametrize("problem", CODE, ids=lambda problem: problem.id)
def test_the_tests_of_a_task_tell_right_from_wrong(problem: Problem) -> None:
    assert passes(problem, PROGRAMS[problem.id])
    assert not passes(problem, WRONG_PROGRAMS[problem.id])


@pytest.mark.parametrize("problem", starter_problems(), ids=lambda problem: problem.id)
def test_its_kind_is_detected(problem: Problem) -> None:
    assert detect(problem.prompt).kind == problem.kind


def test_a_problem_is_found_by_its_id() -> None:
    assert starter("Apples ").answer == "8"
    with pytest.raises(BadInput, match="no problem aples") as caught:
        starter("aples")
    assert caught.value.fix == "Did you mean apples?"
    with pytest.raises(BadInput) as caught:
        starter("")
    assert "plus, minus" in (caught.value.fix or "")

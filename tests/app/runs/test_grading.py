"""Samples made elsewhere, graded: by known answers, by a checker that is given, or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from app.errors import BadInput
from app.problems.problem import Problem
from app.runs.grading import STDOUT, Grader
from app.runs.picking import pool
from app.runs.samples_file import GivenSample, parse_samples
from verifiers.checking import CheckedProblem, ProgramJudgement
from verifiers.verdicts import Judgement

PROBLEMS = {
    "sum": Problem(id="sum", kind="math", prompt="What is 70 + 2?", answer="72"),
    "choice": Problem(id="choice", kind="math", prompt="Which? (A) 70 (B) 72 (C) 75", answer="B"),
    "open": Problem(id="open", kind="open", prompt="Say hello."),
    "code": Problem(
        id="code", kind="code", prompt="Write f.", entry_point="f", tests={"type": "python", "code": "..."}
    ),
    "proof": Problem(id="proof", kind="proof", prompt="theorem t : True := by", language="lean4"),
}


def sample(problem: str, **fields: Any) -> GivenSample:
    return parse_samples(json.dumps({"problem_id": problem} | fields).encode(), "f")[0]


@pytest.mark.parametrize(
    ("given", "answer", "verdict"),
    [
        (sample("sum", text="So the answer is 72."), "72", "right"),
        (sample("sum", text="So the answer is 71."), "71", "wrong"),
        (sample("sum", text="I give up."), None, "wrong"),
        (sample("sum", text=""), None, "wrong"),
        (sample("sum", text="It was 72, but then", finish_reason="length"), None, "wrong"),
        (sample("sum", answer="$72.00"), "$72.00", "right"),
        (sample("sum", answer=72.0), "72.0", "right"),
        (sample("sum", answer=None), None, "wrong"),
        (sample("sum", text="The answer is 1.", answer="72"), "72", "right"),
        (sample("sum", text="The answer is 72.", answer=" "), "72", "right"),
        (sample("sum", answer="x + 70"), "x + 70", "undecided"),
        (sample("sum", text="The answer is 72.", verdict="wrong"), "72", "right"),
        (sample("sum", text="The answer is 7", error="reset"), None, "undecided"),
        (sample("choice", text="The answer is 72."), "B", "right"),
        (sample("choice", answer="(a)"), "(a)", "wrong"),
        (sample("open", text="hello"), "hello", "undecided"),
        (sample("proof", text="trivial"), None, "undecided"),
    ],
)
def test_a_sample_is_graded_by_the_known_answer(given: GivenSample, answer: str | None, verdict: str) -> None:
    grade = Grader(PROBLEMS).grade(given)

    assert grade.judgement.verdict == verdict
    if given.problem_id != "proof":
        assert grade.answer == answer
    assert grade.detail == {"reason": grade.judgement.reason}
    assert grade.judgement.reason


def test_without_a_checker_programs_are_undecided_and_say_so() -> None:
    grade = Grader(PROBLEMS).grade(sample("code", text="def f():\n    return 1\n"))

    assert grade.judgement.verdict == "undecided"
    assert "not run in this version" in grade.judgement.reason
    assert grade.answer is not None
    assert not Grader(PROBLEMS).can_grade(PROBLEMS["code"])


@dataclass
class Counting:
    """A checker that calls every program right, and remembers what it was asked."""

    asked: list[tuple[str, str]]

    def judge(self, problem: CheckedProblem, text: str) -> Judgement:
        self.asked.append((problem.id, text))
        return ProgramJudgement("right", "all tests pass", "tests", "x" * 5000, 0.5, 12.0, "bubblewrap")


def test_a_checker_that_is_given_judges_its_kind_and_no_other() -> None:
    checker = Counting([])
    grader = Grader(PROBLEMS, {"code": checker})
    grade = grader.grade(sample("code", text="def f(): pass"))

    assert grade.judgement.verdict == "right"
    assert grade.detail == {
        "reason": "all tests pass", "stdout": "x" * STDOUT, "seconds": 0.5, "memory_mb": 12.0,
        "box": "bubblewrap",
    }  # fmt: skip
    assert grader.grade(sample("sum", text="72")).judgement.checker == "known answer"
    assert checker.asked == [("code", "def f(): pass")]
    assert grader.can_grade(PROBLEMS["code"])


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, None),
        ({"program_status": "failed"}, "failed"),
        ({"program_status": "not-run", "program_answer": "72"}, "not-run"),
        ({"program_answer": "72.0"}, "agrees"),
        ({"program_answer": 71}, "differs"),
        ({"program_answer": "72", "answer": None, "text": "no idea"}, "differs"),
    ],
)
def test_a_program_agrees_if_its_answer_is_the_samples(fields: dict[str, Any], status: str | None) -> None:
    given = sample("sum", **({"answer": "$72"} | fields))

    assert Grader(PROBLEMS).program_status(given) == status


def test_a_pool_keeps_given_verdicts_grades_the_others_and_drops_what_broke_off() -> None:
    found = pool(
        [
            sample("sum", answer="72", verdict="wrong", model="a", reward=0.5),
            sample("sum", answer="72", model="b"),
            sample("code", text="def f(): pass", verdict="right"),
            sample("sum", text="7", error="reset"),
            sample("sum", answer="y"),
        ],
        Grader(PROBLEMS),
    )

    assert [each.verdict for each in found.problems["sum"]] == ["wrong", "right", "wrong"]
    assert found.counts == [(3, 1), (1, 1)]
    assert (found.samples, found.fewest, found.most) == (4, 1, 3)
    assert (found.models, found.graded, found.failed, found.undecided, found.unrewarded) == (
        ("a", "b", ""), 2, 1, 0, 3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("samples", "complaint"),
    [
        ([sample("code", text="def f(): pass")], "f, line 1: the sample has no verdict, and its problem has"),
        ([sample("open", text="hello")], "no known answer"),
        ([sample("sum", text="7", error="reset")], "Every sample failed"),
        ([sample("sum", text="7", verdict="undecided")], "No sample was decided"),
    ],
)
def test_nothing_is_counted_that_cannot_be_judged(samples: list[GivenSample], complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        pool(samples, Grader(PROBLEMS))

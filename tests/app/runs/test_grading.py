"""Samples made elsewhere, graded: by known answers, by a checker that is given, or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from app.errors import BadInput, MonkeysError, PartMissing
from app.problems.problem import Problem
from app.runs.grading import Checker, Grader, Measured, check_all
from app.runs.picking import pool, ungraded
from app.runs.samples_file import GivenSample, parse_samples
from verifiers.verdicts import Judgement, Verdict

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
        (sample("sum", answer="x + 70"), "x + 70", "wrong"),
        (sample("sum", answer="2^3 * 9"), "2^3 * 9", "right"),
        (sample("sum", answer="x + " + "(" * 70), "x + " + "(" * 70, "undecided"),
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

    assert (grade.judgement.verdict, grade.answer) == ("undecided", "def f():\n    return 1\n")
    assert grade.judgement.reason


@dataclass
class Counting:
    """A checker that calls long programs right, and remembers what it was asked."""

    asked: list[tuple[str, str, bool]] = field(default_factory=list)
    fault: MonkeysError | None = None
    running: int = 0
    most_running: int = 0

    async def judge(self, problem: Problem, text: str, *, cut_off: bool) -> tuple[Judgement, Measured | None]:
        self.asked.append((problem.id, text, cut_off))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        if self.fault is not None:
            raise self.fault
        verdict: Verdict = "right" if len(text) > 5 else "wrong"
        return Judgement(verdict, "tested", "tests"), Measured("out", 0.5, 12.0, "bubblewrap")


def for_code(checker: Checker) -> Callable[[Problem], Checker | None]:
    return lambda problem: checker if problem.kind == "code" else None


async def test_a_checker_that_is_given_judges_tests_and_nothing_else() -> None:
    checker = Counting()
    grader = Grader(PROBLEMS, for_code(checker))
    grade = await grader.check(sample("code", text="def f(): pass", finish_reason="length"))

    assert grade.judgement == Judgement("right", "tested", "tests")
    assert grade.detail == {
        "reason": "tested", "stdout": "out", "seconds": 0.5, "memory_mb": 12.0, "box": "bubblewrap",
    }  # fmt: skip
    await grader.check(sample("code", answer="f=1"))
    assert (await grader.check(sample("sum", text="72"))).judgement.checker == "known answer"
    assert (await grader.check(sample("code", text="def", error="reset"))).judgement.verdict == "undecided"
    assert checker.asked == [("code", "def f(): pass", True), ("code", "f=1", False)]


async def test_many_are_checked_side_by_side_in_order_and_equal_replies_once() -> None:
    checker = Counting()
    texts = ["x = 1000", "x", "y = 1000", "x", "z", "x = 1000"]
    samples = [sample("code", text=text) for text in texts] + [sample("sum", text="72")]
    done: list[int] = []
    grader = Grader(PROBLEMS, for_code(checker))
    grades = await check_all(samples, grader, at_once=3, on_checked=done.append)

    assert [grade.judgement.verdict for grade in grades] == [
        "right", "wrong", "right", "wrong", "wrong", "right", "right",
    ]  # fmt: skip
    assert sorted(text for _, text, _ in checker.asked) == sorted(set(texts))
    assert checker.most_running == 3
    assert (done[-1], sorted(done)) == (7, done)
    assert await check_all([], grader, at_once=2) == []


async def test_a_missing_part_ends_it() -> None:
    grader = Grader(PROBLEMS, for_code(Counting(fault=PartMissing("No sandbox works here.", "Get one."))))

    with pytest.raises(ExceptionGroup) as refused:
        await check_all([sample("code", text=text) for text in "abc"], grader, at_once=2)
    assert refused.group_contains(PartMissing)


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


def test_a_pool_keeps_given_verdicts_and_drops_what_broke_off() -> None:
    given = [
        sample("sum", answer="72", verdict="wrong", model="a", reward=0.5),
        sample("sum", answer="72", model="b"),
        sample("code", text="def f(): pass", verdict="right"),
        sample("sum", text="7", error="reset"),
    ]
    given = [replace(each, where=f"line {place}") for place, each in enumerate(given)]
    assert ungraded(given, PROBLEMS) == [given[1]]
    found = pool(given, Grader(PROBLEMS), {"line 1": "right"})

    assert [each.verdict for each in found.problems["sum"]] == ["wrong", "right"]
    assert found.counts == [(2, 1), (1, 1)]
    assert (found.samples, found.fewest, found.most) == (3, 1, 2)
    assert (found.models, found.failed, found.undecided, found.unrewarded) == (("a", "b", ""), 1, 0, 2)


@pytest.mark.parametrize(
    ("samples", "complaint"),
    [
        ([sample("sum", text="7", error="reset")], "Every sample failed"),
        ([sample("sum", text="7", verdict="undecided")], "No sample was decided"),
    ],
)
def test_nothing_makes_no_pool(samples: list[GivenSample], complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        pool(samples, Grader(PROBLEMS), {})


@pytest.mark.parametrize("problem", ["open", "proof"])
def test_what_cannot_be_graded_is_refused(problem: str) -> None:
    with pytest.raises(BadInput, match="f, line 1: the sample has no verdict, and its problem has no known"):
        ungraded([sample(problem, text="hello")], PROBLEMS)
    assert ungraded([sample(problem, text="hello", verdict="right")], PROBLEMS) == []
    assert len(ungraded([sample("code", text="def f(): pass")], PROBLEMS)) == 1

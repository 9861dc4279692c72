"""Proofs and programs on their way to whatever judges them."""

from __future__ import annotations

import asyncio

import pytest

from app.errors import PartMissing
from app.problems.load import parse_problems
from app.problems.problem import Problem
from app.runs.checkers import Checkers
from app.runs.checking import LiveChecks
from app.runs.grading import Measured
from app.runs.proof_checks import is_checkable
from app.runs.submitting import Submitted
from app.settings import Settings
from verifiers.executors import Finding, Job, LocalExecutor, Missing
from verifiers.executors_cluster import ClusterExecutor
from verifiers.verdicts import Judgement

LEAN = Problem(
    id="l", kind="proof", prompt="Prove it.", language="lean4", statement="theorem t : 1 = 1 := by"
)
ROCQ = Problem(id="r", kind="proof", prompt="Theorem t : 1 = 1.", language="rocq")
TESTED = Problem(
    id="c", kind="code", prompt="?", entry_point="f", tests={"type": "python", "code": "def check(c): ..."}
)


@pytest.mark.parametrize(
    ("problem", "checkable"),
    [
        (LEAN, True),
        (ROCQ, True),
        (Problem(id="w", kind="proof", prompt="Prove that there are many primes.", language="lean4"), False),
        (
            Problem(id="e", kind="proof", prompt="p", language="lean4", statement="example : 1 = 1 := by"),
            False,
        ),
        (Problem(id="m", kind="math", prompt="Theorem t : 1 = 1."), False),
    ],
)
def test_theorem_that_is_stated_formally_can_be_checked(problem: Problem, checkable: bool) -> None:
    assert is_checkable(problem) == checkable


def test_minif2f_rows_load_in_both_languages() -> None:
    rows = (
        '{"id": "a", "kind": "proof", "prompt": "Prove it.", "language": "lean4", '
        '"statement": "theorem a (x : ℝ) (h : x = 2) : x + 1 = 3 := by"}\n'
        '{"id": "b", "kind": "proof", "prompt": "Prove it.", "language": "rocq", '
        '"preamble": "Require Import Reals.", "statement": "Theorem b : 1 = 1."}\n'
    )
    lean, rocq = parse_problems(rows.encode(), "minif2f.jsonl")
    assert (lean.language, lean.preamble, rocq.language, rocq.preamble) == (
        *("lean4", None),
        *("rocq", "Require Import Reals."),
    )
    assert is_checkable(lean)
    assert is_checkable(rocq)


class Waiting:
    """A checker that takes nine samples at a time, and keeps them."""

    at_once = 9

    def __init__(self) -> None:
        self.taken = 0

    async def judge(self, problem: Problem, text: str, *, cut_off: bool) -> tuple[Judgement, Measured | None]:
        self.taken += 1
        await asyncio.Event().wait()
        raise AssertionError


async def test_as_many_samples_are_handed_over_as_their_place_judges_at_once() -> None:
    checker = Waiting()
    checks = LiveChecks(LEAN, checker, judged=lambda _sample, _found: None, missing=lambda _error: None)
    for number in range(20):
        checks.submit(number, f"proof {number}", cut_off=False)
    for _ in range(5):
        await asyncio.sleep(0)
    assert (checker.taken, checks.behind) == (9, 20)
    await checks.finish(0.0)


class Recorder:
    """An executor that keeps what it is given, and answers as it is told."""

    at_once = 3
    behind = 0

    def __init__(self, answer: Finding | Missing) -> None:
        self.answer = answer
        self.jobs: list[Job] = []

    async def submit(self, job: Job) -> Finding:
        self.jobs.append(job)
        if isinstance(self.answer, Missing):
            raise self.answer
        return self.answer

    async def close(self) -> None: ...


async def test_problem_travels_as_plain_data_and_its_finding_comes_back() -> None:
    finding = Finding(Judgement("right", "Lean accepts the proof", "lean"), "said", 2.0, 900.0, "bubblewrap")
    executor = Recorder(finding)
    judgement, measured = await Submitted(executor).judge(LEAN, "by rfl", cut_off=True)
    assert judgement == finding.judgement
    assert measured is not None
    assert (measured.stdout, measured.seconds, measured.memory_mb, measured.box) == (
        *("said", 2.0),
        *(900.0, "bubblewrap"),
    )
    [job] = executor.jobs
    assert job.problem["statement"] == LEAN.statement
    assert (type(job.problem), job.text, job.cut_off) == (dict, "by rfl", True)


async def test_what_never_ran_has_no_measures() -> None:
    finding = Finding(Judgement("wrong", "the reply holds no proof", "lean"))
    _, measured = await Submitted(Recorder(finding)).judge(LEAN, "", cut_off=False)
    assert measured is None


async def test_what_the_judging_place_lacks_is_a_missing_part() -> None:
    executor = Recorder(Missing("Lean is not installed.", "Install it."))
    with pytest.raises(PartMissing, match="Lean is not installed") as missing:
        await Submitted(executor).judge(LEAN, "by rfl", cut_off=False)
    assert missing.value.fix == "Install it."


async def test_proofs_and_programs_share_one_executor() -> None:
    checkers = Checkers(Settings())
    first, second = checkers.checker_for(LEAN), checkers.checker_for(TESTED)
    assert isinstance(first, Submitted)
    assert isinstance(second, Submitted)
    assert first._executor is second._executor
    assert isinstance(first._executor, LocalExecutor)
    await checkers.close()


async def test_cluster_of_the_settings_judges_instead() -> None:
    checkers = Checkers(Settings(cluster="auto"))
    found = checkers.checker_for(TESTED)
    assert isinstance(found, Submitted)
    assert isinstance(found._executor, ClusterExecutor)
    assert checkers.at_once > 4
    await checkers.close()


def test_known_answer_needs_no_executor() -> None:
    checkers = Checkers(Settings())
    assert checkers.checker_for(Problem(id="m", kind="math", prompt="1+1", answer="2")) is None
    assert checkers.checker_for(Problem(id="p", kind="proof", prompt="In words.", language="lean4")) is None
    assert checkers.at_once == 1

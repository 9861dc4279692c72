"""Samples made elsewhere, graded: the answer each gives, and the verdict on it.

A problem's own answer decides where it has one. Tests, proofs and patches are for the checkers that the
grader is given; without one for its kind a sample is undecided, and says why. Nothing is guessed: a sample
that failed before it was finished is undecided too, because it shows nothing about the model's answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.problems.problem import Kind, Problem
from app.runs.samples_file import GivenSample
from verifiers.answers import Extraction
from verifiers.candidates import ProgramStatus
from verifiers.checking import AnswerReader, Checker, ProgramJudgement
from verifiers.normal import same_answer
from verifiers.verdicts import Judgement

STDOUT = 2_000
"""Characters kept of what a program wrote."""


@dataclass(frozen=True, slots=True)
class Grade:
    """What a sample answers, ``None`` where it answers nothing, and what was found about it."""

    answer: str | None
    judgement: Judgement

    @property
    def detail(self) -> dict[str, Any]:
        """What the judgement rests on, as the samples format has it."""
        found = self.judgement
        detail: dict[str, Any] = {"reason": found.reason}
        if isinstance(found, ProgramJudgement):
            detail |= {
                "stdout": found.stdout[:STDOUT],
                "seconds": found.seconds,
                "memory_mb": found.memory_mb,
                "box": found.box,
            }
        return detail


@dataclass(slots=True)
class Grader:
    """Grades samples of ``problems``, by id. ``checkers`` judge the kinds that a known answer cannot."""

    problems: Mapping[str, Problem]
    checkers: Mapping[Kind, Checker] = field(default_factory=dict)
    _readers: dict[str, AnswerReader] = field(default_factory=dict, init=False)

    def can_grade(self, problem: Problem) -> bool:
        """Whether there is anything to grade a sample of ``problem`` by."""
        return problem.answer is not None or problem.kind in self.checkers

    def extraction(self, sample: GivenSample) -> Extraction:
        """The answer as its maker gave it, or else as we read it from the text."""
        given = sample.answer
        if given is not None:
            return Extraction(given, "given")
        text = sample.fields.text
        if text is None:
            return Extraction(None, "no answer given")
        return self._reader(sample.problem_id).read(text, cut_off=sample.fields.finish_reason == "length")

    def answer(self, sample: GivenSample) -> str | None:
        return self.extraction(sample).answer

    def grade(self, sample: GivenSample) -> Grade:
        """The verdict on a sample of one of the problems, whatever verdict it came with."""
        problem = self.problems[sample.problem_id]
        if sample.fields.error is not None:
            reason = f"the sample failed: {sample.fields.error}"
            return Grade(sample.answer, Judgement("undecided", reason, "none"))
        found = self.extraction(sample)
        checker = self.checkers.get(problem.kind)
        if checker is not None and sample.fields.text is not None and _needs_checker(problem):
            return Grade(found.answer, checker.judge(problem, sample.fields.text))
        if problem.answer is not None:
            return Grade(found.answer, self._reader(problem.id).judge(found))
        return Grade(found.answer, Judgement("undecided", _why_undecided(problem), "none"))

    def program_status(self, sample: GivenSample) -> ProgramStatus | None:
        """Whether the program written from a sample agrees with it: as the file says, or else by comparing
        the two answers. ``None`` where there is no program."""
        status, program = sample.fields.program_status, sample.program_answer
        if status is not None or program is None:
            return status
        answer = self.answer(sample)
        kind = self.problems[sample.problem_id].kind
        return "agrees" if answer is not None and same_answer(answer, program, kind) else "differs"

    def _reader(self, problem_id: str) -> AnswerReader:
        reader = self._readers.get(problem_id)
        if reader is None:
            reader = self._readers[problem_id] = AnswerReader(self.problems[problem_id])
        return reader


def _needs_checker(problem: Problem) -> bool:
    """Whether the problem is about what a program or a proof does, rather than about an answer."""
    return problem.kind in ("code", "proof", "patch")


def _why_undecided(problem: Problem) -> str:
    if problem.tests is not None:
        return "programs are not run in this version, so the tests decide nothing"
    if problem.kind == "proof":
        return "proofs are not checked in this version"
    if problem.kind == "patch":
        return "patches are not applied in this version"
    return "the problem has no known answer"

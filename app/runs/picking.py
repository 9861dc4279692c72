"""Samples made elsewhere as the rules see them: one list of candidates a problem, each with its verdict.

A verdict in the file stands; where there is none the sample is graded. What cannot be graded at all is
refused rather than counted as wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.errors import BadInput
from app.runs.grading import Grader
from app.runs.samples_file import GivenSample
from verifiers.candidates import Candidate, candidate


@dataclass(frozen=True, slots=True)
class Pool:
    """The samples to pick from, by problem, and what happened on the way to them."""

    problems: dict[str, list[Candidate]]
    models: tuple[str, ...]
    graded: int
    """Samples that came without a verdict."""
    undecided: int
    failed: int
    """Samples left out because they broke off: they answer nothing."""
    unrewarded: int

    @property
    def samples(self) -> int:
        return sum(map(len, self.problems.values()))

    @property
    def fewest(self) -> int:
        return min(map(len, self.problems.values()))

    @property
    def most(self) -> int:
        return max(map(len, self.problems.values()))

    @property
    def counts(self) -> list[tuple[int, int]]:
        """(samples, right ones) of every problem."""
        return [
            (len(samples), sum(each.verdict == "right" for each in samples))
            for samples in self.problems.values()
        ]


def pool(samples: Iterable[GivenSample], grader: Grader) -> Pool:
    """The samples by problem, in the order in which they came. Raises ``BadInput`` for a sample without a
    verdict whose problem has nothing to grade it by, and where no sample is left or none was decided."""
    problems: dict[str, list[Candidate]] = {}
    models: dict[str, None] = {}
    graded = undecided = failed = unrewarded = 0
    for sample in samples:
        if sample.fields.error is not None:
            failed += 1
            continue
        each = _candidate(sample, grader)
        problems.setdefault(sample.problem_id, []).append(each)
        models.setdefault(sample.model)
        graded += sample.fields.verdict is None
        undecided += each.verdict == "undecided"
        unrewarded += each.reward is None
    found = Pool(problems, tuple(models), graded, undecided, failed, unrewarded)
    if not problems:
        raise BadInput("Every sample failed before it was finished.", "Give samples without an `error`.")
    if undecided == found.samples:
        raise BadInput("No sample was decided to be right or wrong.", "Give samples with a `verdict`.")
    return found


def _candidate(sample: GivenSample, grader: Grader) -> Candidate:
    problem = grader.problems[sample.problem_id]
    verdict, answer = sample.fields.verdict, grader.answer(sample)
    if verdict is None:
        if not grader.can_grade(problem):
            raise BadInput(
                f"{sample.where}: the sample has no verdict, and {_lacks(problem.tests is not None)}"
                f" ({problem.id}).",
                "Give its `verdict`, or give the problem an `answer`.",
            )
        verdict = grader.grade(sample).judgement.verdict
    return candidate(
        sample.index,
        answer,
        problem.kind,
        reward=sample.fields.reward,
        program=grader.program_status(sample),
        verdict=verdict,
    )


def _lacks(tests: bool) -> str:
    if tests:
        return "its problem has tests, which are not run in this version"
    return "its problem has no known answer"

"""Samples made elsewhere as the rules see them: one list of candidates a problem, each with its verdict.

A verdict in the file stands; where there is none the sample is graded. What cannot be graded at all is
refused rather than counted as wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.errors import BadInput
from app.problems.problem import Problem
from app.runs.grading import Grader
from app.runs.samples_file import GivenSample
from verifiers.candidates import Candidate, candidate
from verifiers.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Pool:
    """The samples to pick from, by problem, and what happened on the way to them."""

    problems: dict[str, list[Candidate]]
    models: tuple[str, ...]
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


def ungraded(samples: Iterable[GivenSample], problems: Mapping[str, Problem]) -> list[GivenSample]:
    """The finished samples without a verdict. Raises ``BadInput`` for one whose problem has nothing to grade
    it by."""
    found = []
    for sample in samples:
        if sample.fields.error is None and sample.fields.verdict is None:
            _refuse_ungradable(sample, problems[sample.problem_id])
            found.append(sample)
    return found


def _refuse_ungradable(sample: GivenSample, problem: Problem) -> None:
    tested = (problem.kind == "code" and problem.tests is not None) or (
        problem.kind == "patch" and problem.repo is not None and problem.test_command is not None
    )
    if problem.answer is None and not tested:
        raise BadInput(
            f"{sample.where}: the sample has no verdict, and its problem has no known answer ({problem.id}).",
            "Give its `verdict`, or give the problem an `answer`.",
        )


def pool(samples: Iterable[GivenSample], grader: Grader, verdicts: Mapping[str, Verdict]) -> Pool:
    """The samples by problem, in the order in which they came. ``verdicts`` are those of the ungraded, by the
    place in their file. Raises ``BadInput`` where no sample is left or none was decided."""
    problems: dict[str, list[Candidate]] = {}
    models: dict[str, None] = {}
    failed = undecided = unrewarded = 0
    for sample in samples:
        if sample.fields.error is not None:
            failed += 1
            continue
        verdict = sample.fields.verdict or verdicts[sample.where]
        each = candidate(
            sample.index,
            grader.answer(sample),
            grader.problems[sample.problem_id].kind,
            key=grader.key(sample),
            reward=sample.fields.reward,
            program=grader.program_status(sample),
            verdict=verdict,
        )
        problems.setdefault(sample.problem_id, []).append(each)
        models.setdefault(sample.model)
        undecided += verdict == "undecided"
        unrewarded += each.reward is None
    found = Pool(problems, tuple(models), undecided, failed, unrewarded)
    if not problems:
        raise BadInput("Every sample failed before it was finished.", "Give samples without an `error`.")
    if undecided == found.samples:
        raise BadInput("No sample was decided to be right or wrong.", "Give samples with a `verdict`.")
    return found

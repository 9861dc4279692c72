"""Samples made elsewhere, graded: the answer each gives, and the verdict on it.

A problem's own answer decides where it has one. Tests are for the checker that the grader is given; without
one for its kind a sample is undecided, and says why. Nothing is guessed: a sample that failed before it was
finished is undecided too, because it shows nothing about the model's answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, runtime_checkable

from app.problems.problem import Problem
from app.runs.samples_file import GivenSample
from verifiers.answers import Extraction, extract_answer
from verifiers.candidates import ProgramStatus
from verifiers.choices import Choices, find_choices
from verifiers.known import judge_answer
from verifiers.math.keys import AnswerKeys, shared_math_verify
from verifiers.normal import same_answer
from verifiers.verdicts import Judgement, Kind


@dataclass(frozen=True, slots=True)
class Measured:
    """What running a program took: the beginning of what it wrote, safe to show, its wall time, its peak
    memory, and the name of the walls it ran behind."""

    stdout: str
    seconds: float
    memory_mb: float
    box: str


class Checker(Protocol):
    """Judges replies to problems by running something."""

    async def judge(self, problem: Problem, text: str, *, cut_off: bool) -> tuple[Judgement, Measured | None]:
        """Whether ``text``, a whole reply, solves ``problem``; ``cut_off`` says that it ended at its token
        limit. What cannot be decided is undecided, with the reason. Raises ``PartMissing`` where this machine
        lacks what it takes."""
        ...


@runtime_checkable
class Extractor(Checker, Protocol):
    """A checker that also knows what a reply answers, better than the reply's text alone tells."""

    def extract(self, text: str, *, cut_off: bool) -> Extraction: ...


@dataclass(frozen=True, slots=True)
class Grade:
    """What a sample answers, ``None`` where it answers nothing, and what was found about it."""

    answer: str | None
    judgement: Judgement
    measured: Measured | None = None

    @property
    def detail(self) -> dict[str, Any]:
        """What the judgement rests on, as the samples format has it."""
        return {"reason": self.judgement.reason} | (asdict(self.measured) if self.measured else {})


def _nothing_runs(_problem: Problem) -> Checker | None:
    return None


@dataclass(slots=True)
class Grader:
    """Grades samples of ``problems``, by id. ``checker_for`` finds what judges a problem by running
    something, where there is anything to run."""

    problems: Mapping[str, Problem]
    checker_for: Callable[[Problem], Checker | None] = _nothing_runs
    _choices: dict[str, Choices | None] = field(default_factory=dict, init=False)
    _checkers: dict[str, Checker | None] = field(default_factory=dict, init=False)
    _keys: dict[Kind, AnswerKeys] = field(default_factory=dict, init=False)

    def extraction(self, sample: GivenSample) -> Extraction:
        """The answer as its maker gave it, or else as we read it from the text."""
        if sample.answer is not None:
            return Extraction(sample.answer, "given")
        if sample.fields.text is None:
            return Extraction(None, "no answer given")
        problem = self.problems[sample.problem_id]
        checker = self._checker_of(problem)
        if isinstance(checker, Extractor):
            return checker.extract(sample.fields.text, cut_off=_cut_off(sample))
        return extract_answer(
            sample.fields.text,
            problem.kind,
            cut_off=_cut_off(sample),
            choices=self._choices_of(problem),
            entry_point=problem.entry_point,
        )

    def answer(self, sample: GivenSample) -> str | None:
        return self.extraction(sample).answer

    def grade(self, sample: GivenSample) -> Grade:
        """The verdict on a sample by the known answer, whatever verdict it came with; no checker is asked."""
        problem = self.problems[sample.problem_id]
        if sample.fields.error is not None:
            reason = f"the sample failed: {sample.fields.error}"
            return Grade(sample.answer, Judgement("undecided", reason, "none"))
        found = self.extraction(sample)
        if problem.answer is None:
            return Grade(found.answer, Judgement("undecided", _why_undecided(problem), "none"))
        keys = self._keys_of(problem.kind)
        if found.answer is not None:
            keys.prepare_all([(found.answer, problem.answer)])
        judgement = judge_answer(
            found, problem.answer, problem.kind, choices=self._choices_of(problem), keys=keys
        )
        return Grade(found.answer, judgement)

    async def check(self, sample: GivenSample) -> Grade:
        """As ``grade``, by the problem's tests where there is a checker for them."""
        problem = self.problems[sample.problem_id]
        checker, text = self._checker_of(problem), _text_of(sample)
        if checker is None or text is None or sample.fields.error is not None:
            answer = self.answer(sample) if problem.answer is not None else None
            if answer is not None:
                await self._keys_of(problem.kind).prepare(answer, problem.answer)
            return self.grade(sample)
        judgement, measured = await checker.judge(problem, text, cut_off=_cut_off(sample))
        return Grade(self.answer(sample), judgement, measured)

    def program_status(self, sample: GivenSample) -> ProgramStatus | None:
        """Whether the program written from a sample agrees with it: as the file says, or else by comparing
        the two answers. ``None`` where there is no program."""
        status, program = sample.fields.program_status, sample.program_answer
        if status is not None or program is None:
            return status
        answer = self.answer(sample)
        kind = self.problems[sample.problem_id].kind
        return "agrees" if answer is not None and same_answer(answer, program, kind) else "differs"

    def key(self, sample: GivenSample) -> str | None:
        """The key that a sample's answer votes under, ``None`` where it has no answer."""
        answer = self.answer(sample)
        if answer is None:
            return None
        keys = self._keys_of(self.problems[sample.problem_id].kind)
        keys.prepare_all([(answer, None)])
        return keys.key(answer)

    def _keys_of(self, kind: Kind) -> AnswerKeys:
        if kind not in self._keys:
            self._keys[kind] = AnswerKeys(kind, shared_math_verify())
        return self._keys[kind]

    def _checker_of(self, problem: Problem) -> Checker | None:
        if problem.id not in self._checkers:
            self._checkers[problem.id] = self.checker_for(problem)
        return self._checkers[problem.id]

    def _choices_of(self, problem: Problem) -> Choices | None:
        if problem.id not in self._choices:
            worded = problem.kind in ("math", "open")
            self._choices[problem.id] = find_choices(problem.prompt) if worded else None
        return self._choices[problem.id]


async def check_all(
    samples: Sequence[GivenSample],
    grader: Grader,
    *,
    at_once: int,
    on_checked: Callable[[int], None] | None = None,
) -> list[Grade]:
    """The grades of all, in their order, ``at_once`` at a time; equal replies to a problem are run once.
    ``on_checked`` is told how many samples are done."""
    waiting: dict[tuple[str, str | None, str | None, str | None], list[int]] = {}
    for place, sample in enumerate(samples):
        fields = sample.fields
        key = (sample.problem_id, _text_of(sample), fields.finish_reason, fields.error)
        waiting.setdefault(key, []).append(place)
    grades: dict[int, Grade] = {}
    queue = iter(list(waiting.values()))

    async def worker() -> None:
        for places in queue:
            found = await grader.check(samples[places[0]])
            for place in places:
                answer = grader.answer(samples[place])
                grades[place] = Grade(answer, found.judgement, found.measured)
            if on_checked is not None:
                on_checked(len(grades))

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())
    return [grades[place] for place in range(len(samples))]


def _text_of(sample: GivenSample) -> str | None:
    """What a checker is given: the reply, or the program that its maker read from it."""
    return sample.answer if sample.fields.text is None else sample.fields.text


def _cut_off(sample: GivenSample) -> bool:
    return sample.fields.finish_reason == "length"


def _why_undecided(problem: Problem) -> str:
    if problem.kind == "proof":
        return "the problem states no theorem in Lean or Rocq, so no proof of it can be checked"
    if problem.kind == "patch":
        return "the problem names no repository"
    if problem.tests is not None:
        return f"only problems of kind code are tested, and this one is {problem.kind}"
    return "the problem has no known answer" + (" and no tests" if problem.kind == "code" else "")

"""What a checker is to the rest of the program: something that judges a reply to a problem.

``AnswerReader`` needs nothing but the problem. Checkers that run programs, tests or provers
have the same single method, so whoever grades samples takes whichever it is given and asks no further.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from verifiers.answers import Extraction, extract_answer
from verifiers.choices import Choices, find_choices
from verifiers.known import judge_answer
from verifiers.verdicts import Judgement, Kind


class CheckedProblem(Protocol):
    """As much of a problem as checkers read; the application's problems have it all."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def prompt(self) -> str: ...
    @property
    def answer(self) -> str | None: ...
    @property
    def entry_point(self) -> str | None: ...
    @property
    def tests(self) -> dict[str, Any] | None: ...


@dataclass(frozen=True, slots=True)
class ProgramJudgement(Judgement):
    """A judgement that rests on running a program: what that wrote, its wall time and peak memory, and the
    name of the walls it ran behind. ``stdout`` is as hostile as whatever wrote it."""

    stdout: str
    seconds: float
    memory_mb: float
    box: str


class Checker(Protocol):
    """Judges replies to problems of some kinds."""

    def judge(self, problem: CheckedProblem, text: str) -> Judgement:
        """Whether ``text``, a whole reply, solves ``problem``. Never raises for what a reply holds; what it
        cannot decide is undecided, with the reason. A ``ProgramJudgement`` where a program ran."""
        ...


class AnswerReader:
    """Reads the answers of replies to one problem, with what its text says of choices and names."""

    def __init__(self, problem: CheckedProblem) -> None:
        self._problem = problem
        self.choices: Choices | None = (
            find_choices(problem.prompt) if problem.kind in ("math", "open") else None
        )

    def read(self, text: str, *, cut_off: bool = False) -> Extraction:
        return extract_answer(
            text,
            self._problem.kind,
            cut_off=cut_off,
            choices=self.choices,
            entry_point=self._problem.entry_point,
        )

    def judge(self, found: Extraction) -> Judgement:
        """``found`` against the known answer, which the problem must have."""
        problem = self._problem
        if problem.answer is None:
            raise ValueError(f"Problem {problem.id} has no known answer.")
        return judge_answer(found, problem.answer, problem.kind, choices=self.choices)

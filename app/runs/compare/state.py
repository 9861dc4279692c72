"""A comparison as it stands: one reducer over its events, as ``RunState`` is for a run of one problem.

It keeps counts, not texts: of each model and problem how many samples were right, how many gave which answer,
and what they cost. So a comparison of a thousand problems stays small, whatever its samples say; the texts
lie in the journal. Folding the journal's events gives the state that a resumed comparison goes on from.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from app.models.base import ModelInfo
from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.plan import Plan
from app.runs.state import Books, Phase
from budgets.allocation import Allocation
from budgets.amounts import Amounts, Budget

_SPEED_WINDOW = 10.0


@dataclass(slots=True)
class Votes:
    """Samples of one cell that gave the same answer. ``sample`` was the first; ``verdict`` is that of the
    latest that was judged."""

    answer: str
    sample: int
    support: int = 0
    verdict: ev.Verdict | None = None


@dataclass(slots=True)
class Cell:
    """One model on one problem. ``started`` counts the samples drawn or being drawn, a retry not again."""

    started: int = 0
    finished: int = 0
    right: int = 0
    wrong: int = 0
    undecided: int = 0
    failed: int = 0
    """Samples given up after a fault."""
    tries_to_first: int | None = None
    """How many were decided when the first right one came, itself included."""
    next_ordinal: int = 0
    read: bool = False
    """Whether a request has read the prompt."""
    lost: dict[int, int] = field(default_factory=dict)
    """Samples to draw again: the ordinal of each, by its index."""
    votes: dict[str, Votes] = field(default_factory=dict)
    known: Amounts = field(default_factory=Amounts)

    @property
    def decided(self) -> int:
        return self.right + self.wrong

    @property
    def leader(self) -> Votes | None:
        """The majority's answer; of equals the one seen first."""
        return max(self.votes.values(), key=lambda votes: votes.support, default=None)


@dataclass(slots=True)
class Flying:
    """A sample in flight."""

    call: int
    model: str
    problem: int
    ordinal: int


@dataclass(slots=True)
class Judgeable:
    """A finished sample that still waits for its verdict, or may get another."""

    model: str
    problem: int
    group: str | None


class ComparisonState:
    def __init__(self) -> None:
        self.revision = 0
        self.run_id = ""
        self.created = ""
        self.recorded = False
        self.name = ""
        self.problems: tuple[Problem, ...] = ()
        self.plan: Plan | None = None
        self.samples_each: int | None = None
        self.allocation: Allocation = "uniform"
        self.budget = Budget()
        """Of each model."""
        self.models: dict[str, ModelInfo] = {}
        self.model_status: dict[str, ev.ModelStatus] = {}
        self.cells: dict[str, list[Cell]] = {}
        """By model, in the order of the problems."""
        self.phase: Phase = "waiting"
        self.status: ev.Status | None = None
        self.end_reason = ""
        self.at = 0.0
        self.samples = 0
        """Indices given out."""
        self.finished = 0
        self.cancelled = 0
        self.errors: dict[str, int] = {}
        self.books = Books()
        self.books_by_model: dict[str, Books] = {}
        self.notices: list[ev.Notice] = []
        self.live: dict[int, Flying] = {}
        self.open_calls: dict[int, ev.CallStarted] = {}
        self.calls = 0
        self._problem_of_call: dict[int, int] = {}
        self._waiting: dict[int, Judgeable] = {}
        self._speed: dict[str, deque[tuple[float, int]]] = {}

    # -- questions --------------------------------------------------------------------------------

    def counts(self, model: str) -> list[tuple[int, int]]:
        """(decided samples, right ones) of every problem that has any."""
        return [(cell.decided, cell.right) for cell in self.cells[model] if cell.decided]

    def finished_by(self, model: str) -> int:
        return sum(cell.finished for cell in self.cells[model])

    def tokens_per_second(self, model: str) -> float:
        """Completion tokens a second of the samples that ended over the last seconds."""
        recent = self._speed.get(model, ())
        span = min(self.at, _SPEED_WINDOW)
        return sum(tokens for at, tokens in recent if at >= self.at - span) / span if span > 0 else 0.0

    @property
    def unjudged(self) -> dict[int, Judgeable]:
        """Finished samples without a verdict, by index."""
        return self._waiting

    # -- the reducer ------------------------------------------------------------------------------

    def apply(self, event: ev.Event) -> None:
        self.revision += 1
        if event.at > self.at:
            self.at = event.at
        handler = _HANDLERS.get(type(event))
        if handler is not None:  # picks and coverage are read off the counts, so their events say nothing new
            handler(self, event)

    def _started(self, event: ev.ComparisonStarted) -> None:
        self.run_id, self.created, self.recorded = event.run_id, event.created, event.recorded
        self.name, self.problems, self.plan = event.name, event.problems, event.plan
        self.samples_each, self.allocation, self.budget = (
            event.samples_each,
            event.allocation,
            event.plan.budget,
        )
        self.models = {info.name: info for info in event.models}
        self.cells = {info.name: [Cell() for _ in event.problems] for info in event.models}
        self.books_by_model = {info.name: Books() for info in event.models}
        self.phase = "preparing"

    def _model_status(self, event: ev.ModelStatus) -> None:
        self.model_status[event.model] = event
        if event.info is not None:
            self.models[event.model] = event.info

    def _call_started(self, event: ev.CallStarted) -> None:
        self.phase = "sampling" if self.phase == "preparing" else self.phase
        self.calls = max(self.calls, event.call + 1)
        if event.samples:
            self.open_calls[event.call] = event
            self._problem_of_call[event.call] = event.problem
        for choice, index in enumerate(event.samples):
            cell = self.cells[event.model][event.problem]
            ordinal = event.seed + choice - (self.plan.seed if self.plan else 0)
            if cell.lost.pop(index, None) is None:
                cell.started += 1
            cell.next_ordinal = max(cell.next_ordinal, ordinal + 1)
            self.samples = max(self.samples, index + 1)
            self.live[index] = Flying(event.call, event.model, event.problem, ordinal)
        for books in self._books(event.model):
            books.held = books.held + event.held

    def _sample_finished(self, event: ev.SampleFinished) -> None:
        flying = self._end(event.sample)
        cell = self.cells[flying.model][flying.problem]
        cell.read = True
        for books in self._books(flying.model):
            books.completion_tokens += event.completion_tokens
        if event.finish_reason == "cancelled":
            self.cancelled += 1
            cell.started -= 1
            return
        self.finished += 1
        cell.finished += 1
        speed = self._speed.setdefault(flying.model, deque())
        speed.append((event.at, event.completion_tokens))
        while speed[0][0] < event.at - 2 * _SPEED_WINDOW:
            speed.popleft()
        if event.group is not None:
            votes = cell.votes.get(event.group)
            if votes is None:
                votes = cell.votes[event.group] = Votes(event.answer or "", event.sample)
            votes.support += 1
        self._waiting[event.sample] = Judgeable(flying.model, flying.problem, event.group)

    def _sample_failed(self, event: ev.SampleFailed) -> None:
        flying = self._end(event.sample)
        cell = self.cells[flying.model][flying.problem]
        if event.retry:
            cell.lost[event.sample] = flying.ordinal
        else:
            cell.failed += 1
        self.errors[event.kind] = self.errors.get(event.kind, 0) + 1
        for books in self._books(flying.model):
            books.completion_tokens += event.completion_tokens

    def _charged(self, event: ev.Charged) -> None:
        for books in self._books(event.model):
            books.known = books.known + event.known
            books.at_most = books.at_most + event.at_most
            books.held = books.held - event.released
            if event.sample is None:
                books.prompt_tokens += event.known.tokens
        problem = self._problem_of_call.get(event.call)
        if problem is not None:
            cell = self.cells[event.model][problem]
            cell.known = cell.known + event.known

    def _judged(self, event: ev.Judged) -> None:
        found = self._waiting.pop(event.sample, None)
        if found is None:
            return
        cell = self.cells[found.model][found.problem]
        if event.verdict == "right":
            cell.right += 1
            if cell.tries_to_first is None:
                cell.tries_to_first = cell.decided
        elif event.verdict == "wrong":
            cell.wrong += 1
        else:
            cell.undecided += 1
        if found.group is not None:
            cell.votes[found.group].verdict = event.verdict

    def _budget_changed(self, event: ev.BudgetChanged) -> None:
        if event.budget.samples is not None:  # samples are counted by problem here
            self.samples_each = event.budget.samples
        self.budget = replace(event.budget, samples=None)

    def _paused(self, event: ev.Paused) -> None:
        self.phase = "paused"

    def _resumed(self, event: ev.Resumed) -> None:
        self.phase = "sampling"
        self.status, self.end_reason = None, ""

    def _notice(self, event: ev.Notice) -> None:
        self.notices.append(event)

    def _run_ended(self, event: ev.RunEnded) -> None:
        self.phase, self.status, self.end_reason = "ended", event.status, event.reason

    def _end(self, index: int) -> Flying:
        flying = self.live.pop(index)
        call = self.open_calls.get(flying.call)
        if call is not None and not any(other in self.live for other in call.samples):
            del self.open_calls[flying.call]
        return flying

    def _books(self, model: str) -> tuple[Books, Books]:
        return self.books, self.books_by_model[model]


_HANDLERS: dict[type, Callable[[ComparisonState, Any], None]] = {
    ev.ComparisonStarted: ComparisonState._started,
    ev.ModelStatus: ComparisonState._model_status,
    ev.CallStarted: ComparisonState._call_started,
    ev.SampleFinished: ComparisonState._sample_finished,
    ev.SampleFailed: ComparisonState._sample_failed,
    ev.Charged: ComparisonState._charged,
    ev.Judged: ComparisonState._judged,
    ev.BudgetChanged: ComparisonState._budget_changed,
    ev.Paused: ComparisonState._paused,
    ev.Resumed: ComparisonState._resumed,
    ev.Notice: ComparisonState._notice,
    ev.RunEnded: ComparisonState._run_ended,
}

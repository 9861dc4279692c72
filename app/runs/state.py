"""The run as it stands: one reducer over its events.

``RunState.apply`` is the only way a run's state changes, whoever looks at it: live, resumed from the
journal, or replayed. It does no input or output, reads no clock, and depends on nothing but the events.
It mutates in place, because copying 10,000 samples per token would be the slowest part of the program;
a view that needs to know whether anything changed compares ``revision``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, get_args

import msgspec

from app.models.base import ModelInfo
from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.plan import Plan
from app.runs.sample import NOTHING, Books, FilterTally, Sample, SampleStatus, Tally
from app.runs.speed import Speed
from budgets.amounts import Budget, Usd

Phase = Literal["waiting", "preparing", "sampling", "paused", "ended"]
__all__ = ["NOTHING", "Books", "Phase", "RunState", "Sample", "SampleStatus", "Tally"]


class RunState:
    def __init__(self) -> None:
        self.revision = 0
        self.run_id = ""
        self.created = ""
        self.recorded = False
        self.gpu_usd_per_hour: Usd | None = None
        self.problem: Problem | None = None
        self.plan: Plan | None = None
        self.budget = Budget()
        self.models: dict[str, ModelInfo] = {}
        self.model_status: dict[str, ev.ModelStatus] = {}
        self.helpers: dict[str, ModelInfo] = {}
        self.helper_status: dict[str, ev.ModelStatus] = {}
        """How the translator and the reward model are doing, by role: ``translation``, ``reward``."""
        self.phase: Phase = "waiting"
        self.status: ev.Status | None = None
        self.end_reason = ""
        self.at = 0.0
        self.samples: list[Sample | None] = []
        """By index. ``None`` only where an index has not been started yet."""
        self.live: dict[int, Sample] = {}
        self.finished = 0
        self.right = 0
        self.wrong = 0
        self.undecided = 0
        self.cancelled = 0
        self.errors: dict[str, int] = {}
        self.first_right_at: float | None = None
        self.picks: dict[str, ev.PickChanged] = {}
        self.pick_since: dict[str, int] = {}
        """For each rule, how many samples were finished when its answer last changed."""
        self.groups: dict[str, list[int]] = {}
        """Samples by equal answer, in the order they finished."""
        self.tallies: dict[str, Tally] = {}
        self.filter = FilterTally()
        self.rewarded = 0
        """Samples that have a reward."""
        self.books = Books()
        self.books_by_model: dict[str, Books] = {}
        """What its samples, and its time, cost. What others asked of it is not in here."""
        self.helper_books = Books()
        """What was asked of models for something besides samples."""
        self.books_by_purpose: dict[ev.Purpose, Books] = {
            purpose: Books() for purpose in get_args(ev.Purpose)
        }
        self.notices: list[ev.Notice] = []
        self.open_calls: dict[int, ev.CallStarted] = {}
        self.open_others: dict[tuple[int, str], ev.CallStarted] = {}
        """Calls that draw no samples, by number and model: time bought ahead has one number for all."""
        self.calls = 0
        self._speed = Speed()

    # -- questions --------------------------------------------------------------------------------

    def tokens_per_second(self) -> float:
        """Completion tokens a second over the last few seconds of the run's own clock."""
        return self._speed.at(self.at)

    @property
    def started(self) -> int:
        return len(self.samples)

    @property
    def verified(self) -> bool:
        """Whether samples are judged against something known."""
        return self.right + self.wrong > 0

    def every_sample(self) -> Iterator[Sample]:
        return (sample for sample in self.samples if sample is not None)

    # -- the reducer ------------------------------------------------------------------------------

    def apply(self, event: ev.Event) -> None:
        self.revision += 1
        if event.at > self.at:
            self.at = event.at
        _HANDLERS[type(event)](self, event)

    def _run_started(self, event: ev.RunStarted) -> None:
        self.run_id, self.created, self.recorded = event.run_id, event.created, event.recorded
        self.gpu_usd_per_hour = event.gpu_usd_per_hour
        self.problem, self.plan, self.budget = event.problem, event.plan, event.plan.budget
        self.models = {info.name: info for info in event.models}
        self.helpers = {info.name: info for info in event.helpers}
        self.tallies = {info.name: Tally() for info in event.models}
        self.books_by_model = {info.name: Books() for info in event.models}
        self.phase = "preparing"

    def _model_status(self, event: ev.ModelStatus) -> None:
        if event.role != "samples":
            self.helper_status[event.role] = event
            if event.info is not None:
                self.helpers[event.model] = event.info
            return
        self.model_status[event.model] = event
        if event.info is not None:
            self.models[event.model] = event.info

    def _call_started(self, event: ev.CallStarted) -> None:
        self.phase = "sampling" if self.phase == "preparing" else self.phase
        self.calls = max(self.calls, event.call + 1)
        if event.samples:
            self.open_calls[event.call] = event
        else:  # what draws no samples is settled by its charge alone
            self.open_others[event.call, event.model] = event
        for choice, index in enumerate(event.samples):
            sample = Sample(
                index, event.model, event.call, event.at, event.seed + choice, revision=self.revision
            )
            while len(self.samples) <= index:
                self.samples.append(None)
            earlier = self.samples[index]
            if earlier is not None:  # tried again after a fault: what the fault cost stays on its account
                sample.known, sample.at_most = earlier.known, earlier.at_most
            self.samples[index] = sample
            self.live[index] = sample
        for books in self._books(event.model, ev.purpose_of(event)):
            books.held = books.held + event.held

    def _text_delta(self, event: ev.TextDelta) -> None:
        sample = self.live.get(event.sample)
        if sample is None:
            return
        sample.parts.append(event.text)
        sample.tokens += event.tokens
        sample.revision = self.revision
        self._speed.add(event.at, event.tokens)

    def _sample_finished(self, event: ev.SampleFinished) -> None:
        sample = self._end(event.sample)
        sample.finish(event)
        if sample.status == "cancelled":
            self.cancelled += 1
        else:
            self.finished += 1
            if event.group is not None:
                self.groups.setdefault(event.group, []).append(event.sample)
        for books in self._books(event.model):
            books.completion_tokens += event.completion_tokens

    def _sample_failed(self, event: ev.SampleFailed) -> None:
        sample = self._end(event.sample)
        sample.status, sample.error, sample.will_retry = "failed", event.message, event.retry
        sample.parts, sample.tokens = [event.text], event.completion_tokens
        self.errors[event.kind] = self.errors.get(event.kind, 0) + 1
        for books in self._books(event.model):
            books.completion_tokens += event.completion_tokens

    def _charged(self, event: ev.Charged) -> None:
        purpose = ev.purpose_of(event)
        if event.sample is None:
            self._other_call_ended(event)
        for books in self._books(event.model, purpose):
            books.known = books.known + event.known
            books.at_most = books.at_most + event.at_most
            books.held = books.held - event.released
            if purpose in ("translation", "reward"):
                books.prompt_tokens += event.read
                books.completion_tokens += event.known.tokens - event.read
            elif event.sample is None:
                books.prompt_tokens += event.known.tokens
        if event.sample is not None:
            sample = self.samples[event.sample]
            if sample is not None:
                first = sample.at_most is NOTHING  # mostly the only one, and then both are one object
                sample.known = event.known if first else sample.known + event.known
                sample.at_most = event.at_most if first else sample.at_most + event.at_most
                sample.revision = self.revision

    def _other_call_ended(self, event: ev.Charged) -> None:
        call = self.open_others.pop((event.call, event.model), None)
        if call is not None and call.purpose == "translation":
            for index in call.about:
                sample = self.samples[index] if index < len(self.samples) else None
                if sample is not None:
                    sample.program_cost = sample.program_cost + event.known

    def _judged(self, event: ev.Judged) -> None:
        sample = self.samples[event.sample]
        if sample is None:
            return
        self._count(sample.verdict, -1)
        self.filter.count(sample, -1)
        sample.verdict, sample.reason, sample.checker = event.verdict, event.reason, event.checker
        sample.revision = sample.judged = self.revision
        self._count(sample.verdict, 1)
        self.filter.count(sample, 1)
        if event.verdict == "right" and self.first_right_at is None:
            self.first_right_at = event.at

    def _count(self, verdict: ev.Verdict | None, by: int) -> None:
        if verdict == "right":
            self.right += by
        elif verdict == "wrong":
            self.wrong += by
        elif verdict == "undecided":
            self.undecided += by

    def _rewarded(self, event: ev.Rewarded) -> None:
        sample = self.samples[event.sample]
        if sample is not None:
            self.rewarded += (event.reward is not None) - (sample.reward is not None)
            sample.take_reward(event, self.revision)

    def _translation_delta(self, event: ev.TranslationDelta) -> None:
        sample = self.samples[event.sample]
        if sample is not None and sample.program_status is None:
            sample.translation.append(event.text)
            sample.revision = self.revision

    def _program_checked(self, event: ev.ProgramChecked) -> None:
        sample = self.samples[event.sample]
        if sample is not None:
            self.filter.count(sample, -1)
            shared = self.samples[event.shared_with] if event.shared_with is not None else None
            sample.take_program(event, shared, self.revision)
            self.filter.count(sample, 1)

    def _pick_changed(self, event: ev.PickChanged) -> None:
        before = self.picks.get(event.rule)
        if before is None or before.answer != event.answer:
            self.pick_since[event.rule] = self.finished
        self.picks[event.rule] = event

    def _coverage_changed(self, event: ev.CoverageChanged) -> None:
        self.tallies[event.model] = Tally(
            event.n, event.correct, event.undecided, event.answers, event.once, event.distinct
        )

    def _budget_changed(self, event: ev.BudgetChanged) -> None:
        self.budget = event.budget

    def _paused(self, event: ev.Paused) -> None:
        self.phase = "paused"

    def _resumed(self, event: ev.Resumed) -> None:
        self.phase = "sampling"
        self.status, self.end_reason = None, ""
        if self.plan is not None and (event.translator or event.reward):
            self.plan = msgspec.structs.replace(
                self.plan,
                translator=event.translator or self.plan.translator,
                reward=event.reward or self.plan.reward,
            )

    def _notice(self, event: ev.Notice) -> None:
        self.notices.append(event)

    def _run_ended(self, event: ev.RunEnded) -> None:
        self.phase, self.status, self.end_reason = "ended", event.status, event.reason

    def _end(self, index: int) -> Sample:
        sample = self.live.pop(index, None) or self.samples[index]
        if sample is None:
            raise ValueError(f"sample {index} ended before it started")
        sample.revision = self.revision
        call = self.open_calls.get(sample.call)
        if call is not None and not any(other in self.live for other in call.samples):
            del self.open_calls[sample.call]
        return sample

    def _books(self, model: str, purpose: ev.Purpose = "samples") -> tuple[Books, ...]:
        own = self.helper_books
        if purpose in ("samples", "time"):
            own = self.books_by_model.get(model, own) if purpose == "time" else self.books_by_model[model]
        return self.books, self.books_by_purpose[purpose], own


_HANDLERS: dict[type, Callable[[RunState, Any], None]] = {
    ev.RunStarted: RunState._run_started,
    ev.ModelStatus: RunState._model_status,
    ev.CallStarted: RunState._call_started,
    ev.TextDelta: RunState._text_delta,
    ev.SampleFinished: RunState._sample_finished,
    ev.SampleFailed: RunState._sample_failed,
    ev.Charged: RunState._charged,
    ev.Judged: RunState._judged,
    ev.Rewarded: RunState._rewarded,
    ev.TranslationDelta: RunState._translation_delta,
    ev.ProgramChecked: RunState._program_checked,
    ev.PickChanged: RunState._pick_changed,
    ev.CoverageChanged: RunState._coverage_changed,
    ev.BudgetChanged: RunState._budget_changed,
    ev.Paused: RunState._paused,
    ev.Resumed: RunState._resumed,
    ev.Notice: RunState._notice,
    ev.RunEnded: RunState._run_ended,
}

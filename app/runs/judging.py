"""What a finished sample means: its answer, its vote, its verdict, and what these move.

One ``Judge`` belongs to one run. It turns each finished text into the events that follow from it, keeps the
votes and tallies between samples, and can be fed a resumed run's earlier samples. What takes asking
math-verify is asked beforehand, by ``prepare``; all else is answered at once.
"""

from __future__ import annotations

from collections import Counter

from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.grading import Checker, Extractor
from app.runs.state import RunState, Tally
from verifiers.answers import Extraction, extract_answer
from verifiers.choices import find_choices
from verifiers.known import judge_answer
from verifiers.math.keys import AnswerKeys, shared_math_verify
from verifiers.picks import MajorityVote
from verifiers.verdicts import Judgement


class Judge:
    """``checker`` may know better than the text alone what a reply answers."""

    def __init__(self, problem: Problem, models: tuple[str, ...], checker: Checker | None = None) -> None:
        self._problem = problem
        self._extractor = checker if isinstance(checker, Extractor) else None
        self._keys = AnswerKeys(problem.kind, shared_math_verify() if problem.kind == "math" else None)
        self._votes = MajorityVote(problem.kind, self._keys.key)
        self._told_trouble = False
        self._choices = find_choices(problem.prompt) if problem.kind in ("math", "open") else None
        self._answers: dict[str, Counter[str]] = {model: Counter() for model in models}
        self._tallies = {model: Tally() for model in models}
        self._last_pick: ev.PickChanged | None = None

    def restore(self, state: RunState) -> None:
        """Take over the votes and verdicts of a run that was folded from its journal."""
        for indices in state.groups.values():
            for index in indices:
                sample = state.samples[index]
                if sample is not None:
                    if sample.answer is not None and sample.group is not None:
                        self.remember(sample.answer, sample.group)
                    self.vote(index, sample.model, sample.answer)
        for sample in state.every_sample():
            if sample.verdict is not None:
                self._count(self._tallies[sample.model], sample.verdict)
        self._last_pick = state.picks.get("majority")

    def remember(self, answer: str, group: str) -> None:
        """An answer that an earlier part of the run put into this group."""
        self._keys.keep(answer, group)

    async def prepare(self, text: str, reason: str) -> str:
        """Ask math-verify what ``vote`` and ``consequences`` will want to know of this text, where they do.
        Takes a second at the most. Returns what a user should know, once."""
        if self._problem.kind != "math":
            return ""
        answer = self.extract(text, reason).answer
        if answer is not None:
            await self._keys.prepare(answer, self._problem.answer)
        if not self._keys.trouble or self._told_trouble:
            return ""
        self._told_trouble = True
        return f"Some formulas are compared as text only: {self._keys.trouble}."

    def extract(self, text: str, reason: str) -> Extraction:
        if self._extractor is not None:
            return self._extractor.extract(text, cut_off=reason == "length")
        return extract_answer(
            text,
            self._problem.kind,
            cut_off=reason == "length",
            choices=self._choices,
            entry_point=self._problem.entry_point,
        )

    def vote(self, sample: int, model: str, answer: str | None) -> str | None:
        """Count a sample's answer; the key of the group it votes with, ``None`` where it has no answer."""
        group = None if answer is None else self._keys.key(answer)
        self._votes.add(sample, answer, key=group)
        if group is None:
            return None
        counts, tally = self._answers[model], self._tallies[model]
        counts[group] += 1
        tally.answers += 1
        tally.distinct = len(counts)
        tally.once += {1: 1, 2: -1}.get(counts[group], 0)
        return group

    def consequences(self, at: float, sample: int, model: str, extraction: Extraction) -> list[ev.Event]:
        """The verdict, pick and coverage events that follow from a sample that was just voted."""
        found: list[ev.Event] = []
        if self._problem.answer is not None:
            judged = judge_answer(
                extraction, self._problem.answer, self._problem.kind, choices=self._choices, keys=self._keys
            )
            found.append(self._verdict(at, sample, model, judged))
        return [*found, *self._pick(at), self._coverage(at, model)]

    def judged(self, at: float, sample: int, model: str, judged: Judgement) -> list[ev.Event]:
        """The events that follow from a verdict that came later than its sample."""
        return [self._verdict(at, sample, model, judged), self._coverage(at, model)]

    def _verdict(self, at: float, sample: int, model: str, judged: Judgement) -> ev.Judged:
        self._count(self._tallies[model], judged.verdict)
        return ev.Judged(
            at=at, sample=sample, verdict=judged.verdict, reason=judged.reason, checker=judged.checker
        )

    def _coverage(self, at: float, model: str) -> ev.CoverageChanged:
        tally = self._tallies[model]
        return ev.CoverageChanged(
            at=at,
            model=model,
            n=tally.n,
            correct=tally.correct,
            undecided=tally.undecided,
            answers=tally.answers,
            once=tally.once,
            distinct=tally.distinct,
        )

    def _pick(self, at: float) -> list[ev.Event]:
        pick = self._votes.pick
        event = ev.PickChanged(
            at=at,
            rule="majority",
            answer=pick.answer,
            sample=pick.sample,
            support=pick.support,
            share=pick.share,
            probability=pick.probability,
        )
        last = self._last_pick
        if last is not None and (last.answer, last.support, last.share) == (
            event.answer,
            event.support,
            event.share,
        ):
            return []
        self._last_pick = event
        return [event]

    @staticmethod
    def _count(tally: Tally, verdict: ev.Verdict) -> None:
        if verdict == "undecided":
            tally.undecided += 1
        else:
            tally.n += 1
            tally.correct += verdict == "right"

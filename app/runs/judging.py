"""What a finished sample means: its answer, its vote, its verdict, and what these move.

One ``Judge`` belongs to one run. It turns each finished text into the events that follow from it, keeps the
votes and tallies between samples, and can be fed a resumed run's earlier samples.
"""

from __future__ import annotations

from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.state import RunState, Tally
from verifiers.answers import Extraction, extract_answer
from verifiers.known import judge_answer
from verifiers.picks import MajorityVote


class Judge:
    def __init__(self, problem: Problem, models: tuple[str, ...]) -> None:
        self._problem = problem
        self._votes = MajorityVote(problem.kind)
        self._votes_by_model = {model: MajorityVote(problem.kind) for model in models}
        self._tallies = {model: Tally() for model in models}
        self._last_pick: ev.PickChanged | None = None

    def restore(self, state: RunState) -> None:
        """Take over the votes and tallies of a run that was folded from its journal."""
        for indices in state.groups.values():
            for index in indices:
                sample = state.samples[index]
                if sample is not None:
                    self._votes.add(index, sample.answer)
                    self._votes_by_model[sample.model].add(index, sample.answer)
        self._tallies.update({model: _copy(tally) for model, tally in state.tallies.items()})
        self._last_pick = state.picks.get("majority")

    def extract(self, text: str, reason: str) -> Extraction:
        return extract_answer(text, self._problem.kind, cut_off=reason == "length")

    def vote(self, sample: int, model: str, extraction: Extraction) -> str | None:
        """Count a sample's answer; the key of the group it votes with, ``None`` where it has no answer."""
        self._votes_by_model[model].add(sample, extraction.answer)
        return self._votes.add(sample, extraction.answer)

    def consequences(self, at: float, sample: int, model: str, extraction: Extraction) -> list[ev.Event]:
        """The verdict, pick and coverage events that follow from a sample that was just voted."""
        found: list[ev.Event] = []
        tally = self._tallies[model]
        if self._problem.answer is not None:
            judged = judge_answer(extraction, self._problem.answer, self._problem.kind)
            found.append(
                ev.Judged(
                    at=at,
                    sample=sample,
                    verdict=judged.verdict,
                    reason=judged.reason,
                    checker=judged.checker,
                )
            )
            if judged.verdict == "undecided":
                tally.undecided += 1
            else:
                tally.n += 1
                tally.correct += judged.verdict == "right"
        found.extend(self._pick(at))
        votes = self._votes_by_model[model]
        tally.answers, tally.once, tally.distinct = votes.answered, votes.seen_once, votes.distinct
        found.append(
            ev.CoverageChanged(
                at=at,
                model=model,
                n=tally.n,
                correct=tally.correct,
                undecided=tally.undecided,
                answers=tally.answers,
                once=tally.once,
                distinct=tally.distinct,
            )
        )
        return found

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


def _copy(tally: Tally) -> Tally:
    return Tally(tally.n, tally.correct, tally.undecided, tally.answers, tally.once, tally.distinct)

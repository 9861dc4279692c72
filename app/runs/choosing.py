"""What every rule but the majority would choose now, told as it changes.

A rule looks at a sample as soon as it has what the rule needs of it: its reward, its program, its verdict. A
change of the answer is told at once, mere numbers a few times a second, so that a fast run is not mostly
made of them.
"""

from __future__ import annotations

from typing import Final

from app.runs import events as ev
from app.runs.state import RunState, Sample
from verifiers.candidates import Candidate
from verifiers.live_rules import LiveRule, live_rule
from verifiers.picks import Pick
from verifiers.rules import RULES, FilteredPick, Need, Rule
from verifiers.verdicts import Kind

PACE: Final = 0.25
"""Seconds of the run between two tellings of a rule whose answer stays."""


class Choosing:
    """The rules of one run. ``note`` a sample whenever something was found out about it; ``changes`` gives
    the picks to be told."""

    def __init__(self, kind: Kind) -> None:
        self._rules = [(rule, live_rule(rule.name, kind)) for rule in RULES if rule.needs]
        self._seen: dict[str, set[int]] = {rule.name: set() for rule, _ in self._rules}
        self._fresh: set[str] = set()
        self._told: dict[str, Pick] = {}
        self._told_at: dict[str, float] = {}

    def restore(self, state: RunState) -> None:
        """Take over a run that was folded from its journal, in the order in which things were found out."""
        for rule, live in self._rules:
            waiting = [each for each in state.every_sample() if each.status == "finished"]
            for sample in sorted(waiting, key=lambda each: max(_when(each, need) for need in rule.needs)):
                self._add(rule, live, sample)
        for name, pick in state.picks.items():
            self._told[name] = Pick(pick.rule, pick.answer, pick.sample, pick.support, pick.share, pick.score)

    def note(self, sample: Sample) -> None:
        for rule, live in self._rules:
            self._add(rule, live, sample)

    def _add(self, rule: Rule, live: LiveRule, sample: Sample) -> None:
        seen = self._seen[rule.name]
        if sample.index in seen or not all(_has(sample, need) for need in rule.needs):
            return
        seen.add(sample.index)
        self._fresh.add(rule.name)
        live.add(
            Candidate(
                sample.index,
                sample.answer,
                sample.group,
                sample.reward,
                sample.program_status,
                sample.verdict,
            )
        )

    def changes(self, at: float, *, last: bool = False) -> list[ev.PickChanged]:
        """The picks that changed since they were told. ``last``: all of them, however lately others were."""
        if not self._fresh:
            return []
        found = []
        for rule, live in self._rules:
            if rule.name not in self._fresh:
                continue
            pick, told = live.pick, self._told.get(rule.name)
            if pick is None:
                self._fresh.discard(rule.name)
                continue
            moved = told is None or told.answer != pick.answer or told.sample != pick.sample
            if moved or last or at - self._told_at.get(rule.name, -PACE) >= PACE:
                self._fresh.discard(rule.name)
                self._told[rule.name], self._told_at[rule.name] = pick, at
                found.append(_event(at, pick))
        return found

    @property
    def waits(self) -> bool:
        """Whether something is still to be told."""
        return bool(self._fresh)


def _has(sample: Sample, need: Need) -> bool:
    if need == "rewards":
        return sample.reward_model is not None
    return (sample.program_status if need == "programs" else sample.verdict) is not None


def _when(sample: Sample, need: Need) -> int:
    return {"rewards": sample.rewarded, "programs": sample.checked, "verdicts": sample.judged}[need]


def _event(at: float, pick: Pick) -> ev.PickChanged:
    filtered = pick if isinstance(pick, FilteredPick) else None
    return ev.PickChanged(
        at=at,
        rule=pick.rule,
        answer=pick.answer,
        sample=pick.sample,
        support=pick.support,
        share=pick.share,
        score=pick.score,
        probability=pick.probability,
        kept=filtered.kept if filtered else None,
        dropped=filtered.dropped if filtered else None,
        failed=filtered.failed if filtered else None,
        not_run=filtered.not_run if filtered else None,
        fallback=filtered.fallback if filtered else None,
    )

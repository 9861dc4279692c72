"""Where the rules that choose agree and where they do not, in one sentence: for every front end.

Rules agree when their samples gave equal answers, however these are spelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.runs.events import PickChanged
from app.runs.state import RunState
from verifiers.rules import RULES, Need, Rule
from verifiers.safe_text import one_line

_SPEAKERS = {
    "majority": "the majority",
    "reward": "the reward model",
    "reward_weighted": "the reward-weighted vote",
    "cotnpot": "CoTnPoT",
    "cotnpot_vote": "CoTnPoT's vote",
    "cotnpot_weighted": "CoTnPoT's weighted vote",
    "first_verified": "the checker",
}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven")
_CONFIRMED: Final = "first_verified"
_ANSWER_CELLS = 24
_MOST_OTHERS = 2
"""Answers besides the leading one that the sentence names."""


@dataclass(frozen=True, slots=True)
class Camp:
    """The rules that choose one answer, in the order in which rules are shown."""

    answer: str
    rules: tuple[str, ...]
    support: int
    """Finished samples that gave this answer."""


def shown_rules(state: RunState) -> list[Rule]:
    """The rules worth showing in a run: first what a checker confirms, which settles it. Where the answer is
    known, the first verified sample is no pick but coverage itself."""
    problem = state.problem
    if problem is not None and problem.answer is not None:
        return [rule for rule in RULES if rule.name != _CONFIRMED]
    return sorted(RULES, key=lambda rule: rule.name != _CONFIRMED)


def shown_picks(state: RunState) -> list[PickChanged]:
    """What these rules choose, as far as they choose anything yet."""
    picks = (state.picks.get(rule.name) for rule in shown_rules(state))
    return [pick for pick in picks if pick is not None and pick.sample is not None]


def missing_needs(state: RunState) -> list[Need]:
    """What the rules that cannot run lack, and nobody was asked for: rewards, programs."""
    plan, problem = state.plan, state.problem
    if plan is None or problem is None:
        return []
    found: list[Need] = []
    if plan.reward is None and not state.rewarded:
        found.append("rewards")
    if plan.translator is None and not state.filter.looked_at and problem.kind == "math":
        found.append("programs")
    return found


def pick_label(pick: PickChanged, state: RunState) -> str:
    """The picked answer on one line. A program or a proof is called by its sample, ``#12``, the first being
    number 1: its text would say nothing."""
    kind = state.problem.kind if state.problem is not None else "math"
    if kind in ("math", "open") and pick.answer is not None:
        return one_line(pick.answer, _ANSWER_CELLS)
    return "" if pick.sample is None else f"#{pick.sample + 1}"


def camps(state: RunState) -> list[Camp]:
    """The answers that rules choose: what a checker confirms, then what most of them choose."""
    found: dict[str, list[PickChanged]] = {}
    for pick in shown_picks(state):
        found.setdefault(_group(pick, state), []).append(pick)
    made = [
        Camp(
            pick_label(picks[0], state), tuple(pick.rule for pick in picks), len(state.groups.get(group, ()))
        )
        for group, picks in found.items()
    ]
    return sorted(made, key=lambda camp: (_CONFIRMED not in camp.rules, -len(camp.rules), -camp.support))


def picks_sentence(state: RunState) -> str:
    """``The majority and CoTnPoT agree on 72 (31 of 64); the reward model prefers 96.`` Empty while fewer
    than two rules have chosen."""
    found = camps(state)
    rules = sum(len(camp.rules) for camp in found)
    if rules < 2:
        return ""
    first, others = found[0], found[1:]
    support = f" ({first.support:,} of {state.finished:,})" if first.support else ""
    if not others:
        lead = "Both rules agree" if rules == 2 else f"All {_NUMBERS[rules]} rules agree"
        return f"{lead} on {first.answer}{support}."
    if len(first.rules) == 1:
        verb = "confirms" if _CONFIRMED in first.rules else "chooses"
        lead = f"{_names(first)} {verb} {first.answer}{support}"
    elif len(first.rules) == 2:
        lead = f"{_names(first)} agree on {first.answer}{support}"
    else:
        lead = f"{_NUMBERS[len(first.rules)]} rules of {_NUMBERS[rules]} say {first.answer}{support}"
    rest = "".join(
        f"; {_names(camp)} prefer{'s' if len(camp.rules) == 1 else ''} {camp.answer}"
        for camp in others[:_MOST_OTHERS]
    )
    if left := sum(len(camp.rules) for camp in others[_MOST_OTHERS:]):
        rest += f"; {_NUMBERS[left]} more differ{'s' if left == 1 else ''}"
    return f"{lead[0].upper()}{lead[1:]}{rest}."


def filter_sentence(state: RunState) -> str:
    """What CoTnPoT kept, and how good that is where the truth is known; empty before it has looked."""
    tally = state.filter
    if not tally.looked_at:
        return ""
    parts = [f"kept {tally.kept:,}", f"dropped {tally.dropped:,}", f"failed {tally.failed:,}"]
    if tally.not_run:
        parts.append(f"not run {tally.not_run:,}")
    told = f"CoTnPoT: {' · '.join(parts)}"
    known = (("precision", tally.precision), ("recall", tally.recall))
    if shares := [f"{name} {share:.0%}" for name, share in known if share is not None]:
        told += f"; {', '.join(shares)}"
    if any(pick.fallback for pick in state.picks.values()):
        told += "; none was left, so it picks from all"
    return f"{told}."


def _names(camp: Camp) -> str:
    names = [_SPEAKERS.get(rule, rule) for rule in camp.rules]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _group(pick: PickChanged, state: RunState) -> str:
    """What makes picks equal: the group their sample votes with, else the sample itself."""
    index = pick.sample
    sample = state.samples[index] if index is not None and index < len(state.samples) else None
    if sample is None or sample.group is None:
        return f"#{index}"
    return sample.group

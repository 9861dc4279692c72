"""Why a rule has no pick: for every front end from one place, with what would turn it on."""

from __future__ import annotations

from typing import Literal

from app.runs.state import RunState
from verifiers.rules import RULES, Need


def why_no_pick(state: RunState) -> dict[str, str]:
    """By rule, for those that chose nothing: one reason, without a full stop."""
    reasons: dict[Need, str | None] = {
        "rewards": _no_rewards(state),
        "programs": _no_programs(state),
        "verdicts": _no_verdicts(state),
    }
    found: dict[str, str] = {}
    for rule in RULES:
        if rule.name in state.picks:
            continue
        missing = [reason for need in rule.needs if (reason := reasons[need]) is not None]
        found[rule.name] = "; ".join(missing) or "no sample has come"
    return found


def missing_notes(state: RunState) -> list[str]:
    """One sentence for each reason, naming the rules that did not run for it."""
    rules: dict[str, list[str]] = {}
    for rule, reason in why_no_pick(state).items():
        rules.setdefault(reason, []).append(rule)
    return [f"Did not run: {', '.join(names)} ({reason})." for reason, names in rules.items()]


def _no_rewards(state: RunState) -> str | None:
    if state.rewarded:
        return None
    if state.plan is None or state.plan.reward is None:
        return "no reward model was asked for: --reward"
    said = next((each.reward_why for each in state.every_sample() if each.reward_why), "")
    return _why_off(state, "reward") or f"no sample got a reward{f': {said}' if said else ''}"


def _no_programs(state: RunState) -> str | None:
    tally = state.filter
    if tally.kept or tally.dropped or tally.failed:
        return None
    if state.problem is not None and state.problem.kind != "math":
        return "only solutions in mathematics are run as programs"
    if state.plan is None or state.plan.translator is None:
        return "no translator was asked for: --translator"
    return _why_off(state, "translation") or "no program was run"


def _no_verdicts(state: RunState) -> str | None:
    if state.right or state.wrong or state.undecided:
        return None
    return "nothing checks the samples: there is neither a known answer nor a test"


def _why_off(state: RunState, role: Literal["reward", "translation"]) -> str | None:
    """What kept the helper from working, as it was told."""
    status = state.helper_status.get(role)
    if status is not None and status.state == "failed":
        return status.detail.rstrip(".")
    said = "No more rewards are given: " if role == "reward" else "No more programs are written: "
    told = [notice.text for notice in state.notices if notice.text.startswith(said)]
    return told[-1].removeprefix(said).rstrip(".") if told else None

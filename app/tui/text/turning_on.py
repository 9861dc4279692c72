"""Why some rules have nothing to say, and what turns them on, in the words of this front end."""

from __future__ import annotations

from app.runs.pick_words import missing_needs
from app.runs.state import RunState
from app.tui.text import fit


def turning_on(state: RunState) -> list[str]:
    """A line for each helper that is not there yet, and one for what was not asked for; none where every rule
    chooses."""
    told = [line for role in ("reward", "translation") if (line := _helper(state, role))]
    missing = missing_needs(state) if state.finished else []
    math = state.problem is not None and state.problem.kind == "math"
    needs = {
        # What ships with the program was trained on mathematics.
        "rewards": f"Reward rules need a reward model: /reward {'embedded' if math else 'likelihood'}",
        "programs": "CoTnPoT needs /translator MODEL",
    }
    lacking = [needs[need] for need in missing]
    if lacking:
        told.append(f"{'; '.join(lacking)}.")
    return told


def _helper(state: RunState, role: str) -> str:
    """How a helper is doing, while it has brought nothing yet or where it failed."""
    status = state.helper_status.get(role)
    word = {"reward": "reward model", "translation": "translator"}[role]
    if status is None:
        return ""
    if status.state in ("failed", "set-aside"):
        return f"The {word} {fit.head(status.model, 40)} is left out: {fit.head(status.detail, 120)}"
    came = state.rewarded if role == "reward" else state.filter.looked_at
    if status.state == "preparing" and not came:
        return fit.head(status.detail, 80) or f"Preparing the {word}"
    return ""

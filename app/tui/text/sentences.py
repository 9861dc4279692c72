"""The run in plain words: what is picked and why, and what is happening now."""

from __future__ import annotations

from app.runs.agreement import Unverified
from app.runs.outlook import left_words
from app.runs.state import RunState
from app.tui.text import fit
from budgets.amounts import show_count, show_seconds


def is_checked(state: RunState) -> bool:
    """Whether samples are, or will be, checked against something: then there is coverage to speak of."""
    problem = state.problem
    return state.verified or (
        problem is not None and (problem.answer is not None or problem.tests is not None)
    )


def percent(share: float) -> str:
    """Whole per cents, and never 0% or 100% for what is not quite."""
    if 0 < share < 0.005:
        return "under 1%"
    if 0.995 <= share < 1:
        return "over 99%"
    return f"{share:.0%}"


def pick_sentence(state: RunState) -> str:
    """Why to believe the majority, or why not yet."""
    pick = state.picks.get("majority")
    if pick is None or pick.answer is None:
        if state.phase == "ended" and not state.finished:
            return "No sample came to its end, so there is nothing to pick from."
        if state.finished:
            return f"None of {_samples(state.finished)} gave an answer so far."
        return "The first answer appears here when a sample ends."
    answer = fit.head(pick.answer, 24)
    if state.finished == 1:
        return "One sample has answered. A majority needs more."
    since = state.pick_since.get("majority", 0)
    stays = f" ({percent(pick.probability)} it stays)" if pick.probability is not None else ""
    if pick.support == 1:
        return f"Every answer was given once so far; {answer} came first."
    if since >= state.finished:
        return f"The majority has just changed to {answer}{stays}."
    return f"The majority has held since sample {since}{stays}."


def agreement_sentence(said: Unverified, model: str | None = None) -> str:
    """What agreement lets one estimate where nothing can be checked; nothing for kinds it says nothing of.
    ``model``: whose samples these are, where there are several."""
    if said.pick_right is None or said.covered is None:
        return ""
    whose = "Estimated from agreement:" if model is None else f"{fit.head(model, 24)}, estimated:"
    pick = "the pick" if model is None else "its leading answer"
    parts = [
        f"{percent(said.pick_right)} that {pick} is right",
        f"{percent(said.covered)} that a right answer is among the samples",
    ]
    if said.next_is_new is not None:
        parts.append(f"{percent(said.next_is_new)} that the next answer is new")
    return f"{whose} {', '.join(parts)}."


def now_sentence(state: RunState) -> str:
    """What is happening now."""
    match state.phase:
        case "waiting":
            return "Starting"
        case "preparing":
            return _preparing(state)
        case "paused":
            held = f"; {len(state.live)} in flight end first" if state.live else ""
            return f"Paused{held}"
        case "ended":
            return _ended(state)
        case _:
            waiting = [status for status in state.model_status.values() if status.state == "restarted"]
            if waiting:
                return f"Sampling; {waiting[-1].model} was restarted"
            more = left_words(state)
            return "Playing a recording" if state.recorded else f"Sampling; {more}" if more else "Sampling"


def helpers_pending(state: RunState) -> list[str]:
    """What the translator and the reward model still have to do with the samples that are there."""
    plan = state.plan
    if plan is None:
        return []
    left = {
        "translation": state.finished - state.filter.looked_at if plan.translator else 0,
        "reward": state.finished - sum(each.reward_model is not None for each in state.every_sample())
        if plan.reward
        else 0,
    }
    words = {"translation": "program", "reward": "reward"}
    return [
        f"{count:,} {words[role]}{'s' if count != 1 else ''} pending"
        for role, count in left.items()
        if count > 0 and _works(state, role)
    ]


def _works(state: RunState, role: str) -> bool:
    status = state.helper_status.get(role)
    return status is not None and status.state in ("ready", "restarted")


def _preparing(state: RunState) -> str:
    for status in state.model_status.values():
        if status.state == "preparing":
            return fit.one_line(status.detail) or f"Preparing {status.model}"
    return "Preparing " + ", ".join(state.models) if state.models else "Preparing"


def _ended(state: RunState) -> str:
    reason = fit.one_line(state.end_reason)
    words = {
        "completed": "Done",
        "stopped": "Stopped",
        "budget": "The budget is used up",
        "failed": "Failed",
        "interrupted": "Interrupted",
    }
    word = words.get(state.status or "", "Ended")
    took = f" after {show_seconds(state.at)}" if state.at >= 1 else ""
    return f"{word}{took}" + (f": {reason}" if reason else "")


def speed(state: RunState) -> str:
    """``128 tok/s · 16 in flight`` while it runs, the total once it has ended."""
    books = state.books
    total = f"{show_count(books.completion_tokens)} tok"
    if state.phase == "ended" or not state.live:
        return total
    return f"{total} · {state.tokens_per_second():,.0f} tok/s · {len(state.live)} in flight"


def _samples(count: int) -> str:
    return "1 sample" if count == 1 else f"{count:,} samples"

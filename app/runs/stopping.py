"""When a run may end before its budget does, and what it says then.

The rules read the folded state alone, so a resumed run decides as an uninterrupted one would. All but
``first-verified`` speak of the votes of every model together, which is what the majority is.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Final, get_args

from app.runs.plan import StopRule
from app.runs.state import RunState
from budgets.stopping import ENOUGH, FEWEST, chance_pick_stays, gain_in_coverage, gain_in_pick

RULES: Final[tuple[StopRule, ...]] = get_args(StopRule)
WORTH_USD = 1.0
"""``worth-it`` holds a right answer to be worth this many dollars: a sample must add to its chance at least
the part of this that the sample costs."""
WORTH_LEAST = 0.002
"""It must add at least this, also where it costs no dollars: 500 samples a right answer."""
_PACE = 50
"""Past so many samples not every one is looked at, but one in each further fiftieth of the run: the votes of
a long run change slowly, and looking costs time for every different answer."""


class Stopping:
    """One run's rule. ``off`` is set where somebody asked for more after it had ended the run."""

    def __init__(self, rule: StopRule) -> None:
        self.rule = rule
        self.off = False
        self._look_at = 0

    def reached(self, state: RunState) -> str | None:
        """Why the run should end now, in words; ``None`` where it should go on."""
        if self.off or self.rule == "none":
            return None
        if self.rule == "first-verified":
            return "A checker said yes, and you asked to stop at that." if state.right else None
        if state.finished < self._look_at:
            return None
        left = samples_left(state)
        if left == 0:
            return None  # the run is at its end, and says so itself
        why = _settled(state, left) if self.rule == "settled" else _not_worth_it(state, left)
        self._look_at = 0 if why else state.finished + 1 + state.finished // _PACE
        return why


def samples_left(state: RunState) -> int | None:
    """How many samples the rest of the budget buys, at what finished samples cost so far at the most.

    ``None`` where no limit is set, or where nobody can know. Samples in flight count as left.
    """
    budget, spent, done = state.budget, state.books.at_most, state.finished
    known = [] if budget.samples is None else [budget.samples - done]
    for cap, used in (
        (budget.usd, spent.usd),
        (budget.flops, spent.flops),
        (budget.tokens, spent.tokens),
        (budget.seconds, state.at),
    ):
        if cap is not None and used and done:
            known.append(floor(done * (Fraction(cap) / Fraction(used) - 1)))
    return max(0, min(known)) if known else None


def _settled(state: RunState, left: int | None) -> str | None:
    if state.finished < FEWEST:
        return None
    stays = chance_pick_stays(_votes(state), left)
    if stays < ENOUGH:
        return None
    return f"The majority cannot plausibly change: {_percent(stays)}."


def _not_worth_it(state: RunState, left: int | None) -> str | None:
    """Weighs coverage where samples are checked, the pick where they are not."""
    if state.verified and state.right:
        return "A checker said yes: more samples would add nothing to that."
    if state.finished < FEWEST:
        return None
    if state.verified:
        gain, what = gain_in_coverage(state.wrong, 0), "covering the problem"
    else:
        gain, what = gain_in_pick(_votes(state), state.finished, left), "a right pick"
    usd = state.books.at_most.usd
    each = float(usd) / state.finished if usd else 0.0
    asked = max(WORTH_LEAST, each / WORTH_USD)
    if gain >= asked:
        return None
    return (
        f"Not worth more: by estimate a sample adds at most {_points(gain)} to the chance of {what}, "
        f"and it should add {_points(asked)}."
    )


def _votes(state: RunState) -> list[int]:
    return [len(samples) for samples in state.groups.values()]


def _points(chance: float) -> str:
    """``0.2 points`` for 0.002; never 0 for what is only nearly so."""
    points = 100 * chance
    return f"{points:.2g} points" if points >= 0.01 or not points else "under 0.01 points"


def _percent(chance: float) -> str:
    return ">99%" if 0.99 < chance < 1 else f"{chance:.0%}"

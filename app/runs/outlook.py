"""What is left of a run while it goes on: how many more samples its limits allow, and for how long.

Reckoned from the run itself: what its samples cost so far and how fast they came. It is advice for the eye,
asked for a few times a second by whoever shows it, and no part of the budget.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from typing import Final

from app.runs.state import RunState
from budgets import planning
from budgets.amounts import Amounts, exact_usd, show_seconds

FEWEST: Final = 5
"""Finished samples before which a mean says little."""
_FIRST = 100
"""Of the earliest samples the one that started first is looked for: one tried again started late."""


def left(state: RunState) -> planning.Outlook | None:
    """What the limits leave. ``None`` before enough samples are in, where no limit ends the run, and where
    nothing is being drawn. Samples in flight count as left."""
    if state.phase != "sampling" or state.recorded or state.finished < FEWEST:
        return None
    spent, done = state.books.at_most, state.finished
    found = planning.outlook(
        state.budget,
        Amounts(spent.usd, spent.flops, spent.tokens, done),
        _part(spent, done),
        _part(state.books.held, len(state.live)) if state.live else _part(spent, done),
        seconds=state.at,
        per_second=_samples_per_second(state),
    )
    return None if found.limit is None else found


def left_words(state: RunState) -> str:
    """``about 120 more samples, 2 min``; empty where there is nothing to say."""
    found = left(state)
    if found is None or not found.samples:
        return ""
    exact = found.limit == "samples"
    count = found.samples if exact else _two_digits(found.samples)
    samples = f"{count:,} more sample{'s' if count != 1 else ''}"
    sooner = state.plan is not None and state.plan.stop != "none"
    words = ("at most " if sooner else "") + ("" if exact else "about ") + samples
    if found.seconds is None:
        return words
    return f"{words}, {'about ' if exact else ''}{show_seconds(_coarse(found.seconds))}"


def _part(amounts: Amounts, count: int) -> Amounts:
    """The mean of ``count`` samples, rounded up."""
    return Amounts(
        None if amounts.usd is None else exact_usd(amounts.usd / count),
        None if amounts.flops is None else -(-amounts.flops // count),
        -(-amounts.tokens // count),
        1,
    )


def _samples_per_second(state: RunState) -> float | None:
    """From all tokens that came, so that what is in flight counts as far as it has got."""
    started = min((sample.started for sample in islice(state.every_sample(), _FIRST)), default=state.at)
    finished = state.books.completion_tokens
    tokens = finished + sum(sample.tokens for sample in state.live.values())
    span = state.at - started
    return state.finished * tokens / (finished * span) if span > 0 and finished else None


def _two_digits(count: int) -> int:
    """``1234`` as ``1200``: more digits would be more than is known."""
    exact = Decimal(count)
    return count if count < 100 else int(exact.quantize(Decimal(1).scaleb(exact.adjusted() - 1)))


def _coarse(seconds: float) -> float:
    """Whole seconds below a minute, tens below ten minutes, then minutes; never none at all."""
    step = 1 if seconds < 60 else 10 if seconds < 600 else 60
    return max(1.0, step * round(seconds / step))

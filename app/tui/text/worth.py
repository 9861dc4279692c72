"""What more samples would cost: the measured spend of those there are, carried on."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

from app.runs.outlook import FEWEST
from app.runs.state import RunState
from budgets.amounts import Amounts, show_flops, show_seconds, show_usd

_COARSE = Decimal("0.01")


def price_words(state: RunState, model: str, samples: int) -> str:
    """``about $0.12``, or ``about 2.4 TFLOP and 40 s`` where samples cost no dollars; empty while too little
    is known."""
    spent, done = _spent(state, model)
    if done < FEWEST:
        return ""
    if spent.usd:
        return f"about {show_usd(_two_digits(spent.usd * samples / done))}"
    parts = [show_flops(_coarse(spent.flops * samples // done))] if spent.flops else []
    if len(state.models) == 1 and state.at > 0:
        parts.append(show_seconds(_coarse_seconds(state.at * samples / done)))
    return f"about {' and '.join(parts)}" if parts else ""


def unit_of_worth(state: RunState) -> str:
    """What models are compared by: ``dollar`` where each has cost some, ``FLOP`` where each has counted some,
    ``token`` for all else."""
    spent = [books.known for books in state.books_by_model.values()]
    if all(amounts.usd for amounts in spent):
        return "dollar"
    return "FLOP" if all(amounts.flops for amounts in spent) else "token"


def best_worth(state: RunState) -> tuple[str, str] | None:
    """The model whose next sample is most likely right for its cost, and what that cost is counted in.
    ``None`` before every model has a checked sample and a known cost."""
    unit = unit_of_worth(state)
    worth: dict[str, Fraction] = {}
    for model, tally in state.tallies.items():
        spent, done = _spent(state, model)
        total = {"dollar": spent.usd, "FLOP": spent.flops, "token": spent.tokens}[unit]
        if not total or not done or not tally.n:
            return None
        chance = Fraction(2 * tally.correct + 1, 2 * tally.n + 2)  # the mean of Jeffreys' posterior
        worth[model] = chance * done / Fraction(total)
    return (max(worth, key=lambda model: worth[model]), unit) if worth else None


def right_among(n: int, correct: int, more: int) -> tuple[int, int]:
    """How many of ``more`` further samples will be right, with 90% certainty, after ``correct`` of ``n``:
    the beta-binomial that Jeffreys' prior leads to, taken as normal."""
    a, b = correct + 0.5, n - correct + 0.5
    mean = more * a / (a + b)
    spread = 1.645 * math.sqrt(mean * b / (a + b) * (a + b + more) / (a + b + 1))
    return max(0, math.floor(mean - spread)), min(more, math.ceil(mean + spread))


def _spent(state: RunState, model: str) -> tuple[Amounts, int]:
    """What the model's samples cost, all that was asked about them included where it is the only one; and how
    many were drawn."""
    mine = state.books_by_model[model].known
    return (state.books.known if len(state.models) == 1 else mine), mine.samples


def _two_digits(usd: Decimal) -> Decimal:
    return usd.quantize(Decimal(1).scaleb(usd.adjusted() - 1)) if usd else usd


def _coarse(value: int) -> int:
    """Two digits: more would be more than is known."""
    digits = len(str(value))
    return round(value, 2 - digits) if digits > 2 else value


def _coarse_seconds(seconds: float) -> float:
    step = 60 if seconds >= 120 else 10 if seconds >= 20 else 1
    return float(max(1, step * round(seconds / step)))

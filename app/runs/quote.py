"""What one sample of a model costs, and how many of them a budget buys: a line of a price list.

Rougher and a hundred times quicker than ``estimate``, because a list shows many: a sample ends where samples
of the model usually do here, or at its limit where nobody knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR
from typing import Final

from app.runs.habits import Habit
from app.runs.plan import Plan
from budgets.amounts import Usd
from budgets.rates import Price

BYTES_PER_TOKEN: Final = 4
"""Of a prompt in English, roughly; most tokenizers come to between 3.5 and 4.5."""
TEMPLATE_TOKENS: Final = 30


@dataclass(frozen=True, slots=True)
class Quote:
    """``each`` is dollars a sample, ``samples`` how many the plan's dollars buy, ``None`` where they limit
    nothing. ``usual``: samples' length is known from runs made here; else ``each`` is at the most."""

    price: Price
    each: Usd
    samples: int | None
    usual: bool


def quote(price: Price, prompt: str, plan: Plan, habit: Habit | None = None) -> Quote:
    """The line of one model for one problem."""
    most = plan.settings.max_tokens
    tokens = most if habit is None else min(most, max(1, round(habit.tokens_per_sample)))
    bytes_ = len(prompt.encode("utf-8", "replace"))
    asked = bytes_ // BYTES_PER_TOKEN + TEMPLATE_TOKENS
    each = price.prompt_cost(asked) + price.completion_cost(asked, tokens)
    return Quote(price, each, _bought(price, plan, each, bytes_, most), habit is not None)


def _bought(price: Price, plan: Plan, each: Usd, bytes_: int, most: int) -> int | None:
    """Samples that the plan's dollars buy: each at its usual cost, and the last must still fit at worst."""
    cap = plan.budget.usd
    if cap is None or not each:
        return None
    worst = price.worst(bytes_ + TEMPLATE_TOKENS, most, 1)
    return 0 if worst > cap else int(((cap - worst) / each).to_integral_value(ROUND_FLOOR)) + 1

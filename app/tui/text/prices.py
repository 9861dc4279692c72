"""What a model costs, as the few short words that fit into a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.tui.ports import PriceLine

if TYPE_CHECKING:
    from app.runs.habits import Habits
    from app.runs.plan import Plan
    from budgets.flops import ModelSize
    from budgets.rates import Price

_OURS = ("smollm2", "gguf:", "vllm:", "scripted:")
"""What the names of models on this machine begin with: nobody sends a bill for them."""


def price_line(
    name: str, text: str, plan: Plan | None, own_prices: Mapping[str, Price], habits: Habits
) -> PriceLine:
    """The price of the model ``name`` for the problem ``text``. Without a plan, for a sample as usual."""
    from app.runs.plan import Plan
    from app.runs.quote import quote
    from budgets.amounts import show_count, show_rate, show_usd
    from budgets.catalog import size_of
    from budgets.prices import context_of, price_of

    plan = plan or Plan(models=(name,))
    size = size_of("SmolLM2-135M-Instruct" if name == "smollm2" else name)
    parameters = None if size is None else size.parameters
    if name.startswith(_OURS) and name not in own_prices:
        work = "" if size is None else _work(name, text, plan, habits, size)
        return PriceLine("free", work, source="runs on this machine", parameters=parameters)
    context = context_of(name) or (size.context if size is not None else None)
    price = price_of(name.removeprefix("openai:"), own_prices)
    if price is None:
        return PriceLine("unknown", parameters=parameters, context=context)
    line = quote(price, text, plan, habits.of(name, "math"))
    into, out = (show_rate(each.scaleb(6)).removeprefix("$") for each in (price.input, price.output))
    rates = f"{into} / {out}"
    return PriceLine(
        rates,
        ("" if line.usual else "≤ ") + show_usd(line.each),
        "" if line.samples is None else show_count(line.samples),
        price.source if price.dated is None else f"{price.source}, {price.dated}",
        parameters,
        context,
    )


def _work(name: str, text: str, plan: Plan, habits: Habits, size: ModelSize) -> str:
    """FLOPs of a sample."""
    from app.runs.quote import BYTES_PER_TOKEN, TEMPLATE_TOKENS
    from budgets.amounts import show_flops
    from budgets.flops import decode_flops

    habit = habits.of(name, "math")
    most = plan.settings.max_tokens
    tokens = most if habit is None else min(most, max(1, round(habit.tokens_per_sample)))
    asked = len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN + TEMPLATE_TOKENS
    return ("" if habit else "≤ ") + show_flops(decode_flops(size, asked, tokens))

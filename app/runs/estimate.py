"""What a plan buys, told before anything is spent.

Counts come from ``budgets.planning``; how long and how fast samples usually are, from the runs made on this
machine. Where that is unknown the worst case is told, and called the most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from app.runs.costs import Meter
from app.runs.habits import Habit
from app.runs.plan import Plan, with_default_limit
from budgets import planning
from budgets.amounts import Budget, show_count, show_flops, show_seconds, show_usd
from budgets.rates import FREE, gpu_cost


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the budget buys of one model. ``usual`` is whether habits were known; else all is at the most."""

    model: str
    usual: bool
    bought: planning.Plan
    job: planning.Job


def estimate(
    plan: Plan,
    meters: Sequence[Meter],
    prompts: Sequence[int],
    habits: Sequence[Habit | None],
    *,
    gpu_usd_per_hour: Decimal | None = None,
) -> str:
    """One sentence for people. ``prompts`` are upper bounds on each model's prompt, in tokens;
    ``gpu_usd_per_hour`` is what local models cost by the time they take."""
    shared = _share(with_default_limit(plan.budget), len(meters))
    found = []
    for meter, prompt, habit in zip(meters, prompts, habits, strict=True):
        rent = (gpu_usd_per_hour if meter.info.local else None) or None
        budget = shared if rent is None else _as_time(shared, rent)
        found.append(_sentence(estimate_one(plan, budget, meter, prompt, habit), budget, rent))
    return " ".join(found)


def most_dollars(plan: Plan, meters: Sequence[Meter], prompts: Sequence[int]) -> Decimal | None:
    """The most that a run may cost, ``None`` where nothing that is known bounds it."""
    billed = [(meter, prompt) for meter, prompt in zip(meters, prompts, strict=True) if not meter.info.local]
    if not billed or plan.budget.usd is not None:
        return Decimal(0) if not billed else plan.budget.usd
    samples = with_default_limit(plan.budget).samples
    if samples is None or any(meter.price is None for meter, _ in billed):
        return None
    each = [
        planning.worst_cost_of(planning.Job(prompt, plan.settings.max_tokens, price=meter.price), samples).usd
        for meter, prompt in billed
    ]
    return max((usd for usd in each if usd is not None), default=None)


def estimate_one(plan: Plan, budget: Budget, meter: Meter, prompt: int, habit: Habit | None) -> Estimate:
    """What ``budget`` buys of one model."""
    most = plan.settings.max_tokens
    usual = None if habit is None else min(most, max(1, round(habit.tokens_per_sample)))
    per_second = habit.tokens_per_second if habit is not None else None
    job = planning.Job(
        prompt_tokens=prompt,
        max_tokens=most,
        price=meter.price or (FREE if meter.info.local else None),
        size=meter.size,
        usual_tokens=usual,
        per_request=meter.info.choices_per_request,
        samples_per_second=per_second / usual if per_second and usual else None,
    )
    return Estimate(meter.info.name, usual is not None, planning.plan(budget, job), job)


def _share(budget: Budget, models: int) -> Budget:
    """Each model's part of a budget that several share in equal spend."""
    return replace(
        budget,
        usd=None if budget.usd is None else budget.usd / models,
        flops=None if budget.flops is None else budget.flops // models,
        tokens=None if budget.tokens is None else budget.tokens // models,
        samples=None if budget.samples is None else -(-budget.samples // models),
    )


def _as_time(budget: Budget, usd_per_hour: Decimal) -> Budget:
    """The time that dollars buy of a machine, in place of the dollars."""
    if budget.usd is None:
        return budget
    bought = float(budget.usd * 3600 / usd_per_hour)
    return replace(
        budget, usd=None, seconds=bought if budget.seconds is None else min(bought, budget.seconds)
    )


def _sentence(each: Estimate, budget: Budget, usd_per_hour: Decimal | None) -> str:
    bought = each.bought
    if "usd" in bought.unheld:
        return f"The price of {each.model} is unknown, so a cap in dollars cannot be kept: give its price."
    if "flops" in bought.unheld and not bought.worst:
        return f"The size of {each.model} is unknown until it is loaded, and with it what FLOPs buy."
    if not bought.worst:
        return f"This budget does not pay for one sample of {each.model}: raise it, or lower max tokens."
    if bought.expected >= planning.UNLIMITED_SAMPLES:
        return f"Nothing limits the number of samples of {each.model} but the time you give it."
    parts = [f"{'about' if each.usual else 'at most'} {show_count(bought.cost.tokens)} tokens"]
    if bought.cost.flops is not None:
        parts.append(f"{show_flops(bought.cost.flops)}")
    if usd_per_hour is not None:
        rent = None if bought.seconds is None else gpu_cost(usd_per_hour, bought.seconds)
        parts.append(f"{show_usd(usd_per_hour)} an hour" if rent is None else f"about {show_usd(rent)}")
    else:
        parts.append("no price known" if bought.cost.usd is None else show_usd(bought.cost.usd))
    if bought.seconds is not None:
        parts.append(f"some {show_seconds(bought.seconds)}")
    samples = f"{'About ' if bought.limit != 'samples' else ''}{show_count(bought.expected)} samples"
    guaranteed = ""
    if bought.limit != "samples" and bought.worst < bought.expected:
        guaranteed = f" ({show_count(bought.worst)} at the worst)"
    return f"{samples}{guaranteed} of {each.model}: {', '.join(parts)}."

"""What a budget buys: how many samples before any of it is spent, and how many more while it is.

Two answers bracket the truth. At *worst* every sample runs to its last allowed token at the dearest rates;
that is what the ledger reserves, and so what a budget guarantees. As *expected*, samples end where they
usually do. A run under a cap reserves the worst but spends the usual, so it gets through more samples than
the guarantee; its last one must still fit at worst.

Dollars and tokens count the prompt once per request, FLOPs once per prompt.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from budgets.amounts import Amounts, Budget, BudgetField, Usd
from budgets.flops import ModelSize, decode_flops, prompt_flops
from budgets.rates import Price

__all__ = ["UNLIMITED_SAMPLES", "Job", "Outlook", "Plan", "cost_of", "outlook", "plan", "worst_cost_of"]

UNLIMITED_SAMPLES = 10**15
"""The number of samples planned where nothing limits them."""


@dataclass(frozen=True, slots=True)
class Job:
    """One prompt to be sampled from one model.

    ``prompt_tokens`` and ``max_tokens`` are upper bounds; ``usual_prompt`` and ``usual_tokens`` what is usual
    (the bounds where None). ``per_request`` samples share a request. ``price`` and ``size`` are None where
    unknown, and so is ``samples_per_second``, the speed of all requests together.
    """

    prompt_tokens: int
    max_tokens: int
    price: Price | None = None
    size: ModelSize | None = None
    usual_prompt: int | None = None
    usual_tokens: int | None = None
    per_request: int = 1
    samples_per_second: float | None = None

    def __post_init__(self) -> None:
        if min(self.prompt_tokens, self.max_tokens, self.usual_prompt or 0, self.usual_tokens or 0) < 0:
            raise ValueError("A number of tokens is zero or more.")
        if self.per_request < 1:
            raise ValueError("A request holds at least one sample.")
        if self.samples_per_second is not None and not self.samples_per_second > 0:
            raise ValueError("A speed is above zero.")

    @property
    def usual(self) -> Job:
        """The same job with what is usual in place of the bounds."""
        prompt = self.prompt_tokens if self.usual_prompt is None else self.usual_prompt
        tokens = self.max_tokens if self.usual_tokens is None else self.usual_tokens
        return replace(self, prompt_tokens=prompt, max_tokens=tokens)


@dataclass(frozen=True, slots=True)
class Plan:
    """Samples that a budget buys: ``worst`` is guaranteed, ``expected`` likely, and ``limit`` is what ends
    the run (None where nothing does). ``cost`` is that of the expected samples, ``worst_cost`` that of the
    guaranteed ones at worst. ``seconds`` is None where the speed is unknown or nothing ends the run.

    ``unheld`` names caps that cannot be kept because the price, size or speed they need is unknown. Under
    such a cap on dollars or FLOPs nothing may start, and both counts are zero."""

    worst: int
    expected: int
    limit: BudgetField | None
    cost: Amounts
    worst_cost: Amounts
    seconds: float | None = None
    unheld: tuple[BudgetField, ...] = ()


@dataclass(frozen=True, slots=True)
class Outlook:
    """Samples and seconds that are left of a run, and the limit that will end it."""

    samples: int
    limit: BudgetField | None
    seconds: float | None


def cost_of(job: Job, samples: int) -> Amounts:
    """What ``samples`` of ``job`` cost if every one has just the tokens given. Unknown parts are None."""
    return _cost(job, samples, worst=False)


def worst_cost_of(job: Job, samples: int) -> Amounts:
    """The most that ``samples`` of ``job`` can cost: all tokens, at the dearest rates that can apply."""
    return _cost(job, samples, worst=True)


def plan(budget: Budget, job: Job) -> Plan:
    """How many samples ``budget`` buys, as expected and at worst."""
    unheld = _unheld(budget, job)
    if "usd" in unheld or "flops" in unheld:
        return Plan(0, 0, unheld[0], Amounts(), Amounts(), None, unheld)
    speed = job.samples_per_second

    def ended_by(spent: Amounts, samples: int) -> BudgetField | None:
        return _exceeded(budget, spent, samples / speed if speed else 0.0)

    def ended_as_expected(samples: int) -> BudgetField | None:
        """What stops the last of ``samples`` from starting, the ones before it having cost the usual."""
        return ended_by(cost_of(job.usual, samples - 1) + _last(job, samples), samples)

    worst = _most(lambda samples: ended_by(worst_cost_of(job, samples), samples) is None)
    expected = max(worst, _most(lambda samples: ended_as_expected(samples) is None)) if worst else 0
    if expected >= UNLIMITED_SAMPLES:
        return Plan(worst, expected, None, Amounts(None, None), Amounts(None, None), None, unheld)
    return Plan(
        worst,
        expected,
        ended_as_expected(expected + 1),
        cost_of(job.usual, expected),
        worst_cost_of(job, worst),
        expected / speed if speed else None,
        unheld,
    )


def outlook(
    budget: Budget,
    spent: Amounts,
    usual: Amounts,
    worst: Amounts,
    *,
    seconds: float,
    per_second: float | None,
) -> Outlook:
    """What is left of a run that has spent ``spent`` at most in ``seconds``.

    ``usual`` is the mean cost of a sample so far and ``worst`` what one more must reserve. A part of
    ``usual`` that is unknown limits nothing.
    """

    def ended_by(samples: int) -> BudgetField | None:
        clock = seconds + (samples / per_second if per_second else 0.0)
        return _exceeded(budget, spent + usual.times(samples - 1) + worst, clock)

    samples = _most(lambda samples: ended_by(samples) is None)
    if samples >= UNLIMITED_SAMPLES:
        return Outlook(samples, None, None)
    return Outlook(samples, ended_by(samples + 1), samples / per_second if per_second else None)


def _cost(job: Job, samples: int, *, worst: bool) -> Amounts:
    if samples < 0:
        raise ValueError("A number of samples is zero or more.")
    requests = math.ceil(samples / job.per_request)
    tokens = requests * job.prompt_tokens + samples * job.max_tokens
    return Amounts(_usd(job, samples, requests, worst=worst), _flops(job, samples), tokens, samples)


def _usd(job: Job, samples: int, requests: int, *, worst: bool) -> Usd | None:
    price, prompt = job.price, job.prompt_tokens
    if price is None:
        return None
    if worst:
        return requests * price.worst_prompt(prompt) + samples * price.worst_choice(prompt, job.max_tokens)
    return requests * price.prompt_cost(prompt) + samples * price.completion_cost(prompt, job.max_tokens)


def _flops(job: Job, samples: int) -> int | None:
    if job.size is None:
        return None
    prompt = prompt_flops(job.size, job.prompt_tokens) if samples else 0
    return prompt + samples * decode_flops(job.size, job.prompt_tokens, job.max_tokens)


def _last(job: Job, samples: int) -> Amounts:
    """What must still fit before the last of ``samples`` starts; the first has paid the prompt's FLOPs."""
    last = worst_cost_of(job, 1)
    if samples == 1 or job.size is None:
        return last
    return replace(last, flops=decode_flops(job.size, job.prompt_tokens, job.max_tokens))


def _unheld(budget: Budget, job: Job) -> tuple[BudgetField, ...]:
    missing: dict[BudgetField, bool] = {
        "usd": budget.usd is not None and job.price is None,
        "flops": budget.flops is not None and job.size is None,
        "seconds": budget.seconds is not None and job.samples_per_second is None,
    }
    return tuple(limit for limit, is_missing in missing.items() if is_missing)


def _exceeded(budget: Budget, spent: Amounts, seconds: float) -> BudgetField | None:
    """The first cap that ``spent`` and ``seconds`` pass. Unknown amounts pass none."""
    if budget.usd is not None and spent.usd is not None and spent.usd > budget.usd:
        return "usd"
    if budget.flops is not None and spent.flops is not None and spent.flops > budget.flops:
        return "flops"
    if budget.tokens is not None and spent.tokens > budget.tokens:
        return "tokens"
    if budget.samples is not None and spent.samples > budget.samples:
        return "samples"
    return "seconds" if budget.seconds is not None and seconds > budget.seconds else None


def _most(fits: Callable[[int], bool]) -> int:
    """The largest number of samples that fits, for a condition that fails from some number on."""
    if not fits(1):
        return 0
    good, bad = 1, 2
    while fits(bad):
        if bad >= UNLIMITED_SAMPLES:
            return UNLIMITED_SAMPLES
        good, bad = bad, bad * 2
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    return good

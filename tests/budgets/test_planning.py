"""What a budget buys, against the paper's money table and against a ledger that spends it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgets.amounts import Amounts, Budget
from budgets.flops import ModelSize, decode_flops, prompt_flops, sampling_flops
from budgets.ledger import Ledger
from budgets.planning import UNLIMITED_SAMPLES, Job, cost_of, outlook, plan, worst_cost_of
from budgets.rates import Price, Rates, parse_price

SMALL = ModelSize(134_515_008, 30, 576)
PRICE = parse_price("2.50,10")


def attempts(price: str) -> Job:
    """A task whose every attempt has one price (Brown et al. 2024, SWE-bench Lite)."""
    fee = Price(Rates(Decimal(0), Decimal(0)), "the paper", per_request=Decimal(price))
    return Job(prompt_tokens=0, max_tokens=0, price=fee)


def test_the_papers_money_table_to_the_cent() -> None:
    deepseek = cost_of(attempts("0.0072"), 5 * 300).usd
    gpt = cost_of(attempts("0.13"), 300).usd
    claude = cost_of(attempts("0.17"), 300).usd
    assert (deepseek, gpt, claude) == (Decimal("10.80"), Decimal(39), Decimal(51))
    assert deepseek is not None
    assert gpt is not None
    assert claude is not None
    assert (f"{gpt / deepseek:.1f}", f"{claude / deepseek:.1f}") == ("3.6", "4.7")
    assert plan(Budget(usd=Decimal("10.80")), attempts("0.0072")).worst == 1500


def test_dollars_count_the_prompt_per_request_and_flops_once() -> None:
    single = Job(1000, 100, PRICE, SMALL)
    shared = Job(1000, 100, PRICE, SMALL, per_request=4)
    assert cost_of(single, 8).usd == 8 * Decimal("0.0025") + 8 * Decimal("0.001")
    assert cost_of(shared, 8).usd == 2 * Decimal("0.0025") + 8 * Decimal("0.001")
    assert cost_of(shared, 9).usd == 3 * Decimal("0.0025") + 9 * Decimal("0.001")
    assert cost_of(single, 8).flops == cost_of(shared, 8).flops == sampling_flops(SMALL, 1000, 100, 8)
    assert cost_of(single, 0) == Amounts()


def test_the_worst_is_at_the_dearest_rates() -> None:
    dear = Price(Rates(Decimal("1e-6"), Decimal("2e-6"), reasoning=Decimal("3e-6")), "test")
    job = Job(1000, 1000, dear)
    assert cost_of(job, 2).usd == Decimal("0.006")
    assert worst_cost_of(job, 2).usd == Decimal("0.008")


def test_what_is_unknown_stays_unknown() -> None:
    assert cost_of(Job(10, 10), 5) == Amounts(None, None, 100, 5)
    capped = plan(Budget(usd=Decimal(1), flops=10**12), Job(10, 10))
    assert (capped.worst, capped.expected, capped.unheld) == (0, 0, ("usd", "flops"))


def test_no_cap_plans_no_end() -> None:
    endless = plan(Budget(), Job(10, 10, PRICE, SMALL))
    assert endless.worst == endless.expected == UNLIMITED_SAMPLES
    assert endless.limit is None
    assert endless.cost.usd is None


def test_seconds_need_a_speed() -> None:
    budget = Budget(seconds=60.0)
    assert plan(budget, Job(10, 10)).unheld == ("seconds",)
    timed = plan(budget, Job(10, 10, samples_per_second=0.5))
    assert (timed.worst, timed.expected, timed.limit, timed.seconds) == (30, 30, "seconds", 60.0)


def test_a_cap_below_one_sample_buys_none() -> None:
    nothing = plan(Budget(usd=Decimal("0.001")), Job(1000, 512, PRICE))
    assert (nothing.worst, nothing.expected, nothing.limit) == (0, 0, "usd")


def test_usual_samples_are_more_than_the_guaranteed_ones() -> None:
    job = Job(1000, 512, PRICE, usual_prompt=400, usual_tokens=100)
    bought = plan(Budget(usd=Decimal(1)), job)
    assert bought.worst == 131  # 1 / (0.0025 + 0.00512)
    assert bought.expected == 497  # 496 at 0.002, and the last at worst
    assert bought.cost.usd == 497 * Decimal("0.002")
    assert bought.limit == "usd"


def test_the_smallest_cap_ends_the_run() -> None:
    job = Job(10, 90, PRICE, SMALL)
    assert plan(Budget(usd=Decimal(1), samples=5), job).limit == "samples"
    assert plan(Budget(tokens=1000, samples=50), job).limit == "tokens"
    assert plan(Budget(tokens=1000, samples=50), job).expected == 10
    flops = prompt_flops(SMALL, 10) + 3 * decode_flops(SMALL, 10, 90)
    assert plan(Budget(flops=flops), job).worst == 3
    assert plan(Budget(flops=flops - 1), job).worst == 2


@given(
    cents=st.integers(0, 500),
    prompt=st.integers(0, 2000),
    most=st.integers(1, 2000),
    usual=st.integers(0, 100),
)
def test_a_ledger_gets_through_as_many_samples_as_planned(
    cents: int, prompt: int, most: int, usual: int
) -> None:
    """One request at a time, each costing the usual: the plan's number is the one that the ledger grants."""
    usual_tokens = most * usual // 100
    budget = Budget(usd=Decimal(cents) / 1000, samples=300)
    bought = plan(budget, Job(prompt, most, PRICE, usual_tokens=usual_tokens))
    ledger = Ledger(budget)
    hold_prompt = Amounts(PRICE.worst_prompt(prompt), 0, prompt)
    hold_each = Amounts(PRICE.worst_choice(prompt, most), 0, most, 1)
    done = 0
    while ledger.affordable(hold_prompt, hold_each):
        call = ledger.reserve("m", prompt=hold_prompt, each=hold_each, choices=1)
        call.settle_prompt(Amounts(PRICE.prompt_cost(prompt), 0, prompt))
        call.settle_choice(0, Amounts(PRICE.completion_cost(prompt, usual_tokens), 0, usual_tokens, 1))
        done += 1
    assert done == bought.expected
    assert bought.worst <= bought.expected
    assert ledger.books.known.usd == bought.cost.usd


def test_the_outlook_of_a_run() -> None:
    budget = Budget(usd=Decimal(1), samples=1000)
    usual, worst = Amounts(Decimal("0.002"), 5, 100, 1), Amounts(Decimal("0.01"), 9, 500, 1)
    ahead = outlook(budget, usual.times(100), usual, worst, seconds=50.0, per_second=2.0)
    assert (ahead.samples, ahead.limit, ahead.seconds) == (396, "usd", 198.0)
    late = outlook(budget.raised(seconds=60.0), usual.times(100), usual, worst, seconds=50.0, per_second=2.0)
    assert (late.samples, late.limit) == (20, "seconds")
    over = outlook(budget, Amounts(Decimal(2)), usual, worst, seconds=0.0, per_second=None)
    assert (over.samples, over.limit, over.seconds) == (0, "usd", None)
    unknown = Amounts(None, None, 100, 1)
    free = outlook(Budget(flops=10), unknown, unknown, unknown, seconds=0.0, per_second=None)
    assert free.samples == UNLIMITED_SAMPLES


def test_impossible_jobs_are_refused() -> None:
    for impossible in (
        lambda: Job(-1, 10),
        lambda: Job(10, -1),
        lambda: Job(10, 10, usual_tokens=-1),
        lambda: Job(10, 10, per_request=0),
        lambda: Job(10, 10, samples_per_second=0.0),
        lambda: Job(10, 10, samples_per_second=float("nan")),
        lambda: cost_of(Job(1, 1), -1),
    ):
        with pytest.raises(ValueError, match=r"zero or more|at least one|above zero"):
            impossible()

"""The ways in which spending is known to slip past caps, each met by the price and the ledger together.

They are the reported faults of client-side budget guards: completions without a token limit, cancelled
streams that cost nothing on paper, retries that are not counted, long-prompt and cache-write prices that are
forgotten, several choices reserved as one, crashes with requests outstanding, and charges counted twice.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from budgets.amounts import Amounts, Budget
from budgets.ledger import AlreadySettled, Call, Ledger, WouldExceed
from budgets.rates import Price, Rates, Tier, Usage

MILLION = Decimal(1_000_000)


def dollars_per_million(text: str) -> Decimal:
    return Decimal(text) / MILLION


PLAIN = Price(Rates(dollars_per_million("2.50"), dollars_per_million("10")), "test")
CACHING = Price(
    Rates(
        dollars_per_million("3"),
        dollars_per_million("15"),
        cached=dollars_per_million("0.30"),
        cache_write=dollars_per_million("3.75"),
    ),
    "test",
)
TIERED = Price(
    Rates(dollars_per_million("1.25"), dollars_per_million("10")),
    "test",
    tiers=(Tier(200_000, Rates(dollars_per_million("2.50"), dollars_per_million("15"))),),
)
THINKING = Price(
    Rates(dollars_per_million("1"), dollars_per_million("4"), reasoning=dollars_per_million("12")), "test"
)


def reserve(ledger: Ledger, price: Price, prompt: int, max_tokens: int, choices: int = 1) -> Call:
    return ledger.reserve(
        "m",
        prompt=Amounts(price.worst_prompt(prompt), None, prompt),
        each=Amounts(price.worst_choice(prompt, max_tokens), None, max_tokens, 1),
        choices=choices,
    )


def test_no_token_limit_reserves_the_whole_context() -> None:
    """Without max_tokens a completion may fill the model's context; the cap must be asked about that."""
    context = 128_000
    ledger = Ledger(Budget(usd=Decimal(1)))
    with pytest.raises(WouldExceed) as refused:
        reserve(ledger, PLAIN, 1000, context - 1000)
    assert refused.value.needed == Decimal("0.0025") + Decimal("1.27")


def test_a_stream_cancelled_half_way_costs_what_it_showed_and_may_cost_all() -> None:
    ledger = Ledger(Budget(usd=Decimal(1)))
    call = reserve(ledger, PLAIN, 1000, 1000)
    call.settle_prompt(Amounts(PLAIN.prompt_cost(1000), None, 1000))
    seen = Amounts(PLAIN.completion_cost(1000, 400), None, 400)
    call.settle_choice(0, seen, Amounts(PLAIN.worst_choice(1000, 1000), None, 1000))
    assert ledger.books.known.usd == Decimal("0.0065")
    assert ledger.books.at_most.usd == Decimal("0.0125")


def test_many_cancelled_streams_cannot_pass_a_small_cap() -> None:
    ledger = Ledger(Budget(usd=Decimal("0.002")))
    cost = Amounts(Decimal("0.00081"), None, 81)
    started = 0
    for _ in range(23):
        if ledger.affordable(Amounts(), cost) == 0:
            break
        call = ledger.reserve("m", prompt=Amounts(), each=cost, choices=1)
        call.close(lost=True)
        started += 1
    assert started == 2
    assert ledger.books.at_most.usd == Decimal("0.00162")


def test_a_retry_after_a_failure_pays_again() -> None:
    ledger = Ledger(Budget(usd=Decimal("0.025")))
    reserve(ledger, PLAIN, 1000, 1000).close(lost=True)
    reserve(ledger, PLAIN, 1000, 1000).close(lost=True)
    assert ledger.books.at_most.usd == Decimal("0.025")
    with pytest.raises(WouldExceed):
        reserve(ledger, PLAIN, 1000, 1000)


def test_a_refused_request_that_is_tried_again_pays_once() -> None:
    ledger = Ledger(Budget(usd=Decimal("0.0125")))
    reserve(ledger, PLAIN, 1000, 1000).close(lost=False)
    reserve(ledger, PLAIN, 1000, 1000).close(lost=True)
    assert ledger.books.at_most.usd == Decimal("0.0125")


def test_one_token_over_the_threshold_doubles_the_whole_prompt() -> None:
    assert TIERED.worst_prompt(200_000) == Decimal("0.25")
    assert TIERED.worst_prompt(200_001) == Decimal("0.5000025")
    assert TIERED.worst_choice(200_000, 1000) == Decimal("0.01")
    assert TIERED.worst_choice(200_001, 1000) == Decimal("0.015")
    assert TIERED.cost(Usage(200_001, 1000)) == Decimal("0.5150025")


def test_a_cheaper_tier_never_lowers_the_worst_case() -> None:
    bulk = Price(PLAIN.rates, "test", tiers=(Tier(1000, Rates(Decimal(0), Decimal(0))),))
    assert bulk.worst(2000, 100, 1) == PLAIN.worst(2000, 100, 1)
    assert bulk.cost(Usage(2000, 100)) == 0


def test_the_prompt_is_reserved_as_if_all_of_it_were_written_to_the_cache() -> None:
    assert CACHING.worst_prompt(1_000_000) == Decimal("3.75")
    assert CACHING.cost(Usage(1_000_000, 0, cached=400_000, cache_written=600_000)) == Decimal("2.37")
    assert CACHING.cost(Usage(1_000_000, 0)) == Decimal(3)


def test_the_completion_is_reserved_as_if_all_of_it_were_reasoning() -> None:
    assert THINKING.worst_choice(10, 1_000_000) == Decimal(12)
    assert THINKING.cost(Usage(0, 1_000_000, reasoning=250_000)) == Decimal(6)


def test_every_choice_of_a_request_is_reserved() -> None:
    ledger = Ledger(Budget(usd=Decimal("0.04")))
    with pytest.raises(WouldExceed):
        reserve(ledger, PLAIN, 1000, 1000, choices=4)
    call = reserve(ledger, PLAIN, 1000, 1000, choices=3)
    assert call.worst.usd == Decimal("0.0325")


def test_a_crash_with_requests_outstanding_is_remembered_by_the_next_process() -> None:
    first = Ledger(Budget(usd=Decimal("0.05"), samples=8))
    done, open_ = reserve(first, PLAIN, 1000, 1000), reserve(first, PLAIN, 1000, 1000, choices=2)
    done.settle_prompt(Amounts(PLAIN.prompt_cost(900), None, 900))
    done.settle_choice(0, Amounts(PLAIN.completion_cost(900, 500), None, 500, 1))

    second = Ledger(Budget(usd=Decimal("0.05"), samples=8))
    second.restore(first.books.known, first.books.at_most, "m")
    second.restore(Amounts(), open_.held, "m")
    assert first.books.at_most.usd is not None
    assert second.books.at_most.usd == first.books.at_most.usd + Decimal("0.0225")
    assert second.remaining("samples") == 7
    with pytest.raises(WouldExceed):
        reserve(second, PLAIN, 1000, 1000, choices=2)


def test_a_result_that_is_delivered_twice_is_counted_once() -> None:
    ledger = Ledger(Budget(usd=Decimal(1)))
    call = reserve(ledger, PLAIN, 1000, 1000)
    cost = Amounts(PLAIN.completion_cost(1000, 500), None, 500, 1)
    call.settle_choice(0, cost)
    with pytest.raises(AlreadySettled):
        call.settle_choice(0, cost)
    call.close(lost=True)
    assert ledger.books.known.usd == Decimal("0.005")
    assert ledger.books.at_most.usd == Decimal("0.0075")

"""Prices as LiteLLM's table states them, exact, and refused with a reason where they cannot be right."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgets.amounts import AmountError
from budgets.prices import (
    FREE,
    Price,
    PriceError,
    Rates,
    Tier,
    Usage,
    context_of,
    gpu_cost,
    parse_price,
    price_of,
    priced_names,
    read_price,
    why_unpriced,
)

GOOD: dict[str, object] = {
    "mode": "chat",
    "litellm_provider": "acme",
    "input_cost_per_token": Decimal("0.000001"),
    "output_cost_per_token": Decimal("0.000002"),
}


def read(**fields: object) -> Price:
    return read_price("acme/model", {**GOOD, **fields}, source="test", dated="today")


# The table itself


def test_a_known_model_has_its_price_its_source_and_its_date() -> None:
    price = price_of("gpt-4o")
    assert price is not None
    assert (price.input, price.output) == (Decimal("0.0000025"), Decimal("0.00001"))
    assert price.source == "LiteLLM's price table"
    assert price.dated is not None
    assert price.dated.startswith("version 1.")
    assert price.cost(Usage(1_000_000, 0)) == Decimal("2.5")


def test_a_provider_prefix_is_understood_where_the_entry_confirms_it() -> None:
    assert price_of("openai/gpt-4o") == price_of("gpt-4o")
    assert price_of("anthropic/claude-sonnet-4-5") == price_of("claude-sonnet-4-5")
    assert price_of("openai/claude-sonnet-4-5") is None
    assert price_of("ft:gpt-4o-mini-2024-07-18:us::abc") == price_of("ft:gpt-4o-mini-2024-07-18")


def test_long_prompts_cost_more_where_the_table_says_so() -> None:
    price = price_of("gemini/gemini-2.5-pro")
    assert price is not None
    assert price.tiers[0].above == 200_000
    assert price.cost(Usage(200_001, 0)) > 2 * price.cost(Usage(199_999, 0)) * Decimal("0.99")


def test_an_unknown_model_is_unknown_and_says_so() -> None:
    assert price_of("no-such-model") is None
    assert "not in LiteLLM's price table" in (why_unpriced("no-such-model") or "")
    assert price_of("sample_spec") is None
    assert why_unpriced("gpt-4o") is None
    assert context_of("gpt-4o") == 128_000
    assert context_of("no-such-model") is None


def test_the_users_own_price_comes_first() -> None:
    mine = parse_price("1,2")
    assert price_of("gpt-4o", {"gpt-4o": mine}) is mine
    assert price_of("no-such-model", {"no-such-model": mine}) is mine


def test_a_hosted_model_listed_at_zero_is_unknown_but_a_local_one_is_free() -> None:
    assert price_of("gemini/gemini-exp-1114") is None
    assert "at zero" in (why_unpriced("gemini/gemini-exp-1114") or "")
    local = price_of("ollama/llama2")
    assert local is not None
    assert local.is_free


def test_every_entry_is_priced_or_refused_with_a_reason() -> None:
    names = priced_names()
    priced = 0
    for name in names:
        price = price_of(name)
        if price is None:
            assert why_unpriced(name)
        else:
            priced += 1
            usage = Usage(1000, 1000, cached=300, cache_written=300, reasoning=500)
            assert price.cost(usage) <= price.worst(1000, 1000, 1)
    assert priced > 0.9 * len(names)


def test_reading_the_table_does_not_import_litellm() -> None:
    code = (
        "import sys; from budgets.prices import price_of;"
        "assert price_of('gpt-4o'); assert 'litellm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# One entry


def test_the_fields_of_an_entry() -> None:
    price = read(
        cache_read_input_token_cost=Decimal("0.0000001"),
        cache_creation_input_token_cost=Decimal("0.00000125"),
        output_cost_per_reasoning_token=Decimal("0.000003"),
        input_cost_per_request=Decimal("0.005"),
        input_cost_per_token_above_128k_tokens=Decimal("0.000004"),
        output_cost_per_token_above_272k_tokens=Decimal("0.000009"),
        input_cost_per_token_priority=Decimal(1),
        input_cost_per_token_above_128k_tokens_priority=Decimal(1),
        cache_creation_input_token_cost_above_1hr=Decimal(1),
    )
    base = Rates(
        Decimal("0.000001"),
        Decimal("0.000002"),
        Decimal("0.0000001"),
        Decimal("0.00000125"),
        Decimal("0.000003"),
    )
    assert price.rates == base
    assert price.per_request == Decimal("0.005")
    assert [tier.above for tier in price.tiers] == [128_000, 272_000]
    assert price.tiers[0].rates.input == price.tiers[1].rates.input == Decimal("0.000004")
    assert [tier.rates.output for tier in price.tiers] == [Decimal("0.000002"), Decimal("0.000009")]
    assert price.tiers[1].rates.cache_write == base.cache_write


def test_xai_bills_the_dearer_rates_from_the_threshold_on() -> None:
    price = read(litellm_provider="xai", input_cost_per_token_above_128k_tokens=Decimal("0.000004"))
    assert price.prompt_cost(127_999) == Decimal("0.127999")
    assert price.prompt_cost(128_000) == Decimal("0.512")


def test_bands_of_prompt_length() -> None:
    bands: list[object] = [
        {
            "range": [32_000, 128_000],
            "input_cost_per_token": Decimal("0.000003"),
            "output_cost_per_token": Decimal("0.000004"),
        },
        {
            "range": [0, 32_000],
            "input_cost_per_token": Decimal("0.000001"),
            "output_cost_per_token": Decimal("0.000002"),
        },
    ]
    price = read(tiered_pricing=bands)
    assert price.prompt_cost(32_000) == Decimal("0.032")
    assert price.prompt_cost(32_001) == Decimal("0.096003")
    assert price.completion_cost(500_000, 1000) == Decimal("0.004")
    with pytest.raises(PriceError, match="short prompts"):
        read(tiered_pricing=bands[:1])
    with pytest.raises(PriceError, match="no range"):
        read(tiered_pricing=[{"input_cost_per_token": 1}])
    with pytest.raises(PriceError, match="not a list"):
        read(tiered_pricing="cheap")


def test_a_cache_write_at_zero_means_no_surcharge() -> None:
    price = read(cache_creation_input_token_cost=Decimal(0))
    assert price.prompt_cost(1000, cache_written=1000) == Decimal("0.001")


def test_a_model_that_always_searches_pays_a_search_per_request() -> None:
    fees = {"search_context_size_low": Decimal("0.005"), "search_context_size_high": Decimal("0.012")}
    assert read(search_context_cost_per_query=fees).per_request == 0
    assert read(search_context_cost_per_query=fees, litellm_provider="perplexity").per_request == Decimal(
        "0.012"
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"input_cost_per_token": Decimal(-1)}, "below zero"),
        ({"output_cost_per_token": -1}, "below zero"),
        ({"input_cost_per_token": "0.1"}, "not a number"),
        ({"input_cost_per_token": "NaN"}, "not a number"),
        ({"input_cost_per_token": True}, "not a number"),
        ({"input_cost_per_token": Decimal("nan")}, "not finite"),
        ({"input_cost_per_token": Decimal("Infinity")}, "not finite"),
        ({"input_cost_per_token": [1]}, "not a number"),
        ({"input_cost_per_token": None}, "no price per input token"),
        ({"output_cost_per_token": None}, "no price per output token"),
        ({"input_cost_per_token": Decimal(5)}, "absurdly high"),
        ({"cache_read_input_token_cost": "free"}, "not a number"),
        ({"output_cost_per_token_above_200k_tokens": Decimal("-0.1")}, "below zero"),
        ({"input_cost_per_request": Decimal(-1)}, "below zero"),
        ({"mode": "image_generation"}, "not by tokens"),
        ({"citation_cost_per_token": Decimal("0.1")}, "nothing bounds"),
        ({"input_cost_per_token": 0, "output_cost_per_token": 0}, "at zero"),
    ],
)
def test_an_entry_that_cannot_be_right_is_refused(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(PriceError, match=reason):
        read(**fields)


# Prices people give


def test_a_price_on_the_command_line() -> None:
    price = parse_price(" $0.15 , 0.60")
    assert (price.input, price.output) == (Decimal("1.5e-7"), Decimal("6e-7"))
    assert price.source == "given on the command line"
    assert parse_price("0,0").is_free


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b", "-1,2", "nan,1", "1,inf", "1e9,1", ",", "1;2"])
def test_a_price_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(AmountError, match=r"write"):
        parse_price(text)


def test_rented_time_costs_by_the_second() -> None:
    assert gpu_cost(Decimal("2.40"), 90) == Decimal("0.06")
    assert gpu_cost(Decimal(1), 1) == Decimal("0.000277777777778")
    assert FREE.worst(10**6, 10**6, 100) == 0
    for rate, seconds in (
        (Decimal(-1), 1.0),
        (Decimal(1), -1.0),
        (Decimal(1), float("nan")),
        (Decimal("inf"), 1.0),
    ):
        with pytest.raises(ValueError, match="zero or more"):
            gpu_cost(rate, seconds)


rates = st.decimals(0, "0.0001", places=9)
some = st.one_of(st.none(), rates)
any_rates = st.builds(Rates, rates, rates, some, some, some)


@given(
    base=any_rates,
    tiers=st.lists(any_rates, max_size=3),
    fee=rates,
    bound=st.integers(0, 400),
    data=st.data(),
)
def test_no_usage_within_the_bounds_costs_more_than_the_worst(
    base: Rates, tiers: list[Rates], fee: Decimal, bound: int, data: st.DataObject
) -> None:
    price = Price(
        base, "test", per_request=fee, tiers=tuple(Tier(100 * (i + 1), tier) for i, tier in enumerate(tiers))
    )
    prompt = data.draw(st.integers(0, bound))
    cached = data.draw(st.integers(0, prompt))
    written = data.draw(st.integers(0, prompt - cached))
    completion = data.draw(st.integers(0, 100))
    reasoning = data.draw(st.integers(0, completion))
    usage = Usage(prompt, completion, cached, written, reasoning)
    assert price.cost(usage) <= price.worst(bound, 100, 1)
    assert price.prompt_cost(prompt, cached, written) <= price.worst_prompt(bound)
    assert price.completion_cost(prompt, completion, reasoning) <= price.worst_choice(bound, 100)


def test_tiers_rise_and_usage_adds_up() -> None:
    cheap = Rates(Decimal(0), Decimal(0))
    with pytest.raises(PriceError, match="do not rise"):
        Price(cheap, "test", tiers=(Tier(200, cheap), Tier(100, cheap)))
    with pytest.raises(ValueError, match="part of the prompt"):
        Usage(10, 10, cached=6, cache_written=5)
    with pytest.raises(ValueError, match="zero or more"):
        Usage(-1, 0)
    with pytest.raises(ValueError, match="zero or more"):
        FREE.completion_cost(0, 5, reasoning=6)

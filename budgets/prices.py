"""Prices by model name, from the table that LiteLLM ships, read as plain JSON.

Importing litellm takes seconds and may fetch a newer table; the file beside it takes hundredths of a second,
and its version says how old a price is. Every entry is judged alone: one with a missing, negative, textual or
non-finite price is refused with its reason and leaves the others usable. A hosted model listed at zero is
refused too, because in that table zero often stands for "nobody wrote it down".

Rates that a request has to ask for (priority, flex and batch service, one-hour caches, regional endpoints,
tools) do not enter; ours never ask. Off-peak discounts are left aside, so that a price is the day's highest.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from budgets.rates import FREE, Price, PriceError, Rates, Tier, Usage, gpu_cost, parse_price

__all__ = [
    "FREE",
    "Price",
    "PriceError",
    "Rates",
    "Tier",
    "Usage",
    "context_of",
    "gpu_cost",
    "parse_price",
    "price_of",
    "priced_names",
    "provider_in_table",
    "read_price",
    "why_unpriced",
]

_Entry: TypeAlias = Mapping[str, object]
_NO_PRICES: Mapping[str, Price] = {}
_TEXT_MODES = ("chat", "completion", "responses")
_LOCAL_PROVIDERS = frozenset({"ollama", "ollama_chat", "lemonade", "lm_studio", "llamafile", "hosted_vllm"})
_TIER_KEY = re.compile(r"(\w+?)_above_(\d+)(k?)_tokens")
_RATE_KEYS = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "reasoning": "output_cost_per_reasoning_token",
}


def price_of(name: str, overrides: Mapping[str, Price] = _NO_PRICES) -> Price | None:
    """The price of a model, ``overrides`` first; None where it is unknown (``why_unpriced`` says why)."""
    if name in overrides:
        return overrides[name]
    entry = _find(name)
    if entry is None:
        return None
    try:
        return read_price(name, entry, source="LiteLLM's price table", dated=_table_version())
    except PriceError:
        return None


def why_unpriced(name: str) -> str | None:
    """Why ``price_of`` has no price for a model, as one sentence; None where it has one."""
    entry = _find(name)
    if entry is None:
        return f"{name} is not in LiteLLM's price table ({_table_version()})."
    try:
        read_price(name, entry, source="", dated=None)
    except PriceError as error:
        return f"LiteLLM's price table ({_table_version()}) lists {name}, but {error}."
    return None


def context_of(name: str) -> int | None:
    """The longest prompt a listed model takes, in tokens; None where unknown."""
    entry = _find(name)
    longest = None if entry is None else entry.get("max_input_tokens")
    return longest if isinstance(longest, int) and not isinstance(longest, bool) and longest > 0 else None


def provider_in_table(name: str) -> str | None:
    """Who serves a listed model, in the table's own words; None where it is not listed."""
    entry = _find(name)
    provider = None if entry is None else entry.get("litellm_provider")
    return provider if isinstance(provider, str) else None


def priced_names() -> tuple[str, ...]:
    """The names of all text models of the table, priced or refused."""
    return tuple(name for name, entry in _table().items() if entry.get("mode") in _TEXT_MODES)


def read_price(name: str, entry: _Entry, *, source: str, dated: str | None) -> Price:
    """The price in one entry of the table. Raises ``PriceError`` with the reason why there is none."""
    mode = entry.get("mode")
    if mode is not None and mode not in _TEXT_MODES:
        raise PriceError(f"it is billed as {mode}, not by tokens of text")
    if entry.get("citation_cost_per_token") or "deep-research" in name:
        raise PriceError("it bills for searches whose number nothing bounds")
    base, tiers = _banded(entry) if entry.get("tiered_pricing") else _flat(entry)
    price = Price(base, source, dated, _request_fee(name, entry), tiers)
    local = entry.get("litellm_provider") in _LOCAL_PROVIDERS and not name.endswith("-cloud")
    if price.is_free and not local:
        raise PriceError("at zero, which does not say that its provider charges nothing")
    return price


def _flat(entry: _Entry) -> tuple[Rates, tuple[Tier, ...]]:
    """Rates as plain fields, with dearer ones as fields that name their threshold."""
    base = _rates(entry, _RATE_KEYS, None)
    keys_of: dict[int, dict[str, str]] = {}
    for key in entry:
        match = _TIER_KEY.fullmatch(key)
        if match is not None:
            plain, number, thousands = match.groups()
            field = next((field for field, name in _RATE_KEYS.items() if name == plain), None)
            if field is not None:
                keys_of.setdefault(int(number) * (1000 if thousands else 1), {})[field] = key
    # xAI bills the dearer rates from the threshold on, everyone else past it.
    first = -1 if entry.get("litellm_provider") == "xai" else 0
    tiers, lower = [], base
    for threshold in sorted(keys_of):
        lower = _rates(entry, keys_of[threshold], lower)
        tiers.append(Tier(threshold + first, lower))
    return base, tuple(tiers)


def _banded(entry: _Entry) -> tuple[Rates, tuple[Tier, ...]]:
    """Rates as a list of bands of prompt length."""
    bands = entry["tiered_pricing"]
    if not isinstance(bands, list):
        raise PriceError("its tiers are not a list")
    tiers = []
    for band in bands:
        limits = band.get("range") if isinstance(band, dict) else None
        if not isinstance(limits, list) or len(limits) != 2:
            raise PriceError("one of its tiers has no range")
        start = _number(limits[0], "start of a tier")
        tiers.append(Tier(int(start), _rates(band, _RATE_KEYS, None)))
    tiers.sort(key=lambda tier: tier.above)
    if tiers[0].above != 0:
        raise PriceError("its tiers leave out short prompts")
    return tiers[0].rates, tuple(tiers[1:])


def _rates(fields: _Entry, keys: Mapping[str, str], below: Rates | None) -> Rates:
    """Rates from the named fields; what is absent comes from the tier ``below``, if there is one."""
    found = {name: _number(fields[key], key) for name, key in keys.items() if fields.get(key) is not None}
    for name in ("input", "output"):
        if name not in found:
            if below is None:
                raise PriceError(f"it has no price per {name} token")
            found[name] = getattr(below, name)
    if found.get("cache_write") == 0:
        # A token is read before it is written to a cache: zero here means "no surcharge".
        del found["cache_write"]
    inherited = (
        {}
        if below is None
        else {name: getattr(below, name) for name in ("cached", "cache_write", "reasoning")}
    )
    return Rates(**{**inherited, **found})


def _request_fee(name: str, entry: _Entry) -> Decimal:
    """The fee per request; a model that searches the web for every answer pays a search each time."""
    fee = _number(entry.get("input_cost_per_request", 0), "input_cost_per_request")
    searches = entry.get("search_context_cost_per_query")
    always = entry.get("litellm_provider") == "perplexity" or "search-" in name
    if always and isinstance(searches, Mapping):
        fee += max((_number(value, "search price") for value in searches.values()), default=Decimal(0))
    return fee


def _number(value: object, what: str) -> Decimal:
    """A JSON number as Decimal. Booleans, text and the words NaN and Infinity are not numbers."""
    if isinstance(value, Decimal):
        number = value
    elif isinstance(value, int) and not isinstance(value, bool):
        number = Decimal(value)
    else:
        raise PriceError(f"its {what} is not a number")
    if not number.is_finite():
        raise PriceError(f"its {what} is not finite")
    if number < 0:
        raise PriceError(f"its {what} is below zero")
    return number


# The table ----------------------------------------------------------------------------------------------


def _find(name: str) -> _Entry | None:
    """The entry of ``name``: as written, or without a provider's prefix that its entry confirms."""
    table = _table()
    if name in table and name != "sample_spec":
        return table[name]
    if name.startswith("ft:"):
        return table.get(":".join(name.split(":")[:2]))
    provider, slash, rest = name.partition("/")
    entry = table.get(rest) if slash else None
    owner = None if entry is None else entry.get("litellm_provider")
    if isinstance(owner, str) and (owner == provider or owner.startswith((f"{provider}-", f"{provider}_"))):
        return entry
    return None


@lru_cache(maxsize=1)
def _table() -> Mapping[str, _Entry]:
    """All entries, numbers with a point as exact decimals; empty where litellm is not installed."""
    path = _table_path()
    if path is None:
        return {}
    # NaN and Infinity stay text, so that only the entry that holds one is refused.
    table = json.loads(path.read_bytes(), parse_float=Decimal, parse_constant=str)
    return {name: entry for name, entry in table.items() if isinstance(entry, dict)}


def _table_path() -> Path | None:
    spec = importlib.util.find_spec("litellm")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "model_prices_and_context_window_backup.json"
    return path if path.is_file() else None


@lru_cache(maxsize=1)
def _table_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"version {version('litellm')}"
    except PackageNotFoundError:
        return "not installed"

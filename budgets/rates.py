"""A price: what a request costs when its usage is known, and what it can cost at worst before it is sent.

A provider's price is a handful of rates in dollars per token (fresh prompt, prompt read from a cache, prompt
written to a cache, completion, hidden reasoning), sometimes a fee per request, and sometimes dearer rates for
long prompts. Past a threshold those rates hold for the whole request, its completion included.

The worst case takes, of the rates that can apply, the dearest for every token. "Input price times prompt plus
output price times completion" is not that: a cache write costs more than a fresh token, reasoning may cost
more than plain output, and a prompt one token over a threshold can double the bill.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation

from budgets.amounts import AmountError, Usd, exact_usd

__all__ = ["FREE", "Price", "PriceError", "Rates", "Tier", "Usage", "gpu_cost", "parse_price"]

_EXACT = Context(prec=120)
_MOST_PER_TOKEN = Decimal("0.1")
"""A rate above a hundred thousand dollars per million tokens is a slip of the pen."""


class PriceError(ValueError):
    """A price that cannot be right. The message is the reason, in a few words."""


def _check_rate(name: str, rate: Decimal, most: Decimal) -> None:
    if not rate.is_finite():
        raise PriceError(f"its {name} price is not a finite number")
    if rate < 0:
        raise PriceError(f"its {name} price is below zero")
    if rate > most:
        raise PriceError(f"its {name} price is absurdly high")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a provider reported of one request, in tokens.

    ``cached`` and ``cache_written`` are parts of ``prompt``; ``reasoning`` is a part of ``completion``.
    """

    prompt: int
    completion: int
    cached: int = 0
    cache_written: int = 0
    reasoning: int = 0

    def __post_init__(self) -> None:
        if min(self.prompt, self.completion, self.cached, self.cache_written, self.reasoning) < 0:
            raise ValueError("A number of tokens is zero or more.")
        if self.cached + self.cache_written > self.prompt or self.reasoning > self.completion:
            raise ValueError("Cached tokens are part of the prompt, reasoning tokens of the completion.")


@dataclass(frozen=True, slots=True)
class Rates:
    """Dollars per token. A rate that is None is the plain one: ``input`` for caches, ``output`` for
    reasoning. Raises ``PriceError`` for a rate below zero, not finite, or absurdly high."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    cache_write: Decimal | None = None
    reasoning: Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("input", "output", "cached", "cache_write", "reasoning"):
            rate: Decimal | None = getattr(self, name)
            if rate is not None:
                _check_rate(name, rate, _MOST_PER_TOKEN)

    @property
    def dearest_input(self) -> Decimal:
        return max(rate for rate in (self.input, self.cached, self.cache_write) if rate is not None)

    @property
    def dearest_output(self) -> Decimal:
        return self.output if self.reasoning is None else max(self.output, self.reasoning)


@dataclass(frozen=True, slots=True)
class Tier:
    """Rates for a request whose prompt is longer than ``above`` tokens."""

    above: int
    rates: Rates


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, where that was read, and the date or version of the place.

    ``tiers`` rise by their thresholds. Raises ``PriceError``.
    """

    rates: Rates
    source: str
    dated: str | None = None
    per_request: Decimal = Decimal(0)
    tiers: tuple[Tier, ...] = ()

    def __post_init__(self) -> None:
        _check_rate("per request", self.per_request, Decimal(1000))
        above = [tier.above for tier in self.tiers]
        if above != sorted(set(above)) or (above and above[0] < 0):
            raise PriceError("its tiers do not rise")

    @property
    def input(self) -> Decimal:
        """Dollars per fresh prompt token, below every threshold."""
        return self.rates.input

    @property
    def output(self) -> Decimal:
        """Dollars per completion token, below every threshold."""
        return self.rates.output

    @property
    def is_free(self) -> bool:
        """Whether nothing it bills for costs anything, at any length."""
        every = (self.rates, *(tier.rates for tier in self.tiers))
        return not self.per_request and not any(r.dearest_input or r.dearest_output for r in every)

    def prompt_cost(self, prompt: int, cached: int = 0, cache_written: int = 0) -> Usd:
        """Dollars for reading a prompt once, with the fee of the request."""
        rates = self._rates_for(prompt)
        fresh = prompt - cached - cache_written
        read = rates.input if rates.cached is None else rates.cached
        written = rates.input if rates.cache_write is None else rates.cache_write
        return _sum((rates.input, fresh), (read, cached), (written, cache_written), (self.per_request, 1))

    def completion_cost(self, prompt: int, completion: int, reasoning: int = 0) -> Usd:
        """Dollars for ``completion`` tokens, ``reasoning`` of them hidden, after ``prompt`` tokens."""
        rates = self._rates_for(prompt)
        thought = rates.output if rates.reasoning is None else rates.reasoning
        return _sum((rates.output, completion - reasoning), (thought, reasoning))

    def cost(self, usage: Usage) -> Usd:
        """Dollars of a request whose usage is known: its prompt once, all of its completions."""
        prompt = self.prompt_cost(usage.prompt, usage.cached, usage.cache_written)
        return prompt + self.completion_cost(usage.prompt, usage.completion, usage.reasoning)

    def worst_prompt(self, prompt: int) -> Usd:
        """The most that reading a prompt of up to ``prompt`` tokens costs, with the fee of the request."""
        return _sum((max(r.dearest_input for r in self._applicable(prompt)), prompt), (self.per_request, 1))

    def worst_choice(self, prompt: int, completion: int) -> Usd:
        """The most that one completion of up to ``completion`` tokens costs after such a prompt."""
        return _sum((max(r.dearest_output for r in self._applicable(prompt)), completion))

    def worst(self, prompt: int, completion: int, choices: int) -> Usd:
        """The most that one request costs: ``choices`` completions of up to ``completion`` tokens each."""
        return self.worst_prompt(prompt) + choices * self.worst_choice(prompt, completion)

    def _rates_for(self, prompt: int) -> Rates:
        rates = self.rates
        for tier in self.tiers:
            if prompt > tier.above:
                rates = tier.rates
        return rates

    def _applicable(self, prompt: int) -> Iterator[Rates]:
        yield self.rates
        yield from (tier.rates for tier in self.tiers if prompt > tier.above)


FREE = Price(Rates(Decimal(0), Decimal(0)), source="runs on this machine")
"""For a model that nobody bills."""


def parse_price(text: str) -> Price:
    """``IN,OUT`` in dollars per million tokens, for example ``0.15,0.60``. Raises ``AmountError``."""
    parts = [part.strip().removeprefix("$") for part in text.split(",")]
    if len(parts) != 2:
        raise AmountError(f"{text!r} is not a price; write IN,OUT in dollars per million tokens: 0.15,0.60.")
    try:
        million = [Decimal(part).scaleb(-6, _EXACT) for part in parts]
        return Price(Rates(*million), source="given on the command line")
    except (InvalidOperation, PriceError) as error:
        why = str(error) if isinstance(error, PriceError) else "both parts are numbers"
        raise AmountError(f"{text!r} is not a price ({why}); write for example 0.15,0.60.") from error


def gpu_cost(usd_per_hour: Decimal, busy_seconds: float) -> Usd:
    """Dollars of a rented machine for ``busy_seconds`` of work. Raises ``ValueError`` below zero."""
    busy = Decimal(repr(busy_seconds))
    if not (busy.is_finite() and busy >= 0 and usd_per_hour.is_finite() and usd_per_hour >= 0):
        raise ValueError("An hourly price and the busy seconds are finite and zero or more.")
    return exact_usd(_EXACT.divide(_EXACT.multiply(usd_per_hour, busy), Decimal(3600)))


def _sum(*terms: tuple[Decimal, int]) -> Usd:
    """Exact dollars of (rate, tokens) terms."""
    total = Decimal(0)
    for rate, count in terms:
        if count < 0:
            raise ValueError("A number of tokens is zero or more, its parts included.")
        total = _EXACT.add(total, _EXACT.multiply(rate, count))
    return exact_usd(total)

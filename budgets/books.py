"""The figures behind the ledger: limits, whole units, and the account of a model or of a whole run.

Amounts come in as Decimal dollars and counts, and are kept as plain integers, one per limit (dollars in
femto-dollars), so that a sum is exact at any length and an addition costs nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from operator import index
from typing import Literal, TypeAlias

from budgets.amounts import Amounts, show_count, show_flops, show_usd

Limit = Literal["usd", "flops", "tokens", "samples"]
Quantity: TypeAlias = Decimal | int
"""Dollars as Decimal, everything else as int."""

LIMITS: tuple[Limit, ...] = ("usd", "flops", "tokens", "samples")
NAMES: dict[Limit, str] = {"usd": "dollars", "flops": "FLOPs", "tokens": "tokens", "samples": "samples"}

Units: TypeAlias = tuple[int | None, int | None, int, int]
"""One amount per limit in whole units (femto-dollars, operations, tokens, samples); None is unknown."""

_EXACT = Context(prec=120)


def units_of(amounts: Amounts) -> Units:
    """``amounts`` in whole units, dollars rounded up. Raises ``ValueError`` below zero or not finite."""
    flops = None if amounts.flops is None else index(amounts.flops)
    units = (femto_of(amounts.usd), flops, index(amounts.tokens), index(amounts.samples))
    if (units[0] or 0) < 0 or (flops or 0) < 0 or units[2] < 0 or units[3] < 0:
        raise ValueError(f"An amount on the books is zero or more, unlike {amounts}.")
    return units


def femto_of(usd: Decimal | None, rounding: str = ROUND_CEILING) -> int | None:
    """Whole femto-dollars, rounded up unless told otherwise. Raises ``ValueError`` for what is not finite."""
    if usd is None:
        return None
    if not usd.is_finite():
        raise ValueError(f"{usd} is not an amount of dollars.")
    return int(usd.scaleb(15, _EXACT).to_integral_value(rounding))


def quantity_of(limit: Limit, units: int) -> Quantity:
    return _usd_of(units) if limit == "usd" else units


def _usd_of(femto: int) -> Decimal:
    """Exact dollars, written without an exponent or idle zeros."""
    if femto % 10**15 == 0:
        return Decimal(femto // 10**15)
    return Decimal(femto).scaleb(-15, _EXACT).normalize(_EXACT)


def amounts_of(units: Units) -> Amounts:
    usd, flops, tokens, samples = units
    return Amounts(None if usd is None else _usd_of(usd), flops, tokens, samples)


def charge(limit: Limit, known: int | None, at_most: int | None, hold: int | None) -> tuple[int, int | None]:
    """What one charge adds to (known spend, spend at most) of one limit, in units.

    Spend at most is never below what is known; where it is not known it is the whole hold, and None when the
    hold has no figure either. A sample is there or it is not: what is known of samples is all there is.
    """
    spent = known or 0
    if limit == "samples":
        return spent, spent
    if at_most is not None:
        return spent, max(spent, at_most)
    return spent, None if hold is None else max(spent, hold)


def shown(limit: Limit, quantity: Quantity) -> str:
    """A quantity with its unit, as people write it."""
    if limit == "usd":
        return show_usd(Decimal(quantity))
    if limit == "flops":
        return show_flops(int(quantity))
    return f"{show_count(int(quantity))} {NAMES[limit][:-1] if quantity == 1 else NAMES[limit]}"


@dataclass(frozen=True, slots=True)
class Books:
    """The state of an account. Every figure is the sum of what is known; a limit named in ``unknown`` has
    charges or holds beyond its figure that nobody can put a number on."""

    known: Amounts
    at_most: Amounts
    reserved: Amounts
    unknown: frozenset[Limit] = frozenset()

    @property
    def uncertain(self) -> Amounts:
        """What lost calls may have cost beyond what is known."""
        return self.at_most - self.known


class Account:
    """Running sums in whole units, one slot per limit; ``unknown`` counts charges and holds without one."""

    __slots__ = ("at_most", "known", "reserved", "unknown")

    def __init__(self) -> None:
        self.known = [0, 0, 0, 0]
        self.at_most = [0, 0, 0, 0]
        self.reserved = [0, 0, 0, 0]
        self.unknown = [0, 0, 0, 0]

    def hold(self, units: Units, times: int) -> None:
        """Reserve ``times`` holds of ``units``; a negative ``times`` gives them back."""
        for i, held in enumerate(units):
            if held is None:
                self.unknown[i] += times
            else:
                self.reserved[i] += held * times

    def add(self, i: int, spent: int, at_most: int | None) -> None:
        """Enter a charge under limit number ``i``."""
        self.known[i] += spent
        self.at_most[i] += spent if at_most is None else at_most
        self.unknown[i] += at_most is None

    def books(self) -> Books:
        unknown = frozenset(limit for limit, count in zip(LIMITS, self.unknown, strict=True) if count)
        return Books(_summed(self.known), _summed(self.at_most), _summed(self.reserved), unknown)


def _summed(units: list[int]) -> Amounts:
    usd, flops, tokens, samples = units
    return amounts_of((usd, flops, tokens, samples))

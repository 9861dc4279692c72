"""The two quantities that everything else here is about: caps on a run, and what a call uses up.

Money is exact. ``exact_usd`` rounds up to the femto-dollar (1e-15), which leaves every published price as it
is and lets a sum of any length stay exact in Decimal's 28 digits. A price or a model size that nobody knows
is ``None`` and makes every sum it enters ``None``: unknown is never zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Context, Decimal
from typing import Literal, TypeAlias

Usd: TypeAlias = Decimal
"""Dollars. A bare float never means money."""

BudgetField = Literal["usd", "flops", "tokens", "samples", "seconds"]

_EXACT = Context(prec=120)
_FEMTO = Decimal("1e-15")


class AmountError(ValueError):
    """An amount that cannot be read, or should not be believed. The message says what to write instead."""


def exact_usd(value: Decimal) -> Usd:
    """``value`` rounded up to the femto-dollar, so that adding it up never loses a digit."""
    return value if _at_most_femto(value) else value.quantize(_FEMTO, ROUND_CEILING, _EXACT)


def _at_most_femto(value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -15


@dataclass(frozen=True, slots=True)
class Budget:
    """Caps on a run; ``None`` is no cap. Raises ``AmountError`` for a cap below zero or not finite."""

    usd: Decimal | None = None
    flops: int | None = None
    tokens: int | None = None
    samples: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        for field in ("usd", "flops", "tokens", "samples", "seconds"):
            cap: Decimal | int | float | None = getattr(self, field)
            if cap is not None and not (math.isfinite(cap) and cap >= 0):
                raise AmountError(f"A cap on {field} is a finite number, zero or more; {cap} is not.")

    def raised(self, **limits: Decimal | int | float | None) -> Budget:
        """This budget with some caps replaced (``None`` lifts one). Lowering a cap is allowed too."""
        return replace(self, **limits)  # type: ignore[arg-type]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is capped at all."""
        return self == Budget()


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a call uses up. ``usd`` and ``flops`` are ``None`` where nobody knows them."""

    usd: Decimal | None = Decimal(0)
    flops: int | None = 0
    tokens: int = 0
    samples: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(
            None if self.usd is None or other.usd is None else self.usd + other.usd,
            None if self.flops is None or other.flops is None else self.flops + other.flops,
            self.tokens + other.tokens,
            self.samples + other.samples,
        )

    def __sub__(self, other: Amounts) -> Amounts:
        return Amounts(
            None if self.usd is None or other.usd is None else self.usd - other.usd,
            None if self.flops is None or other.flops is None else self.flops - other.flops,
            self.tokens - other.tokens,
            self.samples - other.samples,
        )

    def times(self, n: int) -> Amounts:
        return Amounts(
            None if self.usd is None else self.usd * n,
            None if self.flops is None else self.flops * n,
            self.tokens * n,
            self.samples * n,
        )

    def without_samples(self) -> Amounts:
        """The part that a lost call may still cost: it can bill, but it brought no sample."""
        return replace(self, samples=0)

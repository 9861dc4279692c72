"""Why the ledger says no: each reason a caller can tell apart, with the line that mends it.

LedgerError
├── WouldExceed      the worst case does not fit in what is left
├── Unpriced         a dollar cap, and nobody knows the price
├── UnknownSize      a FLOP cap, and nobody knows the model's size
└── Halted           a charge came in above its worst case
"""

from __future__ import annotations

from dataclasses import dataclass

from budgets.books import NAMES, Limit, Quantity, shown


@dataclass(frozen=True, slots=True)
class Surprise:
    """A charge of ``model`` that was ``by`` above what was held for it, under ``limit``."""

    model: str
    part: str
    limit: Limit
    by: Quantity

    @property
    def message(self) -> str:
        return f"{self.model} charged {shown(self.limit, self.by)} more than its worst case ({self.part})."


class LedgerError(Exception):
    """A reservation that is not granted. ``message`` says why, ``fix`` what to do about it."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class WouldExceed(LedgerError):
    """The worst case of a call does not fit in what is left of ``limit``."""

    def __init__(self, limit: Limit, needed: Quantity, remaining: Quantity) -> None:
        self.limit, self.needed, self.remaining = limit, needed, remaining
        super().__init__(
            f"The call may need {shown(limit, needed)}, and only {shown(limit, remaining)} can be spent.",
            f"Raise the limit on {NAMES[limit]}, or ask for fewer samples or fewer tokens per sample.",
        )


class Unpriced(LedgerError):
    """A dollar cap cannot be kept for a model whose price nobody knows."""

    def __init__(self, model: str) -> None:
        self.model = model
        super().__init__(
            f"{model} has no known price, so a limit in dollars cannot be kept.",
            "Give its price in dollars per million tokens: --price IN,OUT",
        )


class UnknownSize(LedgerError):
    """A FLOP cap cannot be kept for a model whose size nobody knows."""

    def __init__(self, model: str) -> None:
        self.model = model
        super().__init__(
            f"The size of {model} is not known, so a limit in FLOPs cannot be kept.",
            "Give its size (--parameters N --layers L --hidden D), or limit dollars or samples instead.",
        )


class Halted(LedgerError):
    """A charge came in above its reservation, so nothing new is granted until ``Ledger.resume``."""

    def __init__(self, surprise: Surprise) -> None:
        self.surprise = surprise
        super().__init__(surprise.message, "Check the price and the token counts, then let the run go on.")


class AlreadySettled(ValueError):
    """A part of a call was settled, released or lost before; counting it twice is refused."""

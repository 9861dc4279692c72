"""How large a request the budget pays for now: as many samples as fit, shorter ones at its end.

A limit is worth little if its last part cannot be spent. So a request asks for fewer samples where not all
fit. Where not even one does and nothing else is in flight that could still give some of its hold back, a
plan may allow its last samples to be shorter than the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.runs.lanes import Lane
from app.runs.plan import Plan
from budgets.amounts import Amounts
from budgets.ledger import Ledger

FEWEST_TOKENS: Final = 32
"""A sample shorter than this answers nothing."""
_SHORTEST: Final = 4
"""No sample is shortened to less than this part of the tokens asked for."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A request that fits: ``choices`` samples of up to ``max_tokens``, and the worst that the prompt and
    each of them can cost."""

    prompt: Amounts
    each: Amounts
    choices: int
    max_tokens: int

    @property
    def held(self) -> Amounts:
        return self.prompt + self.each.times(self.choices)


class Offers:
    """What one run's ledger has room for."""

    def __init__(self, ledger: Ledger, plan: Plan) -> None:
        self._ledger = ledger
        self._max_tokens = plan.settings.max_tokens
        least = max(FEWEST_TOKENS, -(-self._max_tokens // _SHORTEST))
        self._least = min(least, self._max_tokens) if plan.shrink else self._max_tokens
        self._told = False

    def worst(self, lane: Lane, max_tokens: int | None = None) -> tuple[Amounts, Amounts]:
        """What the prompt and one sample may cost at the most, now."""
        at_most = lane.backend.prompt_tokens_at_most(lane.prompt)
        tokens = self._max_tokens if max_tokens is None else max_tokens
        return lane.meter.hold_prompt(at_most), lane.meter.hold_choice(at_most, tokens)

    def best(self, lane: Lane, wanted: int, *, alone: bool) -> Offer | None:
        """The largest request of up to ``wanted`` samples that fits; ``None`` where none does. ``alone``:
        nothing is in flight. Raises ``LedgerError`` where a cap cannot be kept."""
        offer = self._of(lane, wanted, self._max_tokens)
        if offer is not None or not alone or self._least == self._max_tokens:
            return offer
        offer, too_long = self._of(lane, 1, self._least), self._max_tokens
        while offer is not None and too_long - offer.max_tokens > 1:
            middle = (offer.max_tokens + too_long) // 2
            longer = self._of(lane, 1, middle)
            offer, too_long = (longer, too_long) if longer is not None else (offer, middle)
        return offer

    def _of(self, lane: Lane, wanted: int, max_tokens: int) -> Offer | None:
        prompt, each = self.worst(lane, max_tokens)
        choices = min(wanted, self._ledger.affordable(prompt, each, lane.name))
        return Offer(prompt, each, choices, max_tokens) if choices >= 1 else None

    def news(self, offer: Offer) -> str:
        """What people should know of it: once a run, that samples get shorter from here."""
        if self._told or offer.max_tokens == self._max_tokens:
            return ""
        self._told = True
        return (
            f"The budget has no room left for a sample of {self._max_tokens:,} tokens, "
            f"so the last may be shorter: up to {offer.max_tokens:,}."
        )

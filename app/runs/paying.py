"""How a run's helpers pay: each call is reserved at its worst before it leaves, and charged once.

Translations may take a stated part of every limit, and sampling leaves room for what its samples will still
cost: a sample whose program cannot be paid for any more is worth less than one sample fewer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Final, Literal

from app.runs import events as ev
from app.runs.rent import Rent
from app.runs.telling import Telling
from budgets.amounts import Amounts, Budget, exact_usd
from budgets.ledger import Call, Ledger, LedgerError
from verifiers.ports import CannotAfford

NOTHING: Final = Amounts()
_LIMITS: Final[tuple[Literal["usd", "flops", "tokens"], ...]] = ("usd", "flops", "tokens")

HelperPurpose = Literal["translation", "reward"]


class Paid:
    """One call of a helper that was let through. Ended exactly once, by ``charge``."""

    def __init__(self, number: int, model: str, held: Amounts, call: Call, payer: Payer) -> None:
        self._number, self._model, self._held, self._call, self._payer = number, model, held, call, payer
        self._open = True

    @property
    def held(self) -> Amounts:
        return self._held

    def charge(self, known: Amounts, at_most: Amounts | None = None, *, read: int = 0) -> None:
        """The call ended and cost ``known``, or up to ``at_most``; ``read`` of its tokens were read."""
        if not self._open:
            return
        self._open = False
        self._call.settle_prompt(known, at_most)
        self._payer.charged(
            ev.Charged(
                at=self._payer.telling.at(),
                call=self._number,
                model=self._model,
                sample=None,
                known=known,
                at_most=at_most or known,
                released=self._held,
                purpose=self._payer.purpose,
                read=read,
            )
        )


class Payer:
    """What pays for one purpose. ``share`` is the part of each limit, in 0..1, that it may take.

    ``stopping`` says whether the run is ending, so that nothing may leave; ``changed`` is called when money
    comes free.
    """

    def __init__(
        self,
        telling: Telling,
        ledger: Ledger,
        purpose: HelperPurpose,
        share: float,
        rent: Rent,
        *,
        stopping: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        self.telling = telling
        self._rent = rent
        self.purpose: HelperPurpose = purpose
        self._ledger = ledger
        self._share = Decimal(str(share))
        self._stopping = stopping
        self._changed = changed
        self._freed = asyncio.Event()

    async def reserve(self, model: str, held: Amounts, about: tuple[int, ...]) -> Paid:
        """Let a call through that costs at most ``held``, which counts no sample. Where it does not fit yet,
        but others may still give some of their holds back, wait for them.

        Raises ``CannotAfford``.
        """
        while True:
            self._freed.clear()
            if why := self._too_much(held):
                raise CannotAfford(why)
            if not self._rent.affords(model):
                raise CannotAfford("the limit on dollars pays for no more time of this machine")
            try:
                call = self._ledger.reserve(model, prompt=held, each=NOTHING, choices=1)
            except LedgerError as error:
                if not self._ledger.open_calls or self._ledger.stopped:
                    raise CannotAfford(str(error)) from None
                await self._freed.wait()
                continue
            call.release_choice(0)
            return self._begun(model, held, call, about)

    def _begun(self, model: str, held: Amounts, call: Call, about: tuple[int, ...]) -> Paid:
        paid = Paid(self.telling.state.calls, model, held, call, self)
        at = self.telling.at()
        self.telling.emit(
            *self._rent.begin(model, at),
            ev.CallStarted(
                at=at,
                call=self.telling.state.calls,
                model=model,
                samples=(),
                seed=0,
                held=held,
                purpose=self.purpose,
                about=about,
            ),
        )
        if self._stopping():  # the reservation could not be kept, so the request must not leave
            paid.charge(NOTHING)
            raise CannotAfford("the run is ending")
        return paid

    def charged(self, event: ev.Charged) -> None:
        self.telling.emit(event)
        self._changed()

    def freed(self) -> None:
        """Some hold was given back: whoever waits may try again."""
        self._freed.set()

    def _too_much(self, held: Amounts) -> str:
        """Why the share does not cover ``held``; empty if it does. Holds that are out count as spent."""
        books = self.telling.state.books_by_purpose[self.purpose]
        taken = books.at_most + books.held + held
        for limit in _LIMITS:
            cap, spent = getattr(self._ledger.budget, limit), getattr(taken, limit)
            if cap is not None and spent is not None and spent > cap * self._share:
                return f"its share of the budget, {self._share:.0%}, is used up"
        return ""

    def kept_free(self, pending: int, each: Amounts) -> Amounts:
        """What sampling leaves for this purpose: what ``pending`` samples will cost at the most, or, after
        the first, on average, and never more than the rest of the share. ``each`` is one sample's worst."""
        books = self.telling.state.books_by_purpose[self.purpose]
        taken, done = books.at_most + books.held, self._done()
        found = {}
        for limit in _LIMITS:
            cap, worst = getattr(self._ledger.budget, limit), getattr(each, limit)
            if cap is None or worst is None:
                found[limit] = 0
                continue
            spent = getattr(taken, limit) or 0
            one = worst if not done else min(worst, _up(spent, done))
            rest = max(0, cap * self._share - spent)
            found[limit] = min(pending * one, rest if limit == "usd" else int(rest))
        return Amounts(Decimal(found["usd"]), int(found["flops"]), int(found["tokens"]))

    def _done(self) -> int:
        state = self.telling.state
        return state.filter.looked_at if self.purpose == "translation" else state.rewarded


def _up(spent: Decimal | int, done: int) -> Decimal | int:
    return exact_usd(spent / done) if isinstance(spent, Decimal) else -(-spent // done)


def no_room(ledger: Ledger, budget: Budget, wanted: Amounts, kept_free: Amounts) -> str | None:
    """The limit under which ``wanted`` does not fit beside what is kept free; ``None`` where it does."""
    books = ledger.books
    for limit in _LIMITS:
        cap, keep = getattr(budget, limit), getattr(kept_free, limit)
        if cap is None or not keep:
            continue
        parts = [getattr(amounts, limit) for amounts in (books.at_most, books.reserved, wanted)]
        if sum(part or 0 for part in parts) + keep > cap:
            return limit
    return None

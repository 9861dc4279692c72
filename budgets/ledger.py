"""The promise that a cap is a cap: every call reserves its worst case before it leaves.

A client that books a call's cost when the call ends can pass its cap by one call times the concurrency.
Here a call is granted only if everything it may come to still fits, and then each of its parts (the prompt,
and one hold per choice) is either *settled* at what it cost, which frees the rest of that hold, or
*released*, or *lost*. A lost part (a crash, a connection cut on a server that bills on) is one whose cost
nobody will ever know; it stays on the books as "at most" its whole hold: it uses up dollars, tokens and
FLOPs, but no sample, because none arrived.

For each limit of {usd, flops, tokens, samples}, with K known spend, M spend at most, R what open calls hold,
and C the cap:

    (1)  0 <= K <= M                      M - K is what nobody can know
    (2)  R = sum of the unsettled holds   so R = 0 once every call is closed
    (3)  M + R <= C after every grant     of a call that draws on the limit, or ``WouldExceed`` is raised
    (4)  M + R never rises by a settlement, a release or a loss, except by a recorded ``Surprise``
    (5)  the books = the sum of the books of the models
    (6)  K = M for samples                a sample is there or it is not

From (3) and (4): M + R <= C always, except by the recorded surprises, or after the owner lowered C below
what was already spent or reserved. Lowering is allowed: calls that are out finish, nothing new is granted.

A **surprise** is a charge above its hold (a provider's own count of tokens, a price of its own). It is
counted in full, recorded, and stops every new reservation until the owner says ``resume``.

A hold whose dollars or FLOPs are unknown can only be granted while that limit has no cap; the books then
name the limit in ``unknown``: their figure is the known part, never a zero standing for "unknown".

Money is kept in whole femto-dollars, so sums are exact at any length. Nothing here waits, writes or locks:
the ledger belongs to one event loop, and a call costs a few microseconds.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR

from budgets.amounts import Amounts, Budget
from budgets.books import (
    LIMITS,
    Account,
    Books,
    Limit,
    Quantity,
    Units,
    charge,
    femto_of,
    quantity_of,
    units_of,
)
from budgets.calls import Call
from budgets.refusals import (
    AlreadySettled,
    Halted,
    LedgerError,
    Surprise,
    UnknownSize,
    Unpriced,
    WouldExceed,
)

__all__ = [
    "LIMITS",
    "UNLIMITED",
    "AlreadySettled",
    "Books",
    "Call",
    "Halted",
    "Ledger",
    "LedgerError",
    "Limit",
    "Quantity",
    "Surprise",
    "UnknownSize",
    "Unpriced",
    "WouldExceed",
]

UNLIMITED = 2**63 - 1
"""What ``Ledger.affordable`` answers where no cap is drawn on."""


class Ledger:
    """The account of one run. Single-threaded; see the module for its invariants."""

    def __init__(self, budget: Budget) -> None:
        self._set_caps(budget)
        self._total = Account()
        self._models: dict[str, Account] = {}
        self._open: dict[int, Call] = {}
        self._calls = 0
        self._stopped_by: Surprise | None = None
        self.surprises: list[Surprise] = []

    # Granting

    def reserve(self, model: str, *, prompt: Amounts, each: Amounts, choices: int) -> Call:
        """Hold the worst case of one call: ``prompt`` once and ``each`` for every choice, or nothing at all.

        ``each.samples`` is 1 for a call that draws samples and 0 for one that does not (a translation, a
        judge). A retry is a new call. Raises ``WouldExceed``, ``Unpriced``, ``UnknownSize`` or ``Halted``;
        ``ValueError`` for no choices or a negative amount.
        """
        if choices < 1:
            raise ValueError("A call asks for at least one choice.")
        prompt_units, each_units = units_of(prompt), units_of(each)
        if self._stopped_by is not None:
            raise Halted(self._stopped_by)
        for i, limit in enumerate(LIMITS):
            room = self._room(i, model, prompt_units, each_units)
            if room is None:
                continue
            needed = (prompt_units[i] or 0) + choices * (each_units[i] or 0)
            if needed > max(room, 0):
                raise WouldExceed(limit, quantity_of(limit, needed), quantity_of(limit, max(room, 0)))
        self._calls += 1
        account = self._models.setdefault(model, Account())
        call = Call(
            self._calls,
            model,
            (account, self._total),
            prompt_units,
            each_units,
            choices,
            on_surprise=self._surprised,
            on_close=self._closed,
        )
        self._open[call.id] = call
        return call

    def affordable(self, prompt: Amounts, each: Amounts, model: str = "the model") -> int:
        """The most choices that one call may ask for now; ``UNLIMITED`` where no cap is drawn on.

        Zero when not even one fits, or while stopped. Raises ``Unpriced`` or ``UnknownSize``.
        """
        return self._most(prompt, each, model)[0]

    def binding(self, prompt: Amounts, each: Amounts, model: str = "the model") -> Limit | None:
        """The limit that sets ``affordable``, or None where none does."""
        return self._most(prompt, each, model)[1]

    def _most(self, prompt: Amounts, each: Amounts, model: str) -> tuple[int, Limit | None]:
        prompt_units, each_units = units_of(prompt), units_of(each)
        most, binding = UNLIMITED, None
        for i, limit in enumerate(LIMITS):
            room = self._room(i, model, prompt_units, each_units)
            if room is None:
                continue
            left, per_choice = max(room, 0) - (prompt_units[i] or 0), each_units[i] or 0
            fits = 0 if left < 0 else left // per_choice if per_choice else UNLIMITED
            if fits < most:
                most, binding = fits, limit
        return (most, binding) if self._stopped_by is None else (0, None)

    def _room(self, i: int, model: str, prompt: Units, each: Units) -> int | None:
        """What is left of limit ``i``, negative after a surprise or a lowered cap; None without a cap."""
        cap = self._caps[i]
        if cap is None:
            return None
        if prompt[i] is None or each[i] is None:
            raise _unknown_error(LIMITS[i], model)
        if self._total.unknown[i]:
            culprit = next(name for name, account in self._models.items() if account.unknown[i])
            raise _unknown_error(LIMITS[i], culprit)
        return cap - self._total.at_most[i] - self._total.reserved[i]

    # The owner's hand

    def set_budget(self, budget: Budget) -> None:
        """Change the caps, from the next reservation on. Lowering one below what is spent grants nothing
        new and takes nothing back."""
        self._set_caps(budget)

    def _set_caps(self, budget: Budget) -> None:
        self.budget = budget
        self._caps = (femto_of(budget.usd, ROUND_FLOOR), budget.flops, budget.tokens, budget.samples)

    def restore(self, known: Amounts, at_most: Amounts, model: str) -> None:
        """Enter what earlier parts of a resumed run spent. For a reservation that has no result in the
        journal, ``known`` is nothing and ``at_most`` all of it; its samples are not counted."""
        account = self._models.setdefault(model, Account())
        known_units, most_units = units_of(known), units_of(at_most)
        for i, limit in enumerate(LIMITS):
            spent, most = charge(limit, known_units[i], most_units[i], None)
            account.add(i, spent, most)
            self._total.add(i, spent, most)

    @property
    def stopped(self) -> bool:
        """Whether a surprise has stopped new reservations."""
        return self._stopped_by is not None

    def resume(self) -> None:
        """Grant again after a surprise; what it cost stays counted."""
        self._stopped_by = None

    # Reading

    @property
    def books(self) -> Books:
        return self._total.books()

    def books_of(self, model: str) -> Books:
        """The account of one model, empty if it was never used."""
        return self._models.get(model, Account()).books()

    @property
    def models(self) -> tuple[str, ...]:
        """The models with an account, in order of first use."""
        return tuple(self._models)

    @property
    def open_calls(self) -> tuple[Call, ...]:
        """Calls with something still held, oldest first."""
        return tuple(self._open.values())

    def remaining(self, limit: Limit) -> Quantity | None:
        """What may still be reserved under ``limit``: zero or more, None without a cap."""
        i = LIMITS.index(limit)
        cap = self._caps[i]
        if cap is None:
            return None
        return quantity_of(limit, max(0, cap - self._total.at_most[i] - self._total.reserved[i]))

    def _surprised(self, surprise: Surprise) -> None:
        self.surprises.append(surprise)
        self._stopped_by = self._stopped_by or surprise

    def _closed(self, call: Call) -> None:
        self._open.pop(call.id, None)


def _unknown_error(limit: Limit, model: str) -> LedgerError:
    return Unpriced(model) if limit == "usd" else UnknownSize(model)

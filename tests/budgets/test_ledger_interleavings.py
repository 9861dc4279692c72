"""No interleaving of reservations, settlements, cancellations, retries and crashes breaks the promise.

A random program drives a ledger beside a naive set of books (lists of holds and charges, summed anew at
every step) and a server that bills on its own side, up to what was held. After each step the two agree, and
the invariants in the ledger's docstring hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budgets.amounts import Amounts, Budget
from budgets.ledger import LIMITS, Call, Halted, Ledger, Limit, WouldExceed

CAPS = Budget(usd=Decimal("2.50"), flops=60_000, tokens=9_000, samples=24)
MODELS = ("small", "large", "judge")
NOTHING = Amounts()
PROMPT_PART = -1


def value(amounts: Amounts, limit: Limit) -> Decimal | int:
    found: Decimal | int | None = getattr(amounts, limit)
    assert found is not None
    return found


def total(amounts: Iterator[Amounts]) -> Amounts:
    result = NOTHING
    for each in amounts:
        result += each
    return result


def share(hold: Amounts, of_256: int) -> Amounts:
    """A part of a hold, its samples whole."""
    assert hold.usd is not None
    assert hold.flops is not None
    usd = hold.usd * of_256 / 256
    return Amounts(usd, hold.flops * of_256 // 256, hold.tokens * of_256 // 256, hold.samples)


@dataclass
class Charge:
    model: str
    known: Amounts
    at_most: Amounts
    billed: Amounts
    """What the server says, which for a lost part only the server knows."""


@dataclass
class World:
    """A ledger, the naive books beside it, and what the server billed."""

    may_lower: bool
    may_surprise: bool
    budget: Budget = CAPS
    ledger: Ledger = field(default_factory=lambda: Ledger(CAPS))
    calls: list[tuple[Call, dict[int, Amounts]]] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    granted: int = 0

    def step(self, what: int, a: int, b: int) -> None:
        before = self.committed()
        actions = (
            self.reserve,
            self.reserve,
            self.settle,
            self.settle,
            self.cancel,
            self.fail,
            self.crash,
            self.cap,
        )
        action = actions[what % len(actions)]
        action(a, b)
        after = self.check_books()
        if action != self.reserve and not self.ledger.surprises:
            assert all(value(after, limit) <= value(before, limit) for limit in LIMITS)

    # What can happen

    def reserve(self, a: int, b: int) -> None:
        model = MODELS[a % 3]
        samples = 0 if model == "judge" else 1
        prompt = Amounts(Decimal(1 + b % 7) / 100, 300 * (1 + a % 5), 10 * (1 + b % 9))
        each = Amounts(Decimal(1 + a % 11) / 50, 200 * (1 + b % 6), 64 * (1 + a % 4), samples)
        choices = 1 + (a + b) % 5
        affordable = self.ledger.affordable(prompt, each)
        try:
            call = self.ledger.reserve(model, prompt=prompt, each=each, choices=choices)
        except WouldExceed:
            assert affordable < choices
            return
        except Halted:
            assert affordable == 0
            assert self.ledger.stopped
            self.ledger.resume()
            return
        assert affordable >= choices
        self.granted += 1
        self.calls.append((call, {PROMPT_PART: prompt, **dict.fromkeys(range(choices), each)}))
        for limit in LIMITS:
            drawn = value(prompt, limit) + choices * value(each, limit)
            cap = getattr(self.budget, limit)
            assert drawn == 0 or cap is None or value(self.committed(), limit) <= cap

    def settle(self, a: int, b: int) -> None:
        """One part ends and its usage is reported; a retry is a later reservation."""
        if not self.calls:
            return
        call, holds = self.calls[a % len(self.calls)]
        part = sorted(holds)[b % len(holds)]
        hold = holds.pop(part)
        cost = share(hold, b)
        if self.may_surprise and a % 16 == 0:
            cost = hold + Amounts(Decimal("0.07"), 11, 13)
        self.settled(call, part, cost, cost, cost)

    def cancel(self, a: int, b: int) -> None:
        """We hang up: some servers stop, others bill on up to what was held."""
        if not self.calls:
            return
        call, holds = self.calls[a % len(self.calls)]
        server_stops = b % 2 == 0
        for part in sorted(holds):
            hold = holds.pop(part).without_samples()
            seen = share(hold, b)
            billed = seen if server_stops else share(hold, b + (255 - b) // 2)
            self.settled(call, part, seen, seen if server_stops else hold, billed)

    def fail(self, a: int, b: int) -> None:
        """The connection breaks: before anything was read, or after, when nobody knows."""
        if not self.calls:
            return
        call, holds = self.calls[a % len(self.calls)]
        lost = b % 2 == 1
        if lost:
            for hold in holds.values():
                worst = hold.without_samples()
                self.charges.append(Charge(call.model, NOTHING, worst, share(worst, a)))
        holds.clear()
        call.close(lost=lost)

    def crash(self, a: int, b: int) -> None:
        """The program dies; another folds the journal: charges as they were, open holds as spend at most."""
        if a % 4:
            return
        before = self.committed()
        for call, holds in self.calls:
            for hold in holds.values():
                worst = hold.without_samples()
                self.charges.append(Charge(call.model, NOTHING, worst, share(worst, b)))
        self.calls.clear()
        had_surprises = list(self.ledger.surprises)
        self.ledger = Ledger(self.budget)
        self.ledger.surprises += had_surprises
        for charge in self.charges:
            self.ledger.restore(charge.known, charge.at_most, charge.model)
        assert self.committed() == before or self.committed() == Amounts(
            before.usd, before.flops, before.tokens, self.committed().samples
        )

    def cap(self, a: int, b: int) -> None:
        """The owner moves the caps: upwards only, unless lowering is allowed."""
        if self.may_lower:
            usd = (CAPS.usd or Decimal(0)) * (a % 5) / 4
            self.budget = self.budget.raised(usd=usd, samples=None if b % 4 == 0 else b % 30)
        else:
            usd = (self.budget.usd or Decimal(0)) + Decimal(a) / 500
            self.budget = self.budget.raised(usd=usd, samples=(self.budget.samples or 0) + b % 3)
        self.ledger.set_budget(self.budget)

    # What must hold

    def settled(self, call: Call, part: int, known: Amounts, at_most: Amounts, billed: Amounts) -> None:
        if part == PROMPT_PART:
            call.settle_prompt(known, at_most)
        else:
            call.settle_choice(part, known, at_most)
        self.charges.append(Charge(call.model, known, at_most, billed))

    def committed(self) -> Amounts:
        return self.ledger.books.at_most + self.ledger.books.reserved

    def check_books(self) -> Amounts:
        """Compare with the naive books and look at every invariant. Returns what is committed."""
        self.calls = [(call, holds) for call, holds in self.calls if holds]
        books = self.ledger.books
        assert books.reserved == total(hold for _, holds in self.calls for hold in holds.values())
        assert books.known == total(charge.known for charge in self.charges)
        assert books.at_most == total(charge.at_most for charge in self.charges)
        assert books.known.samples == books.at_most.samples
        assert len(self.ledger.open_calls) == len(self.calls)
        committed = books.at_most + books.reserved
        for limit in LIMITS:
            assert 0 <= value(books.known, limit) <= value(books.at_most, limit)
            cap = getattr(self.budget, limit)
            if cap is not None and not self.may_lower and not self.ledger.surprises:
                assert value(committed, limit) <= cap
        return committed

    def end(self) -> None:
        for call, holds in self.calls:
            holds.clear()
            call.close(lost=False)
        self.check_books()
        books, parts = self.ledger.books, [self.ledger.books_of(model) for model in MODELS]
        assert books.reserved == NOTHING
        assert books.known == total(part.known for part in parts)
        assert books.at_most == total(part.at_most for part in parts)
        billed = total(charge.billed for charge in self.charges)
        assert all(value(billed, limit) <= value(books.at_most, limit) for limit in LIMITS)
        assert self.ledger.open_calls == ()


def play(program: bytes, *, may_lower: bool, may_surprise: bool) -> World:
    world = World(may_lower, may_surprise)
    for what, a, b in zip(program[::3], program[1::3], program[2::3], strict=False):
        world.step(what, a, b)
    world.end()
    return world


@pytest.mark.parametrize("first", [0, 2, 4, 7], ids=["reserve", "settle", "cancel", "cap"])
@settings(max_examples=2_500, deadline=None, database=None)
@given(st.binary(min_size=24, max_size=60))
def test_no_interleaving_passes_a_cap(first: int, program: bytes) -> None:
    """Ten thousand programs, a quarter of them each starting with a grant and one other kind of step."""
    program = bytes([0, 1, 1, first, 0, 0]) + program
    play(program, may_lower=False, may_surprise=False)


@settings(max_examples=1_500, deadline=None, database=None)
@given(st.binary(min_size=45, max_size=90))
def test_caps_that_move_and_bills_that_surprise_keep_the_books_true(program: bytes) -> None:
    play(program, may_lower=True, may_surprise=True)


def test_the_programs_reach_every_corner() -> None:
    """The random programs are no good unless they get work granted, refused, lost and surprised."""
    import random

    generator = random.Random(7)
    worlds = [play(generator.randbytes(90), may_lower=True, may_surprise=True) for _ in range(200)]
    assert sum(world.granted for world in worlds) > 400
    assert sum(len(world.ledger.surprises) for world in worlds) > 20
    assert any(world.ledger.books.uncertain != NOTHING for world in worlds)
    assert len({world.budget.usd for world in worlds}) > 3

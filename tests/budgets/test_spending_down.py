"""Sixty-four streams at once against a server that keeps its own bill: the cap holds, and is used.

Requests are drawn while any fits, with as many choices as fit; a fifth of them meet a fault. The server bills
what it really did, cut and hanging streams included. At the end of the budget its bill is at most what our
books call spend at most, which is at most the cap, and of a cap worth a hundred worst-case samples or more at
least 97 % is spent.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal

import pytest

from budgets.amounts import Amounts, Budget
from budgets.ledger import Call, Ledger
from budgets.rates import Price, Rates, Tier

PRICE = Price(
    Rates(Decimal("1.5e-7"), Decimal("6e-7"), cached=Decimal("7.5e-8"), reasoning=Decimal("8e-7")),
    "test",
    per_request=Decimal("0.00001"),
    tiers=(Tier(1000, Rates(Decimal("3e-7"), Decimal("9e-7"))),),
)
STREAMS = 64
MAX_TOKENS = 256
PROMPT_AT_MOST = 420
PROMPT = 300
HOLD_PROMPT = Amounts(PRICE.worst_prompt(PROMPT_AT_MOST), None, PROMPT_AT_MOST)
HOLD_EACH = Amounts(PRICE.worst_choice(PROMPT_AT_MOST, MAX_TOKENS), None, MAX_TOKENS, 1)


@dataclass
class Server:
    """Bills on its own side, whatever the client saw."""

    generator: random.Random
    bill: Decimal = Decimal(0)
    bill_of_finished: Decimal = Decimal(0)

    def answer(self, call: Call) -> Decimal:
        """Run one request to whatever end it meets and settle it as a client would. Returns what our books
        took as known of samples that finished."""
        fault = (
            self.generator.choice(("refused", "cut", "hangs", "wrong usage")) if self.chance(0.2) else None
        )
        if fault == "refused":
            call.close(lost=False)
            return Decimal(0)
        prompt = PRICE.prompt_cost(PROMPT, cached=self.generator.randint(0, PROMPT))
        self.bill += prompt
        if fault == "hangs":
            self.bill += sum(self.completion()[0] for _ in range(call.choices))
            call.close(lost=True)
            return Decimal(0)
        call.settle_prompt(Amounts(prompt, None, PROMPT))
        finished = Decimal(0)
        for choice in range(call.choices):
            cost, tokens = self.completion()
            self.bill += cost
            if fault == "cut":
                seen = self.generator.randint(0, tokens)
                known = Amounts(PRICE.completion_cost(PROMPT, seen), None, seen)
                call.settle_choice(choice, known, HOLD_EACH.without_samples())
            elif fault == "wrong usage":
                call.settle_choice(choice, Amounts(None, None, tokens, 1))
            else:
                call.settle_choice(choice, Amounts(cost, None, tokens, 1))
                finished += cost
                self.bill_of_finished += cost
        return finished

    def completion(self) -> tuple[Decimal, int]:
        tokens = self.generator.randint(1, MAX_TOKENS)
        return PRICE.completion_cost(PROMPT, tokens, self.generator.randint(0, tokens)), tokens

    def chance(self, p: float) -> bool:
        return self.generator.random() < p


@pytest.mark.parametrize("hundreds", range(1, 21))
def test_the_servers_bill_is_within_ours_and_ours_within_the_cap(hundreds: int) -> None:
    assert HOLD_PROMPT.usd is not None
    assert HOLD_EACH.usd is not None
    cap = (HOLD_PROMPT.usd + HOLD_EACH.usd) * 100 * hundreds
    ledger, server = Ledger(Budget(usd=cap)), Server(random.Random(hundreds))
    open_calls: list[Call] = []
    known_of_finished = Decimal(0)
    while True:
        fits = min(server.generator.randint(1, 8), ledger.affordable(HOLD_PROMPT, HOLD_EACH))
        if fits and len(open_calls) < STREAMS:
            open_calls.append(ledger.reserve("m", prompt=HOLD_PROMPT, each=HOLD_EACH, choices=fits))
            assert ledger.books.at_most.usd is not None
            assert ledger.books.reserved.usd is not None
            assert ledger.books.at_most.usd + ledger.books.reserved.usd <= cap
        elif open_calls:
            call = open_calls.pop(server.generator.randrange(len(open_calls)))
            known_of_finished += server.answer(call)
        else:
            break
    books = ledger.books
    assert books.reserved == Amounts()
    assert books.known.usd is not None
    assert books.at_most.usd is not None
    assert books.known.usd <= server.bill <= books.at_most.usd <= cap
    assert books.at_most.usd >= cap * Decimal("0.97")
    assert known_of_finished == server.bill_of_finished
    assert ledger.surprises == []

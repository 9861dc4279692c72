"""What the ledger costs per sample: reserve, settle the prompt, settle the choice, with every limit capped.

    python -m tests.benchmarks.bench_ledger

The promise is under 50 µs in memory. Figures are process CPU time, the best of five rounds, so that a busy
machine does not change them much.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal

from budgets.amounts import Amounts, Budget
from budgets.ledger import Ledger
from budgets.prices import parse_price

PROMISE = 50e-6
ROUNDS, CALLS = 5, 4_000

PRICE = parse_price("0.15,0.60")
PROMPT = Amounts(PRICE.worst_prompt(400), 10**12, 400)
EACH = Amounts(PRICE.worst_choice(400, 512), 10**12, 512, 1)
READ = Amounts(PRICE.prompt_cost(310), 8 * 10**11, 310)
WRITTEN = Amounts(PRICE.completion_cost(310, 170), 4 * 10**11, 170, 1)


def fresh() -> Ledger:
    return Ledger(Budget(usd=Decimal(10**6), flops=10**24, tokens=10**12, samples=10**9))


def one_sample(ledger: Ledger) -> None:
    call = ledger.reserve("m", prompt=PROMPT, each=EACH, choices=1)
    call.settle_prompt(READ)
    call.settle_choice(0, WRITTEN)


def sixteen_samples(ledger: Ledger) -> None:
    call = ledger.reserve("m", prompt=PROMPT, each=EACH, choices=16)
    call.settle_prompt(READ)
    for choice in range(16):
        call.settle_choice(choice, WRITTEN)


def asked_first(ledger: Ledger) -> None:
    if ledger.affordable(PROMPT, EACH) >= 1:
        one_sample(ledger)


def among_a_thousand_open(ledger: Ledger) -> None:
    if not ledger.open_calls:
        for _ in range(1_000):
            ledger.reserve("m", prompt=PROMPT, each=EACH, choices=1)
    one_sample(ledger)


def seconds_per_sample(work: Callable[[Ledger], None], samples: int) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        ledger = fresh()
        work(ledger)
        started = time.process_time()
        for _ in range(CALLS // samples):
            work(ledger)
        best = min(best, (time.process_time() - started) / (CALLS // samples * samples))
    return best


def main() -> None:
    cases: dict[str, tuple[Callable[[Ledger], None], int]] = {
        "reserve + settle": (one_sample, 1),
        "affordable + reserve + settle": (asked_first, 1),
        "16 choices a call, per sample": (sixteen_samples, 16),
        "beside 1,000 open calls": (among_a_thousand_open, 1),
    }
    for name, (work, samples) in cases.items():
        spent = seconds_per_sample(work, samples)
        print(f"{name:32} {spent * 1e6:6.1f} µs   {'within' if spent < PROMISE else 'ABOVE'} 50 µs")


if __name__ == "__main__":
    main()

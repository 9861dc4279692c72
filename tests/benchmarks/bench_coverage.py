"""What the coverage of a large set costs, against the estimator as it is usually written.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.bench_coverage

500 problems with 10,000 samples each: the curve at 40 k, the interval, the power law's fit and the forecast,
together in under a second. The first call also builds the grid of difficulty distributions and imports scipy;
it is shown apart. The baseline computes the same 40-point curve by numpy products, as the common code does.
Then one sample at a time into a running tally that is looked at after every 64th. Figures are process CPU
time. Fails if a limit is passed.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable

import numpy as np

from budgets.coverage import coverage_interval
from budgets.forecast import forecast
from budgets.laws import coverage_curve, log_spaced, power_law
from budgets.tally import Tally

PROBLEMS, SAMPLES = 500, 10_000
WHOLE_LIMIT, SAMPLE_LIMIT = 1.0, 20e-6

Counts = list[tuple[int, int]]


def made_up() -> Counts:
    generator = np.random.default_rng(1)
    chances = np.exp(generator.normal(-6, 3, PROBLEMS)).clip(0, 0.95)
    return [(SAMPLES, int(c)) for c in generator.binomial(SAMPLES, chances)]


def usual_curve(counts: Counts) -> list[float]:
    def one(n: int, c: int, k: int) -> float:
        return 1.0 if n - c < k else 1.0 - float(np.prod(1.0 - k / np.arange(n - c + 1, n + 1)))

    return [float(np.mean([one(n, c, k) for n, c in counts])) for k in log_spaced(SAMPLES, 40)]


def seconds(work: Callable[[], object], times: int = 3) -> float:
    spent = []
    for _ in range(times):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)


def fill(tally: Tally, look_after: int) -> None:
    chance = random.Random(1)
    for sample in range(50_000):
        tally.add(f"p{sample % PROBLEMS}", chance.random() < 0.01)
        if sample % look_after == 0:
            tally.curve()


def main() -> int:
    counts, ks = made_up(), log_spaced(SAMPLES, 40)
    parts: dict[str, Callable[[], object]] = {
        "curve": lambda: coverage_curve(counts, ks),
        "interval at 100": lambda: coverage_interval(counts, 100),
        "power law": lambda: power_law(counts),
        "forecast": lambda: forecast(counts, [100_000, 1_000_000]),
    }
    first = seconds(lambda: [part() for part in parts.values()], 1)
    spent = {name: seconds(part) for name, part in parts.items()}
    whole, usual = sum(spent.values()), seconds(lambda: usual_curve(counts), 1)
    print(f"{PROBLEMS} problems, {SAMPLES:,} samples each, {len(set(counts))} distinct counts")
    for name, of in spent.items():
        print(f"  {name:16} {of * 1e3:8.1f} ms")
    print(f"  {'together':16} {whole * 1e3:8.1f} ms   (the first time {first * 1e3:.0f} ms)")
    ratio = usual / spent["curve"]
    print(f"  {'usual curve':16} {usual * 1e3:8.1f} ms   ({ratio:.0f} times ours)")
    each = seconds(lambda: fill(Tally(log_spaced(64, 12)), 64), 2) / 50_000
    print(f"a sample into the tally, looked at after every 64th: {each * 1e6:.2f} µs")
    return int(whole >= WHOLE_LIMIT or first >= 2 * WHOLE_LIMIT or each >= SAMPLE_LIMIT)


if __name__ == "__main__":
    sys.exit(main())

"""What the majority vote costs per sample, against counting the same answers with a plain dictionary.

    python -m tests.benchmarks.bench_picks

The baseline is ``collections.Counter`` over the raw answers, which groups nothing and picks once at the end.
Ours groups by normal form and reads the pick after every sample. Figures are process CPU time; the ratio
travels from machine to machine, the microseconds do not. Fails if a sample costs 50 microseconds or more.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable

from verifiers.normal import forget_forms
from verifiers.picks import MajorityVote

SAMPLES = 10_000
LIMIT = 50e-6


def few_answers(chance: random.Random) -> list[str | None]:
    """A problem as they usually are: a handful of answers in several spellings, some samples without one."""
    spelled = ["{}", "${}", "{}.0", "{} clips", "\\boxed{{{}}}"]
    return [
        None if chance.random() < 0.05 else chance.choice(spelled).format(int(chance.gauss(72, 4)))
        for _ in range(SAMPLES)
    ]


def many_answers(chance: random.Random) -> list[str | None]:
    """The worst case: no two samples agree, and every answer takes the long way through the rules."""
    return [f"\\frac{{{chance.randrange(10**6)}}}{{{chance.randrange(1, 10**6)}}}" for _ in range(SAMPLES)]


def baseline(answers: list[str | None]) -> None:
    Counter(answer for answer in answers if answer is not None).most_common(1)


def ours(answers: list[str | None]) -> None:
    forget_forms()
    vote = MajorityVote("math")
    for sample, answer in enumerate(answers):
        vote.add(sample, answer)
        if vote.pick.support == 0 and answer is not None:
            raise AssertionError("an answer was added and nothing is picked")


def cost(work: Callable[[list[str | None]], None], answers: list[str | None]) -> float:
    """CPU seconds a sample, the best of five."""
    times = []
    for _ in range(5):
        start = time.process_time()
        work(answers)
        times.append(time.process_time() - start)
    return min(times) / len(answers)


def main() -> int:
    dear = False
    for make in (few_answers, many_answers):
        answers = make(random.Random(1))
        plain, vote = cost(baseline, answers), cost(ours, answers)
        dear |= vote >= LIMIT
        distinct = len(set(answers))
        print(f"{make.__name__}: {len(answers)} samples, {distinct} spellings")
        print(f"  counter {plain * 1e6:6.2f} µs   vote {vote * 1e6:6.2f} µs   ratio {vote / plain:6.1f}")
    return int(dear)


if __name__ == "__main__":
    sys.exit(main())

"""What each rule that picks costs per sample, against the majority vote alone; and a whole accuracy table.

    python -m tests.benchmarks.bench_rules

10,000 samples of one problem are added, and the pick is read after every one. Making the candidate, which
works out the answer's normal form once for all rules, is timed by itself. Figures are process CPU time; the
ratios travel from machine to machine, the microseconds do not. Fails if a rule costs 50 microseconds a sample
or more, if the last thousand samples cost four times the first thousand, or if the table takes 10 seconds.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence

from verifiers.accuracy import accuracy_curves
from verifiers.candidates import Candidate, candidate
from verifiers.live_rules import live_rule
from verifiers.normal import forget_forms
from verifiers.rules import RULES, RuleName

SAMPLES = 10_000
END = 1_000
LIMIT = 50e-6
GROWTH = 4.0
TABLE_SECONDS = 10.0


def made(chance: random.Random, answer: str | None, place: int) -> Candidate:
    return candidate(
        place,
        answer,
        "math",
        reward=chance.gauss(0, 2),
        program=chance.choice(["agrees", "agrees", "differs", "failed"]),
        verdict=chance.choice(["wrong", "wrong", "right"]) if place > SAMPLES // 2 else "wrong",
    )


def few_answers(chance: random.Random) -> list[Candidate]:
    """A handful of answers in several spellings, some samples without one."""
    spelled = ["{}", "${}", "{}.0", "{} clips"]
    return [
        made(
            chance,
            None if chance.random() < 0.05 else chance.choice(spelled).format(int(chance.gauss(72, 4))),
            place,
        )
        for place in range(SAMPLES)
    ]


def many_answers(chance: random.Random) -> list[Candidate]:
    """No two samples agree."""
    return [
        made(chance, f"\\frac{{{chance.randrange(10**6)}}}{{{chance.randrange(1, 10**6)}}}", place)
        for place in range(SAMPLES)
    ]


def cost(rule: RuleName, samples: Sequence[Candidate]) -> tuple[float, float, float]:
    """CPU seconds a sample of all, of the first thousand and of the last; the best of three."""
    runs = []
    for _ in range(3):
        live = live_rule(rule, "math")
        marks = [time.process_time()]
        for part in (samples[:END], samples[END:-END], samples[-END:]):
            for each in part:
                live.add(each)
                _ = live.pick
            marks.append(time.process_time())
        first, last = marks[1] - marks[0], marks[3] - marks[2]
        runs.append(((marks[3] - marks[0]) / len(samples), first / END, last / END))
    return min(runs)


def table_seconds(problems: int, samples: int) -> float:
    """CPU seconds of the accuracy of every rule at every k over 100 subsets."""
    chance = random.Random(2)
    table = [
        [made(chance, str(int(chance.gauss(72, 4))), place) for place in range(samples)]
        for _ in range(problems)
    ]
    start = time.process_time()
    accuracy_curves(table)
    return time.process_time() - start


def main() -> int:
    dear = False
    for make in (few_answers, many_answers):
        forget_forms()
        start = time.process_time()
        samples = make(random.Random(1))
        each = (time.process_time() - start) / SAMPLES
        print(f"{make.__name__}: {len({one.key for one in samples}):,} answers in {SAMPLES:,} samples")
        print(f"  making a candidate  {each * 1e6:5.1f} µs")
        base = 0.0
        for rule in RULES:
            mean, first, last = cost(rule.name, samples)
            base = base or mean
            dear |= mean >= LIMIT or last > GROWTH * first
            print(
                f"  {rule.name:18}  {mean * 1e6:5.1f} µs   {mean / base:4.1f} times the vote"
                f"   last to first thousand {last / first:4.1f}"
            )
    seconds = table_seconds(500, 40)
    print(f"500 problems x 40 samples x 100 subsets x 7 ks x 6 rules: {seconds:.1f} s")
    return int(dear or seconds >= TABLE_SECONDS)


if __name__ == "__main__":
    sys.exit(main())

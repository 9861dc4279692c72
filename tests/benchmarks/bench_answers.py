"""What grouping a thousand different formulas costs, against math-verify comparing each with the one before.

    python -m tests.benchmarks.bench_answers

Hardly two of the formulas are equal (log_4 2 is log_9 3), so that a vote by comparison alone would compare
each with all before it; the baseline makes a single comparison a formula, parsing included. Ours adds each
to a vote and reads the pick after it.
Process CPU time; the ratio travels, the milliseconds do not. Fails at 5 ms a sample or more.
"""

from __future__ import annotations

import itertools
import random
import sys
import time
from collections.abc import Callable

from verifiers.normal import forget_forms
from verifiers.picks import MajorityVote

SAMPLES = 1_000
LIMIT = 5e-3


def formulas(chance: random.Random) -> list[str]:
    """Roots, polynomials, fractions of them, logarithms, intervals, points and matrices, all different."""
    found: dict[str, None] = {}
    while len(found) < SAMPLES:
        a, b, c = (chance.randrange(2, 99) for _ in range(3))
        kinds = [
            f"{len(found)} + \\frac{{{a}\\sqrt{{{b}}}}}{{{c}}}",
            f"{a}x^3 - {b}x^2 + {c}x - {a * b}",
            f"\\frac{{x+{a}}}{{x^2-{b}x+{c}}}",
            f"\\log_{{{a}}} {b} + \\pi^{{{c}}}",
            f"(-\\infty, {-a}) \\cup [{b}, {b + c})",
            f"\\left(\\frac{{{a}}}{{{b}}}, \\sqrt{{{c}}}\\right)",
            f"\\begin{{pmatrix}} {a} & {b} \\\\ {c} & \\sqrt{{{a}}} \\end{{pmatrix}}",
            f"{a}e^{{-{b}t}}\\sin({c}t)",
        ]
        found.setdefault(chance.choice(kinds))
    return list(found)


def ours(answers: list[str]) -> int:
    forget_forms()
    vote = MajorityVote("math")
    for sample, answer in enumerate(answers):
        vote.add(sample, answer)
        assert vote.pick.support > 0
    return vote.distinct


def baseline(answers: list[str]) -> int:
    from math_verify import LatexExtractionConfig, parse, verify  # type: ignore[import-untyped]

    config = [LatexExtractionConfig()]
    parsed = [parse(f"${answer}$", extraction_config=config, parsing_timeout=None) for answer in answers]
    return sum(not verify(*pair, timeout_seconds=None) for pair in itertools.pairwise(parsed))


def cost(work: Callable[[list[str]], int], answers: list[str], times: int) -> tuple[float, int]:
    """CPU seconds an answer, the best of so many, and what the work counted."""
    best, counted = float("inf"), 0
    for _ in range(times):
        start = time.process_time()
        counted = work(answers)
        best = min(best, (time.process_time() - start) / len(answers))
    return best, counted


def main() -> int:
    answers = formulas(random.Random(1))
    vote, groups = cost(ours, answers, 3)
    few = answers[:100]
    compared, _ = cost(baseline, few, 1)
    print(f"{SAMPLES} formulas, {groups} groups")
    print(f"  a sample {vote * 1e3:6.2f} ms, the pick read each time")
    print(f"  math-verify, one comparison with parsing ({len(few)} formulas) {compared * 1e3:6.2f} ms")
    print(f"  ratio {compared / vote:5.1f}")
    return int(vote >= LIMIT or groups < 0.99 * SAMPLES)


if __name__ == "__main__":
    sys.exit(main())

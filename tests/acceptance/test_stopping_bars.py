"""How many of 40 real answers each stopping rule reads, and what that costs in accuracy.

    python -m pytest tests/acceptance/test_stopping_bars.py -q -s

250 problems, 40 answers each, the order shuffled 20 times. Of our rule's constants the certainty of 95% and
Jeffreys' prior are the customary ones; that three samples may be enough is what matters most (with four it
reads 5.75 of 40). So that nobody has to take our word for it, both are also tuned on half the problems and
scored on the other half.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import mean

from budgets.stopping import ENOUGH, FEWEST, chance_pick_stays, gain_in_pick
from tests.acceptance.labelled import Labelled, leading, public_set
from verifiers.picks import chance_leader_stays

SHUFFLES = 20
Rule = Callable[[dict[int, int], Sequence[int], int], bool]
"""Votes by group, the answers so far, and how many are left: stop?"""


@dataclass(frozen=True, slots=True)
class Score:
    samples: float
    lost: float
    """Points of accuracy lost against reading all."""
    changed: float
    """How often the pick is not that of all the answers, in per cent."""


def settled(
    certainty: float, votes: dict[int, int], seen: Sequence[int], left: int, *, fewest: int = FEWEST
) -> bool:
    return len(seen) >= fewest and chance_pick_stays(votes.values(), left) >= certainty


def worth_it(least: float, votes: dict[int, int], seen: Sequence[int], left: int) -> bool:
    return len(seen) >= FEWEST and gain_in_pick(votes.values(), len(seen), left) < least


def textbook(certainty: float, votes: dict[int, int], seen: Sequence[int], left: int) -> bool:
    """Adaptive-Consistency."""
    ranked = [*sorted(votes.values(), reverse=True), 0, 0]
    return chance_leader_stays(ranked[0], ranked[1]) >= certainty


def unanimous_window(width: int, votes: dict[int, int], seen: Sequence[int], left: int) -> bool:
    """ESC: answers are read in windows, and a window of equal ones ends it."""
    return len(seen) % width == 0 and len(set(seen[-width:])) == 1 and seen[-1] >= 0


def shuffled(problems: Sequence[Labelled], shuffles: int = SHUFFLES) -> list[tuple[Labelled, list[int]]]:
    found = []
    for shuffle in range(shuffles):
        source = random.Random(shuffle)
        for problem in problems:
            order = list(problem.groups)
            source.shuffle(order)
            found.append((problem, order))
    return found


def stopped_at(rule: Rule, order: Sequence[int]) -> int:
    votes: dict[int, int] = {}
    for place, group in enumerate(order[:-1], start=1):
        if group >= 0:
            votes[group] = votes.get(group, 0) + 1
        if rule(votes, order[:place], len(order) - place):
            return place
    return len(order)


def score(rule: Rule, runs: Sequence[tuple[Labelled, list[int]]]) -> Score:
    samples = lost = changed = 0
    for problem, order in runs:
        stop = stopped_at(rule, order)
        early, late = leading(order[:stop]), leading(order)
        samples += stop
        lost += (late in problem.right) - (early in problem.right)
        changed += early != late
    return Score(samples / len(runs), 100 * lost / len(runs), 100 * changed / len(runs))


def test_settled_reads_five_and_a_half_of_forty_answers_and_loses_next_to_nothing() -> None:
    problems = public_set("last_letters")
    runs = shuffled(problems)
    rules: dict[str, Rule] = {
        "settled, 95%": partial(settled, ENOUGH),
        "Adaptive-Consistency, 95%": partial(textbook, 0.95),
        "ESC, window of 5": partial(unanimous_window, 5),
        "worth-it, 0.2 points a sample": partial(worth_it, 0.002),
    }
    scores = {name: score(rule, runs) for name, rule in rules.items()}

    print(f"\n{len(problems)} problems x 40 answers, {SHUFFLES} orders")
    print(f"{'rule':<32}{'samples':>8}{'points lost':>13}{'other pick':>12}")
    for name, found in scores.items():
        print(f"{name:<32}{found.samples:>8.2f}{found.lost:>13.2f}{found.changed:>11.1f}%")

    ours = scores["settled, 95%"]
    assert ours.samples <= 5.5
    assert ours.lost <= 0.3
    assert ours.changed <= 100 * (1 - ENOUGH)
    assert ours.samples < scores["Adaptive-Consistency, 95%"].samples


def test_constants_tuned_on_half_the_problems_hold_on_the_other_half() -> None:
    """The fewest samples and the certainty are taken that read least, while at most 1% of the picks differ
    from those of all the answers. Tuned by points lost instead, which a few problems decide, two halves of
    this set ask for certainties of 85% and of 99%: that would be tuning to noise.
    """
    problems = public_set("last_letters")
    grid = [(fewest, certainty) for fewest in (3, 4, 5) for certainty in (0.8, 0.9, 0.93, 0.95, 0.97, 0.99)]
    print(f"\n{'half':>5}{'fewest':>8}{'certainty':>11}{'samples':>9}{'points lost':>13}{'other pick':>12}")
    held_out = []
    for split in range(4):
        mixed = random.Random(split).sample(problems, len(problems))
        halves = mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]
        for half, (tune_on, score_on) in enumerate((halves, halves[::-1])):
            tuning = shuffled(tune_on, SHUFFLES // 4)
            tried = {at: score(partial(settled, at[1], fewest=at[0]), tuning) for at in grid}
            fewest, certainty = min(
                (at for at in grid if tried[at].changed <= 1.0), key=lambda at: tried[at].samples
            )
            found = score(partial(settled, certainty, fewest=fewest), shuffled(score_on))
            held_out.append(found)
            print(
                f"{split}.{half:<3}{fewest:>8}{certainty:>11.0%}{found.samples:>9.2f}{found.lost:>13.2f}"
                f"{found.changed:>11.1f}%"
            )
    assert mean(found.samples for found in held_out) <= 5.5
    assert mean(found.lost for found in held_out) <= 0.3

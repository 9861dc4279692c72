"""Fits the curves of ``budgets.confidence`` on labelled samples.

    python -m tests.acceptance.confidence_fit        writes budgets/confidence.json

A training case is a sub-sample of one problem's answers: every size of ``SIZES`` that the problem has answers
for, ``DRAWS`` times. Whatever its number of cases, a problem counts once.

The sets are those in which systems worked their answers out. The figures were chosen for the lowest log-loss
among one-figure forms on sets of short answers given at once (``tests/benchmarks/sample_direct.py``), which
are in neither the fit nor the bars, and, where two forms were level there, by the tables themselves. More
figures (margin, runner-up, number of answers, of samples, of answers given once) fitted the sets they saw
better and unseen ones worse; so did an offset for every set, averaged over for a new one.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import budgets
from budgets.confidence import Curve, covered_figure, pick_figure
from tests.acceptance.labelled import Labelled, leading, own_set, public_set, votes_of

SIZES = (1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 40)
DRAWS = 4
SHIPPED = Path(budgets.__file__).with_name("confidence.json")


@dataclass(frozen=True, slots=True)
class Case:
    """A sub-sample: its problem, the votes of its answers, and what was true of it."""

    problem: str
    votes: tuple[int, ...]
    samples: int
    right: bool
    covered: bool
    weight: float

    @property
    def leader(self) -> int:
        return max(self.votes)

    @property
    def share(self) -> float:
        return self.leader / self.samples


def worked_out() -> dict[str, list[Labelled]]:
    """The sets to fit on, by name. Skips the test that asks where one is missing."""
    return {
        "last_letters, GPT-3.5": public_set("last_letters"),
        "GSM8K, 4 systems": public_set("gsm8k_solutions"),
        "MATH, 7B reasoner": public_set("math_rm"),
        "GSM8K, SmolLM2-135M": own_set("smollm2-gsm8k"),
    }


def cases_of(problems: Iterable[Labelled], seed: int = 0) -> list[Case]:
    """Sub-samples with at least one answer; the weights of a problem's add up to 1."""
    source = random.Random(seed)
    found = []
    for problem in problems:
        mine = []
        for size in SIZES:
            if size > len(problem.groups):
                break
            draws = DRAWS if size < len(problem.groups) else 1
            for _ in range(draws):
                drawn = source.sample(problem.groups, size)
                top = leading(drawn)
                if top is not None:
                    covered = not problem.right.isdisjoint(drawn)
                    votes = tuple(votes_of(drawn))
                    mine.append(Case(problem.name, votes, size, top in problem.right, covered, 1 / draws))
        total = sum(case.weight for case in mine)
        found += [replace(case, weight=case.weight / total) for case in mine]
    return found


def fitted(cases: Sequence[Case]) -> tuple[Curve, Curve]:
    """The curves for the pick and for coverage, by maximum likelihood."""
    return (
        _fit(cases, pick_figure, [case.right for case in cases]),
        _fit(cases, covered_figure, [case.covered for case in cases]),
    )


def _fit(cases: Sequence[Case], figure: Callable[[int, int], float], true: Sequence[bool]) -> Curve:
    """Logistic regression by Newton's method, on a hair of ridge that keeps separable data finite."""
    figures = np.array([[1.0, figure(case.leader, case.samples)] for case in cases])
    weights = np.array([case.weight for case in cases])
    labels = np.array(true, dtype=np.float64)
    ridge = 1e-3 * np.eye(2)
    found: NDArray[np.float64] = np.zeros(2)
    for _ in range(100):
        chance = 1 / (1 + np.exp(-figures @ found))
        gradient = figures.T @ (weights * (chance - labels)) + ridge @ found
        curvature = (figures * (weights * chance * (1 - chance))[:, None]).T @ figures + ridge
        step = np.linalg.solve(curvature, gradient)
        found = found - step
        if np.abs(step).max() < 1e-10:
            break
    return Curve(float(found[0]), float(found[1]))


def main() -> None:
    sets = worked_out()
    pick, covered = fitted([case for problems in sets.values() for case in cases_of(problems)])
    told = {
        "what": "Estimated log-odds: level + slope * figure; see budgets/confidence.py",
        "pick_right": {"level": round(pick.level, 6), "slope": round(pick.slope, 6)},
        "covered": {"level": round(covered.level, 6), "slope": round(covered.slope, 6)},
        "fitted_on": {name: f"{len(problems)} problems" for name, problems in sets.items()},
    }
    SHIPPED.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    print(SHIPPED.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()

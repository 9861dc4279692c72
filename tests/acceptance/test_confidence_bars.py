"""How far off the stated chances are, on problems and on whole sets that the fit has not seen.

    python -m pytest tests/acceptance/test_confidence_bars.py -q -s

Cases are sub-samples of 4 to 40 answers of one problem. *Off* is the count-weighted mean of |stated -
observed| over ten bins of the stated chance; *Brier* the mean squared error, beside that of stating the vote
share itself. What the tables say, good and bad: over all cases, both on new problems and on new sets, the
chances are within the bar of 0.05 and better than the share; four fifths of these cases are of one set, the
only one with 40 answers a problem. On other sets taken singly they are not, whether the set was in the fit or
not: solutions of four different systems that agree are right more often than one system's that agree with
themselves, a strong reasoner is right more often than its share says, a very weak one covers less than its
many answers suggest, and short answers given at once are another matter again. All of that is printed; the
bar is asserted over all cases, and where each set counts alike only that the pick's chances are within twice
the bar and better than the share.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from budgets.confidence import Curve, confidence, confidence_on
from tests.acceptance.confidence_fit import SHIPPED, Case, cases_of, fitted, worked_out
from tests.acceptance.labelled import OWN, own_set

BAR = 0.05
FEWEST = 4
FOLDS = 5
ALL, ALIKE = "all cases", "all cases, sets alike"
Curves = tuple[Curve, Curve]
Stated = tuple[Case, float, float]
"""A case, and the chances stated of it: the pick is right, the problem is covered."""


@dataclass(frozen=True, slots=True)
class Score:
    off: float
    brier: float
    share_off: float
    share_brier: float

    @property
    def held(self) -> bool:
        return self.off < BAR and self.brier < self.share_brier


def score(
    stated: Sequence[float], true: Sequence[bool], shares: Sequence[float], weights: Sequence[float]
) -> Score:
    chances, labels, share, weight = (np.asarray(column, float) for column in (stated, true, shares, weights))

    def off(values: np.ndarray) -> float:
        bins = np.minimum((10 * values).astype(int), 9)
        gaps = np.bincount(bins, weight * (values - labels), minlength=10)
        return float(np.abs(gaps).sum() / weight.sum())

    def brier(values: np.ndarray) -> float:
        return float(np.average((values - labels) ** 2, weights=weight))

    return Score(off(chances), brier(chances), off(share), brier(share))


def stated_on(cases: Sequence[Case], curves: Curves) -> list[Stated]:
    found = []
    for case in cases:
        if case.samples >= FEWEST:
            said = confidence_on(*curves, case.votes, case.samples)
            found.append((case, said.pick_right, said.covered))
    return found


def scores(rows: Sequence[Stated], weights: Sequence[float] | None = None) -> tuple[Score, Score]:
    """Of the pick and of coverage. Unless weights are given, every case counts alike."""
    shares, weights = [case.share for case, *_ in rows], weights or [1.0] * len(rows)
    pick = score([row[1] for row in rows], [case.right for case, *_ in rows], shares, weights)
    covered = score([row[2] for row in rows], [case.covered for case, *_ in rows], shares, weights)
    return pick, covered


def table(title: str, rows: dict[str, list[Stated]]) -> dict[str, tuple[Score, Score]]:
    print(f"\n{title}")
    print(f"{'':<34}{'pick right':^32}{'covered':^32}")
    columns = f"{'off':>7}{'Brier':>8}{'share: off':>11}{'Brier':>6}"
    print(f"{'set':<26}{'cases':>8}{columns}{columns}")
    alike = [1 / len(stated) for stated in rows.values() for _ in stated]
    rows = rows | {ALL: [row for stated in rows.values() for row in stated]}
    rows[ALIKE] = rows[ALL]
    found = {}
    for name, stated in rows.items():
        found[name] = scores(stated, alike if name == ALIKE else None)
        cells = "".join(
            f"{one.off:>7.3f}{one.brier:>8.3f}{one.share_off:>11.3f}{one.share_brier:>6.3f}"
            for one in found[name]
        )
        print(f"{name:<26}{len(stated):>8}{cells}")
    return found


@pytest.fixture(scope="module")
def sets() -> dict[str, list[Case]]:
    return {name: cases_of(problems) for name, problems in worked_out().items()}


def every(sets: dict[str, list[Case]], *, without: str | None = None) -> list[Case]:
    return [case for name, cases in sets.items() if name != without for case in cases]


def test_new_problems_of_known_sets(sets: dict[str, list[Case]]) -> None:
    folds = {
        (name, problem): place % FOLDS
        for name, cases in sets.items()
        for place, problem in enumerate(sorted({case.problem for case in cases}))
    }
    rows: dict[str, list[Stated]] = {name: [] for name in sets}
    for fold in range(FOLDS):
        seen = [case for name, cases in sets.items() for case in cases if folds[name, case.problem] != fold]
        curves = fitted(seen)
        for name, cases in sets.items():
            rows[name] += stated_on([case for case in cases if folds[name, case.problem] == fold], curves)

    found = table(f"Fitted on {FOLDS - 1} of {FOLDS} parts of the problems, tested on the other", rows)

    assert all(one.held for one in found[ALL])


def test_new_sets(sets: dict[str, list[Case]]) -> None:
    rows = {}
    for left_out in sets:
        curves = fitted(every(sets, without=left_out))
        rows[left_out] = stated_on(sets[left_out], curves)

    found = table("Fitted on the other sets, tested on this one", rows)

    assert all(one.held for one in found[ALL])
    assert found[ALIKE][0].off < 2 * BAR
    assert found[ALIKE][0].brier < found[ALIKE][0].share_brier


def test_short_answers_given_at_once(sets: dict[str, list[Case]]) -> None:
    names = sorted(path.stem for path in OWN.glob("*.json") if path.stem != "smollm2-gsm8k")
    curves = fitted(every(sets))
    rows = {name: stated_on(cases_of(own_set(name)), curves) for name in names}
    table("Fitted on all sets, tested on what none of them is: answers of a few tokens, no working", rows)


def test_the_shipped_curves_are_the_fitted_ones(sets: dict[str, list[Case]]) -> None:
    shipped = json.loads(SHIPPED.read_text(encoding="utf-8"))
    for curve, name in zip(fitted(every(sets)), ("pick_right", "covered"), strict=True):
        assert (curve.level, curve.slope) == pytest.approx(
            (shipped[name]["level"], shipped[name]["slope"]), abs=1e-4
        )
    said = confidence([3, 1], 4)
    assert said is not None

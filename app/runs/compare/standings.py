"""How the models of a comparison stand: what each covers, picks, spends, and who is ahead at equal spend.

Read off the counts alone, so that a live screen, the result and a report say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.runs.compare.state import Cell, ComparisonState
from app.runs.result import LEVEL, powers_up_to
from app.runs.state import Books
from budgets.adaptive import Tries, fewest_tries, solved_within
from budgets.coverage import coverage_interval, mean_pass_at_k, posterior_interval
from budgets.paired import Difference, coverage_difference

Unit = Literal["usd", "flops", "samples"]
"""What models are given the same of."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value in 0..1, between ``low`` and ``high`` at the usual level."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Standing:
    """One model. ``counts`` are (decided, right) of the problems of ``asked``, the places of those with any
    decided sample. ``cost`` is what a sample cost in the comparison's unit, its part of the prompt included;
    ``None`` before the first. ``majority`` is how often its majority's answer is right."""

    model: str
    asked: tuple[int, ...]
    counts: tuple[tuple[int, int], ...]
    tries: tuple[Tries, ...]
    stopped: bool
    samples: int
    solved: int
    undecided: int
    cost: float | None
    majority: Estimate | None
    books: Books

    @property
    def deepest(self) -> int:
        """The highest k at which its coverage is measured."""
        if not self.counts:
            return 0
        return fewest_tries(self.tries) if self.stopped else min(n for n, _ in self.counts)

    def value(self, k: int) -> float:
        """Coverage at k, up to ``deepest``."""
        return solved_within(self.tries, k)[0] if self.stopped else mean_pass_at_k(self.counts, k)

    def coverage(self, k: int) -> Estimate:
        """Coverage at k with its interval over problems, up to ``deepest``. Some milliseconds."""
        if self.stopped:
            return Estimate(*solved_within(self.tries, k, LEVEL))
        interval = coverage_interval(self.counts, k, LEVEL)
        return Estimate(mean_pass_at_k(self.counts, k), interval.low, interval.high)

    def measured(self) -> dict[int, Estimate]:
        """Coverage at 1, 2, 4, … and the highest k there is."""
        return {k: self.coverage(k) for k in powers_up_to(self.deepest)}


@dataclass(frozen=True, slots=True)
class Duel:
    """Two models at the same spend: ``spend`` a problem in ``unit``, which is ``k`` samples of each."""

    first: Standing
    second: Standing
    unit: Unit
    spend: float
    k: tuple[int, int]
    coverage: tuple[float, float]
    difference: Difference


def unit_of(state: ComparisonState) -> Unit:
    """What is made equal: what the budget caps, else what every model has."""
    budget, books = state.budget, state.books_by_model.values()
    paid = all(each.known.usd is not None for each in books)
    sized = all(each.known.flops is not None for each in books)
    if budget.usd is not None and paid:
        return "usd"
    if budget.flops is not None and sized:
        return "flops"
    if paid and all(each.known.usd for each in books):
        return "usd"
    return "flops" if sized and books else "samples"


def standings(state: ComparisonState, unit: Unit | None = None) -> list[Standing]:
    """Every model, in the order in which they were named."""
    chosen = unit or unit_of(state)
    return [_standing(state, model, chosen) for model in state.models]


def duel(first: Standing, second: Standing, unit: Unit) -> Duel | None:
    """The two at the highest spend at which both are measured, on the problems that both were asked;
    ``None`` before there is any. Where samples stopped at success only the same k can be compared."""
    shared = sorted(set(first.asked) & set(second.asked))
    if not shared or not first.deepest or not second.deepest or not first.cost or not second.cost:
        return None
    spend = min(first.deepest * first.cost, second.deepest * second.cost)
    ks = tuple(max(1, int(spend / each.cost + 1e-9)) for each in (first, second) if each.cost)
    k = (min(ks[0], first.deepest), min(ks[1], second.deepest))
    if first.stopped or second.stopped:
        pairs = [_solved_by(each, shared, at) for each, at in zip((first, second), k, strict=True)]
        difference = coverage_difference(pairs[0], pairs[1], (1, 1), LEVEL)
        values = tuple(sum(c for _, c in pair) / len(pair) for pair in pairs)
    else:
        pairs = [_counts_on(each, shared) for each in (first, second)]
        difference = coverage_difference(pairs[0], pairs[1], k, LEVEL)
        values = tuple(mean_pass_at_k(pair, at) for pair, at in zip(pairs, k, strict=True))
    return Duel(first, second, unit, spend, k, (values[0], values[1]), difference)


def share(right: int, of: int) -> Estimate | None:
    """A share with its Jeffreys interval; ``None`` of nothing."""
    return Estimate(right / of, *posterior_interval(of, right, 1, LEVEL)) if of else None


def _standing(state: ComparisonState, model: str, unit: Unit) -> Standing:
    cells, books = state.cells[model], state.books_by_model[model]
    asked = tuple(place for place, cell in enumerate(cells) if cell.decided)
    finished = sum(cell.finished for cell in cells)
    leaders = [cell.leader for cell in cells]
    judged = [leader.verdict for leader in leaders if leader is not None and leader.verdict is not None]
    judged = [verdict for verdict in judged if verdict != "undecided"]
    return Standing(
        model=model,
        asked=asked,
        counts=tuple((cells[place].decided, cells[place].right) for place in asked),
        tries=tuple(_tries(cells[place]) for place in asked),
        stopped=_stopped(state),
        samples=finished,
        solved=sum(cell.right > 0 for cell in cells),
        undecided=sum(cell.undecided for cell in cells),
        cost=_cost(books, unit, finished),
        majority=share(sum(verdict == "right" for verdict in judged), len(judged)),
        books=books,
    )


def _stopped(state: ComparisonState) -> bool:
    """Whether problems stopped at success, or got more samples for the lack of it."""
    return state.allocation != "uniform" or (state.plan is not None and state.plan.stop == "first-verified")


def _tries(cell: Cell) -> Tries:
    return Tries(cell.decided, cell.tries_to_first)


def _cost(books: Books, unit: Unit, samples: int) -> float | None:
    if not samples:
        return None
    if unit == "samples":
        return 1.0
    total = books.known.usd if unit == "usd" else books.known.flops
    return None if total is None else float(total) / samples


def _counts_on(standing: Standing, places: Sequence[int]) -> list[tuple[int, int]]:
    at = dict(zip(standing.asked, standing.counts, strict=True))
    return [at[place] for place in places]


def _solved_by(standing: Standing, places: Sequence[int], k: int) -> list[tuple[int, int]]:
    at = dict(zip(standing.asked, standing.tries, strict=True))
    return [(1, int(each.first is not None and each.first <= k)) for each in (at[place] for place in places)]

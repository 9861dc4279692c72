"""One model of a comparison: its connection, a budget of its own, and which problem it is asked next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

import msgspec

from app.models.base import Backend, Prompt, Settings
from app.models.prompts import build_prompt, stop_strings
from app.problems.problem import Problem
from app.runs.compare.state import Cell
from app.runs.costs import Meter
from app.runs.grading import Checker
from app.runs.judging import Judge
from app.runs.lanes import Lane
from app.runs.offers import Offers
from app.runs.plan import Plan
from app.runs.rent import Rent
from budgets.allocation import Allocation, Allocator
from budgets.amounts import Budget
from budgets.ledger import Ledger
from budgets.rates import Price

_AT_ONCE: Final = 8
"""The most samples of one problem that one request draws: more would leave the others behind."""


@dataclass(slots=True)
class Place:
    """One problem as one model meets it."""

    lane: Lane
    judge: Judge
    settings: Settings


class Entrant:
    """``lane`` is the model as a whole: what it has in flight, and how it bears that. Each problem has a lane
    of its own beside it, for its prompt and its samples' seeds, made when it is first asked."""

    def __init__(
        self,
        backend: Backend,
        price: Price | None,
        problems: Sequence[Problem],
        plan: Plan,
        *,
        allocation: Allocation,
        samples_each: int | None,
        gpu_usd_per_hour: Decimal | None,
        checker_for: Callable[[Problem], Checker | None] = lambda problem: None,
    ) -> None:
        self.lane = Lane(backend, Meter(backend.info, price), Prompt())
        self.ledger = Ledger(plan.budget)
        self.offers = Offers(self.ledger, plan)
        self.rent = Rent(
            gpu_usd_per_hour, self.ledger, {backend.info.name} if backend.info.local else frozenset()
        )
        self.allocator = Allocator(
            allocation, len(problems), most=samples_each, first_right=plan.stop == "first-verified"
        )
        self.samples_each = samples_each
        self.spent_out = False
        """Whether its budget had no room for the last request that was wanted."""
        self._price = price
        self._problems = problems
        self._plan = plan
        self._checker_for = checker_for
        self._places: list[Place | None] = [None] * len(problems)
        self._again: deque[int] = deque()

    @property
    def name(self) -> str:
        return self.lane.name

    @property
    def used(self) -> float:
        """The part of its budget that is spent or held, in 0..1: by the limit nearest to its end."""
        books, budget = self.ledger.books, self.ledger.budget
        parts = [0.0]
        for cap, most, held in (
            (budget.usd, books.at_most.usd, books.reserved.usd),
            (budget.flops, books.at_most.flops, books.reserved.flops),
            (budget.tokens, books.at_most.tokens, books.reserved.tokens),
        ):
            if cap and most is not None and held is not None:
                parts.append(float(most + held) / float(cap))
        if self.samples_each:
            drawn = sum(one.drawn for one in self.allocator.progress)
            parts.append(drawn / (self.samples_each * len(self._problems)))
        return max(parts)

    def allow(self, budget: Budget) -> None:
        """What may be spent from here on; ``budget.samples`` of each problem, where it is given."""
        self.ledger.set_budget(replace(budget, samples=None))
        self.spent_out = False
        if budget.samples is not None:
            self.samples_each = budget.samples
            self.allocator.allow(budget.samples)

    def next_problem(self) -> int | None:
        """The place of the problem to ask next; ``None`` where nothing more is wanted."""
        return self._again[0] if self._again else self.allocator.next()

    def wanted(self, problem: int, free: int) -> int:
        """How many samples of the problem the next request draws, if the budget pays for them."""
        if self.place(problem).lane.again:
            return 1
        most = min(free, self.lane.meter.info.choices_per_request, _AT_ONCE)
        left = self.allocator.left(problem)
        if left is None:  # nobody knows how many each problem will get: no more than a quarter ahead
            left = max(1, self.allocator.progress[problem].drawn // 4)
        return min(most, left)

    def place(self, problem: int) -> Place:
        found = self._places[problem]
        if found is None:
            asked, plan, lane = self._problems[problem], self._plan, self.lane
            prompt = build_prompt(
                asked, lane.meter.info, system=plan.system, shots=plan.shots, raw=plan.raw, own=plan.examples
            )
            own = Lane(lane.backend, Meter(lane.meter.info, self._price), prompt)
            stops = dict.fromkeys((*plan.settings.stop, *stop_strings(asked, raw=plan.raw)))
            settings = msgspec.structs.replace(plan.settings, stop=tuple(stops))
            found = self._places[problem] = Place(
                own, Judge(asked, (self.name,), self._checker_for(asked)), settings
            )
        return found

    def drawn(self, problem: int, by: int) -> None:
        """So many more samples of the problem are in flight, or with ``by`` below zero so many fewer."""
        self.allocator.progress[problem].drawn += by
        if by < 0:
            self.allocator.changed(problem)

    def lost(self, problem: int, samples: Sequence[tuple[int, int]]) -> None:
        """Samples, as (index, ordinal), that have to be drawn again."""
        lane = self.place(problem).lane
        lane.again.extend(samples)
        self._again.extend([problem] * len(samples))

    def take(self, problem: int, wanted: int, first_index: int) -> tuple[tuple[int, ...], int]:
        """The indices of the next samples, and the ordinal of the first."""
        lane = self.place(problem).lane
        if lane.again:
            self._again.remove(problem)
        else:
            self.drawn(problem, wanted)
        return lane.take(wanted, first_index)

    def told(self, problem: int, cell: Cell) -> None:
        """What became of the problem's samples, which may change whose turn it is."""
        one = self.allocator.progress[problem]
        one.right = cell.right
        if cell.finished:
            usd, flops = cell.known.usd, cell.known.flops
            spent = float(usd) if usd else float(flops or cell.known.tokens)
            one.cost = spent / cell.finished
        self.allocator.changed(problem)

    def restore(self, problem: int, cell: Cell) -> None:
        """Take over what an earlier part of the comparison did with the problem."""
        if not cell.next_ordinal:
            return
        place = self.place(problem)
        place.lane.next_ordinal = cell.next_ordinal
        if cell.read:
            place.lane.meter.prompt_was_paid()
        for group, votes in cell.votes.items():
            place.judge.remember(votes.answer, group)
            for _ in range(votes.support):
                place.judge.vote(votes.sample, self.name, votes.answer)
        self.allocator.progress[problem].drawn = cell.started
        if cell.lost:
            self.lost(problem, sorted(cell.lost.items()))
        self.told(problem, cell)

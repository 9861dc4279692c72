"""The engine of a comparison: several models, each with a budget of its own, over one set of problems.

It works as ``app.runs.engine`` does for one problem: a reservation is an event before its request leaves, and
every event is applied and kept before anybody sees it. Which problem comes next is the allocation's business.
Which model comes next is decided by how much of its budget each has used: none runs ahead of another by more
than a small part, so that what is there can be compared at any moment.

Pieces of text are no events here. A thousand problems are watched as counts, and a sample can be read when it
has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Final, Literal

import msgspec

from app.clock import Clock
from app.errors import MonkeysError, PartMissing
from app.models.base import BackendError, ChoiceDone, Delta, Progress, PromptRead, Request
from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.checking import LiveChecks
from app.runs.compare.entrants import Entrant
from app.runs.compare.state import ComparisonState
from app.runs.driving import Driver
from app.runs.flight import Flight
from app.runs.grading import Checker
from app.runs.retries import FAILURES_IN_A_ROW, Retries
from app.runs.source import Store
from budgets.amounts import Amounts, Budget
from budgets.ledger import LedgerError
from verifiers.verdicts import Judgement

_LAST_CHECKS: Final = 20.0
"""Seconds that the end waits for verdicts on what is there."""
_AHEAD: Final = 0.02
"""The part of its budget by which one model may be ahead of another, beside what it has in flight."""
_DERIVED = (ev.PickChanged, ev.CoverageChanged)
"""Events that say nothing that the counts do not: kept out of the journal, which they would double."""
NOTHING = Amounts()


class Comparison(Driver[ComparisonState]):
    """A live comparison. ``entrants`` are its models; ``prior`` is a state folded from the journal, to go on
    from, and ``unjudged`` the texts of its samples that wait for a verdict: (text, cut off), by index."""

    def __init__(
        self,
        started: ev.ComparisonStarted,
        entrants: Sequence[Entrant],
        *,
        store: Store | None = None,
        clock: Clock | None = None,
        prior: ComparisonState | None = None,
        unjudged: Mapping[int, tuple[str, bool]] | None = None,
        checker_for: Callable[[Problem], Checker | None] = lambda problem: None,
    ) -> None:
        super().__init__(prior or ComparisonState(), store=store, clock=clock)
        self._started = started
        self._plan = started.plan
        self._entrants = {entrant.name: entrant for entrant in entrants}
        self._checker_for = checker_for
        self._checks: dict[int, LiveChecks | None] = {}
        self._unjudged = dict(unjudged or {})
        self._told: set[str] = set()
        self._retries = Retries(started.plan.seed)
        if prior is not None:
            self._take_over(prior)

    def set_budget(self, budget: Budget) -> None:
        """Change what each model may spend, from the next reservation on. ``budget.samples`` is the most
        samples of one problem; ``None`` leaves it as it is."""
        for entrant in self._entrants.values():
            entrant.allow(budget)
        self._emit(ev.BudgetChanged(at=self._at(), budget=budget))
        self._change.set()

    def more(self, samples: int) -> None:
        """So many more samples of every problem."""
        each = (self.state.samples_each or 0) + samples
        self.set_budget(replace(self.state.budget, samples=each))

    @property
    def verdicts_pending(self) -> int:
        """Finished samples that wait for their verdict."""
        return sum(checks.behind for checks in self._checks.values() if checks is not None)

    # -- beginning --------------------------------------------------------------------------------

    def _begin(self) -> None:
        if not self.state.run_id:
            self._emit(self._started)
            return
        at = self._at()
        self._emit(*self._lost_calls(at), ev.Resumed(at=at, reason="continued"))
        for index, (text, cut_off) in self._unjudged.items():
            self._check(self.state.unjudged[index].problem, index, text, cut_off=cut_off)
        self._unjudged.clear()

    def _opening(self) -> Sequence[Awaitable[None]]:
        return [self._open(each) for each in self._entrants.values() if not each.lane.ready]

    async def _open(self, entrant: Entrant) -> None:
        lane = entrant.lane

        def report(progress: Progress) -> None:
            self._status(entrant, "preparing", progress.step, progress.fraction)

        try:
            await lane.backend.open(report)
        except MonkeysError as error:
            lane.set_aside = True
            self.fault = self.fault or error
            self._status(entrant, "failed", f"{error.message} {error.fix or ''}".strip())
        except Exception as error:  # noqa: BLE001 - raised again by the driver, which ends the run in order
            self._crash = error
        else:
            lane.ready = True
            lane.meter.learn(lane.backend.info)
            info = lane.backend.info
            self._emit(ev.ModelStatus(at=self._at(), model=lane.name, state="ready", info=info))
        self._change.set()

    # -- starting requests ------------------------------------------------------------------------

    def _turn(self, now: float) -> None:
        self._fill(now)
        self._keep_rent()

    def _fill(self, now: float) -> None:
        while not (self._paused or self._stopping):
            entrant = self._whose_turn(now)
            if entrant is None or not self._start(entrant):
                return

    def _whose_turn(self, now: float) -> Entrant | None:
        """The model that has used least of its budget and has a free place. One that is ahead of another
        which could still go on waits for it."""
        running = [each for each in self._entrants.values() if not each.lane.set_aside and not each.spent_out]
        running = [each for each in running if each.next_problem() is not None]
        if not running:
            return None
        used = {each.name: each.used for each in running}
        least = min(used.values())
        free = [
            each
            for each in running
            if each.lane.ready
            and each.lane.rests_until <= now
            and each.lane.in_flight < each.lane.width(self._plan.concurrency)
            and (used[each.name] <= least + _AHEAD)
        ]
        return min(free, key=lambda each: used[each.name], default=None)

    def _start(self, entrant: Entrant) -> bool:
        """Reserve and send one request. False where nothing can be started now."""
        lane, problem = entrant.lane, entrant.next_problem()
        if problem is None:
            return False
        if not entrant.rent.affords(entrant.name):
            entrant.spent_out = True
            return True
        place = entrant.place(problem)
        wanted = entrant.wanted(problem, lane.width(self._plan.concurrency) - lane.in_flight)
        try:
            offer = entrant.offers.best(place.lane, wanted, alone=not lane.in_flight)
            if offer is None:
                # what is in flight may give some of its hold back; then it is tried again
                entrant.spent_out = True
                return True
            call = entrant.ledger.reserve(
                entrant.name, prompt=offer.prompt, each=offer.each, choices=offer.choices
            )
        except LedgerError as error:
            self._set_aside(entrant, str(error))
            return True
        indices, ordinal = entrant.take(problem, offer.choices, self.state.samples)
        number, at = self.state.calls, self._at()
        flight = Flight(number, indices, call, place.lane.meter, place.judge, offer=offer, started=at)
        seed = self._plan.seed + ordinal
        self._emit(
            *entrant.rent.begin(entrant.name, at),
            ev.CallStarted(
                at=at,
                call=number,
                model=entrant.name,
                samples=indices,
                seed=seed,
                held=offer.held,
                problem=problem,
            ),
        )
        if self._stopping:  # the reservation could not be kept, so the request must not leave
            self._emit(*flight.withdrawn(at))
            return False
        lane.in_flight += offer.choices
        settings = msgspec.structs.replace(place.settings, max_tokens=offer.max_tokens)
        request = Request(place.lane.prompt, settings, offer.choices, seed)
        task = asyncio.create_task(self._fly(entrant, problem, flight, request, ordinal))
        self._tasks.add(task)
        task.add_done_callback(self._landed)
        return True

    def _keep_rent(self) -> None:
        for entrant in self._entrants.values():
            busy = {entrant.name} if entrant.lane.in_flight else frozenset()
            if told := entrant.rent.keep(self._at(), busy):
                self._emit(*told)
            if entrant.rent.used_up:
                self.stop("The limit on dollars pays for no more time of this machine.", status="budget")

    # -- while a request is in the air ------------------------------------------------------------

    async def _fly(
        self, entrant: Entrant, problem: int, flight: Flight, request: Request, ordinal: int
    ) -> None:
        lane = entrant.lane
        try:
            async with aclosing(lane.backend.sample(request)) as pieces:
                async for piece in pieces:
                    if type(piece) is Delta:
                        flight.delta(piece, self._at())
                    elif type(piece) is ChoiceDone:
                        try:
                            if news := await flight.prepare(piece):
                                self._tell_once(news)
                        finally:  # a stop must not lose a sample that is in
                            lane.in_flight -= 1
                            lane.served()
                            self._done(entrant, problem, flight, piece)
                    elif type(piece) is PromptRead:
                        self._emit(*flight.prompt_read(piece, self._at()))
            if flight.unfinished:
                raise BackendError("malformed", "The stream ended before its samples did.", retry=True)
            if owed := flight.ended(self._at()):
                self._emit(*owed)
        except asyncio.CancelledError:
            lost = len(flight.unfinished)
            lane.in_flight -= lost
            entrant.drawn(problem, -lost)
            self._emit(*flight.cancelled(self._at()))
        except BackendError as error:
            self._failed(entrant, problem, flight, error, ordinal)
        entrant.spent_out = False

    def _done(self, entrant: Entrant, problem: int, flight: Flight, piece: ChoiceDone) -> None:
        told = [each for each in flight.choice_done(piece, self._at()) if not isinstance(each, _DERIVED)]
        self._emit(*told)
        entrant.spent_out = False
        finished = told[0]
        if isinstance(finished, ev.SampleFinished) and finished.sample in self.state.unjudged:
            cut_off = finished.finish_reason == "length"
            self._check(problem, finished.sample, finished.text, cut_off=cut_off)
        entrant.told(problem, self.state.cells[entrant.name][problem])
        self._change.set()

    def _failed(
        self, entrant: Entrant, problem: int, flight: Flight, error: BackendError, ordinal: int
    ) -> None:
        lane, lost = entrant.lane, flight.unfinished
        lane.in_flight -= len(lost)
        at = self._at()
        retry = self._retries.after(error, lane, lost, started=flight.started, at=at, now=self._clock.now())
        self._emit(*flight.failed(error, at, retry=retry))
        if retry:
            first = flight.indices[0]
            entrant.lost(problem, [(index, ordinal + index - first) for index in lost])
        if not error.retry or lane.failures_in_a_row >= FAILURES_IN_A_ROW:
            self._set_aside(entrant, error.message)

    def _check(self, problem: int, index: int, text: str, *, cut_off: bool) -> None:
        checks = self._checks_of(problem)
        if checks is not None:
            checks.submit(index, text, cut_off=cut_off)

    def _checks_of(self, problem: int) -> LiveChecks | None:
        if problem not in self._checks:
            asked = self._started.problems[problem]
            checker = self._checker_for(asked)
            self._checks[problem] = (
                None
                if checker is None
                else LiveChecks(asked, checker, judged=self._judged, missing=self._missing)
            )
        return self._checks[problem]

    def _judged(self, index: int, judgement: Judgement) -> None:
        found = self.state.unjudged.get(index)
        if found is None:
            return
        self._emit(
            ev.Judged(
                at=self._at(),
                sample=index,
                verdict=judgement.verdict,
                reason=judgement.reason,
                checker=judgement.checker,
            )
        )
        self._entrants[found.model].told(found.problem, self.state.cells[found.model][found.problem])
        self._change.set()

    def _missing(self, error: PartMissing) -> None:
        self._tell_once(f"Nothing is checked: {error.message} {error.fix or ''}")
        self._change.set()

    def _tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._emit(ev.Notice(at=self._at(), text=text, level="warning"))

    def _set_aside(self, entrant: Entrant, why: str) -> None:
        entrant.lane.set_aside = True
        self._status(entrant, "set-aside", why)

    def _wakes(self, now: float) -> list[float]:
        entrants = self._entrants.values()
        wakes = [each.lane.rests_until - now for each in entrants if each.lane.rests_until > now]
        wakes += [each.rent.wakes_at - self._at() for each in entrants if each.rent.wakes_at is not None]
        if self.state.budget.seconds is not None:
            wakes.append(self.state.budget.seconds - self._at())
        return [max(0.0, seconds) for seconds in wakes]

    # -- ending -----------------------------------------------------------------------------------

    async def _finish(self) -> None:
        for entrant in self._entrants.values():
            if told := entrant.rent.end(self._at()):
                self._emit(*told)
        for checks in self._checks.values():
            if checks is not None:
                await checks.finish(_LAST_CHECKS)

    def _why_end(self, now: float, *, still_opening: bool) -> tuple[ev.Status, str] | None:
        budget = self.state.budget
        if self._stopping:
            return ("failed" if self.fault else self._stopped_as), self._stopping
        if budget.seconds is not None and self._at() >= budget.seconds:
            return "budget", "The time is up."
        if self._tasks or still_opening or self._paused or self.verdicts_pending:
            return None
        able = [entrant for entrant in self._entrants.values() if not entrant.lane.set_aside]
        if not able:
            told = [status.detail for status in self.state.model_status.values() if status.detail]
            return "failed", told[-1] if told else "No model is left to ask."
        waiting = [entrant for entrant in able if entrant.next_problem() is not None]
        if any(not entrant.spent_out and entrant.lane.rests_until > now for entrant in waiting):
            return None
        if waiting:
            names = ", ".join(entrant.name for entrant in waiting)
            if not self.state.calls:
                return "budget", f"The budget does not pay for one sample of {names}: raise it."
            return "budget", f"The budget of {names} leaves no room for one more sample."
        return "completed", "All samples are in."

    # -- going on ---------------------------------------------------------------------------------

    def _take_over(self, prior: ComparisonState) -> None:
        for name, entrant in self._entrants.items():
            entrant.allow(replace(prior.budget, samples=prior.samples_each))
            books = prior.books_by_model[name]
            entrant.ledger.restore(books.known, books.at_most, name)
            for problem, cell in enumerate(prior.cells[name]):
                entrant.restore(problem, cell)

    def _lost_calls(self, at: float) -> list[ev.Event]:
        """What a killed program left in the air: lost, counted at its worst, and drawn again."""
        found: list[ev.Event] = []
        for index, flying in list(self.state.live.items()):
            self._entrants[flying.model].lost(flying.problem, [(index, flying.ordinal)])
            found.append(
                ev.SampleFailed(
                    at=at,
                    sample=index,
                    call=flying.call,
                    model=flying.model,
                    kind="interrupted",
                    message="The program ended before this sample did; it is drawn again.",
                    retry=True,
                )
            )
        for name, books in self.state.books_by_model.items():
            if books.held == NOTHING:
                continue
            owed = books.held.without_samples()
            self._entrants[name].ledger.restore(NOTHING, owed, name)
            found.append(
                ev.Charged(
                    at=at, call=-1, model=name, sample=None, known=NOTHING, at_most=owed, released=books.held
                )
            )
        return found

    # -- telling ----------------------------------------------------------------------------------

    def _status(
        self,
        entrant: Entrant,
        state: Literal["preparing", "ready", "failed", "set-aside"],
        detail: str = "",
        fraction: float | None = None,
    ) -> None:
        self._emit(
            ev.ModelStatus(at=self._at(), model=entrant.name, state=state, detail=detail, fraction=fraction)
        )

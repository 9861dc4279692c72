"""The engine: spends a budget on samples of one problem, and tells what happens as events.

It knows no front end. Each turn of its loop starts as many requests as the ledger, the sample limit and each
model's concurrency allow, and gives what happens to samples afterwards its turn; then it sleeps until
something changes. A request's reservation is an event too, so it is on disk before the request leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

import msgspec

from app.clock import Clock
from app.errors import PartMissing
from app.models.base import Request
from app.runs import events as ev
from app.runs.checking import LiveChecks
from app.runs.choosing import PACE
from app.runs.driving import Driver
from app.runs.ending import why_over
from app.runs.flight import Flight
from app.runs.grading import Checker
from app.runs.helpers import Helpers
from app.runs.judging import Judge
from app.runs.lanes import Lane, whose_turn
from app.runs.offers import Offers
from app.runs.opening import open_model
from app.runs.recovery import lost_calls, resumed, take_over
from app.runs.rent import Rent
from app.runs.requests import Requests
from app.runs.retries import Retries
from app.runs.source import Store
from app.runs.stages import Host, Stages
from app.runs.state import RunState
from app.runs.stopping import Stopping
from app.runs.telling import Telling
from budgets.amounts import Budget
from budgets.ledger import Ledger, LedgerError
from verifiers.suspicion import Suspicion
from verifiers.verdicts import Judgement

_LAST_CHECKS: Final = 20.0
"""Seconds that a run's end waits for verdicts on what it has."""
_WATERMARK: Final = 20_000
"""Events nobody has fetched yet, above which streams wait: a slow reader must not fill the memory."""


class Engine(Driver[RunState]):
    """A live run. ``lanes`` are its models; ``prior`` is a state folded from the journal, to go on from.

    ``ended`` is called with the state whenever the run ends. ``notice`` is told at the start of a new run.
    ``checker`` judges what takes running something, beside the sampling. ``helpers`` re-write samples and
    score them. ``gpu_usd_per_hour`` is what this machine costs while a local model works.
    """

    def __init__(
        self,
        started: ev.RunStarted,
        lanes: Sequence[Lane],
        *,
        store: Store | None = None,
        clock: Clock | None = None,
        prior: RunState | None = None,
        ended: Callable[[RunState], None] | None = None,
        notice: str = "",
        gpu_usd_per_hour: Decimal | None = None,
        checker: Checker | None = None,
        helpers: Helpers | None = None,
    ) -> None:
        super().__init__(prior or RunState(), store=store, clock=clock)
        self._started = started
        self._plan = started.plan
        self._lanes = {lane.name: lane for lane in lanes}
        self._ended = ended
        self._notice = notice
        self._ledger = Ledger(prior.budget if prior else started.plan.budget)
        self._offers = Offers(self._ledger, started.plan)
        helpers = helpers or Helpers(None, None)
        local = {info.name for info in (*started.models, *helpers.infos) if info.local}
        self._rent = Rent(gpu_usd_per_hour, self._ledger, local)
        self._judge = Judge(started.problem, tuple(info.name for info in started.models), checker)
        self._checks: LiveChecks | None = None
        if checker is not None:
            self._checks = LiveChecks(
                started.problem, checker, judged=self._judged, missing=self._cannot_check
            )
        self._suspicion = Suspicion()
        self._rule = Stopping(started.plan.stop)
        self._room = asyncio.Event()
        self._enough = ""
        self._telling = Telling(self.state, self._at, self._emit)
        self._requests = Requests(
            self._telling,
            Retries(started.plan.seed),
            self._clock,
            came=self._came,
            gone=self._set_aside,
            changed=self._change.set,
            breathe=self._breathe,
        )
        host = Host(
            self._telling,
            self._ledger,
            self._rent,
            self._lanes,
            self._clock,
            sampling=self._is_sampling,
            stopping=lambda: bool(self._stopping),
            changed=self._change.set,
        )
        self._finishing = False
        self._stages = Stages(host, started.problem, started.plan, helpers)
        if prior is not None:
            self._judge.restore(prior)
            take_over(prior, self._lanes, self._ledger, self._plan.seed)

    # -- what a front end may do ------------------------------------------------------------------

    @property
    def verdicts_pending(self) -> int:
        """Finished samples that wait for their checker."""
        return self._checks.behind if self._checks is not None else 0

    @property
    def server_load(self) -> str:
        """What the servers of the models say of themselves now, in words, where any of them does."""
        loads = [getattr(lane.backend, "load", None) for lane in self._lanes.values()]
        return "; ".join(load.words for load in loads if load is not None)

    def stop(
        self, reason: str = "You stopped it; everything that came is kept.", *, status: ev.Status = "stopped"
    ) -> None:
        """End it, once the samples that are in have their verdicts; asked again meanwhile, at once."""
        if self._finishing and self._checks is not None:
            self._checks.give_up()
        super().stop(reason, status=status)

    def more(self, samples: int) -> None:
        """Draw so many more, whatever a stop rule thinks of it once it has ended the run."""
        self._rule.off = self._rule.off or not self._running
        self.set_budget(replace(self.state.budget, samples=self.state.finished + samples))

    def set_budget(self, budget: Budget) -> None:
        self._ledger.set_budget(budget)
        self._stages.begin(opening=False)
        self._emit(ev.BudgetChanged(at=self._at(), budget=budget))
        self._change.set()

    # -- the run ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._enough = ""
        if not self.state.run_id:
            self._emit(self._started)
            if self._notice:
                self._telling.warn(self._notice)
            return
        at = self._at()
        lost = lost_calls(self.state, self._lanes, self._ledger, self._plan.seed, at)
        self._emit(*lost, resumed(self.state, self._plan, at))
        self._stages.begin(opening=True)
        self._stages.restore()
        for sample in self.state.every_sample():
            if sample.status == "finished":
                self._check(sample.index)

    def _opening(self) -> Sequence[Awaitable[None]]:
        lanes = [self._open(lane) for lane in self._lanes.values() if not lane.ready]
        return [*lanes, *self._stages.opening()]

    def _turn(self, now: float) -> None:
        self._stages.turn(paused=self._paused)
        self._fill(now)
        if told := self._rent.keep(self._at(), self._busy()):
            self._emit(*told)
        if self._rent.used_up:
            self.stop("The limit on dollars pays for no more time of this machine.", status="budget")

    async def _finish(self) -> None:
        self._finishing = True
        await self._stages.finish()
        if told := self._rent.end(self._at()):
            self._emit(*told)
        if self._checks is not None:
            await self._checks.finish(_LAST_CHECKS)
        self._finishing = False
        self._stages.tell(last=True)

    def _fetched(self) -> None:
        self._room.set()

    def _over(self) -> None:
        if self._ended is not None:
            self._ended(self.state)

    async def _open(self, lane: Lane) -> None:
        try:
            missing = await open_model(self._telling, lane.name, lane.backend.open, lambda: lane.backend.info)
        except Exception as error:  # noqa: BLE001 - raised again by the driver, which ends the run in order
            self._crash = error
        else:
            self.fault = self.fault or missing
            lane.set_aside, lane.ready = missing is not None, missing is None
            lane.meter.learn(lane.backend.info)
        self._change.set()

    def _busy(self) -> set[str]:
        return {lane.name for lane in self._lanes.values() if lane.in_flight} | self._stages.busy()

    # -- starting requests ------------------------------------------------------------------------

    def _fill(self, now: float) -> None:
        while not (self._paused or self._stopping or self._enough):
            if self._ledger.stopped:
                self.stop(f"A charge was above what was reserved for it: {self._ledger.surprises[-1]}")
                return
            lane = whose_turn(self._lanes.values(), self.state, self._plan.concurrency, now)
            if lane is None or not self._start(lane):
                return

    def _start(self, lane: Lane) -> bool:
        """Reserve and send one request of as many samples as fit. False if not even one does."""
        free = lane.width(self._plan.concurrency) - lane.in_flight
        limit = self.state.budget.samples
        left = None if limit is None else limit - self.state.finished - len(self.state.live)
        if lane.again:
            left = 1 if left is None else min(1, left)
        wanted = lane.batch(free, left)
        if wanted < 1 or not self._rent.affords(lane.name):
            return False
        try:
            offer = self._offers.best(lane, wanted, alone=not self._tasks)
            if offer is None or self._stages.no_room(offer.held, offer.choices):
                return False
            call = self._ledger.reserve(
                lane.name, prompt=offer.prompt, each=offer.each, choices=offer.choices
            )
        except LedgerError as error:
            self._set_aside(lane, str(error))
            return False
        indices, ordinal = lane.take(offer.choices, len(self.state.samples))
        number, at = self.state.calls, self._at()
        flight = Flight(number, indices, call, lane.meter, self._judge, offer=offer, started=at)
        seed = self._plan.seed + ordinal
        if news := self._offers.news(offer):
            self._telling.warn(news)
        self._emit(
            *self._rent.begin(lane.name, at),
            ev.CallStarted(at=at, call=number, model=lane.name, samples=indices, seed=seed, held=offer.held),
        )
        if self._stopping:  # the reservation could not be kept, so the request must not leave
            self._emit(*flight.withdrawn(at))
            return False
        lane.in_flight += offer.choices
        settings = msgspec.structs.replace(self._plan.settings, max_tokens=offer.max_tokens)
        request = Request(lane.prompt, settings, offer.choices, seed)
        task = asyncio.create_task(self._requests.fly(lane, flight, request, ordinal))
        self._tasks.add(task)
        task.add_done_callback(self._landed)
        return True

    def _is_sampling(self) -> bool:
        """Whether there are samples still to be drawn."""
        limit = self.state.budget.samples
        wanted = limit is None or self.state.finished + len(self.state.live) < limit
        return wanted and not (self._stopping or self._enough)

    # -- what comes of it -------------------------------------------------------------------------

    async def _breathe(self) -> None:
        """Wait while more is told than anybody fetches."""
        if len(self._out) > _WATERMARK and not self._stopping:
            self._room.clear()
            await self._room.wait()

    def _came(self, index: int) -> None:
        """A sample is there: what it takes to judge and to score it may begin."""
        sample = self.state.samples[index]
        if sample is not None:
            self._check(index)
            self._stages.submit(sample)

    def _check(self, index: int) -> None:
        sample = self.state.samples[index]
        if self._checks is not None and sample is not None and sample.verdict is None:
            self._checks.submit(index, sample.text, cut_off=sample.finish_reason == "length")

    def _judged(self, index: int, judgement: Judgement) -> None:
        sample = self.state.samples[index]
        if sample is not None:
            self._emit(*self._judge.judged(self._at(), index, sample.model, judgement))
            self._stages.note(sample)
            if doubt := self._suspicion.note(judgement):
                self._telling.warn(doubt)
            self._change.set()

    def _cannot_check(self, error: PartMissing) -> None:
        self._telling.warn(f"Nothing is checked: {error.message} {error.fix or ''}")
        self._change.set()

    def _set_aside(self, lane: Lane, why: str) -> None:
        if not lane.set_aside:  # what was in flight fails of the same cause, which is told once
            lane.set_aside = True
            self._telling.status(lane.name, "set-aside", why)

    def _wakes(self, now: float) -> list[float]:
        """Seconds until a resting model wakes, time has to be bought, or the time is up."""
        wakes = [lane.rests_until - now for lane in self._lanes.values() if lane.rests_until > now]
        if self.state.budget.seconds is not None:
            wakes.append(max(0.0, self.state.budget.seconds - self._at()))
        if self._rent.wakes_at is not None:
            wakes.append(max(0.0, self._rent.wakes_at - self._at()))
        if self._stages.waits_to_tell:
            wakes.append(PACE)
        return wakes

    # -- ending -----------------------------------------------------------------------------------

    def _why_end(self, now: float, *, still_opening: bool) -> tuple[ev.Status, str] | None:
        state, budget = self.state, self.state.budget
        if self._stopping:
            unkept = self.fault is not None and self.fault.message == self._stopping
            return ("failed" if unkept else self._stopped_as), self._stopping
        if budget.seconds is not None and self._at() >= budget.seconds:
            return "budget", "The time is up."
        if not self._enough and (enough := self._rule.reached(state)):
            if self._rule.rule == "first-verified":
                return "stopped", enough
            self._enough = enough
            for task in self._tasks:  # soon: a request that has just begun must get to know that it was cut
                asyncio.get_running_loop().call_soon(task.cancel)
        if self._tasks or self._paused or (self._checks and self._checks.behind) or self._stages.behind:
            return None
        if self._enough:
            return "stopped", self._enough
        if still_opening:
            return None
        if budget.samples is not None and state.finished >= budget.samples:
            return "completed", f"All {budget.samples} samples are in."
        return why_over(
            state, self._lanes.values(), self._ledger, self._offers, self._rent, self._stages.no_room, now
        )

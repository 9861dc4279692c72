"""A machine paid by the hour: its time is bought before it passes, and never more than the cap pays for."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.models.scripted import ScriptedBackend
from app.runs import events as ev
from app.runs.engine import Engine
from app.runs.journal import fold
from app.runs.launch import Launcher
from app.runs.rent import LEAST, SLICE, Rent
from app.runs.state import RunState
from budgets.amounts import Amounts, Budget
from budgets.ledger import Ledger
from tests.app.runs.rigs import HEADER, SUM, ListStore, collect, plan, scripted

MICRO = 1_000_000


class World:
    """A rent under a clock of microseconds, its events folded as a run's would be, and the true bill."""

    def __init__(self, rate: Decimal, cap: Decimal | None) -> None:
        self.rate = rate
        self.budget = Budget(usd=cap)
        self.ledger = Ledger(self.budget)
        self.rent = Rent(rate, self.ledger, {"a", "b"})
        self.state = RunState()
        infos = tuple(
            msgspec.structs.replace(ScriptedBackend(["x"], HEADER).info, name=name) for name in ("a", "b")
        )
        the_plan = plan("a", "b")
        self.apply([ev.RunStarted(at=0.0, run_id="r", created="", problem=SUM, plan=the_plan, models=infos)])
        self.now = 0
        self.busy: set[str] = set()
        self.worked = 0
        """Microseconds of work so far, all models together."""

    @property
    def at(self) -> float:
        return self.now / MICRO

    def apply(self, events: list[ev.Event]) -> None:
        for event in events:
            self.state.apply(event)
            self.check_books()

    def check_books(self) -> None:
        books, truth = self.state.books, self.ledger.books
        assert books.known.usd is not None
        assert books.held.usd is not None
        assert books.held.usd >= 0
        assert books.known == books.at_most
        if self.budget.usd is not None:
            assert books.at_most.usd is not None
            assert books.at_most.usd + books.held.usd <= self.budget.usd
            assert truth.at_most.usd is not None
            assert truth.reserved.usd is not None
            assert truth.at_most.usd + truth.reserved.usd <= self.budget.usd
        assert not self.state.open_calls

    def pass_time(self, micro: int) -> None:
        self.now += micro
        self.worked += micro * len(self.busy)
        covered = self.state.books.known.usd + self.state.books.held.usd  # type: ignore[operator]
        assert self.owed <= Fraction(covered), "time passed that nobody had paid for"

    @property
    def owed(self) -> Fraction:
        return Fraction(self.rate) * self.worked / MICRO / 3600

    def start(self, model: str) -> bool:
        if not self.rent.affords(model):
            return False
        self.apply(self.rent.begin(model, self.at))
        self.busy.add(model)
        return True

    def turn(self) -> None:
        self.apply(self.rent.keep(self.at, self.busy))

    def sleep(self, micro: int, late: int) -> None:
        """As the engine does: no longer than to the next renewal, and woken a little late."""
        wakes = self.rent.wakes_at
        if wakes is not None:
            micro = min(micro, max(0, int(wakes * MICRO) - self.now) + late)
        self.pass_time(micro)

    def land(self, takes: int) -> None:
        self.pass_time(takes)
        self.busy.clear()
        self.apply(self.rent.end(self.at))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["start a", "start b", "end a", "end b", "wait"]),
        st.integers(0, 30 * MICRO),
        st.integers(0, 3_000),
    ),
    max_size=40,
)


@given(
    STEPS,
    st.sampled_from(["0.01", "1.10", "2", "7.77", "98.765", "3600"]),
    st.none() | st.integers(0, 200 * MICRO),
)
@settings(max_examples=1500, deadline=None)
def test_time_is_paid_for_before_it_passes_and_the_cap_holds_at_every_moment(
    steps: list[tuple[str, int, int]], rate: str, cap_micro: int | None
) -> None:
    cap = None if cap_micro is None else Decimal(rate) * cap_micro / MICRO / 3600
    world = World(Decimal(rate), cap)
    for what, wait, late in steps:
        action, _, model = what.partition(" ")
        if action == "start":
            world.start(model)
        elif action == "end":
            world.busy.discard(model)
        world.turn()
        if world.rent.used_up:
            world.land(late)
            break
        world.sleep(wait, late)
    world.busy.clear()
    world.turn()
    assert not world.ledger.surprises
    assert not world.ledger.open_calls
    assert world.state.books.held == Amounts()
    known = world.state.books.known.usd
    assert known is not None
    assert 0 <= Fraction(known) - world.owed < Fraction(1, 10**12)
    assert known == world.ledger.books.known.usd


def test_a_cap_is_used_up_but_for_the_time_it_takes_to_end() -> None:
    world = World(Decimal(36), Decimal(1))  # a hundred seconds
    assert world.start("a")
    while not world.rent.used_up:
        world.sleep(60 * MICRO, 1_000)
        world.turn()
    world.land(2_000)
    known = world.state.books.known.usd
    assert known is not None
    assert Decimal("0.997") <= known <= 1


def test_too_little_for_the_shortest_slice_starts_nothing() -> None:
    least = Decimal(3600) * Decimal(str(LEAST)) / 3600
    assert World(Decimal(3600), least).start("a")
    assert not World(Decimal(3600), least - Decimal("0.0001")).start("a")


@pytest.mark.parametrize("rate", [None, Decimal(0)])
def test_a_machine_that_costs_nothing_is_not_rented(rate: Decimal | None) -> None:
    rent = Rent(rate, Ledger(Budget(usd=Decimal(0))), {"a"})
    assert rent.affords("a")
    assert rent.begin("a", 0.0) == []
    assert rent.wakes_at is None


def test_a_program_that_stood_still_pays_for_it_where_the_cap_can() -> None:
    world = World(Decimal(3600), Decimal(100))
    world.start("a")
    world.now += 30 * MICRO  # far past the slice
    world.turn()
    assert not world.ledger.surprises
    assert world.state.books.known.usd == 30
    assert world.state.books.held.usd == Decimal(str(SLICE))


def test_a_program_that_stood_still_past_its_cap_says_so_and_stops() -> None:
    ledger = Ledger(Budget(usd=Decimal(12)))
    rent = Rent(Decimal(3600), ledger, {"a"})
    rent.begin("a", 0.0)
    rent.keep(30.0, {"a"})
    assert rent.used_up
    rent.end(30.0)
    assert ledger.books.known.usd == 30
    assert ledger.stopped


def test_a_model_elsewhere_rents_nothing_here() -> None:
    rent = Rent(Decimal(2), Ledger(Budget(usd=Decimal(0))), {"a"})
    assert rent.affords("elsewhere")
    assert rent.begin("elsewhere", 0.0) == []


# -- in a run ----------------------------------------------------------------------------------------------

LONG = " ".join(["word"] * 400)


def engine(
    text: str, *, usd: str | None, rate: str, store: ListStore | None = None, prior: RunState | None = None
) -> Engine:
    """Two at a time at a hundred tokens a second each, by the real clock."""
    header = msgspec.structs.replace(HEADER, concurrency=2, tokens_per_second=100.0)
    backend = ScriptedBackend([text], header)
    launcher = Launcher(make=lambda _: backend, gpu_usd_per_hour=Decimal(rate))
    the_plan = plan(usd=usd, samples=None if usd else 4, max_tokens=500)
    return launcher.open_run(SUM, the_plan, store=store, run_id="r1", prior=prior)


async def test_a_cap_on_dollars_ends_a_run_of_local_models_and_keeps_what_came() -> None:
    cap, store = Decimal("0.9"), ListStore()
    run = engine(LONG, usd="0.9", rate="3600", store=store)  # a dollar a second
    seen = RunState()
    async for event in run.run():
        seen.apply(event)
        assert seen.books.at_most.usd is not None
        assert seen.books.held.usd is not None
        assert seen.books.at_most.usd + seen.books.held.usd <= cap
    state = run.state
    assert (state.status, state.finished, state.cancelled) == ("budget", 0, 2)
    assert "dollars" in state.end_reason
    assert all(sample.text for sample in state.every_sample())
    assert state.books.held == Amounts()
    assert not state.open_calls
    assert state.books.known.usd is not None
    assert Decimal("0.6") < state.books.known.usd <= cap
    assert run.fault is None


async def test_without_a_cap_the_busy_seconds_are_told_to_the_microsecond() -> None:
    store = ListStore()
    run = engine("The answer is 43.", usd=None, rate="2", store=store)
    await collect(run)
    slices = [e for e in store.events if isinstance(e, ev.CallStarted) and not e.samples]
    ends = [e for e in store.events if isinstance(e, ev.Charged) and e.call == slices[0].call]
    assert len(slices) == len(ends)
    busy = sum(end.at - begin.at for begin, end in zip(slices, ends, strict=True))
    assert run.state.finished == 4
    assert run.state.books.known.usd is not None
    assert float(run.state.books.known.usd) == pytest.approx(2 * busy / 3600, abs=1e-8)
    assert run.state.books.held == Amounts()


async def test_a_crash_leaves_the_slice_as_spend_at_most() -> None:
    store = ListStore()
    await collect(engine(LONG, usd="0.5", rate="3600", store=store))
    held = next(i for i, batch in enumerate(store.batches) if isinstance(batch[0], ev.CallStarted))
    prior = RunState()
    for batch in store.batches[: held + 1]:
        for event in batch:
            prior.apply(event)
    assert prior.books.held.usd == Decimal("0.5")
    again = engine(LONG, usd="0.5", rate="3600", prior=prior)
    await collect(again)
    assert again.state.status == "budget"
    assert again.state.books.at_most.usd == Decimal("0.5")
    assert again.state.books.known.usd == 0
    assert again.state.books.held == Amounts()
    assert not again.state.open_calls


async def test_a_raised_cap_goes_on() -> None:
    run = engine("The answer is 43. " + LONG, usd="0.3", rate="3600")
    await collect(run)
    assert run.state.status == "budget"
    run.set_budget(Budget(usd=Decimal("0.6")))
    await collect(run)
    assert run.state.status == "budget"
    assert run.state.books.known.usd is not None
    assert Decimal("0.35") < run.state.books.known.usd <= Decimal("0.6")


async def test_a_resumed_run_goes_on_at_the_rate_it_began_with() -> None:
    store = ListStore()
    first = Launcher(make=lambda name: scripted(), gpu_usd_per_hour=Decimal("3.60"))
    await collect(first.open_run(SUM, plan(samples=2), store=store, run_id="r1"))
    prior = fold(store.events)
    assert prior.gpu_usd_per_hour == Decimal("3.60")
    spent = prior.books_by_purpose["time"].known.usd
    assert spent is not None
    again = Launcher(make=lambda name: scripted()).open_run(
        SUM, plan(samples=6), store=store, run_id="r1", prior=prior
    )
    again.more(4)
    await collect(again)
    assert again.state.finished == 6
    paid = again.state.books_by_purpose["time"].known.usd
    assert paid is not None
    assert paid > spent

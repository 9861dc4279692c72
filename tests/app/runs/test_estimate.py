"""What a plan buys, in words, and the most it may cost."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from app.models.script_file import Header
from app.models.scripted import ScriptedBackend
from app.runs.habits import Habit, Habits
from app.runs.launch import Launcher
from app.runs.plan import Plan
from tests.app.runs.rigs import HEADER, RIGHT, SUM, collect, engine_on, plan, scripted

PAID = msgspec.structs.replace(HEADER, price=(Decimal("0.15"), Decimal("0.60")), parameters=None)


def launcher(header: Header = HEADER, habits: Habits | None = None) -> Launcher:
    return Launcher(make=lambda _: ScriptedBackend([RIGHT], header, name="toy"), habits=habits)


def test_without_habits_the_most_is_told() -> None:
    said = launcher().estimate(SUM, plan(samples=10))
    assert said.startswith("10 samples of toy: at most ")
    assert "$0.00" in said


async def test_habits_are_learnt_from_a_run_and_told(tmp_path: Path) -> None:
    habits = Habits(tmp_path / "habits.json")
    engine = engine_on(scripted(name="toy"), plan(samples=12))
    await collect(engine)
    habits.learn(engine.state)
    habit = Habits(tmp_path / "habits.json").of("toy", "math")
    assert habit is not None
    tokens = [sample.tokens for sample in engine.state.every_sample()]
    assert habit.tokens_per_sample == pytest.approx(sum(tokens) / len(tokens))
    assert "about" in launcher(habits=habits).estimate(SUM, plan(samples=10))


def test_a_machine_paid_by_the_hour_costs_what_its_time_costs(tmp_path: Path) -> None:
    file = tmp_path / "habits.json"
    file.write_bytes(msgspec.json.encode({"toy/math": Habit(10.0, 20.0)}))  # two samples a second
    rented = Launcher(
        make=lambda _: ScriptedBackend([RIGHT], HEADER, name="toy"),
        habits=Habits(file),
        gpu_usd_per_hour=Decimal(3600),
    )
    assert "about $5.00" in rented.estimate(SUM, plan(samples=10))
    assert rented.estimate(SUM, plan(usd="20")).startswith("About 40 samples of toy")
    assert "about $20.00" in rented.estimate(SUM, plan(usd="20"))
    unknown = Launcher(
        make=lambda _: ScriptedBackend([RIGHT], HEADER, name="toy"), gpu_usd_per_hour=Decimal("2.5")
    )
    assert "$2.50 an hour" in unknown.estimate(SUM, plan(samples=10))


async def test_a_short_run_teaches_nothing(tmp_path: Path) -> None:
    habits = Habits(tmp_path / "habits.json")
    engine = engine_on(scripted(name="toy"), plan(samples=2))
    await collect(engine)
    habits.learn(engine.state)
    assert habits.of("toy", "math") is None


def test_a_broken_habits_file_is_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "habits.json").write_text("{")
    assert Habits(tmp_path / "habits.json").of("toy", "math") is None
    assert isinstance(Habits(tmp_path / "habits.json").of("smollm2", "math"), Habit)


@pytest.mark.parametrize(
    ("header", "the_plan", "says"),
    [
        (PAID, plan(usd="0.01"), " samples of toy: at most"),
        (PAID, plan(usd="0.0000001"), "does not pay for one sample of toy"),
        (PAID, plan(samples=5, flops=10**15), "size of toy is unknown"),
        (HEADER, plan(samples=5, tokens=10), "does not pay for one sample"),
    ],
)
def test_what_a_budget_buys_is_told(header: Header, the_plan: Plan, says: str) -> None:
    assert says in launcher(header).estimate(SUM, the_plan)


@pytest.mark.parametrize(
    ("header", "the_plan", "most"),
    [
        (HEADER, plan(samples=1000), Decimal(0)),
        (PAID, plan(usd="0.25"), Decimal("0.25")),
        (PAID, plan(tokens=10_000), None),
    ],
)
def test_the_most_that_a_run_may_cost(header: Header, the_plan: Plan, most: Decimal | None) -> None:
    assert launcher(header).most_dollars(SUM, the_plan) == most


async def test_the_most_is_never_passed() -> None:
    the_plan = plan(samples=20)
    most = launcher(PAID).most_dollars(SUM, the_plan)
    engine = engine_on(scripted(header=PAID, name="toy"), the_plan)
    await collect(engine)
    spent = engine.state.books.at_most.usd
    assert most is not None
    assert spent is not None
    assert 0 < spent <= most

"""What is refused before a run with helpers spends anything, and what stays open between runs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from app.errors import BadInput, CannotPay
from app.models.base import ModelInfo
from app.models.script_file import Header
from app.models.scripted import ScriptedBackend
from app.problems.problem import Problem
from app.runs.hiring import Hiring
from app.runs.launch import Launcher
from app.runs.plan import Plan
from budgets.amounts import Budget
from tests.app.runs.helping import ADDS, RIGHT, LengthReward, LocalBox, helped
from tests.app.runs.rigs import HEADER, SUM, collect, plan, scripted

PAID = Header(price=(Decimal(1), Decimal(2)))
SERVER = ModelInfo(name="rm", kind="openai", local=False, stops_when_told=True)


def asked(usd: str | None = None, **names: str) -> Plan:
    found = plan("m", samples=1)
    budget = Budget(samples=1, usd=None if usd is None else Decimal(usd))
    return msgspec.structs.replace(found, budget=budget, **names)


class Unpriced(ScriptedBackend):
    """Costs money, and nobody knows how much."""

    def __init__(self) -> None:
        super().__init__((ADDS,), HEADER, name="coder")
        self._info = msgspec.structs.replace(self._info, local=False)
        self.price = None
        self.price_name = None


def launcher(reward: Any = None, coder: ScriptedBackend | None = None) -> Launcher:
    models = {"m": scripted(RIGHT, header=PAID), "coder": coder or scripted(ADDS)}
    found = Launcher(make=lambda name: models[name])
    found._hiring = Hiring(found.connection, lambda name: reward, LocalBox)
    return found


def test_a_translator_without_a_price_is_refused_under_a_cap_on_dollars() -> None:
    with pytest.raises(CannotPay, match="price of coder is unknown"):
        launcher(coder=Unpriced()).open_run(SUM, asked("1", translator="coder"), run_id="r")
    launcher(coder=Unpriced()).open_run(SUM, asked(translator="coder"), run_id="r")


def test_a_reward_that_may_cost_dollars_is_refused_under_a_cap_on_them() -> None:
    with pytest.raises(CannotPay, match="What length costs is unknown"):
        launcher(LengthReward(info=SERVER)).open_run(SUM, asked("1", reward="length"), run_id="r")
    launcher(LengthReward(info=SERVER)).open_run(SUM, asked(reward="length"), run_id="r")


def test_names_that_mean_nothing_are_refused_before_anything_is_sampled() -> None:
    found = Launcher(make=lambda name: scripted(RIGHT))
    with pytest.raises(BadInput, match="There is no reward"):
        found.open_run(SUM, asked(reward="nonsense"), run_id="r")


async def test_a_translator_is_left_out_where_nothing_is_rewritten_and_the_run_says_so() -> None:
    riddle = Problem(id="r", kind="open", prompt="Who?", answer="me")
    engine = helped(("It is me.",), translator=(ADDS,), problem=riddle)
    await collect(engine)
    assert engine.state.status == "completed"
    assert any("translator is left out" in notice.text for notice in engine.state.notices)


async def test_a_reward_model_is_opened_once_for_all_runs_and_closed_with_the_program() -> None:
    reward = LengthReward()
    found = launcher(reward)
    for name in ("r1", "r2"):
        await collect(found.open_run(SUM, asked(reward="length"), run_id=name))
    assert (reward.opened, reward.closed) == (1, 0)
    await found.close()
    assert reward.closed == 1


def test_what_helpers_may_cost_is_part_of_what_is_asked_about_first() -> None:
    local = launcher()
    assert local.most_dollars(SUM, asked()) is not None
    priced = launcher(coder=scripted(ADDS, header=PAID))
    assert priced.most_dollars(SUM, asked(translator="coder")) is None
    assert priced.most_dollars(SUM, asked("1", translator="coder")) == Decimal(1)


def test_a_rented_machine_is_part_of_what_a_run_may_cost() -> None:
    rented = Launcher(make=lambda name: scripted(RIGHT), gpu_usd_per_hour=Decimal("3.60"))
    timed = msgspec.structs.replace(plan("m"), budget=Budget(samples=1, seconds=10.0))
    assert rented.most_dollars(SUM, timed) == Decimal("0.01")
    assert rented.most_dollars(SUM, asked()) is None

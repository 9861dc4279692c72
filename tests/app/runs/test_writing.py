"""The metered writer by itself: what it asks, what it owes, and when it gives up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any

import pytest

from app.clock import SystemClock
from app.models.base import ChoiceDone, Delta, Piece, PromptRead, Request
from app.models.script_file import Fault, Header, Line
from app.models.scripted import ScriptedBackend
from app.runs import events as ev
from app.runs.paying import Payer
from app.runs.places import Places
from app.runs.rent import Rent
from app.runs.state import RunState
from app.runs.telling import Telling
from app.runs.writing import MeteredWriter
from budgets.amounts import Amounts, Budget
from budgets.flops import ModelSize, decode_flops, prompt_flops
from budgets.ledger import Ledger
from budgets.rates import parse_price
from tests.app.runs.recordings import start
from tests.app.runs.rigs import HEADER, HurriedClock, scripted
from verifiers.ports import CannotAfford, Turn, WriterFailed

ASK = [Turn("system", "Write a program."), Turn("user", "17 + 26")]


class Desk:
    """A writer on ``backend`` under ``budget``, its events folded as a run's would be."""

    def __init__(
        self, backend: ScriptedBackend, budget: Budget | None = None, price: str | None = None
    ) -> None:
        self.state = RunState()
        self.state.apply(start())
        self.events: list[ev.Event] = []
        self.ledger = Ledger(budget or Budget())
        self.payer = Payer(
            Telling(self.state, lambda: 1.0, self.emit),
            self.ledger,
            "translation",
            1.0,
            Rent(None, self.ledger, ()),
            stopping=lambda: False,
            changed=self.turn,
        )
        self.places = Places(4, lane=None, asked=None, hungry=lambda: False, changed=self.turn)
        paid = None if price is None else parse_price(price)
        clock = HurriedClock() if budget is None else SystemClock()
        self.writer = MeteredWriter(backend, paid, self.payer, self.places, clock, 0)

    def emit(self, *events: ev.Event) -> None:
        for event in events:
            self.state.apply(event)
        self.events += events

    def turn(self) -> None:
        self.places.turn()
        self.payer.freed()

    async def write(self, **more: Any) -> list[str]:
        replies = await self.writer.write(ASK, about=0, max_tokens=32, **more)
        return [reply.text for reply in replies]

    @property
    def spent(self) -> Amounts:
        return self.state.books_by_purpose["translation"].known


async def test_a_reply_is_reserved_streamed_and_charged_once() -> None:
    desk = Desk(scripted("print(17 + 26)", header=Header(price=(Decimal(1), Decimal(2)))), price="1,2")
    pieces: list[str] = []
    assert await desk.write(on_text=pieces.append) == ["print(17 + 26)"]
    assert "".join(pieces) == "print(17 + 26)"
    assert [type(event).__name__ for event in desk.events] == ["CallStarted", "Charged"]
    usd = desk.spent.usd
    assert usd is not None
    assert usd > 0
    assert desk.ledger.books.known.usd == usd
    assert desk.ledger.open_calls == ()
    assert desk.places.in_use == 0


async def test_choices_are_drawn_in_as_many_requests_as_it_takes() -> None:
    backend = scripted("one", "two", "three", "four", "five", header=Header(choices_per_request=2))
    assert await Desk(backend).write(choices=5) == ["one", "two", "three", "four", "five"]
    assert backend.requests == 3


async def test_a_call_that_does_not_fit_is_not_made() -> None:
    backend = scripted("print(1)")
    desk = Desk(backend, Budget(tokens=10))
    with pytest.raises(CannotAfford, match="its share of the budget"):
        await desk.write()
    assert backend.requests == 0
    assert desk.events == []


async def test_a_fault_for_good_is_told_and_owes_nothing_where_nobody_worked() -> None:
    desk = Desk(scripted(Line(text="x", error=Fault(kind="auth", message="The key is wrong."))))
    with pytest.raises(WriterFailed, match=r"The key is wrong\."):
        await desk.write()
    assert desk.spent.tokens == 0
    assert desk.places.in_use == 0
    assert desk.ledger.open_calls == ()


async def test_a_fault_in_mid_stream_is_paid_and_tried_again() -> None:
    fault = Fault(kind="server", message="gone", retry=True, after=2, times=1)
    backend = scripted(Line(text="print(17 + 26 + 1 + 2 + 3)", error=fault), header=HEADER)
    desk = Desk(backend)
    assert await desk.write() == ["print(17 + 26 + 1 + 2 + 3)"]
    assert backend.requests == 2
    assert sum(isinstance(event, ev.Charged) for event in desk.events) == 2


async def test_instructions_that_a_local_model_still_holds_are_not_worked_out_again() -> None:
    class Caching(ScriptedBackend):
        async def sample(self, request: Request) -> AsyncGenerator[Piece, None]:
            yield PromptRead(100, 80)
            yield Delta(0, "x", 1)
            yield ChoiceDone(0, "stop", 1)

    first = Desk(Caching(("x",), HEADER))
    await first.write()
    size = ModelSize(1000, 2, 8)
    assert first.spent.tokens == 21
    worked_out = prompt_flops(size, 100) - prompt_flops(size, 80) + decode_flops(size, 100, 1)
    assert first.spent.flops == worked_out


async def test_a_writer_that_is_cancelled_charges_what_came() -> None:
    desk = Desk(scripted("word " * 400, header=Header(tokens_per_second=50.0), tick=0.01))
    task = asyncio.create_task(desk.write())
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert desk.ledger.open_calls == ()
    assert desk.state.books_by_purpose["translation"].held.tokens == 0
    assert desk.spent.tokens > 0
    assert desk.places.in_use == 0

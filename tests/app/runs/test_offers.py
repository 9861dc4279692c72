"""The last of a budget: fewer samples, and shorter ones where the plan allows it."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.models.base import Prompt
from app.models.script_file import Line
from app.models.scripted import ScriptedBackend
from app.runs import events as ev
from app.runs.costs import Meter
from app.runs.lanes import Lane
from app.runs.offers import FEWEST_TOKENS, Offers
from app.runs.plan import Plan
from app.runs.state import RunState
from budgets.amounts import Amounts, Budget
from budgets.ledger import Ledger
from budgets.rates import parse_price
from tests.app.runs.rigs import HEADER, collect, engine_on, plan

WORDS = Line(text=" ".join(["word"] * 100), prompt_tokens=400, completion_tokens=100)


def shrinking(the_plan: Plan) -> Plan:
    return msgspec.structs.replace(the_plan, shrink=True)


def a_lane() -> Lane:
    backend = ScriptedBackend([WORDS], HEADER)
    return Lane(backend, Meter(backend.info, None), Prompt(text="x"), ready=True)


@given(
    room=st.integers(0, 1200), max_tokens=st.integers(1, 300), wanted=st.integers(1, 4), alone=st.booleans()
)
@settings(max_examples=400, deadline=None)
def test_the_longest_sample_that_fits_is_offered(
    room: int, max_tokens: int, wanted: int, alone: bool
) -> None:
    lane = a_lane()
    ledger = Ledger(Budget(tokens=room))
    offers = Offers(ledger, shrinking(plan(max_tokens=max_tokens)))
    offer = offers.best(lane, wanted, alone=alone)
    prompt = lane.backend.prompt_tokens_at_most(lane.prompt)
    left = room - prompt
    least = min(max_tokens, max(FEWEST_TOKENS, -(-max_tokens // 4)))
    if left >= max_tokens:
        assert offer is not None
        assert (offer.choices, offer.max_tokens) == (min(wanted, left // max_tokens), max_tokens)
    elif left >= least and alone:
        assert offer is not None
        assert (offer.choices, offer.max_tokens) == (1, left)
    else:
        assert offer is None
    if offer is not None:
        assert offer.held.tokens <= room
        ledger.reserve("scripted", prompt=offer.prompt, each=offer.each, choices=offer.choices)


async def run_with(the_plan: Plan, *, price: bool = False) -> tuple[RunState, list[ev.Event]]:
    header = HEADER
    if price:
        header = msgspec.structs.replace(HEADER, price=(Decimal("0.10"), Decimal("0.40")))
    engine = engine_on(ScriptedBackend([WORDS], header, tick=0.001), the_plan)
    return engine.state, await collect(engine)


async def test_the_last_sample_is_shorter_and_said_so_once() -> None:
    full, _ = await run_with(plan(tokens=1980, max_tokens=100, concurrency=1))
    state, events = await run_with(shrinking(plan(tokens=1980, max_tokens=100, concurrency=1)))
    assert (full.status, state.status) == ("budget", "budget")
    assert state.finished > full.finished
    assert full.books.at_most.tokens < state.books.at_most.tokens <= 1980
    short = [s for s in state.every_sample() if s.tokens < 100]
    assert short
    assert all(s.tokens >= FEWEST_TOKENS and s.finish_reason == "length" for s in short)
    notices = [event.text for event in events if isinstance(event, ev.Notice)]
    assert len(notices) == 1
    assert "100 tokens" in notices[0]
    assert state.books.held == Amounts()


async def test_it_waits_for_what_is_in_flight_before_it_shortens() -> None:
    """Samples that end early give back what would have been cut off the others."""
    brief = Line(text="The answer is 43.", prompt_tokens=10, completion_tokens=10)
    engine = engine_on(ScriptedBackend([brief], HEADER), shrinking(plan(tokens=2000, max_tokens=400)))
    events = await collect(engine)
    held = [event.held.tokens for event in events if isinstance(event, ev.CallStarted)]
    first_short = next((i for i, tokens in enumerate(held) if tokens < max(held)), len(held))
    assert engine.state.books.at_most.tokens > 2000 - max(held)
    assert all(tokens == max(held) for tokens in held[:first_short])
    assert first_short > 10


async def test_dollars_are_spent_to_the_last_short_sample() -> None:
    cost = parse_price("0.10,0.40").worst(400, 100, 1)
    usd = str(cost * 5 + cost * Decimal("0.7"))
    state, _ = await run_with(shrinking(plan(usd=usd, max_tokens=100, concurrency=1)), price=True)
    assert state.finished >= 6
    assert state.books.at_most.usd is not None
    assert Decimal(usd) * Decimal("0.99") < state.books.at_most.usd <= Decimal(usd)


def test_shorter_samples_are_news_once_and_full_ones_never() -> None:
    lane = a_lane()
    room = lane.backend.prompt_tokens_at_most(lane.prompt) + 60
    offers = Offers(Ledger(Budget(tokens=room)), shrinking(plan(max_tokens=100)))
    full = Offers(Ledger(Budget()), shrinking(plan(max_tokens=100))).best(lane, 1, alone=True)
    short = offers.best(lane, 1, alone=True)
    assert full is not None
    assert short is not None
    assert [bool(offers.news(offer)) for offer in (full, short, short)] == [False, True, False]


@pytest.mark.parametrize("samples", [3, 7])
async def test_a_limit_on_samples_shortens_none(samples: int) -> None:
    state, events = await run_with(shrinking(plan(samples=samples, max_tokens=100)))
    assert (state.status, state.finished) == ("completed", samples)
    assert all(sample.tokens == 100 for sample in state.every_sample())
    assert not [event for event in events if isinstance(event, ev.Notice)]

"""What a backend finds out on the way (a server refuses a setting) is told once, as a notice of the run."""

from __future__ import annotations

from app.models.base import Settings
from app.models.openai_backend import OpenAIBackend
from app.runs import events as ev
from app.runs.launch import Launcher
from app.runs.plan import Plan
from budgets.amounts import Budget
from tests.app.runs.rigs import SUM, ListStore
from tests.servers.billing import KEY, BillingServer, Manners


async def test_a_setting_that_a_server_refuses_is_told_once_and_kept() -> None:
    store = ListStore()
    with BillingServer(Manners(refuses=("temperature", "seed"))) as server:
        launcher = Launcher(lambda _: OpenAIBackend("m", server.url, KEY, choices_per_request=1))
        plan = Plan(models=("openai:m",), settings=Settings(max_tokens=64), budget=Budget(samples=12))
        for run in ("first", "second"):
            engine = launcher.open_run(SUM, plan, store=store, run_id=run)
            async for _ in engine.run():
                pass
            assert (engine.state.status, engine.state.finished) == ("completed", 12)
            assert [notice.text for notice in engine.state.notices] == [
                "The server does not take temperature; its own setting is in force.",
                "The server does not take seed; its own setting is in force.",
            ]
        await launcher.close()
    kept = [event for event in store.events if isinstance(event, ev.Notice)]
    assert len(kept) == 4

"""One sitting at the program: the runs that were made in it, and what can be asked of the one in front.

It drives the run, not the screen that shows it: a screen may be closed, or fail, while samples still come,
and what came is kept either way.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from app.errors import BadInput

if TYPE_CHECKING:
    from decimal import Decimal

    from app.problems.problem import Problem
    from app.runs.plan import Plan
    from app.runs.source import LiveRun, RunSource
    from app.tui.ports import Ports


Helper: TypeAlias = Literal["reward", "translator"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One problem asked one way."""

    problem: Problem
    plan: Plan
    source: RunSource


class Session:
    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self.turns: list[Turn] = []
        self.source: RunSource | None = None
        self._driver: asyncio.Task[None] | None = None
        self._drivers: set[asyncio.Task[None]] = set()
        self._once_more = False
        self._helpers: dict[Helper, str | None] = {}

    # -- what is in front ----------------------------------------------------------------------------

    @property
    def live(self) -> bool:
        """Whether samples may still come (a recording that plays spends nothing and is not live)."""
        source = self.source
        return source is not None and self.spends and source.state.phase != "ended"

    @property
    def spends(self) -> bool:
        """Whether what is in front can draw samples, as opposed to a recording of them."""
        return self.source is not None and hasattr(self.source, "more")

    def begin(self, problem: Problem, plan: Plan) -> RunSource:
        """Launch a run and put it in front. Raises ``MonkeysError`` when it cannot be launched."""
        source = self.ports.launch(problem, plan)
        self.turns.append(Turn(problem, plan, source))
        self.show(source)
        return source

    def show(self, source: RunSource) -> None:
        """Put a run in front; what was there before is stopped, and its driver left to end."""
        if self.source is not None and self._driver is not None and not self._driver.done():
            self.source.stop()
        self.source, self._driver = source, None

    def drive(self) -> asyncio.Task[None]:
        """Take the events of the run in front until it ends. One driver a run: called again, the same."""
        if self._driver is None or self._driver.done():
            self._driver = asyncio.create_task(self._take_all(self._any()), name="run")
            self._drivers.add(self._driver)
            self._driver.add_done_callback(self._drivers.discard)
        elif self.source is not None and self.source.state.phase == "ended":
            self._once_more = True  # it ended, its driver is about to, and it was just told to go on
        return self._driver

    async def close(self, patience: float = 3.0) -> None:
        """Stop what is live, wait until what came is kept (``patience`` seconds at most), close the ports."""
        if self.source is not None and self._drivers:
            self.source.stop()
            drivers = set(self._drivers)
            await asyncio.wait(drivers, timeout=patience)
            for driver in drivers:
                driver.cancel()
        await self.ports.close()

    async def _take_all(self, source: RunSource) -> None:
        while True:
            self._once_more = False
            async with aclosing(source.run()) as events:
                async for _ in events:
                    pass
            if not (self._once_more and source is self.source):
                return

    # -- follow-ups -----------------------------------------------------------------------------------

    def more(self, samples: int | None) -> int:
        """Draw ``samples`` more, or as many again as there are. Returns how many."""
        run = self._spending()
        samples = samples or max(1, run.state.finished)
        run.more(samples)
        return samples

    def set_limit(self, field: str, value: Decimal | int | float) -> None:
        """Change one limit of the budget and leave the others."""
        run = self._spending()
        run.set_budget(run.state.budget.raised(**{field: value}))

    def again(self, *, temperature: float | None = None, model: str | None = None) -> tuple[Problem, Plan]:
        """The problem in front with one setting changed, to be begun as a run of its own."""
        import msgspec

        state = self._any().state
        if state.problem is None or state.plan is None:
            raise _no_run()
        plan = state.plan
        if temperature is not None:
            plan = msgspec.structs.replace(
                plan, settings=msgspec.structs.replace(plan.settings, temperature=temperature)
            )
        if model is not None:
            plan = msgspec.structs.replace(plan, models=(model,))
        return state.problem, msgspec.structs.replace(self.with_helpers(plan), budget=state.budget)

    def set_helper(self, role: Helper, name: str) -> str | None:
        """Score, or translate, the next runs by ``name``; by nothing if that is ``none``. Returns the name.
        A name that means nothing is refused when the next run begins."""
        self._helpers[role] = None if name.lower() in ("none", "off") else name
        return self._helpers[role]

    def with_helpers(self, plan: Plan) -> Plan:
        """The plan with the helpers asked for since; unchanged where none was."""
        import msgspec

        return msgspec.structs.replace(plan, **self._helpers) if self._helpers else plan

    def _any(self) -> RunSource:
        if self.source is None:
            raise _no_run()
        return self.source

    def _spending(self) -> LiveRun:
        from app.runs.source import LiveRun

        source = self._any()
        if not isinstance(source, LiveRun):
            raise BadInput(
                "This is a recording; nothing more can be sampled in it.", "Press n to ask its problem anew."
            )
        return source


def _no_run() -> BadInput:
    return BadInput("Nothing has been run yet.", "Type a problem and press F5.")

"""A line or two about a run that is going on, on stderr, where that is a terminal; silence where it is not.

It pulls from the run's state four times a second, so that its cost does not depend on how fast samples come.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from app.cli import out
from app.runs.outlook import left_words
from app.runs.result import is_checked
from app.runs.state import RunState, Tally
from budgets.amounts import show_count, show_flops, show_seconds, show_usd
from verifiers.safe_text import one_line

if TYPE_CHECKING:
    from rich.live import Live

_PERIOD = 0.25
_BAR = 24


class Progress:
    """Shows ``lines``, asked anew each time, while the context is open. ``say`` prints a line above."""

    def __init__(self, lines: Callable[[], list[str]]) -> None:
        self._lines = lines
        self._live: Live | None = None
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(stderr=True, markup=False, highlight=False)
            self._live = Live(console=console, auto_refresh=False, transient=True)
            self._live.start()
            self._task = asyncio.create_task(self._keep_current())
        return self

    def __exit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._live is not None:
            self._live.stop()

    def say(self, text: str) -> None:
        if self._live is None:
            out.warn(text)
        else:
            self._live.console.print(one_line(text, 500))

    async def _keep_current(self) -> None:
        from rich.text import Text

        assert self._live is not None  # noqa: S101 (made together)
        while True:
            drawn = Text("\n".join(self._lines()), no_wrap=True, overflow="ellipsis")
            self._live.update(drawn, refresh=True)
            await asyncio.sleep(_PERIOD)


def progress_lines(state: RunState) -> list[str]:
    """What is happening now, and what has come of it; safe for a terminal."""
    if not state.calls:
        return [_preparing(state)]
    bar, done = _bar(state)
    parts = [done, f"{show_count(round(state.tokens_per_second()))} tok/s", f"{len(state.live)} in flight"]
    if more := left_words(state):
        parts.append(more)
    parts += _helped(state)
    return [f"{bar} {' · '.join(parts)}", " · ".join([*_answers(state), *_budget(state)])]


def _helped(state: RunState) -> list[str]:
    """How many samples have their program and their reward, where these were asked for."""
    plan, found = state.plan, []
    if plan is not None and plan.translator is not None:
        found.append(f"{state.filter.looked_at:,} programs")
    if plan is not None and plan.reward is not None:
        found.append(f"{state.rewarded:,} rewards")
    return found


def _preparing(state: RunState) -> str:
    for name, status in state.model_status.items():
        if status.state == "preparing":
            share = "" if status.fraction is None else f" {status.fraction:.0%}"
            return one_line(f"{name}: {status.detail}{share}", 200)
    return "getting ready"


def _bar(state: RunState) -> tuple[str, str]:
    """How far the run is towards whichever limit is nearest."""
    budget, spent = state.budget, state.books.at_most
    uses: list[tuple[float | Decimal | None, float | Decimal | None]] = [
        (state.finished, budget.samples),
        (spent.tokens, budget.tokens),
        (state.at, budget.seconds),
        (spent.flops, budget.flops),
        (spent.usd, budget.usd),
    ]
    share = max((float(used) / float(cap) for used, cap in uses if cap and used is not None), default=0.0)
    filled = round(min(1.0, share) * _BAR)
    of = "" if budget.samples is None else f" of {budget.samples:,}"
    return "━" * filled + "╌" * (_BAR - filled), f"{state.finished:,}{of} samples"


def _answers(state: RunState) -> list[str]:
    pick = state.picks.get("majority")
    if pick is None or pick.answer is None:
        return ["no answer yet"]
    parts = [f"majority {one_line(pick.answer, 40)} ({pick.support})"]
    if is_checked(state) and len(state.models) == 1:
        tally = next(iter(state.tallies.values()), Tally())
        if tally.n:
            parts.append(f"pass@1 {tally.correct / tally.n:.0%}")
    return parts


def _budget(state: RunState) -> list[str]:
    budget, spent = state.budget, state.books.at_most
    parts = []
    if budget.usd is not None or spent.usd:
        parts.append(show_usd(spent.usd) + ("" if budget.usd is None else f" of {show_usd(budget.usd)}"))
    if budget.flops is not None:
        parts.append(f"{show_flops(spent.flops)} of {show_flops(budget.flops)}")
    if budget.tokens is not None:
        parts.append(f"{show_count(spent.tokens)} of {show_count(budget.tokens)} tokens")
    time = show_seconds(state.at)
    parts.append(time if budget.seconds is None else f"{time} of {show_seconds(budget.seconds)}")
    return parts

"""A few lines about a comparison that is going on, on stderr, where that is a terminal."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from app.cli import out
from app.runs.compare.engine import Comparison
from app.runs.compare.state import ComparisonState
from budgets.amounts import show_count, show_flops, show_seconds, show_usd
from verifiers.safe_text import one_line

if TYPE_CHECKING:
    from rich.live import Live

_PERIOD = 0.25
_BAR = 16


class CompareProgress:
    """Shows ``comparison`` while the context is open. ``say`` prints a line above the display."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self._live: Live | None = None
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> CompareProgress:
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
            lines = compare_progress_lines(self._comparison.state)
            self._live.update(Text("\n".join(lines), no_wrap=True, overflow="ellipsis"), refresh=True)
            await asyncio.sleep(_PERIOD)


def compare_progress_lines(state: ComparisonState) -> list[str]:
    """A line a model: how far it is, what it solved, what it spent; safe for a terminal."""
    width = max((len(one_line(model, 30)) for model in state.models), default=0)
    return [_line(state, model, width) for model in state.models]


def _line(state: ComparisonState, model: str, width: int) -> str:
    cells, books = state.cells[model], state.books_by_model[model]
    name = one_line(model, 30).ljust(width)
    told = state.model_status.get(model)
    if told is not None and told.state != "ready":
        return f"{name}  {one_line(told.detail, 120)}"
    started = sum(cell.finished for cell in cells)
    of = None if state.samples_each is None else state.samples_each * len(cells)
    done = f"{started:,}" + ("" if of is None else f" of {of:,}") + " samples"
    solved = f"{sum(cell.right > 0 for cell in cells)} of {len(cells)} solved"
    spent = show_usd(books.at_most.usd) if books.at_most.usd else show_flops(books.at_most.flops)
    speed = f"{show_count(round(state.tokens_per_second(model)))} tok/s"
    share = min(1.0, started / of) if of else 0.0
    bar = "━" * round(share * _BAR) + "╌" * (_BAR - round(share * _BAR)) + "  " if of else ""
    return f"{name}  {bar}{done} · {solved} · {spent} · {speed} · {show_seconds(state.at)}"

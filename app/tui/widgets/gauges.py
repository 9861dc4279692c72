"""What it has cost, what is held for calls in flight, what is left: one bar for each limit that was set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from app.runs.state import RunState
from app.tui.text import bars
from app.tui.widgets.panel import Panel
from budgets.amounts import show_count, show_flops, show_usd


@dataclass(frozen=True, slots=True)
class Gauge:
    """One limit: ``spent`` and ``held`` are shares of the cap in 0..1, ``figures`` say it in its unit."""

    spent: float
    held: float
    figures: str
    short: str


def gauges(state: RunState) -> list[Gauge]:
    """Dollars, FLOPs, samples, tokens and seconds, in the order of their worth, those with a cap only.

    What counts against a cap is the most that can have been spent, so that is what the bars show.
    """
    budget, spent, held = state.budget, state.books.at_most, state.books.held
    found: list[Gauge] = []
    if budget.usd is not None:
        used = "unknown" if spent.usd is None else _dollars(show_usd(spent.usd))
        share, more = _share(spent.usd, budget.usd), _share(held.usd, budget.usd)
        found.append(Gauge(share, more, f"{used} of {show_usd(budget.usd)}", used))
    if budget.flops is not None:
        figures = _with_one_unit(show_flops(spent.flops), show_flops(budget.flops))
        share, more = _share(spent.flops, budget.flops), _share(held.flops, budget.flops)
        found.append(Gauge(share, more, figures, show_flops(spent.flops)))
    if budget.samples is not None:
        done = state.finished
        share, more = _share(done, budget.samples), _share(len(state.live), budget.samples)
        found.append(Gauge(share, more, f"{done:,} of {budget.samples:,}", f"{done:,}"))
    if budget.tokens is not None:
        figures = f"{show_count(spent.tokens)} of {show_count(budget.tokens)} tok"
        share, more = _share(spent.tokens, budget.tokens), _share(held.tokens, budget.tokens)
        found.append(Gauge(share, more, figures, f"{show_count(spent.tokens)} tok"))
    if budget.seconds is not None:
        figures = f"{clock(state.at)} of {clock(budget.seconds)}"
        found.append(Gauge(_share(state.at, budget.seconds), 0.0, figures, clock(state.at)))
    return found


def clock(seconds: float) -> str:
    """``0:41``, ``1:02:03``."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _dollars(text: str) -> str:
    return "$0" if text == "$0.00" else text


def _share(part: object, whole: object) -> float:
    if part is None or not whole:
        return 0.0
    return min(1.0, float(part) / float(whole))  # type: ignore[arg-type]


def _with_one_unit(part: str, whole: str) -> str:
    """``1.2 of 10 TFLOP`` where both have the same unit."""
    number, _, unit = part.partition(" ")
    return f"{number if whole.endswith(' ' + unit) else part} of {whole}"


class BudgetGauges(Panel):
    def looks_at(self, state: RunState) -> object:
        books = state.books
        moving = int(state.at) if state.phase != "ended" else None
        return (state.budget, books.at_most, books.held, state.finished, len(state.live), moving)

    def draw(self, width: int, height: int) -> Sequence[Text]:
        found = gauges(self.state)
        if not found:
            return [Text("No limit is set.", style=self.palette.dim)]
        gap = 3
        figures = sum(len(gauge.figures) + 1 for gauge in found)
        bar = min(20, (width - gap * (len(found) - 1) - figures) // len(found))
        colours = self.palette
        line = Text(no_wrap=True, end="")
        for place, gauge in enumerate(found):
            if place:
                line.append(" " * gap)
            line.append(
                gauge.figures, colours.wrong if gauge.spent >= 1 and "of" not in gauge.figures else ""
            )
            if bar >= 4:
                full, held, empty = bars.split(bar, gauge.spent, gauge.held)
                line.append(" ")
                line.append(bars.FULL * full, colours.text)
                line.append(bars.HELD * held, colours.live)
                line.append(bars.EMPTY * empty, colours.faint)
        return [line]

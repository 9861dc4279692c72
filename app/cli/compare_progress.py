"""A comparison that is going on in a few lines, for a terminal."""

from __future__ import annotations

from app.runs.compare.state import ComparisonState
from budgets.amounts import show_count, show_flops, show_seconds, show_usd
from verifiers.safe_text import one_line

_BAR = 16


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

"""What the list of samples says about itself: its totals, the view it shows, and why it is empty."""

from __future__ import annotations

from app.runs.state import RunState
from app.tui.text import fit
from app.tui.widgets.order import SampleOrder


def summary(state: RunState) -> str:
    """``Samples  64 of 200 · 21 ✓ 41 ✗ 2 ?``"""
    limit = state.budget.samples
    title = f"Samples  {state.finished:,}" + (f" of {limit:,}" if limit is not None else "")
    if state.verified or state.undecided:
        title += f" · {state.right:,} ✓ {state.wrong:,} ✗ {state.undecided:,} ?"
    failed = _failed(state) if state.errors else 0
    if state.cancelled:
        title += f" · {state.cancelled:,} –"
    return title + (f" · {failed:,} !" if failed else "")


def _failed(state: RunState) -> int:
    """Samples that were lost, however often each was tried."""
    return sum(sample.status == "failed" and not sample.will_retry for sample in state.every_sample())


def view(order: SampleOrder) -> str:
    """How the list is filtered, sorted and grouped; where it is not, the keys that do it."""
    parts = []
    if order.filter != "all":
        parts.append(f"{order.filter} only")
    if order.needle:
        parts.append(f"with “{fit.head(order.needle, 20)}”")
    if order.sort != "newest":
        parts.append(f"by {order.sort}")
    if order.grouped:
        parts.append("grouped")
    if parts:
        return f"{', '.join(parts)}: {len(order):,}" + (" …" if order.is_searching else "")
    return "/ search  f filter  s sort  g group"


def nothing(state: RunState, order: SampleOrder) -> str:
    """Why there is no row, and which key shows some."""
    if order.is_searching:
        return "Searching…"
    if order.is_plain or not state.samples:
        return "No samples yet. They appear here as they are written."
    if order.needle:
        return "No sample contains this text. Press esc to see all."
    return f"No sample is {order.filter} yet. Press f for another filter."

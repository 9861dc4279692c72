"""What ``monkeys runs`` does with a run that is a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.cli.out import Output, print_one

if TYPE_CHECKING:
    from app.runs.events import Event


def show(events: Sequence[Event], output: Output) -> None:
    from app.runs.compare.launch import fold
    from app.runs.compare.result import comparison_lines, comparison_result

    state = fold(events)
    print_one(output, comparison_result(state), comparison_lines(state))


def rows(events: Sequence[Event]) -> list[dict[str, Any]]:
    from app.runs.compare.samples import comparison_rows

    return list(comparison_rows(events))


def resume(
    events: Sequence[Event],
    *,
    output: Output,
    price: str | None,
    base_url: Sequence[str] | None,
    prices: Mapping[str, str],
    changes: Mapping[str, Any],
    more: int | None,
) -> int:
    """Go on with it; ``changes`` are new limits of each model, ``more`` so many samples of each problem."""
    from app.cli import compare_session
    from app.runs.compare.launch import fold

    state = fold(events)
    if more is not None:
        changes = {**changes, "samples": (state.samples_each or 0) + more}
    return compare_session.resume(
        events, output=output, price=price, base_url=base_url, prices=prices, changes=changes
    )

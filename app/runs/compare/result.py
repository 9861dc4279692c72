"""What came of a comparison, for programs and for people: the same facts, read off the folded state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

from app.models.names import short_name
from app.runs.compare.standings import Duel, Estimate, Standing, duel, share, standings, unit_of
from app.runs.compare.state import ComparisonState
from app.runs.compare.verdict import verdict
from app.runs.result import LEVEL
from app.runs.state import Books
from budgets.amounts import show_count, show_flops, show_usd, usd_text
from verifiers.safe_text import one_line

_WIDTH = 200


def comparison_result(state: ComparisonState) -> dict[str, Any]:
    """The object that ``compare --output json`` prints. ``coverage`` maps k to [value, low, high]."""
    unit = unit_of(state)
    found = standings(state, unit)
    duels = [each for pair in combinations(found, 2) if (each := duel(*pair, unit)) is not None]
    return {
        "run_id": state.run_id,
        "status": state.status or "interrupted",
        "set": state.name,
        "problems": len(state.problems),
        "models": {each.model: _model(state, each) for each in found},
        "verdict": verdict(found, unit),
        "unit": unit,
        "level": LEVEL,
        "pairs": [_pair(each) for each in duels],
        "matrix": _matrix(state),
        "budget": _budget(state),
        "allocation": state.allocation,
        "errors": {kind: count for kind, count in state.errors.items() if count},
        "notes": comparison_notes(state),
    }


def comparison_lines(state: ComparisonState) -> list[str]:
    """The same for people: a table, the verdict, and what to know besides."""
    unit = unit_of(state)
    found = standings(state, unit)
    rows = comparison_table(state, found)
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [_aligned(row, widths) for row in rows]
    lines += ["", f"Verdict   {verdict(found, unit)}"]
    faults = [f"{count} {kind}" for kind, count in state.errors.items() if count]
    if faults:
        lines.append(f"Faults    {', '.join(faults)}")
    lines += [f"Note      {one_line(note, _WIDTH)}" for note in comparison_notes(state)]
    lines.append(f"Run       {state.run_id} ({state.status or 'interrupted'})")
    return lines


def comparison_table(state: ComparisonState, found: Sequence[Standing]) -> list[tuple[str, ...]]:
    """The leaderboard: a heading, then a row a model."""
    return [_HEAD, *(_row(state, each) for each in found)]


def comparison_notes(state: ComparisonState) -> list[str]:
    found = [notice.text for notice in state.notices]
    for model, cells in state.cells.items():
        silent = sum(not cell.decided for cell in cells)
        if silent and state.status is not None:
            found.append(
                f"{model}: {silent} of {len(cells)} problems have no decided sample, and count nowhere."
            )
        told = state.model_status.get(model)
        if told is not None and told.state in ("failed", "set-aside"):
            found.append(f"{model}: {told.detail}")
    if state.status is None:
        found.append("It has no end: it is going on, or its program was killed and it can be resumed.")
    elif state.status != "completed" and state.end_reason:
        found.append(state.end_reason)
    return found


_HEAD = ("Model", "Solved", "pass@1", "deepest k", "Majority", "Samples", "Spend", "a solved problem")


def _row(state: ComparisonState, one: Standing) -> tuple[str, ...]:
    deepest = f"@{one.deepest} {_shown(one.coverage(one.deepest))}" if one.deepest else "—"
    return (
        one_line(short_name(one.model), 40),
        f"{one.solved} of {len(state.problems)}",
        _shown(one.coverage(1)) if one.deepest else "—",
        deepest,
        "—" if one.majority is None else _shown(one.majority),
        f"{one.samples:,}",
        _spent(one.books),
        _each_solved(one),
    )


def _aligned(row: Iterable[str], widths: list[int]) -> str:
    return "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _shown(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} [{estimate.low:.2f}-{estimate.high:.2f}]"


def _spent(books: Books) -> str:
    """Dollars where it cost any, else FLOPs, else tokens."""
    if books.known.usd:
        return show_usd(books.known.usd)
    if books.known.flops:
        return show_flops(books.known.flops)
    return f"{show_count(books.prompt_tokens + books.completion_tokens)} tokens"


def _each_solved(one: Standing) -> str:
    if not one.solved:
        return "—"
    if one.books.known.usd:
        return show_usd(one.books.known.usd / one.solved)
    if one.books.known.flops:
        return show_flops(one.books.known.flops // one.solved)
    return f"{show_count(one.books.completion_tokens // one.solved)} tokens"


def _model(state: ComparisonState, one: Standing) -> dict[str, Any]:
    books = one.books
    solved = share(one.solved, len(one.asked))
    return {
        "problems": len(one.asked),
        "samples": one.samples,
        "solved": one.solved,
        "undecided": one.undecided,
        "coverage": {str(k): _triple(each) for k, each in one.measured().items()},
        "picks": {
            "majority": None if one.majority is None else _triple(one.majority),
            "first_verified": None if solved is None else _triple(solved),
        },
        "spend": {
            "usd": None if books.known.usd is None else usd_text(books.known.usd),
            "usd_at_most": None if books.at_most.usd is None else usd_text(books.at_most.usd),
            "flops": None if books.known.flops is None else float(books.known.flops),
            "prompt_tokens": books.prompt_tokens,
            "completion_tokens": books.completion_tokens,
            "seconds": round(state.at, 3),
        },
        "cost_per_sample": one.cost,
    }


def _pair(found: Duel) -> dict[str, Any]:
    difference = found.difference
    return {
        "models": [found.first.model, found.second.model],
        "spend": found.spend,
        "k": list(found.k),
        "coverage": list(found.coverage),
        "difference": [difference.value, difference.low, difference.high],
        "sure": difference.sure,
        "method": difference.method,
    }


def _matrix(state: ComparisonState) -> dict[str, dict[str, list[int]]]:
    """By problem and model: [decided, right]."""
    return {
        problem.id: {
            model: [cells[place].decided, cells[place].right] for model, cells in state.cells.items()
        }
        for place, problem in enumerate(state.problems)
    }


def _budget(state: ComparisonState) -> dict[str, Any]:
    caps = asdict(state.budget)
    caps["usd"] = None if state.budget.usd is None else usd_text(state.budget.usd)
    caps["flops"] = None if state.budget.flops is None else float(state.budget.flops)
    caps["samples"] = state.samples_each
    return caps


def _triple(estimate: Estimate) -> list[float]:
    return [estimate.value, estimate.low, estimate.high]

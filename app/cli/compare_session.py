"""A comparison from the command line, from its journal entry to its exit status."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app import locations, settings
from app.cli import out
from app.cli.compare_progress import compare_progress_lines
from app.cli.out import Output
from app.cli.progress import Progress
from app.cli.session import INTERRUPTED, Stream, launcher_for, stopping
from app.errors import CannotPay, EverySampleFailed, MonkeysError
from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.checkers import Checkers
from app.runs.compare.engine import Comparison
from app.runs.compare.launch import open_comparison, reopen_comparison
from app.runs.compare.result import comparison_lines, comparison_result
from app.runs.compare.state import ComparisonState
from app.runs.journal import Journal
from app.runs.launch import Launcher
from app.runs.plan import Plan
from budgets.allocation import Allocation
from budgets.amounts import Budget


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared: ``name`` is the set's, ``samples_each`` the most samples of one problem by one
    model."""

    name: str
    problems: Sequence[Problem]
    plan: Plan
    samples_each: int | None
    allocation: Allocation


def compare(
    asked: Asked,
    *,
    output: Output,
    price: str | None,
    base_url: Sequence[str] | None,
    prices: Mapping[str, str],
) -> int:
    """Make a new comparison, print what comes of it, and return the exit status."""
    launcher = launcher_for(asked.plan, price, prices, base_url)
    with Journal.open(locations.journal_file()) as journal, journal.store(journal.reserve_run_id()) as store:
        checkers = Checkers()
        comparison = open_comparison(
            launcher,
            asked.problems,
            asked.plan,
            name=asked.name,
            run_id=store.run_id,
            samples_each=asked.samples_each,
            allocation=asked.allocation,
            store=store,
            gpu_usd_per_hour=settings.load().settings.gpu_usd_per_hour,
            checker_for=checkers.checker_for,
        )
        return asyncio.run(_to_its_end(comparison, launcher, checkers, output))


def resume(
    events: Sequence[ev.Event],
    *,
    output: Output,
    price: str | None,
    base_url: Sequence[str] | None,
    prices: Mapping[str, str],
    changes: Mapping[str, Any],
) -> int:
    """Go on with a comparison of the journal. ``changes`` are new limits of each model's budget; ``samples``
    among them counts those of each problem."""
    started = events[0]
    assert isinstance(started, ev.ComparisonStarted)  # noqa: S101 (the caller looked)
    with (
        Journal.open(locations.journal_file()) as journal,
        journal.store(started.run_id) as store,
    ):
        checkers = Checkers()
        launcher = launcher_for(started.plan, price, prices, base_url)
        budget: Budget | None = started.plan.budget.raised(**changes) if changes else None
        comparison = reopen_comparison(
            launcher,
            events,
            store=store,
            gpu_usd_per_hour=settings.load().settings.gpu_usd_per_hour,
            checker_for=checkers.checker_for,
            budget=budget,
        )
        return asyncio.run(_to_its_end(comparison, launcher, checkers, output))


async def _to_its_end(comparison: Comparison, launcher: Launcher, checkers: Checkers, output: Output) -> int:
    stream = Stream() if output is Output.jsonl else None
    try:
        with (
            stopping(comparison) as stopped,
            Progress(lambda: compare_progress_lines(comparison.state)) as progress,
        ):
            async for event in comparison.run():
                if stream is not None and not stream.show(event):
                    comparison.stop("Its reader went away; everything that came is kept.")
                if isinstance(event, ev.Notice) and event.level == "warning":
                    progress.say(event.text)
    finally:
        await checkers.close()
        await launcher.close()
    if stream is not None and stream.gone:
        raise out.ReaderGone
    return _finish(comparison, output, interrupted=bool(stopped))


def _finish(comparison: Comparison, output: Output, *, interrupted: bool) -> int:
    state = comparison.state
    fault = (comparison.fault if not state.finished else None) or _fault_of(state)
    found = comparison_result(state)
    if interrupted:
        found["status"] = "interrupted"
    problem = out.error_object(fault) if fault is not None else {}
    if output is Output.text:
        if state.finished or fault is None:
            out.print_lines(comparison_lines(state))
    elif output is Output.json:
        out.print_json(problem | found)
    else:
        out.print_each([{"type": "result", "at": state.at} | problem | found])
    if fault is not None:
        out.warn(fault.message, fault.fix)
    if interrupted:
        return INTERRUPTED
    return fault.status if fault is not None else 0


def _fault_of(state: ComparisonState) -> MonkeysError | None:
    """What a comparison that brought nothing has to answer for."""
    if state.finished:
        return None
    if state.status in ("budget", "failed") and not state.calls:
        return CannotPay(state.end_reason)
    if state.status in ("failed", "completed", "budget") and state.errors:
        return EverySampleFailed(f"Every sample failed. {state.end_reason}".strip())
    return None

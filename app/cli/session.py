"""A run from the command line, from its journal entry to its exit status.

The journal comes first: a run that could not be kept is not begun. What is in flight when the user stops is
cancelled, kept and charged; a second Ctrl-C ends the program where it stands, which the journal survives.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Protocol

import msgspec

from app import locations, settings
from app.cli import out
from app.cli.out import Output
from app.cli.progress import Progress, progress_lines
from app.errors import BadInput, CannotPay, EverySampleFailed, MonkeysError
from app.models.base import Backend
from app.models.registry import backend_for, meant_by_base_url
from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.engine import Engine
from app.runs.habits import Habits
from app.runs.journal import Journal, JournalStore, fold
from app.runs.launch import Launcher
from app.runs.plan import Plan
from app.runs.redact import redacted
from app.runs.result import result
from app.runs.result_text import summary_lines
from app.runs.state import RunState
from budgets.amounts import Budget
from budgets.rates import Price, parse_price

INTERRUPTED = 130
_TOO_LONG = "Shorten it, lower --max-tokens, or take a model that reads more."


def solve(
    problem: Problem,
    plan: Plan,
    *,
    output: Output,
    price: str | None,
    base_url: Sequence[str] | None = None,
    prices: Mapping[str, str],
    confirm: Decimal | None = None,
) -> int:
    """Make a new run of ``plan``, print what comes of it, and return the exit status.

    ``confirm`` is the number of dollars above which a person is asked first, ``None`` for never.
    """
    launcher = launcher_for(plan, price, prices, base_url)
    if confirm is not None and not _agreed(launcher, problem, plan, confirm):
        raise BadInput("Nothing was sampled.", "Answer y, or give --yes.")
    with Journal.open(locations.journal_file()) as journal, journal.store(journal.reserve_run_id()) as store:
        engine = launcher.open_run(problem, plan, store=store, run_id=store.run_id)
        return asyncio.run(_to_its_end(engine, launcher, output))


def resume(
    name: str,
    *,
    output: Output,
    price: str | None,
    base_url: Sequence[str] | None = None,
    prices: Mapping[str, str],
    raised: Callable[[RunState], Budget | None],
    reward: str | None = None,
    translator: str | None = None,
) -> int:
    """Go on with a run of the journal. ``raised`` gives its new budget, or ``None`` to keep the old one.
    ``reward`` and ``translator`` are given to a run that had none, or others."""
    with Journal.open(locations.journal_file()) as journal:
        run_id = journal.resolve(name)
        with journal.store(run_id) as store:
            engine, launcher = _reopened(journal, store, price, prices, base_url, reward, translator)
            budget = raised(engine.state)
            if budget is not None:
                engine.set_budget(budget)
            return asyncio.run(_to_its_end(engine, launcher, output))


def _reopened(
    journal: Journal,
    store: JournalStore,
    price: str | None,
    prices: Mapping[str, str],
    base_url: Sequence[str] | None,
    reward: str | None,
    translator: str | None,
) -> tuple[Engine, Launcher]:
    prior = fold(journal.load(store.run_id))
    if prior.problem is None or prior.plan is None:
        raise BadInput(f"Run {store.run_id} never began.", "Make a new one with: monkeys solve")
    plan = msgspec.structs.replace(
        prior.plan,
        reward=reward or prior.plan.reward,
        translator=translator or prior.plan.translator,
    )
    launcher = launcher_for(plan, price, prices, base_url)
    engine = launcher.open_run(prior.problem, plan, store=store, run_id=store.run_id, prior=prior)
    return engine, launcher


def launcher_for(
    plan: Plan, price: str | None, prices: Mapping[str, str], base_url: Sequence[str] | None
) -> Launcher:
    """``base_url`` goes to the models that it is meant for and nowhere else: it may hold a password."""
    there = meant_by_base_url(asked_models(plan)) if base_url else frozenset()

    def make(name: str) -> Backend:
        return backend_for(name, base_url=base_url if name in there else None)

    habits = Habits(locations.habits_file())
    return Launcher(
        make,
        prices=_prices(plan, price, prices),
        habits=habits,
        gpu_usd_per_hour=settings.load().settings.gpu_usd_per_hour,
    )


def asked_models(plan: Plan) -> tuple[str, ...]:
    """The models that a plan asks, for samples or for anything else, by the names that people gave them."""
    kind, _, judge = (plan.reward or "").partition(":")
    helpers = (plan.translator, judge if kind == "judge" else None)
    return (*plan.models, *(name for name in helpers if name))


def _prices(plan: Plan, price: str | None, prices: Mapping[str, str]) -> dict[str, Price]:
    """Prices by model: those of the settings, and ``--price`` for every model of the run."""
    from budgets.amounts import AmountError

    try:
        found = {name: parse_price(text) for name, text in prices.items()}
        return found if price is None else found | dict.fromkeys(asked_models(plan), parse_price(price))
    except AmountError as error:
        raise BadInput(str(error)) from None


def _agreed(launcher: Launcher, problem: Problem, plan: Plan, above: Decimal) -> bool:
    most = launcher.most_dollars(problem, plan)
    if most is not None and most <= above:
        return True
    sys.stderr.write(f"{launcher.estimate(problem, plan)}\nGo on? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


# -- running ----------------------------------------------------------------------------------------------


async def _to_its_end(engine: Engine, launcher: Launcher, output: Output) -> int:
    stream = Stream() if output is Output.jsonl else None
    try:
        with stopping(engine) as stopped, Progress(lambda: progress_lines(engine.state)) as progress:
            async for event in engine.run():
                if stream is not None and not stream.show(event):
                    engine.stop("Its reader went away; everything that came is kept.")
                if isinstance(event, ev.Notice) and event.level == "warning":
                    progress.say(event.text)
    finally:
        await launcher.close()
    if stream is not None and stream.gone:
        raise out.ReaderGone
    return _finish(engine, output, interrupted=bool(stopped))


class Stoppable(Protocol):
    """What a signal stops."""

    def stop(self, reason: str = ..., *, status: ev.Status = ...) -> None: ...


class Stream:
    """Events on stdout, one a line, for as long as somebody reads them. Text waits for company; anything else
    is sent at once."""

    def __init__(self) -> None:
        self.gone = False

    def show(self, event: ev.Event) -> bool:
        """Whether there is still a reader."""
        if not self.gone:
            try:
                out.print_bytes(ev.to_json(redacted(event)), flush=not isinstance(event, ev.TextDelta))
            except out.ReaderGone:
                self.gone = True
        return not self.gone


@contextmanager
def stopping(engine: Stoppable) -> Iterator[list[int]]:
    """While inside, the first signal to end stops the run in order, and the second ends the program."""
    seen: list[int] = []

    def on_signal(number: int) -> None:
        seen.append(number)
        if len(seen) > 1:
            os._exit(INTERRUPTED)
        engine.stop("It was interrupted; everything that came is kept.", status="interrupted")

    loop = asyncio.get_running_loop()
    signals = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    for number in signals:
        loop.add_signal_handler(number, on_signal, number)
    try:
        yield seen
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def _finish(engine: Engine, output: Output, *, interrupted: bool) -> int:
    """Print what came, and say how it ended."""
    state = engine.state
    fault = _fault_of(state, engine.fault)
    found = result(state)
    if interrupted:
        found["status"] = "interrupted"
    if output is Output.text:
        if state.finished or fault is None:
            out.print_lines(summary_lines(state, ended="interrupted" if interrupted else None))
        if fault is not None:
            out.warn(fault.message, fault.fix)
    else:
        problem = out.error_object(fault) if fault is not None else {}
        if output is Output.json:
            out.print_json(problem | found)
        else:
            if fault is not None:
                out.print_each([{"type": "error", "at": state.at} | problem])
            out.print_each([{"type": "result", "at": state.at} | found])
        if fault is not None:
            out.warn(fault.message, fault.fix)
    if interrupted:
        return INTERRUPTED
    return fault.status if fault is not None else 0


def _fault_of(state: RunState, fault: MonkeysError | None) -> MonkeysError | None:
    """What a run that brought nothing, or could not be kept, has to answer for. ``fault`` is what the engine
    met; where only one of several models failed, samples came all the same, and the notes say which."""
    if state.finished:
        return fault if state.status == "failed" else None
    if fault is not None:
        return fault
    if state.errors and set(state.errors) == {"context"}:
        return BadInput(f"The problem is too long for the model. {_last_error(state)}", _TOO_LONG)
    if state.status in ("budget", "failed") and not state.calls:
        return CannotPay(state.end_reason)  # no request was ever let through
    if state.status == "failed":
        return EverySampleFailed(f"Every sample failed. {state.end_reason}".strip())
    if state.errors and state.status in ("completed", "budget"):
        return EverySampleFailed(f"Every sample failed. {_last_error(state)} {state.end_reason}")
    return None


def _last_error(state: RunState) -> str:
    errors = (sample.error for sample in reversed(state.samples) if sample is not None and sample.error)
    return next(errors, "")

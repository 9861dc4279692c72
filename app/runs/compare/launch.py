"""From a problem set and a plan to a comparison, refusing early what can be refused before money is spent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from app.clock import Clock
from app.errors import BadInput
from app.problems.problem import Problem
from app.problems.repository import with_sources
from app.runs import events as ev
from app.runs.compare.engine import Comparison
from app.runs.compare.entrants import Entrant
from app.runs.compare.state import ComparisonState
from app.runs.grading import Checker
from app.runs.launch import Launcher, check_budget
from app.runs.plan import DEFAULT_SAMPLES, Plan
from app.runs.source import Store
from budgets.allocation import Allocation
from budgets.amounts import Budget


def open_comparison(
    launcher: Launcher,
    problems: Sequence[Problem],
    plan: Plan,
    *,
    name: str,
    run_id: str,
    samples_each: int | None,
    allocation: Allocation = "uniform",
    store: Store | None = None,
    clock: Clock | None = None,
    gpu_usd_per_hour: Decimal | None = None,
    checker_for: Callable[[Problem], Checker | None] = lambda problem: None,
) -> Comparison:
    """A comparison that is ready to iterate. ``plan.budget`` is that of each model, ``samples_each`` the most
    samples of one problem by one model; with no limit at all that is 64.

    Raises ``BadInput`` for an empty set, no model, a budget of nothing or a rule that needs to look across
    samples; ``CannotPay`` where a price is unknown under a cap; what the registry raises for unknown models.
    """
    if not problems:
        raise BadInput("The set holds no problems.", "Give a file with at least one.")
    if not plan.models:
        raise BadInput("No model is chosen.", "Name at least one, for example --model smollm2.")
    if len(set(plan.models)) != len(plan.models):
        raise BadInput("A model is named twice.", "Name each model once; raise --samples instead.")
    if samples_each is None and plan.budget == Budget():
        samples_each = DEFAULT_SAMPLES
    if plan.stop not in ("none", "first-verified"):
        raise BadInput(
            f"A comparison cannot stop by {plan.stop}: it would draw different samples of each model.",
            "Use --stop none or first-verified.",
        )
    check_budget(plan.budget)
    problems = [with_sources(problem) for problem in problems]
    entrants = [
        _entrant(launcher, problems, plan, model, allocation, samples_each, gpu_usd_per_hour, checker_for)
        for model in plan.models
    ]
    names = [entrant.name for entrant in entrants]
    if len(set(names)) != len(names):
        raise BadInput("Two of the models call themselves the same.", "Give them different names.")
    started = ev.ComparisonStarted(
        at=0.0,
        run_id=run_id,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        name=name,
        problems=tuple(problems),
        plan=plan,
        models=tuple(entrant.lane.meter.info for entrant in entrants),
        samples_each=samples_each,
        allocation=allocation,
    )
    return Comparison(started, entrants, store=store, clock=clock, checker_for=checker_for)


def reopen_comparison(
    launcher: Launcher,
    events: Sequence[ev.Event],
    *,
    store: Store | None = None,
    clock: Clock | None = None,
    gpu_usd_per_hour: Decimal | None = None,
    checker_for: Callable[[Problem], Checker | None] = lambda problem: None,
    budget: Budget | None = None,
) -> Comparison:
    """A comparison that goes on where its journal ends. ``budget`` replaces what each model may spend.

    Raises as ``open_comparison``, and ``BadInput`` where a model is now served by somebody else.
    """
    started = events[0]
    if not isinstance(started, ev.ComparisonStarted):
        raise BadInput("This run is no comparison.", "Go on with it with: monkeys runs resume")
    prior = fold(events)
    entrants = [
        _entrant(
            launcher,
            started.problems,
            started.plan,
            model,
            started.allocation,
            started.samples_each,
            gpu_usd_per_hour,
            checker_for,
        )
        for model in started.plan.models
    ]
    for entrant in entrants:
        before, now = prior.models[entrant.name].server, entrant.lane.meter.info.server
        if before != now:
            raise BadInput(
                f"This comparison sampled {entrant.name} from {before or 'this machine'}, "
                f"not from {now or 'this machine'}.",
                f"Give the same address again: --base-url with {before}.",
            )
    waiting = {
        event.sample: (event.text, event.finish_reason == "length")
        for event in events
        if isinstance(event, ev.SampleFinished) and event.sample in prior.unjudged
    }
    comparison = Comparison(
        started, entrants, store=store, clock=clock, prior=prior, unjudged=waiting, checker_for=checker_for
    )
    if budget is not None:
        comparison.set_budget(budget)
    return comparison


def fold(events: Sequence[ev.Event]) -> ComparisonState:
    state = ComparisonState()
    for event in events:
        state.apply(event)
    return state


def _entrant(
    launcher: Launcher,
    problems: Sequence[Problem],
    plan: Plan,
    model: str,
    allocation: Allocation,
    samples_each: int | None,
    gpu_usd_per_hour: Decimal | None,
    checker_for: Callable[[Problem], Checker | None],
) -> Entrant:
    backend, price = launcher.connection(model, plan.budget)
    return Entrant(
        backend,
        price,
        problems,
        plan,
        allocation=allocation,
        samples_each=samples_each,
        gpu_usd_per_hour=gpu_usd_per_hour,
        checker_for=checker_for,
    )

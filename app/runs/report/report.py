"""The report of a run or a comparison: its verdict, its figures, and enough of its samples to see why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from app.models.names import short_name
from app.runs import events as ev
from app.runs.compare.launch import fold as fold_comparison
from app.runs.compare.result import comparison_notes, comparison_table
from app.runs.compare.samples import comparison_rows
from app.runs.compare.standings import standings, unit_of
from app.runs.compare.state import ComparisonState
from app.runs.compare.verdict import verdict
from app.runs.export import sample_rows
from app.runs.journal import fold
from app.runs.plan import Plan
from app.runs.report import page
from app.runs.report.figures import FigureName, draw, possible
from app.runs.report.series import Series, of_run, of_standing
from app.runs.result_text import summary_lines
from app.runs.state import RunState
from budgets.family import family_similarity
from verifiers.candidates import Candidate, candidate

_CAPTIONS: dict[FigureName, str] = {
    "samples": "Coverage: the share of problems of which at least one of k samples is right, with its 90% "
    "interval. Dotted: the forecast beyond the samples there are.",
    "usd": "The same against what k samples cost in dollars.",
    "flops": "The same against what k samples cost in FLOPs.",
    "picks": "How often each rule's pick is right, over 100 random subsets (band: one standard deviation), "
    "under the coverage that no rule of choosing can pass.",
}


def report(events: Sequence[ev.Event]) -> bytes:
    """The HTML of whatever these events are. Raises ``PartMissing`` without matplotlib."""
    if isinstance(events[0], ev.ComparisonStarted):
        return _comparison(fold_comparison(events), events)
    return _run(fold(events))


def series_of(events: Sequence[ev.Event]) -> tuple[str, list[Series]]:
    """A title and the curves of whatever these events are."""
    if isinstance(events[0], ev.ComparisonStarted):
        state = fold_comparison(events)
        return _title(state), _series(state, events)
    run = fold(events)
    return (run.problem.prompt if run.problem else run.run_id), of_run(run)


def _title(state: ComparisonState) -> str:
    return f"{state.name}: {', '.join(map(short_name, state.models))}"


def _series(state: ComparisonState, events: Sequence[ev.Event]) -> list[Series]:
    return [
        of_standing(one, _candidates(state, events, one.model)) for one in standings(state) if one.deepest
    ]


def _candidates(state: ComparisonState, events: Sequence[ev.Event], model: str) -> list[list[Candidate]]:
    kinds = {problem.id: problem.kind for problem in state.problems}
    found: dict[str, list[Candidate]] = {problem.id: [] for problem in state.problems}
    for row in comparison_rows(events, model=model):
        if row["verdict"] is not None and row["error"] is None:
            problem = row["problem_id"]
            found[problem].append(
                candidate(row["index"], row["answer"], kinds[problem], verdict=row["verdict"])
            )
    return [each for each in found.values() if each]


def _comparison(state: ComparisonState, events: Sequence[ev.Event]) -> bytes:
    unit = unit_of(state)
    found = standings(state, unit)
    series = _series(state, events)
    head, *rows = comparison_table(state, found)
    title = _title(state)
    parts = [
        page.heading(title, 1),
        page.paragraph(verdict(found, unit), "lead"),
        page.table(head, rows),
        *_figures(series, title),
        *_similarity(state),
        page.heading("Who solves what"),
        page.paragraph("Right samples of those that were decided.", "quiet"),
        page.matrix(
            [short_name(model) for model in state.models],
            (
                (problem.id, [(cells[place].decided, cells[place].right) for cells in state.cells.values()])
                for place, problem in enumerate(state.problems)
            ),
        ),
        page.heading("How it was made"),
        *(page.paragraph(line, "quiet") for line in _settings(state.plan, state)),
        *(page.paragraph(note, "quiet") for note in comparison_notes(state)),
        page.heading("Samples"),
        page.samples(islice(comparison_rows(events), page.MOST_TEXTS)),
    ]
    return page.page(title, parts)


def _run(state: RunState) -> bytes:
    title = state.problem.prompt if state.problem is not None else state.run_id
    series = of_run(state)
    parts = [
        page.heading(title, 1),
        *(page.paragraph(line) for line in summary_lines(state)),
        *_figures(series, title),
        page.heading("How it was made"),
        *(page.paragraph(line, "quiet") for line in _settings(state.plan, None)),
        page.heading("Samples"),
        page.samples(islice(sample_rows(state), page.MOST_TEXTS)),
    ]
    return page.page(title, parts)


def _figures(series: Sequence[Series], title: str) -> Iterator[str]:
    for name in possible(series):
        yield page.picture(draw(series, name, title), _CAPTIONS[name])


def _similarity(state: ComparisonState) -> Iterator[str]:
    """How far apart the models' curves lie once they are shifted on to each other."""
    counts = {model: state.counts(model) for model in state.models}
    if len(counts) < 2 or state.allocation != "uniform" or any(not each for each in counts.values()):
        return
    found = family_similarity(counts)
    if found.apart is None:
        return
    yield page.heading("Are the curves alike?")
    yield page.paragraph(
        "Each curve is moved in log k to a common start (Brown et al. 2024). Over the "
        f"{found.decades:.1f} decades that all of them reach they then lie at most {found.apart:.2f} apart.",
        "quiet",
    )
    yield page.table(
        ("model", "decades behind", "coverage gained a decade"),
        [(short_name(one.model), _number(one.shift), _number(one.slope)) for one in found.members],
    )


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.2f}"


def _settings(plan: Plan | None, state: ComparisonState | None) -> Iterator[str]:
    if plan is None:
        return
    settings = plan.settings
    top = "" if settings.top_p is None else f", top-p {settings.top_p:g}"
    yield f"Temperature {settings.temperature:g}{top}, up to {settings.max_tokens} tokens, seed {plan.seed}."
    if state is not None:
        each = (
            "as many samples as the budget pays for"
            if state.samples_each is None
            else f"{state.samples_each}"
        )
        yield f"Samples of each problem: {each}. Order: {state.allocation}."

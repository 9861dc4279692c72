"""What a report's figures draw: the curves of every model, from the counts or the samples of a run.

One shape serves a run of one problem and a comparison of a thousand, so every figure is drawn once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.runs.compare.standings import Standing
from app.runs.result import LEVEL, powers_up_to
from app.runs.state import RunState
from budgets.coverage import mean_pass_at_k, posterior_interval
from verifiers.accuracy import accuracy_curves
from verifiers.candidates import Candidate, candidate

_AHEAD = 4
"""The forecast reaches as many times as far as the samples."""


@dataclass(frozen=True, slots=True)
class Line:
    """Points (x, value, low, high), x in samples."""

    points: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One model: coverage as measured, as forecast beyond, and how often each rule's pick is right.

    ``usd`` and ``flops`` are what a sample costs on average, ``None`` where nobody knows or it is nothing.
    """

    model: str
    coverage: Line
    forecast: Line
    picks: Mapping[str, Line] = field(default_factory=dict)
    usd: float | None = None
    flops: float | None = None


def of_standing(one: Standing, candidates: Sequence[Sequence[Candidate]] = ()) -> Series:
    """A comparison's model. ``candidates`` are its samples by problem, for the picks; none are drawn without
    them, nor where problems stopped at success."""
    samples = max(1, one.samples)
    usd, flops = one.books.known.usd, one.books.known.flops
    measured = [(float(k), at.value, at.low, at.high) for k, at in one.measured().items()]
    deepest = one.deepest
    return Series(
        one.model,
        Line(tuple(measured)),
        Line(()) if not measured else _forecast(one.counts, deepest, measured[-1]),
        {} if one.stopped else _picks(candidates),
        float(usd) / samples if usd else None,
        float(flops) / samples if flops else None,
    )


def of_run(state: RunState) -> list[Series]:
    """Every model of a run of one problem that was checked."""
    found = []
    for model, tally in state.tallies.items():
        if not tally.n:
            continue
        counts = [(tally.n, tally.correct)]
        measured = [
            (float(k), mean_pass_at_k(counts, k), *posterior_interval(tally.n, tally.correct, k, LEVEL))
            for k in powers_up_to(tally.n)
        ]
        books = state.books_by_model[model]
        usd, flops = books.known.usd, books.known.flops
        found.append(
            Series(
                model,
                Line(tuple(measured)),
                _forecast(counts, tally.n, measured[-1]),
                _picks([_candidates(state, model)]),
                float(usd) / tally.n if usd else None,
                float(flops) / tally.n if flops else None,
            )
        )
    return found


def _candidates(state: RunState, model: str) -> list[Candidate]:
    kind = state.problem.kind if state.problem is not None else "open"
    return [
        candidate(
            sample.index,
            sample.answer,
            kind,
            reward=sample.reward,
            program=sample.program_status,
            verdict=sample.verdict,
        )
        for sample in state.every_sample()
        if sample.model == model and sample.status == "finished" and sample.verdict is not None
    ]


def _forecast(
    counts: Sequence[tuple[int, int]], reached: int, last: tuple[float, float, float, float]
) -> Line:
    from budgets.forecast import forecast

    ks = sorted({round(reached * _AHEAD ** (step / 8)) for step in range(1, 9)} - {reached})
    ahead = forecast(counts, ks, LEVEL) if ks else None
    points = [] if ahead is None else [(float(p.k), p.value, p.low, p.high) for p in ahead.points]
    return Line((last, *points))


def _picks(problems: Sequence[Sequence[Candidate]]) -> dict[str, Line]:
    asked = [each for each in problems if each]
    if not asked:
        return {}
    curves = accuracy_curves(asked)
    return {
        rule: Line(tuple((float(k), at.mean, at.mean - at.sd, at.mean + at.sd) for k, at in curve.items()))
        for rule, curve in curves.rules.items()
        if curve is not None and rule != "first_verified"
    }

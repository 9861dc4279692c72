"""The accuracy of picks for people: one row a rule, coverage below them, and how far apart they are.

Brown et al. 2024 (arXiv 2407.21787) name the two ends of that gap: coverage is whether a right answer is in
the pile, precision whether it can be told from the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.runs.equal_spend import EqualSpend
    from app.runs.picking import Pool
    from verifiers.accuracy import Curves, Point
    from verifiers.survivors import FilterReport

_COLUMNS = 8
"""Values of k beside each other, so that a table is at most 120 wide."""
_COVERAGE = "Coverage"


def lines_of(
    found: Pool, curves: Curves, survivors: FilterReport | None, spend: EqualSpend | None = None
) -> Iterator[str]:
    from verifiers.rules import RULES

    titles = {str(rule.name): rule.title for rule in RULES}
    running = {titles[name]: curve for name, curve in curves.rules.items() if curve is not None}
    n = f"{found.fewest:,}" if found.fewest == found.most else f"{found.fewest:,} to {found.most:,}"
    yield f"{_problems(len(found.problems))}, {n} samples each"
    yield f"Percent solved with k samples, mean ± sd over {curves.subsets:,} random subsets"
    ks = list(curves.coverage)
    for start in range(0, len(ks), _COLUMNS):
        yield ""
        yield from _table({**running, _COVERAGE: curves.coverage}, ks[start : start + _COLUMNS])
    yield ""
    yield from _gap(running, curves.coverage, ks[-1])
    if survivors is not None:
        yield from _filter(survivors)
    if spend is not None:
        yield from _equal(spend, titles)
    missing: dict[str, list[str]] = {}
    for name, reason in curves.missing.items():
        missing.setdefault(reason, []).append(titles[name])
    for reason, rules in missing.items():
        yield f"Did not run: {', '.join(rules)} ({reason})."


def _problems(count: int) -> str:
    return "1 problem" if count == 1 else f"{count:,} problems"


def _table(rows: Mapping[str, Mapping[int, Point]], ks: list[int]) -> Iterator[str]:
    width = max(map(len, rows))
    yield f"{'k':{width}}" + "".join(f"{k:>12,}" for k in ks)
    for title, curve in rows.items():
        cells = (f"{100 * curve[k].mean:.1f} ±{100 * curve[k].sd:.1f}" for k in ks)
        yield f"{title:{width}}" + "".join(f"{cell:>12}" for cell in cells)


def _gap(running: Mapping[str, Mapping[int, Point]], coverage: Mapping[int, Point], k: int) -> Iterator[str]:
    """The distance that no rule closes, at the largest k."""
    best = max(running, key=lambda title: running[title][k].mean)
    picked, covered = running[best][k].mean, coverage[k].mean
    samples = "1 sample" if k == 1 else f"{k:,} samples"
    reached = f"the best pick ({best}) is right on {picked:.1%}"
    yield f"With {samples}, {covered:.1%} of problems are covered; {reached}."
    yield f"The gap between coverage and precision is {100 * (covered - picked):.1f} points."


def _filter(survivors: FilterReport) -> Iterator[str]:
    counts = f"kept {survivors.kept:,}, dropped {survivors.dropped:,}, failed {survivors.failed:,}"
    not_run = f", not run {survivors.not_run:,}" if survivors.not_run else ""
    yield f"CoTnPoT filter: {counts}{not_run}; {_problems(survivors.fallbacks)} kept none."
    shares = [
        f"{share:.1%} of the {what}"
        for share, what in (
            (survivors.precision, "kept are right (precision)"),
            (survivors.recall, "right are kept (recall)"),
        )
        if share is not None
    ]
    if shares:
        yield f"  {', '.join(shares)}."


def _equal(spend: EqualSpend, titles: Mapping[str, str]) -> Iterator[str]:
    """What the filter buys, beside what more samples would have bought for the same."""
    yield f"A program costs as much as {spend.samples_a_program:.2f} samples ({spend.measured_in})."
    for row in spend.rows:
        kept = _rules(row.filtered, titles)
        yield f"  {row.k:,} samples with programs: {kept}"
        if row.plain:
            yield f"  {row.more:,} samples for the same: {_rules(row.plain, titles)}"
        else:
            yield f"  {row.more:,} samples for the same are more than there are."


def _rules(points: Mapping[str, Point], titles: Mapping[str, str]) -> str:
    return ", ".join(
        f"{titles[name]} {100 * point.mean:.1f} ±{100 * point.sd:.1f}" for name, point in points.items()
    )

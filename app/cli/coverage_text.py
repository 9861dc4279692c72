"""Coverage for people: a small table per model, and how alike the models' curves are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from verifiers.safe_text import one_line

if TYPE_CHECKING:
    from budgets.counts import ModelCounts

_NAME = 80


def lines_of(models: Mapping[str, ModelCounts], rows: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """All lines of the text output; ``rows`` are the JSON objects of the same models."""
    for place, (name, row) in enumerate(rows.items()):
        if place:
            yield ""
        yield from _model_lines(name, row)
    if len(models) > 1:
        yield ""
        yield from _family_lines(models)


def _model_lines(name: str, row: Mapping[str, Any]) -> Iterator[str]:
    fewest, most = row["n"]
    samples = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    problems = "1 problem" if row["problems"] == 1 else f"{row['problems']:,} problems"
    yield f"{one_line(name, _NAME)}: {problems}, {samples} samples each"
    level = f"{row['level']:.0%}"
    measured = [(k, value, *row["interval"][k]) for k, value in row["pass_at_k"].items()]
    ahead = [(k, *point) for k, point in (row["forecast"] or {}).items()]
    if measured:
        yield f"  {'k':>12}  {'coverage':>8}  {level} interval"
    for k, value, low, high in measured:
        yield _point_line(k, value, low, high, row)
    if ahead:
        yield f"  {'k':>12}  {'forecast':>8}  {level} interval"
    for k, value, low, high in ahead:
        yield _point_line(k, value, low, high, row)
    if measured:
        yield f"  Interval: {row['interval_method']}."
    if ahead:
        yield f"  Forecast: {row['forecast_prior']}."
    law = row["law"]
    if law is None:
        yield "  Power law: not determined by these counts."
    else:
        yield (
            f"  Power law: exp({law['a']:.4g} k^{law['b']:.4g}),"
            f" off by {law['mean_abs_error']:.4f} on average over the measured curve."
        )


def _point_line(k: str, value: float, low: float, high: float, row: Mapping[str, Any]) -> str:
    line = f"  {int(k):>12,}  {value:>8.2%}  {low:.2%} to {high:.2%}"
    cost = (row["cost"] or {}).get(k)
    if cost is None:
        return line
    from decimal import Decimal

    from budgets.amounts import show_flops, show_usd

    parts = []
    if cost["usd"] is not None:
        parts.append(show_usd(Decimal(cost["usd"])))
    if cost["flops"] is not None:
        parts.append(show_flops(round(cost["flops"])))
    return f"{line}  {', '.join(parts)} a problem"


def _family_lines(models: Mapping[str, ModelCounts]) -> Iterator[str]:
    from budgets.family import family_similarity

    family = family_similarity({name: counts.pairs for name, counts in models.items()})
    yield f"Similarity: curves moved to start at the family's best pass@1, {family.start:.2%}"
    yield f"  {'samples to get there':>20}  {'gain per tenfold':>16}  model"
    for member in family.members:
        name = one_line(member.model, _NAME)
        if member.k0 is None:
            yield f"  {'not reached':>20}  {'':>16}  {name}"
            continue
        slope = "unknown" if member.slope is None else f"{member.slope:+.1%}"
        yield f"  {member.k0:>20,.1f}  {slope:>16}  {name}"
    if family.decades is not None and family.apart is not None:
        reach = f"{10**family.decades:,.0f}-fold"
        yield f"  Over the {reach} range they share, the moved curves are at most {family.apart:.1%} apart."

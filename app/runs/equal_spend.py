"""Is CoTnPoT worth its second generation? Its rules beside what the same spend buys in more samples.

Reviewers of Liang et al. 2024 (arXiv 2410.05318) asked for best-of-2N: the program of a sample costs about a
sample, so N samples with programs should be held against more samples without. How many more is reckoned
from what both cost here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from app.runs.samples_file import GivenSample, SampleFields
from verifiers.accuracy import Curves, Point, accuracy_curves
from verifiers.candidates import Candidate

_FILTERED: Final = ("cotnpot", "cotnpot_vote", "cotnpot_weighted")
_PLAIN: Final = ("majority", "reward", "reward_weighted")


@dataclass(frozen=True, slots=True)
class Row:
    """``filtered`` are the rules within the filter at ``k`` samples, ``plain`` those without it at ``more``,
    which cost the same; empty where there are not so many."""

    k: int
    more: int
    filtered: Mapping[str, Point]
    plain: Mapping[str, Point]


@dataclass(frozen=True, slots=True)
class EqualSpend:
    """``samples_a_program`` is what a program costs, in samples, measured in dollars, FLOPs or tokens."""

    samples_a_program: float
    measured_in: str
    rows: tuple[Row, ...]


def equal_spend(
    given: Sequence[GivenSample], problems: Sequence[Sequence[Candidate]], curves: Curves, *, seed: int = 0
) -> EqualSpend | None:
    """The comparison at each k of ``curves``, over as many subsets; ``None`` where costs are not known of
    every sample, or no rule within the filter ran."""
    price = _price([sample.fields for sample in given if sample.fields.error is None])
    if price is None:
        return None
    ratio, unit = price
    most = min(map(len, problems))
    wanted = {k: round(k * (1 + ratio)) for k in curves.coverage}
    there = sorted({more for more in wanted.values() if more <= most})
    plain = accuracy_curves(problems, subsets=curves.subsets, seed=seed, at=there) if there else None
    rows = []
    for k, more in wanted.items():
        filtered = _at(curves, _FILTERED, k)
        if filtered:
            rows.append(Row(k, more, filtered, _at(plain, _PLAIN, more) if plain is not None else {}))
    return EqualSpend(ratio, unit, tuple(rows)) if rows else None


def _at(curves: Curves, rules: Sequence[str], k: int) -> dict[str, Point]:
    found = {}
    for rule in rules:
        curve = curves.rules.get(rule)
        if curve is not None and k in curve:
            found[rule] = curve[k]
    return found


def _price(samples: Sequence[SampleFields]) -> tuple[float, str] | None:
    """What all programs cost in units of what all samples cost: in dollars where both did cost some, else in
    FLOPs, else in tokens."""
    units = (
        ("dollars", [(_usd(each.usd), _usd(each.program_usd)) for each in samples]),
        ("FLOPs", [(each.flops, each.program_flops) for each in samples]),
        ("tokens", [(each.completion_tokens, each.program_tokens) for each in samples]),
    )
    for name, pairs in units:
        if not pairs or any(sample is None or program is None for sample, program in pairs):
            continue
        drawn = sum(float(sample or 0) for sample, _ in pairs)
        written = sum(float(program or 0) for _, program in pairs)
        if drawn > 0 and written > 0:
            return written / drawn, name
    return None


def _usd(value: str | float | None) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None

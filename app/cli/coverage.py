"""``monkeys coverage``: what was measured, how sure it is, and where it is going.

Counts come as CSV, samples as JSONL; which of the two a file is, its first character says. Samples without a
verdict are graded by the known answers and tests of ``--problems``.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import out
from app.cli.options import OutputOption, amount, clean_text
from app.cli.out import Output
from app.errors import BadInput

if TYPE_CHECKING:
    from app.runs.samples_file import GivenSample
    from budgets.counts import ModelCounts, Sampled

LEVEL = 0.9
_MOST_K = 10**12


def coverage(
    file: Annotated[
        Path,
        typer.Argument(
            help="Counts (CSV: model,problem,n,correct), samples (JSONL), or pythia-math: the paper's own."
        ),
    ],
    k: Annotated[
        str | None, typer.Option("--k", metavar="K,K", help="Where to estimate coverage, such as 1,10,100.")
    ] = None,
    forecast: Annotated[
        str | None, typer.Option(metavar="K,K", help="Where to forecast it, such as 1000,10000.")
    ] = None,
    problems: Annotated[
        Path | None, typer.Option(help="The problems, to grade samples that have no verdict.")
    ] = None,
    usd_per_sample: Annotated[
        str | None, typer.Option(metavar="USD", help="Shows beside each k what it costs a problem.")
    ] = None,
    output: OutputOption = Output.text,
) -> None:
    """Coverage (pass@k) with intervals, the power law's fit, and a forecast."""
    from budgets.amounts import parse_usd

    measured_at, forecast_at = whole_numbers("--k", k), whole_numbers("--forecast", forecast)
    usd = amount("--usd-per-sample", usd_per_sample, parse_usd)
    models = read_models(file, problems)
    rows = {name: row_of(counts, measured_at, forecast_at, usd) for name, counts in models.items()}
    _tell_what_was_left_out(models, measured_at)
    if output is not Output.text:
        out.print_one(output, rows, [])
        return
    from app.cli.coverage_text import lines_of

    out.print_lines(lines_of(models, rows))


def whole_numbers(option: str, text: str | None) -> list[int]:
    """``1,10,100`` as numbers, sorted, each once. Raises ``BadInput``."""
    from budgets.amounts import parse_count

    found: set[int] = set()
    for part in (clean_text(option, text) or "").split(","):
        if not part.strip():
            continue
        value = amount(option, part.strip(), parse_count) or 0
        if not 1 <= value <= _MOST_K:
            raise BadInput(f"{option}: {part.strip()} is out of range.", "A number of samples is 1 or more.")
        found.add(value)
    if text is not None and not found:
        raise BadInput(f"{option} is empty.", "Give numbers of samples, such as 1,10,100.")
    return sorted(found)


def row_of(
    counts: ModelCounts, measured_at: list[int], forecast_at: list[int], usd: Decimal | None
) -> dict[str, Any]:
    """One model's part of the result. A k above the smallest n is forecast, wherever it was asked for."""
    from budgets.coverage import coverage_interval
    from budgets.laws import coverage_curve, power_law

    pairs, fewest = counts.pairs, counts.fewest
    measured = [k for k in measured_at or _powers_of_ten(fewest) if k <= fewest]
    ahead = sorted({*forecast_at, *(k for k in measured_at if k > fewest)})
    values = coverage_curve(pairs, measured)
    intervals = [coverage_interval(pairs, k, LEVEL) for k in measured]
    law = power_law(pairs)
    row: dict[str, Any] = {
        "problems": len(pairs),
        "n": [fewest, counts.most],
        "level": LEVEL,
        "pass_at_k": {str(k): float(value) for k, value in zip(measured, values, strict=True)},
        "interval": {str(k): [each.low, each.high] for k, each in zip(measured, intervals, strict=True)},
        "interval_method": intervals[0].method if intervals else None,
        "law": None if law is None else {"a": law.a, "b": law.b, "mean_abs_error": law.mean_abs_error},
        "forecast": None,
        "forecast_prior": None,
        "undecided": counts.undecided,
    }
    if ahead:
        row["forecast"], row["forecast_prior"] = _ahead(pairs, ahead, fewest)
    row["cost"] = _costs(counts, [*measured, *ahead], usd)
    return row


def _ahead(
    pairs: Sequence[tuple[int, int]], ks: list[int], fewest: int
) -> tuple[dict[str, list[float]], str]:
    """[value, low, high] at each k, and what the forecast believes. Where samples reach, they answer."""
    from budgets.coverage import coverage_interval
    from budgets.forecast import forecast
    from budgets.laws import coverage_curve

    found = forecast(pairs, ks, LEVEL)
    points = {str(point.k): [point.value, point.low, point.high] for point in found.points}
    for k in ks:
        if k <= fewest:
            interval = coverage_interval(pairs, k, LEVEL)
            points[str(k)] = [float(coverage_curve(pairs, [k])[0]), interval.low, interval.high]
    return points, found.prior


def _powers_of_ten(n: int) -> list[int]:
    return [10**i for i in range(len(str(n)))]


def _costs(counts: ModelCounts, ks: list[int], usd: Decimal | None) -> dict[str, dict[str, Any]] | None:
    """What k samples of a problem cost, from ``--usd-per-sample`` and a column of FLOPs per sample."""
    from budgets.amounts import usd_text

    flops = counts.mean_of("flops")
    if usd is None and flops is None:
        return None
    return {
        str(k): {
            "usd": None if usd is None else usd_text(usd * k),
            "flops": None if flops is None else flops * k,
        }
        for k in sorted(set(ks))
    }


def read_models(file: Path, problems: Path | None) -> dict[str, ModelCounts]:
    """The counts in a file of either kind, by model. Raises ``BadInput``."""
    from app.problems.jsonl import decode_text, read_bytes
    from budgets.counts import CountsError, count_samples, parse_counts
    from budgets.published import PUBLISHED, published

    known = str(file) in PUBLISHED and not file.exists()
    data = published(str(file)) if known else read_bytes(file)
    text = decode_text(data, str(file))
    try:
        if text.lstrip()[:1] in ("{", "["):
            return count_samples(_sampled(data, file, problems))
        if not text.strip():
            raise BadInput(f"{file} is empty.", "Give counts (CSV) or samples (JSONL).")
        return parse_counts(text, str(file))
    except CountsError as error:
        raise BadInput(error.message, error.fix) from None


def _sampled(data: bytes, file: Path, problems: Path | None) -> list[Sampled]:
    """The finished samples of a file; those without a verdict are graded where there are ``problems``."""
    from app.runs.samples_file import parse_samples
    from budgets.counts import Sampled

    given = parse_samples(data, str(file))
    finished = [sample for sample in given if sample.fields.error is None]
    if len(finished) < len(given):
        out.warn(
            f"Samples that failed before they were finished, not counted: {len(given) - len(finished):,}."
        )
    verdicts = _graded(finished, problems) if problems is not None else {}
    return [
        Sampled(
            sample.where,
            sample.model or "samples",
            sample.problem_id,
            sample.fields.verdict or verdicts.get(sample.where),
            sample.fields.index,
        )
        for sample in finished
    ]


def _graded(samples: list[GivenSample], problems: Path) -> dict[str, str]:
    """The verdicts of those that have none, by their places in the file."""
    from app.cli.given import graded
    from app.problems.load import load_problems
    from app.runs.picking import ungraded
    from app.runs.samples_file import of_known_problems

    known = {problem.id: problem for problem in load_problems(problems)}
    bare = [sample for sample in samples if sample.fields.verdict is None]
    missing = ungraded(of_known_problems(bare, known, str(problems)), known)
    grades = graded(known, missing)
    return {sample.where: grade.judgement.verdict for sample, grade in zip(missing, grades, strict=True)}


def _tell_what_was_left_out(models: dict[str, ModelCounts], measured_at: list[int]) -> None:
    highest = max(measured_at, default=0)
    short = [counts for counts in models.values() if counts.fewest < highest]
    if short:
        fewest = min(counts.fewest for counts in short)
        of = short[0].model if len(short) == 1 else f"{len(short)} models"
        out.warn(
            f"{of}: coverage is measured up to the fewest samples of any problem (here {fewest});"
            f" beyond that, --k up to {highest} is forecast."
        )
    for counts in models.values():
        if counts.undecided:
            out.warn(f"{counts.model}: {counts.undecided} undecided samples are not counted.")

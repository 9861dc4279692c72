"""``monkeys coverage``: what was measured, how sure it is, and where it is going.

Counts come as CSV, samples as JSONL; which of the two a file is, its first character says. Samples without a
verdict are graded against the known answers of ``--problems``; tests and proofs are for ``monkeys verify``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import out
from app.cli.options import OutputOption, amount, clean_text
from app.cli.out import Output
from app.errors import BadInput

if TYPE_CHECKING:
    from app.problems.problem import Problem
    from budgets.counts import ModelCounts, Sampled

LEVEL = 0.9
_MOST_K = 10**12


def coverage(
    file: Annotated[Path, typer.Argument(help="Counts (CSV: model,problem,n,correct) or samples (JSONL).")],
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
        from budgets.forecast import forecast

        found = forecast(pairs, ahead, LEVEL)
        row["forecast"] = {str(point.k): [point.value, point.low, point.high] for point in found.points}
        row["forecast_prior"] = found.prior
    row["cost"] = _costs(counts, [*measured, *ahead], usd)
    return row


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

    text = decode_text(read_bytes(file), str(file))
    try:
        if text.lstrip()[:1] == "{":
            return count_samples(_samples(text, file), _judge(text, file, problems))
        if not text.strip():
            raise BadInput(f"{file} is empty.", "Give counts (CSV) or samples (JSONL).")
        return parse_counts(text, str(file))
    except CountsError as error:
        raise BadInput(error.message, error.fix) from None


def _samples(text: str, file: Path) -> Iterator[Sampled]:
    from app.cli.sample_rows import sample_rows
    from budgets.counts import Sampled

    for where, row in sample_rows(text, str(file)):
        yield Sampled(where, row.model or "samples", row.problem_id, row.verdict, row.index)


def _judge(text: str, file: Path, problems: Path | None) -> Callable[[Sampled], str] | None:
    """Gives a sample the verdict it lacks, by its problem's known answer. None without problems."""
    if problems is None:
        return None
    from app.cli.sample_rows import sample_rows
    from app.problems.load import load_problems

    known = {problem.id: problem for problem in load_problems(problems)}
    ungraded = {where: row for where, row in sample_rows(text, str(file)) if row.verdict is None}

    def judge(sample: Sampled) -> str:
        row = ungraded[sample.where]
        problem = known.get(sample.problem)
        if problem is None:
            raise BadInput(
                f"{sample.where}: problem {sample.problem} is not in {problems}.",
                "Give the problems that the samples belong to.",
            )
        return _graded(problem, row.text, row.answer, sample.where)

    return judge


def _graded(problem: Problem, text: str | None, answer: str | None, where: str) -> str:
    from verifiers.answers import Extraction, extract_answer
    from verifiers.known import judge_answer

    if problem.answer is None:
        raise BadInput(
            f"{where}: problem {problem.id} has no known answer to grade by.",
            "Grade with `monkeys verify` first.",
        )
    found = (
        Extraction(answer, "given", None, None)
        if answer is not None
        else extract_answer(text or "", problem.kind)
    )
    return judge_answer(found, problem.answer, problem.kind).verdict


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

"""``monkeys pick``: how often each rule would have picked a right answer, at each number of samples."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import out
from app.cli.given import ProblemsOption, SamplesOption, SkipBadOption, graded, read_given
from app.cli.options import BaseUrlOption, PriceOption, RewardOption, TranslatorOption
from app.errors import BadInput

if TYPE_CHECKING:
    from app.runs.equal_spend import EqualSpend
    from app.runs.picking import Pool
    from app.runs.samples_file import GivenSample
    from verifiers.accuracy import Curves
    from verifiers.survivors import FilterReport

MOST_SUBSETS = 10_000


class Table(StrEnum):
    text = "text"
    csv = "csv"
    json = "json"
    jsonl = "jsonl"


def pick(
    problems: ProblemsOption,
    samples: SamplesOption,
    model: Annotated[str | None, typer.Option(metavar="M", help="Of this model only.")] = None,
    subsets: Annotated[
        int, typer.Option(metavar="N", min=1, max=MOST_SUBSETS, help="Random subsets at each k.")
    ] = 100,
    seed: Annotated[int, typer.Option(metavar="S", min=0, help="Fixes the subsets.")] = 0,
    skip_bad: SkipBadOption = False,
    translator: TranslatorOption = None,
    reward: RewardOption = None,
    max_cost: Annotated[
        str | None, typer.Option(metavar="USD", help="Dollars for --translator and --reward.")
    ] = None,
    max_flops: Annotated[str | None, typer.Option(metavar="F", help="FLOPs for them.")] = None,
    max_total_tokens: Annotated[str | None, typer.Option(metavar="N", help="Tokens for them.")] = None,
    max_seconds: Annotated[str | None, typer.Option(metavar="S", help="Seconds for them.")] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the samples with what was found, a problem at a time.",
            show_default=False,
        ),
    ] = None,
    price: PriceOption = None,
    base_url: BaseUrlOption = None,
    output: Annotated[Table, typer.Option("--output", "-o", help="How to print the result.")] = Table.text,
) -> None:
    """Accuracy of every rule that picks, at 1, 2, 4, ... samples, beside coverage.

    With --translator and --reward, samples that have no program or no reward get one first.
    """
    known, given = read_given(problems, samples, skip_bad=skip_bad)
    from app.runs.grading import Grader
    from app.runs.picking import pool, ungraded
    from app.runs.samples_file import refuse_twins

    given = _of_model(given, model)
    refuse_twins(given)
    if translator is not None or reward is not None:
        from app.cli import pick_work

        limits = (max_cost, max_flops, max_total_tokens, max_seconds)
        given = pick_work.worked_through(
            known, given, translator, reward, limits, seed=seed, price=price, base_url=base_url, write=write
        )
    elif write is not None or max_cost is not None:
        raise BadInput(
            "Nothing is asked for that could be written or paid.", "Give --translator or --reward."
        )
    grader, missing = Grader(known), ungraded(given, known)
    verdicts = {
        sample.where: grade.judgement.verdict
        for sample, grade in zip(missing, graded(known, missing), strict=True)
    }
    found = pool(given, grader, verdicts)
    _tell_what_to_know(found, left_out=len(known) - len(found.problems))
    from app.runs.equal_spend import equal_spend
    from verifiers.accuracy import accuracy_curves
    from verifiers.survivors import filter_report

    candidates = list(found.problems.values())
    curves = accuracy_curves(candidates, subsets=subsets, seed=seed)
    survivors = filter_report(candidates)
    spend = equal_spend(given, candidates, curves, seed=seed) if survivors is not None else None
    if output is Table.text:
        from app.cli.pick_text import lines_of

        out.print_lines(lines_of(found, curves, survivors, spend))
    elif output is Table.csv:
        out.write_bytes(_as_csv(curves).encode())
    elif output is Table.json:
        out.print_json(_as_object(found, curves, survivors, spend, seed))
    else:
        out.print_each([_as_object(found, curves, survivors, spend, seed)])


def _of_model(samples: list[GivenSample], model: str | None) -> list[GivenSample]:
    if model is None:
        return samples
    mine = [sample for sample in samples if sample.model == model]
    if not mine:
        names = sorted({sample.model or "(no name)" for sample in samples})
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        raise BadInput(f"No sample is of the model {model}.", f"The samples are of {shown}.")
    return mine


def _tell_what_to_know(found: Pool, *, left_out: int) -> None:
    if len(found.models) > 1:
        out.warn(f"Samples of {len(found.models)} models are mixed.", "Choose one with --model.")
    if left_out:
        out.warn(f"Problems without samples, not counted: {left_out:,}.")
    if found.failed:
        out.warn(f"Samples that failed before they were finished, not counted: {found.failed:,}.")
    if found.undecided:
        out.warn(f"Undecided samples, counted as not right: {found.undecided:,} of {found.samples:,}.")
    if 0 < found.unrewarded < found.samples:
        out.warn(f"Samples without a reward, which no reward picks: {found.unrewarded:,}.")


def _as_object(
    found: Pool, curves: Curves, survivors: FilterReport | None, spend: EqualSpend | None, seed: int
) -> dict[str, Any]:
    from budgets.coverage import mean_pass_at_k

    return {
        "problems": len(found.problems),
        "samples": found.samples,
        "n": [found.fewest, found.most],
        "models": list(found.models),
        "undecided": found.undecided,
        "subsets": curves.subsets,
        "seed": seed,
        "rules": {
            name: None if curve is None else {str(k): [point.mean, point.sd] for k, point in curve.items()}
            for name, curve in [*curves.rules.items(), ("coverage", curves.coverage)]
        },
        "filter": survivors,
        "equal_spend": spend,
        "missing": dict(curves.missing),
        "pass_at_k": {str(k): mean_pass_at_k(found.counts, k) for k in curves.coverage},
    }


def _as_csv(curves: Curves) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("rule", "k", "mean", "sd"))
    writer.writerows(_csv_rows(curves))
    return text.getvalue()


def _csv_rows(curves: Curves) -> Iterator[tuple[str, int, float, float]]:
    """A row per rule that ran and k, coverage last."""
    for name, curve in [*curves.rules.items(), ("coverage", curves.coverage)]:
        for k, point in (curve or {}).items():
            yield name, k, point.mean, point.sd

"""``monkeys runs``: what was run, what came of it, and how to go on."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.options import (
    BaseUrlOption,
    OutputOption,
    PriceOption,
    RewardOption,
    TranslatorOption,
    limit,
)
from app.cli.out import Output, print_each, print_json, print_lines, print_list, print_one, warn, write_bytes
from app.errors import BadInput

if TYPE_CHECKING:
    from app.runs.events import Event
    from app.runs.journal import Journal
    from app.runs.state import RunState
    from app.runs.summary import RunSummary

app = typer.Typer(help="History: list, show, resume, export, delete.", no_args_is_help=True)

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its beginning, or `last`.")]


def _journal(*, write: bool = False) -> Journal:
    from app import locations
    from app.runs.journal import Journal

    return Journal.open(locations.journal_file(), write=write)


@app.command("list")
def list_runs(
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="Only the newest.")] = None,
    output: OutputOption = Output.text,
) -> None:
    """List the runs, newest first."""
    with _journal() as journal:
        runs = journal.runs(limit)
    rows = [_row(run) for run in runs]
    print_list(
        output,
        rows,
        _table(runs, _width()) if runs else ["No runs yet. Make one with: monkeys solve PROBLEM"],
    )


_WIDE = 118
"""Cells for every column of the list, with something of the problem."""
_FIXED_WIDE, _FIXED_NARROW = 108, 66
"""Cells of all columns but the problem."""


def _width() -> int:
    """Cells of the terminal; a file has no end to its lines."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize


def _row(run: RunSummary) -> dict[str, Any]:
    from budgets.amounts import usd_text

    return {
        "run_id": run.run_id,
        "created": run.created,
        "status": run.status,
        "models": run.models,
        "problems": run.problems,
        "samples": run.samples,
        "usd": None if run.usd is None else usd_text(run.usd),
        "title": run.title,
        "picks": run.picks,
    }


def _table(runs: list[RunSummary], width: int) -> list[str]:
    """A line each, and a heading. In a narrow terminal the model and its cost give way to the problem."""
    from budgets.amounts import show_usd
    from verifiers.safe_text import one_line

    wide = width >= _WIDE
    title = max(10, min(40, width - (_FIXED_WIDE if wide else _FIXED_NARROW)))
    head = f"{'run':8}  {'made (UTC)':16}  {'status':11}  samples"
    head += f"  {'spent':>10}  {'model':18}" if wide else ""
    lines = [f"{head}  {'majority':14}  problem"]
    for run in runs:
        pick = run.picks.get("majority")
        answer = "—" if pick is None or pick.answer is None else pick.answer
        when = run.created[:16].replace("T", " ")
        line = f"{run.run_id}  {when}  {run.status:11}  {run.samples:>7,}"
        if wide:
            line += f"  {show_usd(run.usd):>10}  {one_line(', '.join(run.models), 18):18}"
        lines.append(f"{line}  {one_line(answer, 14):14}  {one_line(run.title, title)}")
    return lines


@app.command()
def show(
    run: RunArgument = "last",
    sample: Annotated[int | None, typer.Option(help="Show this sample whole; the first is 0.", min=0)] = None,
    output: OutputOption = Output.text,
) -> None:
    """Show what came of a run, or one of its samples."""
    from app.runs.export import sample_rows
    from app.runs.journal import fold
    from app.runs.result import result
    from app.runs.result_text import summary_lines

    events = _load(run)
    if is_comparison(events):
        from app.cli import compared

        if sample is None:
            compared.show(events, output)
        else:
            _show_sample(compared.rows(events), sample, output)
        return
    state = fold(events)
    if sample is None:
        print_one(output, result(state), summary_lines(state))
    else:
        _show_sample(list(sample_rows(state)), sample, output)


def _load(name: str) -> list[Event]:
    with _journal() as journal:
        return journal.load(journal.resolve(name))


def is_comparison(events: Sequence[Event]) -> bool:
    from app.runs.events import ComparisonStarted

    return isinstance(events[0], ComparisonStarted)


def _show_sample(rows: list[dict[str, Any]], index: int, output: Output) -> None:
    from verifiers.safe_text import clean, one_line

    row = next((row for row in rows if row.get("sample", row["index"]) == index), None)
    if row is None:
        raise BadInput(
            f"The run has no finished sample {index}.", f"It has {len(rows)} in all; the first is 0."
        )
    answer = one_line(row["answer"] or "none", 200)
    facts = f"#{index} · {one_line(row['model'], 60)} · answer {answer} · {row['verdict'] or 'unverified'}"
    lines = [f"{facts} · {row['completion_tokens']} tokens"]
    if row.get("reward") is not None:
        lines.append(f"reward {row['reward']:.4g} ({one_line(row['reward_model'] or '', 60)})")
    lines += ["", clean(row["text"])]
    if row.get("program_status") is not None:
        reason = one_line(row.get("program_reason") or "", 200)
        lines += ["", f"program {row['program_status']}{f': {reason}' if reason else ''}"]
        lines += ["", clean(row["program"])] if row.get("program") else []
    print_one(output, row, lines)


@app.command()
def resume(
    run: RunArgument = "last",
    more: Annotated[str | None, typer.Option(metavar="N", help="So many samples more.")] = None,
    samples: Annotated[str | None, typer.Option(metavar="N", help="A new limit on samples.")] = None,
    max_cost: Annotated[str | None, typer.Option(metavar="USD", help="A new limit on dollars.")] = None,
    max_flops: Annotated[str | None, typer.Option(metavar="F", help="A new limit on FLOPs.")] = None,
    max_total_tokens: Annotated[str | None, typer.Option(metavar="N", help="A new limit on tokens.")] = None,
    max_seconds: Annotated[str | None, typer.Option(metavar="S", help="A new limit on seconds.")] = None,
    reward: RewardOption = None,
    translator: TranslatorOption = None,
    price: PriceOption = None,
    base_url: BaseUrlOption = None,
    output: OutputOption = Output.text,
) -> int:
    """Go on with a run that was killed or stopped, or draw more samples for it."""
    from app import settings
    from app.cli import session
    from budgets.amounts import Budget, parse_count, parse_flops, parse_seconds, parse_usd

    if more is not None and samples is not None:
        raise BadInput("--more and --samples are given.", "Give one of them.")
    extra = limit("--more", more, parse_count)
    changes: dict[str, Any] = {
        "usd": limit("--max-cost", max_cost, parse_usd),
        "flops": limit("--max-flops", max_flops, parse_flops),
        "tokens": limit("--max-total-tokens", max_total_tokens, parse_count),
        "samples": limit("--samples", samples, parse_count),
        "seconds": limit("--max-seconds", max_seconds, parse_seconds),
    }
    changes = {name: value for name, value in changes.items() if value is not None}

    def raised(state: RunState) -> Budget | None:
        new = changes | ({} if extra is None else {"samples": state.finished + extra})
        return state.budget.raised(**new) if new else None

    prices = settings.load().settings.prices
    events = _load(run)
    if is_comparison(events):
        from app.cli import compared

        return compared.resume(
            events,
            output=output,
            price=price,
            base_url=base_url,
            prices=prices,
            changes=changes,
            more=extra,
        )
    return session.resume(
        run,
        output=output,
        price=price,
        base_url=base_url,
        prices=prices,
        raised=raised,
        reward=reward,
        translator=translator,
    )


@app.command()
def export(
    run: RunArgument = "last",
    form: Annotated[
        str, typer.Option("--format", help="jsonl, csv or parquet (samples); html; svg or png (a figure).")
    ] = "jsonl",
    to: Annotated[
        Path | None, typer.Option("--to", help="A file; standard output if it is left out.")
    ] = None,
    events: Annotated[
        bool, typer.Option("--events", help="The events, for replay, instead of samples.")
    ] = False,
    figure: Annotated[str, typer.Option(help="For svg and png: samples, usd, flops or picks.")] = "samples",
) -> None:
    """Write a run's samples, one a line; or a report, or a figure of it."""
    from app.cli import exports

    if events and form != "jsonl":
        raise BadInput("Events are JSONL.", "Leave --format out.")
    data = _events(run) if events else exports.made(_load(run), form, figure)
    if to is None and form in exports.BINARY:
        raise BadInput(f"{form} is no text for a terminal.", f"Give a file: --to run.{form}")
    if to is None:
        write_bytes(data)
        return
    try:
        with to.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise BadInput(f"{to} is there already.", "Give another name, or move it away.") from None
    except OSError as error:
        raise BadInput(
            f"{to} cannot be written: {error.strerror}.", "Give another place with --to."
        ) from None
    warn(f"Wrote {to}.")


def _events(run: str) -> bytes:
    from app.runs.events import to_json

    return b"".join(to_json(event) + b"\n" for event in _load(run))


@app.command("import")
def import_(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Logs of other programs, or samples.")
    ],
    problems: Annotated[
        Path | None, typer.Option(help="The problems, for samples in monkeys' own format.")
    ] = None,
    form: Annotated[
        str,
        typer.Option("--format", help="auto, monkeys, monkey_business, lm-eval or inspect."),
    ] = "auto",
    name: Annotated[str | None, typer.Option(help="What the set is called.")] = None,
    output: OutputOption = Output.text,
) -> None:
    """Keep samples that were made elsewhere as a comparison: show, replay and export work on it."""
    from app.cli import compared

    compared.import_files(files, problems, form, name, output)


@app.command()
def delete(
    run: Annotated[list[str], typer.Argument(metavar="RUN...", help="Ids, their beginnings, or `last`.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    output: OutputOption = Output.text,
) -> None:
    """Forget runs, with all their samples."""
    with _journal(write=True) as journal:
        found = list(dict.fromkeys(journal.resolve(name) for name in run))
        if not yes:
            if not sys.stdin.isatty():
                raise BadInput("Nothing was deleted: nobody can be asked here.", "Give --yes.")
            sys.stderr.write(f"Delete {', '.join(found)} and all samples for ever? [y/N] ")
            sys.stderr.flush()
            if sys.stdin.readline().strip().lower() not in ("y", "yes"):
                raise BadInput("Nothing was deleted.", "Answer y, or give --yes.")
        for run_id in found:
            journal.delete(run_id)
    if output is Output.text:
        print_lines([f"Deleted {run_id}." for run_id in found])
    elif output is Output.json:
        print_json({"deleted": found})
    else:
        print_each([{"deleted": run_id} for run_id in found])

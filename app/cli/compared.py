"""What ``monkeys runs`` does with a run that is a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.cli.out import Output, print_one
from app.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from app.problems.problem import Problem
    from app.runs.events import Event


def show(events: Sequence[Event], output: Output) -> None:
    from app.runs.compare.launch import fold
    from app.runs.compare.result import comparison_lines, comparison_result

    state = fold(events)
    print_one(output, comparison_result(state), comparison_lines(state))


def rows(events: Sequence[Event]) -> list[dict[str, Any]]:
    from app.runs.compare.samples import comparison_rows

    return list(comparison_rows(events))


def resume(
    events: Sequence[Event],
    *,
    output: Output,
    price: str | None,
    base_url: Sequence[str] | None,
    prices: Mapping[str, str],
    changes: Mapping[str, Any],
    more: int | None,
) -> int:
    """Go on with it; ``changes`` are new limits of each model, ``more`` so many samples of each problem."""
    from app.cli import compare_session
    from app.runs.compare.launch import fold

    state = fold(events)
    if more is not None:
        changes = {**changes, "samples": (state.samples_each or 0) + more}
    return compare_session.resume(
        events, output=output, price=price, base_url=base_url, prices=prices, changes=changes
    )


def import_files(
    files: Sequence[Path], problems: Path | None, form: str, name: str | None, output: Output
) -> None:
    """Keep the samples of ``files`` as a comparison, and print what came of it. Raises ``BadInput``."""
    import asyncio

    from app import locations
    from app.runs.journal import Journal

    asked, samples = _read(files, problems, form)
    if not samples:
        raise BadInput("There are no samples.", "Give a file with at least one.")

    async def keep() -> list[Event]:
        from app.runs.compare.imported import imported_events

        kept: list[Event] = []
        with (
            Journal.open(locations.journal_file()) as journal,
            journal.store(journal.reserve_run_id()) as store,
        ):
            title = name or files[0].stem
            async for batch in imported_events(asked, samples, name=title, run_id=store.run_id):
                store.append(batch)
                kept += batch
        return kept

    show(asyncio.run(keep()), output)


def _read(
    files: Sequence[Path], problems: Path | None, form: str
) -> tuple[list[Problem], list[dict[str, Any]]]:
    from app.problems.load import load_problems
    from app.runs.imports import LAYOUTS, read_foreign
    from app.runs.samples_file import load_samples

    if form not in ("auto", "monkeys", *LAYOUTS):
        raise BadInput(
            f"There is no format {form}.", f"Use auto, monkeys, {', '.join(LAYOUTS[:-1])} or {LAYOUTS[-1]}."
        )
    if problems is not None or form == "monkeys":
        if problems is None:
            raise BadInput("Samples of monkeys' own format need their problems.", "Give --problems FILE.")
        given = [sample for file in files for sample in load_samples(file)]
        rows = [
            {**each.row, "problem_id": each.problem_id, "answer": each.answer, "model": each.model}
            for each in given
        ]
        return load_problems(problems), rows
    found: dict[str, Problem] = {}
    samples: list[dict[str, Any]] = []
    layout = next((known for known in LAYOUTS if known == form), None)
    for file in files:
        read = read_foreign(file, layout)
        found.update({problem.id: problem for problem in read.problems})
        samples += read.samples
    return list(found.values()), samples

"""Problems and samples that the user brings, read together and graded: what ``verify`` and ``pick`` begin
with. Programs are run only where samples of problems with tests have to be graded."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from app.cli import out
from app.errors import BadInput, MonkeysError

if TYPE_CHECKING:
    from app.problems.problem import Problem
    from app.runs.checkers import Checkers
    from app.runs.grading import Grade
    from app.runs.samples_file import GivenSample

ProblemsOption: TypeAlias = Annotated[
    Path, typer.Option("--problems", metavar="P", help="The problems, JSONL; - reads standard input.")
]
SamplesOption: TypeAlias = Annotated[
    Path, typer.Option("--samples", metavar="S", help="Their samples, JSONL; - reads standard input.")
]
SkipBadOption: TypeAlias = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out lines that cannot be used, and go on.")
]

_NAMED = 5
"""Bad lines that are named one by one; the rest are counted."""


def read_given(
    problems: Path, samples: Path, *, skip_bad: bool
) -> tuple[dict[str, Problem], list[GivenSample]]:
    """The problems by id, and the samples that belong to them, in the file's order.

    Raises ``BadInput`` for whatever cannot be read. With ``skip_bad`` bad samples are left out, named and
    counted on standard error; problems are never left out, because that would change every average.
    """
    from app.problems.load import STDIN, load_problems
    from app.runs.samples_file import load_samples, of_known_problems

    if str(problems) == str(samples) == STDIN:
        raise BadInput("Standard input cannot be both.", "Give the problems or the samples as a file.")
    bad: list[BadInput] = []
    on_bad = bad.append if skip_bad else None
    known = {problem.id: problem for problem in load_problems(problems)}
    found = of_known_problems(load_samples(samples, on_bad=on_bad), known, str(problems), on_bad=on_bad)
    for fault in bad[:_NAMED]:
        out.warn(f"Left out: {fault.message}")
    if bad:
        out.warn(f"{len(bad):,} of {len(bad) + len(found):,} samples left out.")
    return known, found


def graded(known: dict[str, Problem], samples: Sequence[GivenSample]) -> list[Grade]:
    """The grades of ``samples``, in their order. Raises ``PartMissing`` where a program has to be run and
    nothing on this machine can hold it."""
    from app.runs.checkers import Checkers
    from app.runs.grading import Grader

    checkers = Checkers()
    if any(checkers.checker_for(known[name]) for name in {sample.problem_id for sample in samples}):
        import asyncio

        return asyncio.run(_tested(known, samples, checkers))
    grader = Grader(known)
    return [grader.grade(sample) for sample in samples]


async def _tested(
    known: dict[str, Problem], samples: Sequence[GivenSample], checkers: Checkers
) -> list[Grade]:
    from app.runs.checking import AT_ONCE
    from app.runs.grading import Grader, check_all

    def on_checked(done: int) -> None:
        sys.stderr.write(f"\r\x1b[K{done:,} of {len(samples):,} checked")
        sys.stderr.flush()

    watched = sys.stderr.isatty()
    try:
        return await check_all(
            samples,
            Grader(known, checkers.checker_for),
            at_once=max(AT_ONCE, os.cpu_count() or 1, checkers.at_once),
            on_checked=on_checked if watched else None,
        )
    except* MonkeysError as group:
        raise _first(group) from None
    finally:
        await checkers.close()
        if watched:
            sys.stderr.write("\r\x1b[K")


def _first(group: BaseExceptionGroup[MonkeysError]) -> MonkeysError:
    """Of the faults that workers met side by side; they are alike."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first

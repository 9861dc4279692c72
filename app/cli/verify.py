"""``monkeys verify``: samples made elsewhere, graded and written back.

Every sample is judged anew, whatever verdict it came with. In JSON the samples come back in the order given,
with all that they held; as text there is a count per model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import out
from app.cli.given import ProblemsOption, SamplesOption, SkipBadOption, graded, read_given
from app.cli.options import ClusterOption, OutputOption, within
from app.cli.out import Output

if TYPE_CHECKING:
    from app.runs.grading import Grade
    from app.runs.samples_file import GivenSample

_WIDTH = 60
_REASONS = 5
"""Reasons for not deciding that are listed."""


def verify(
    problems: ProblemsOption,
    samples: SamplesOption,
    skip_bad: SkipBadOption = False,
    repeat_tests: Annotated[
        int | None, typer.Option(metavar="N", help="Runs of flaky tests; the majority decides.")
    ] = None,
    cluster: ClusterOption = None,
    output: OutputOption = Output.text,
) -> None:
    """Check samples made elsewhere, and write them back with their verdicts."""
    within("--repeat-tests", repeat_tests, 1, 1000)
    known, given = read_given(problems, samples, skip_bad=skip_bad)
    if repeat_tests is not None:
        from app.problems.tests_file import repeated

        known = {name: repeated(problem, repeat_tests) for name, problem in known.items()}
    grades = graded(known, given)
    _doubt_tests(given, grades)
    if output is Output.text:
        out.print_lines(_summary(given, grades))
        return
    rows = [_with_grade(sample, grade) for sample, grade in zip(given, grades, strict=True)]
    out.print_list(output, rows, [])


def _doubt_tests(samples: Sequence[GivenSample], grades: Sequence[Grade]) -> None:
    """Say which problems' tests nothing passes."""
    from verifiers.suspicion import Suspicion

    suspicions: dict[str, Suspicion] = {}
    doubts: list[str] = []
    for sample, grade in zip(samples, grades, strict=True):
        doubt = suspicions.setdefault(sample.problem_id, Suspicion()).note(grade.judgement)
        if doubt is not None:
            doubts.append(f"{sample.problem_id}: {doubt}")
    for line in doubts[:_REASONS]:
        out.warn(line)
    if len(doubts) > _REASONS:
        out.warn(f"The same of {len(doubts) - _REASONS:,} more problems.")


def _with_grade(sample: GivenSample, grade: Grade) -> dict[str, Any]:
    """The row as it came, with what was found."""
    found = {"answer": grade.answer, "verdict": grade.judgement.verdict, "detail": grade.detail}
    return sample.row | found


def _summary(samples: Sequence[GivenSample], grades: Sequence[Grade]) -> Iterator[str]:
    from verifiers.safe_text import cell_width, one_line

    counts: dict[str, Counter[str]] = {}
    reasons: Counter[str] = Counter()
    for sample, grade in zip(samples, grades, strict=True):
        name = one_line(sample.model, _WIDTH) or "(no name)"
        counts.setdefault(name, Counter())[grade.judgement.verdict] += 1
        if grade.judgement.verdict == "undecided":
            reasons[one_line(grade.judgement.reason, 2 * _WIDTH)] += 1
    width = max(len("model"), *map(cell_width, counts))
    yield f"{'model':{width}}  {'samples':>8}  {'✓ right':>8}  {'✗ wrong':>8}  {'? undecided':>11}"
    for name, count in counts.items():
        padded = name + " " * (width - cell_width(name))
        yield (
            f"{padded}  {count.total():>8,}  {count['right']:>8,}  {count['wrong']:>8,}"
            f"  {count['undecided']:>11,}"
        )
    if reasons:
        yield ""
        yield "Undecided, because"
        for reason, times in reasons.most_common(_REASONS):
            yield f"  {times:>8,}  {reason}"
        if len(reasons) > _REASONS:
            others = reasons.total() - sum(times for _, times in reasons.most_common(_REASONS))
            yield f"  {others:>8,}  other reasons"

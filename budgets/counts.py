"""How many samples of each problem were right: the table that every estimate of coverage starts from.

Tables are made by hand, by spreadsheets and by other people's scripts, so byte-order marks, Windows line
ends, any order of columns and further columns are all welcome. A row that cannot be true is refused with
its line, never dropped: a problem that goes missing moves every average. Samples with verdicts make the same
table; those that nobody could decide are left out of n and counted apart.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["CountsError", "ModelCounts", "Sampled", "count_samples", "parse_counts"]

_COLUMNS = ("model", "problem", "n", "correct")
_GROUPS = ("benchmark", "dataset")
"""Columns which, beside the model, say what was measured: the same problem may come in two benchmarks."""
_MOST_SAMPLES = 10**9


class CountsError(ValueError):
    """A table that cannot be used. ``message`` says what is wrong and where, ``fix`` what to do."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(f"{message} {fix}")
        self.message = message
        self.fix = fix


@dataclass(frozen=True, slots=True)
class ModelCounts:
    """One model on one problem set. ``n``, ``correct`` and the columns of ``extra`` go with ``problems``."""

    model: str
    problems: tuple[str, ...]
    n: tuple[int, ...]
    correct: tuple[int, ...]
    undecided: int = 0
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """(n, c) of every problem, as ``budgets.coverage`` takes them."""
        return tuple(zip(self.n, self.correct, strict=True))

    @property
    def fewest(self) -> int:
        return min(self.n)

    @property
    def most(self) -> int:
        return max(self.n)

    def mean_of(self, column: str) -> float | None:
        """The mean over problems of a further column, such as FLOPs. None unless all are numbers."""
        try:
            values = [float(text) for text in self.extra[column]]
        except (KeyError, ValueError):
            return None
        return sum(values) / len(values)


def parse_counts(text: str, source: str = "the table") -> dict[str, ModelCounts]:
    """The table in ``text``, by model, in the file's order. Raises ``CountsError``.

    Columns are ``model,problem,n,correct`` in any order, with a header. Where a column ``benchmark`` or
    ``dataset`` holds several values, a model's name becomes ``value/model``.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    rows = _numbered(reader, source)
    header = [name.strip().lower() for name in next(rows, (0, []))[1]]
    _check_header(header, source)
    records = [_record(header, row, f"{source}, line {line}") for line, row in rows]
    if not records:
        raise CountsError(f"{source} has a header and no rows.", "Add one row per model and problem.")
    group = next((name for name in _GROUPS if len({record.get(name) for record in records}) > 1), None)
    return _by_model(records, group, [name for name in header if name and name not in _COLUMNS])


def _numbered(reader: Iterable[list[str]], source: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold something, with their lines."""
    line = 0
    try:
        for row in reader:
            line = getattr(reader, "line_num", line + 1)
            if any(cell.strip() for cell in row):
                yield line, row
    except csv.Error as error:
        raise CountsError(f"{source}, line {line + 1}: {error}.", "Write it as plain CSV.") from None


def _check_header(header: list[str], source: str) -> None:
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise CountsError(
            f"{source} has no column {' and no column '.join(missing)}.",
            f"The first line must name the columns: {','.join(_COLUMNS)}.",
        )
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise CountsError(f"{source} has the column {twice[0]} twice.", "Keep one of them.")


def _record(header: list[str], row: list[str], where: str) -> dict[str, str]:
    if len(row) != len(header):
        raise CountsError(
            f"{where}: {len(row)} values for {len(header)} columns.", "Give every column one value."
        )
    record = dict(zip(header, (cell.strip() for cell in row), strict=True))
    for name in ("model", "problem"):
        if not record[name]:
            raise CountsError(f"{where}: the {name} is empty.", f"Name the {name}.")
    n, correct = (_whole(record[name], name, where) for name in ("n", "correct"))
    if n == 0:
        raise CountsError(f"{where}: n is 0.", "Leave out problems that were never sampled.")
    if correct > n:
        raise CountsError(
            f"{where}: {correct} of {n} samples cannot be right.", "Swap or mend n and correct."
        )
    record["where"] = where
    return record


def _whole(text: str, name: str, where: str) -> int:
    """A whole number of zero or more. ``12.0``, which spreadsheets make of 12, is one."""
    digits = text.removesuffix(".0")
    if not (digits.isascii() and digits.isdigit()):
        below = text.startswith("-")
        what = f"{name} is {text}, below zero" if below else f"{name} is {text[:40]!r}, no whole number"
        raise CountsError(f"{where}: {what}.", "Write a number of samples, such as 128.")
    value = int(digits) if len(digits) <= 10 else _MOST_SAMPLES + 1
    if value > _MOST_SAMPLES:
        raise CountsError(f"{where}: {name} is above {_MOST_SAMPLES:,}.", "Check the number.")
    return value


def _by_model(records: list[dict[str, str]], group: str | None, extra: list[str]) -> dict[str, ModelCounts]:
    models: dict[str, list[dict[str, str]]] = {}
    seen: dict[tuple[str, str], str] = {}
    for record in records:
        name = f"{record[group]}/{record['model']}" if group else record["model"]
        before = seen.setdefault((name, record["problem"]), record["where"])
        if before is not record["where"]:
            raise CountsError(
                f"{record['where']}: {name} has problem {record['problem']} already ({before}).",
                "Add the two rows up, or remove one.",
            )
        models.setdefault(name, []).append(record)
    return {
        name: ModelCounts(
            name,
            tuple(row["problem"] for row in rows),
            tuple(int(row["n"].removesuffix(".0")) for row in rows),
            tuple(int(row["correct"].removesuffix(".0")) for row in rows),
            extra={column: tuple(row[column] for row in rows) for column in extra},
        )
        for name, rows in models.items()
    }


@dataclass(frozen=True, slots=True)
class Sampled:
    """One sample as far as counting needs it. ``index`` is None where the file does not say."""

    where: str
    model: str
    problem: str
    verdict: str | None
    index: int | None = None


def count_samples(
    samples: Iterable[Sampled], judge: Callable[[Sampled], str] | None = None
) -> dict[str, ModelCounts]:
    """The table that ``samples`` make, by model. ``judge`` is asked for the verdicts that are missing.

    Undecided samples are not counted in n; a problem that has no others is left out. Raises ``CountsError``
    for a verdict that is missing or unknown, for a sample that comes twice, and where nothing was decided.
    """
    right: dict[tuple[str, str], list[int]] = {}
    undecided: dict[str, int] = {}
    seen: dict[tuple[str, str, int], str] = {}
    for sample in samples:
        if sample.index is not None:
            _refuse_twice(sample, seen)
        tally = right.setdefault((sample.model, sample.problem), [0, 0])
        verdict = _verdict(sample, judge)
        if verdict == "undecided":
            undecided[sample.model] = undecided.get(sample.model, 0) + 1
            continue
        tally[0] += 1
        tally[1] += verdict == "right"
    models: dict[str, list[tuple[str, int, int]]] = {}
    for (model, problem), (n, correct) in right.items():
        if n:
            models.setdefault(model, []).append((problem, n, correct))
    if not models:
        raise CountsError("No sample was decided to be right or wrong.", "Give samples with verdicts.")
    return {
        model: ModelCounts(
            model,
            tuple(row[0] for row in rows),
            tuple(row[1] for row in rows),
            tuple(row[2] for row in rows),
            undecided.get(model, 0),
        )
        for model, rows in models.items()
    }


def _refuse_twice(sample: Sampled, seen: dict[tuple[str, str, int], str]) -> None:
    assert sample.index is not None  # noqa: S101 (the caller asked)
    key = (sample.model, sample.problem, sample.index)
    before = seen.setdefault(key, sample.where)
    if before is not sample.where:
        raise CountsError(
            f"{sample.where}: sample {sample.index} of {sample.problem} came already ({before}).",
            "A sample counts once; remove one, or give each its own index.",
        )


def _verdict(sample: Sampled, judge: Callable[[Sampled], str] | None) -> str:
    verdict = sample.verdict
    if verdict is None:
        if judge is None:
            raise CountsError(
                f"{sample.where}: the sample has no verdict.",
                "Grade the samples first, or give the problems with --problems.",
            )
        verdict = judge(sample)
    if verdict not in ("right", "wrong", "undecided"):
        raise CountsError(
            f"{sample.where}: {verdict[:40]!r} is no verdict.", "Use right, wrong or undecided."
        )
    return verdict

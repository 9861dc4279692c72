"""Samples from files that others made: one JSON object a line, checked before anything is counted.

The row as it came stays beside what we read from it, so that a command can write it back without losing what
it does not know. Every fault names its file and line. A bad line stops the reading unless the caller asks to
hear of the bad ones and go on: a sample that is quietly skipped changes every average.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from app.errors import BadInput
from app.problems.jsonl import decode_line, decode_text, explain, numbered_lines, read_bytes
from app.problems.load import STDIN
from verifiers.candidates import ProgramStatus
from verifiers.verdicts import Verdict

OnBad = Callable[[BadInput], None]
"""Told of a line that is left out."""

_FORMAT = 'A sample is one object a line, such as {"problem_id": "p1", "text": "..."}.'


class SampleFields(msgspec.Struct, frozen=True, kw_only=True):
    """What we read of a sample. ``text`` is the whole reply; ``answer`` what its maker read from it."""

    problem_id: str
    index: int | None = None
    model: str | None = None
    text: str | None = None
    answer: str | int | float | None = None
    verdict: Verdict | None = None
    reward: float | None = None
    reward_model: str | None = None
    program_answer: str | int | float | None = None
    program_status: ProgramStatus | None = None
    mean_logprob: float | None = None
    completion_tokens: int | None = None
    usd: str | int | float | None = None
    flops: float | None = None
    program_tokens: int | None = None
    program_usd: str | int | float | None = None
    program_flops: float | None = None
    finish_reason: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class GivenSample:
    """One line: where it stood ("samples.jsonl, line 3"), the row as it came, and what it says.

    ``index`` is the sample's own, or its place among its problem's samples. ``model`` is "" where the file
    does not say.
    """

    where: str
    row: dict[str, Any]
    index: int
    fields: SampleFields

    @property
    def problem_id(self) -> str:
        return self.fields.problem_id

    @property
    def model(self) -> str:
        return self.fields.model or ""

    @property
    def answer(self) -> str | None:
        """The answer as given, ``None`` where it is missing or empty."""
        return _as_text(self.fields.answer)

    @property
    def program_answer(self) -> str | None:
        return _as_text(self.fields.program_answer)


def load_samples(path: Path | str, *, on_bad: OnBad | None = None) -> list[GivenSample]:
    """Every sample of a file, or of standard input for ``-``, in the file's order.

    Raises ``BadInput`` for a file that cannot be read or holds no sample, and for the first bad line unless
    ``on_bad`` takes it.
    """
    if str(path) == STDIN:
        return parse_samples(sys.stdin.buffer.read(), "standard input", on_bad=on_bad)
    return parse_samples(read_bytes(Path(path)), str(path), on_bad=on_bad)


def parse_samples(data: bytes, source: str, *, on_bad: OnBad | None = None) -> list[GivenSample]:
    """The samples in ``data``: JSONL, or one JSON array. ``source`` names it in messages."""
    places: dict[str, int] = {}
    found: list[GivenSample] = []
    bad = 0
    for where, item in _items(decode_text(data, source), source):
        try:
            row = _row(item, where)
            fields = _fields(row, where)
        except BadInput as fault:
            if on_bad is None:
                raise
            on_bad(fault)
            bad += 1
            continue
        place = places.get(fields.problem_id, 0)
        places[fields.problem_id] = place + 1
        index = place if fields.index is None else fields.index
        found.append(GivenSample(where, row, index, fields))
    if not found:
        what = f"holds no good sample ({bad:,} bad lines)" if bad else "holds no samples"
        raise BadInput(f"{source} {what}.", _FORMAT)
    return found


def refuse_twins(samples: Iterable[GivenSample]) -> None:
    """Raises ``BadInput`` where a sample, told by problem, model and index, comes twice: it would count
    twice."""
    seen: dict[tuple[str, str, int], str] = {}
    for sample in samples:
        key = (sample.problem_id, sample.model, sample.index)
        before = seen.setdefault(key, sample.where)
        if before is not sample.where:
            raise BadInput(
                f"{sample.where}: sample {sample.index} of {sample.problem_id} came already ({before}).",
                "Remove one of them, or give each its own index.",
            )


def of_known_problems(
    samples: Sequence[GivenSample], known: Container[str], source: str, *, on_bad: OnBad | None = None
) -> list[GivenSample]:
    """The samples whose problem is ``known``; ``source`` names the problems in messages.

    Raises ``BadInput`` where none is left, and for the first that is not known unless ``on_bad`` takes it.
    """
    if samples and not any(sample.problem_id in known for sample in samples):
        first = samples[0].problem_id
        raise BadInput(
            f"No sample belongs to a problem of {source} (the first one's is {first}).",
            "Give the problems that were asked; `problem_id` must be their `id`.",
        )
    found = []
    for sample in samples:
        if sample.problem_id in known:
            found.append(sample)
            continue
        fault = BadInput(
            f"{sample.where}: there is no problem {sample.problem_id} in {source}.",
            "Add the problem, or go on without such samples: --skip-bad",
        )
        if on_bad is None:
            raise fault
        on_bad(fault)
    return found


_ROW = msgspec.json.Decoder(dict[str, Any])
_ARRAY: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[Any])


def _items(text: str, source: str) -> Iterator[tuple[str, object]]:
    """Each sample's place in the file, and the line or the array's item that stands there."""
    if text.lstrip().startswith("["):
        items: list[Any] = decode_line(text, _ARRAY, source)
        for number, item in enumerate(items, start=1):
            yield f"{source}, item {number}", item
        return
    for number, line in numbered_lines(text):
        yield f"{source}, line {number}", line


def _row(item: object, where: str) -> dict[str, Any]:
    if isinstance(item, str):
        return decode_line(item, _ROW, where)
    if not isinstance(item, dict):
        raise BadInput(f"{where}: this is no object.", _FORMAT)
    return item


def _fields(row: dict[str, Any], where: str) -> SampleFields:
    if "problem_id" not in row:
        if row.keys() & {"prompt", "question", "problem"}:
            raise BadInput(f"{where}: this is a problem, not a sample.", "Give problems with --problems.")
        if "type" in row:
            raise BadInput(
                f"{where}: this is an event of a recorded run, not a sample.",
                "Export the run's samples: monkeys runs export ID --format jsonl",
            )
        raise BadInput(f"{where}: the sample has no `problem_id`.", _FORMAT)
    try:
        fields = msgspec.convert(row, SampleFields)
    except msgspec.ValidationError as error:
        raise BadInput(f"{where}: {explain(error)}.", "Correct that line.") from None
    if fields.text is None and fields.error is None and "answer" not in row:
        raise BadInput(f"{where}: the sample has neither `text` nor `answer`.", _FORMAT)
    if not fields.problem_id:
        raise BadInput(f"{where}: the `problem_id` is empty.", "Name the problem that was asked.")
    return fields


def _as_text(answer: str | float | None) -> str | None:
    """Not stripped: the answer may be a program, whose indentation counts."""
    text = "" if answer is None else str(answer)
    return text if text.strip() else None

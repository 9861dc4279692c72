"""Lines of a samples file, as far as grading and counting need them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from app.problems.jsonl import decode_line, numbered_lines


class SampleRow(msgspec.Struct, frozen=True):
    """One sample of the samples format. Further fields are ignored on reading."""

    problem_id: str
    index: int | None = None
    model: str | None = None
    text: str | None = None
    answer: str | None = None
    verdict: str | None = None
    error: str | None = None


_ROW = msgspec.json.Decoder(SampleRow)


def sample_rows(text: str, source: str) -> Iterator[tuple[str, SampleRow]]:
    """Each sample with where it stands ("file, line 3"). Raises ``BadInput``."""
    for number, line in numbered_lines(text):
        where = f"{source}, line {number}"
        yield where, decode_line(line, _ROW, where)

"""Files that a run is written to: its samples, a report, or a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from app.errors import BadInput, PartMissing
from app.runs import events as ev

if TYPE_CHECKING:
    from app.runs.report.figures import Form

FORMS: Final = ("jsonl", "csv", "parquet", "html", "svg", "png")
BINARY: Final = ("parquet", "png")


def made(events: Sequence[ev.Event], form: str, figure: str) -> bytes:
    """The file. Raises ``BadInput`` for a form or figure that is not known or that there is nothing to draw
    of, ``PartMissing`` for one whose library is not installed."""
    if form not in FORMS:
        raise BadInput(f"--format {form} is not known here.", f"Use one of {', '.join(FORMS)}.")
    if form == "html":
        from app.runs.report.report import report

        return report(events)
    if form in ("svg", "png"):
        return _figure(events, "svg" if form == "svg" else "png", figure)
    rows = _rows(events)
    if form == "parquet":
        return _parquet(rows)
    from app.runs.export import rows_to_csv, rows_to_jsonl

    return rows_to_csv(rows) if form == "csv" else rows_to_jsonl(rows)


def _rows(events: Sequence[ev.Event]) -> list[dict[str, Any]]:
    if isinstance(events[0], ev.ComparisonStarted):
        from app.runs.compare.samples import comparison_rows

        return list(comparison_rows(events))
    from app.runs.export import sample_rows
    from app.runs.journal import fold

    return list(sample_rows(fold(events)))


def _figure(events: Sequence[ev.Event], form: Form, figure: str) -> bytes:
    from app.runs.report.figures import FIGURES, draw, possible
    from app.runs.report.report import series_of

    name = next((known for known in FIGURES if known == figure), None)
    if name is None:
        raise BadInput(f"There is no figure {figure}.", f"Use one of {', '.join(FIGURES)}.")
    title, series = series_of(events)
    if name not in possible(series):
        raise BadInput(
            f"There is nothing to draw of {figure}: no sample was judged, or nothing of it is known.",
            "Use a run with a known answer or tests.",
        )
    return draw(series, name, title, form)


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise PartMissing(
            "Parquet is written by pyarrow, which is not installed.",
            "Install it with: pip install 'manymonkeys[report]', or use jsonl.",
        ) from None
    out = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(rows), out)
    return bytes(out.getvalue())

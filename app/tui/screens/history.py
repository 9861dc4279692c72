"""The runs kept in the journal, newest first; enter plays one again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content

from app.tui.ports import PastRun, short_name
from app.tui.screens.picker import Picker, Row, one_line

_TITLE = 40
"""Cells of a problem's title: what is left of 80 columns beside date and pick."""


class RunPicker(Picker[str]):
    TITLE: ClassVar[str | None] = "Earlier runs"
    SEARCH: ClassVar[str] = "type to search problems, models and answers"
    KEYS: ClassVar[str] = "enter replay · esc close"
    NOTHING: ClassVar[str] = "No run is kept yet. Close this with esc, type a problem and press F5."

    def __init__(self, runs: Sequence[PastRun]) -> None:
        super().__init__()
        width = min(22, max((len(_models(run)) for run in runs), default=0))
        self._rows = [_row(run, width) for run in runs]

    def rows(self) -> Sequence[Row[str]]:
        return self._rows


def _row(run: PastRun, width: int) -> Row[str]:
    """``width`` is that of the models' column."""
    when = run.created[:16].replace("T", " ")
    pick = one_line(run.pick, 12) if run.pick else "no pick"
    share = f"{run.share:.0%}" if run.share is not None and run.pick else ""
    models = _models(run)
    # Before the title, because the end of the row is cut off in a small terminal.
    ended = f"{run.status} · " if run.status not in ("completed", "budget") else ""
    title = _TITLE - len(ended)
    shown = Content.assemble(
        (f"{when}  ", "$foreground-muted"),
        (f"{pick:>12}", "$pick" if run.pick else "$foreground-muted"),
        (f" {share:>4}  ", "$foreground-muted"),
        (ended, "$undecided"),
        f"{one_line(run.title, title):<{title}}",
        (f"{run.samples:>7,} × {one_line(models, width):<{width}}", "$foreground-muted"),
    )
    return Row(shown, f"{run.run_id} {run.title} {models} {run.pick or ''} {run.status}", run.run_id)


def _models(run: PastRun) -> str:
    return ", ".join(short_name(name, 22) for name in run.models)

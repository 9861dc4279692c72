"""One line of history: what a list of runs shows of each, kept current while the run is written."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from app.runs import events as ev
from budgets.amounts import Usd, usd_text


class PickSummary(msgspec.Struct, frozen=True):
    answer: str | None
    support: int
    share: float


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """``status`` is the run's own, ``running`` while somebody writes it, or ``interrupted`` if it has no end
    and nobody does. ``usd`` is what is known to be spent, ``None`` where the price is unknown."""

    run_id: str
    created: str
    status: str
    title: str
    models: list[str]
    problems: int
    samples: int
    usd: Usd | None
    picks: dict[str, PickSummary]

    @classmethod
    def from_row(cls, row: Sequence[Any], being_written: bool) -> RunSummary:
        run_id, created, status, title, models, problems, samples, usd, picks = row
        return cls(
            run_id=run_id,
            created=created,
            status=status or ("running" if being_written else "interrupted"),
            title=title,
            models=_names.decode(models),
            problems=problems,
            samples=samples,
            usd=None if usd is None else Decimal(usd),
            picks=_picks.decode(picks),
        )


_names = msgspec.json.Decoder(list[str])
_picks = msgspec.json.Decoder(dict[str, PickSummary])


def fold_summary(connection: sqlite3.Connection, run: int, events: Sequence[ev.Event]) -> None:
    """Bring the summary of row ``run`` up to these events, inside the caller's transaction."""
    status, samples, usd_before, picks_before = connection.execute(
        "SELECT status, samples, usd, picks FROM runs WHERE run = ?", [run]
    ).fetchone()
    usd = None if usd_before is None else Decimal(usd_before)
    picks = picks_before
    for event in events:
        match event:
            case ev.SampleFinished() if event.finish_reason != "cancelled":
                samples += 1
            case ev.Charged():
                usd = None if usd is None or event.known.usd is None else usd + event.known.usd
            case ev.PickChanged():
                known = _picks.decode(picks)
                known[event.rule] = PickSummary(event.answer, event.support, event.share)
                picks = msgspec.json.encode(known).decode()
            case ev.RunEnded():
                status = event.status
            case ev.Resumed():
                status = None
            case _:
                pass
    connection.execute(
        "UPDATE runs SET status = ?, samples = ?, usd = ?, picks = ? WHERE run = ?",
        [status, samples, None if usd is None else usd_text(usd), picks, run],
    )

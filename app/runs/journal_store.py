"""The writing end of the journal: one run's events, a transaction at a time.

Every transaction first makes sure that the run is still ours. Should two programs ever believe that, only the
one that came last can write, and the other is told.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from app.errors import BadInput, MonkeysError
from app.runs import events as ev
from app.runs.redact import redacted
from app.runs.summary import fold_summary

if TYPE_CHECKING:
    from app.runs.journal import Journal


class JournalStore:
    """Where one run's events go. ``close`` lets another program go on with the run."""

    def __init__(self, journal: Journal, run_id: str, token: str, run: int | None, seq: int) -> None:
        self.run_id = run_id
        self._journal = journal
        self._token = token
        self._run = run
        self._seq = seq

    def append(self, events: Sequence[ev.Event]) -> None:
        """Keep these events in one transaction. Text deltas are left out: replay makes them again.

        Raises ``PartMissing`` when the disk is full or the journal cannot be written any more, ``BadInput``
        when another program took the run over; in both cases nothing of ``events`` is kept.
        """
        kept = [event for event in events if not isinstance(event, ev.PASSING)]
        if not kept:
            return
        run, seq = self._run, self._seq
        with self._journal.transaction() as connection:
            mine = connection.execute(
                "UPDATE leases SET seen = ? WHERE run_id = ? AND token = ?",
                [time.time(), self.run_id, self._token],
            ).rowcount
            if mine != 1:
                raise BadInput(f"Another program took run {self.run_id} over.", "Go on with it there.")
            if run is None:
                run = self._insert(connection, kept[0])
            rows = []
            for event in kept:
                line = ev.to_journal(redacted(event)).decode()
                rows.append((run, seq, event.at, event.__struct_config__.tag, line))
                seq += 1
            connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", rows)
            fold_summary(connection, run, kept)
        self._run, self._seq = run, seq

    def _insert(self, connection: sqlite3.Connection, first: ev.Event) -> int:
        if not isinstance(first, ev.RunStarted | ev.ComparisonStarted) or first.run_id != self.run_id:
            raise BadInput(f"Run {self.run_id} does not begin with its start.")
        if isinstance(first, ev.RunStarted):
            asked, problems = first.problem, 1
            title = asked.title or next(iter(asked.prompt.split("\n", 1)), "")
        else:
            asked, problems, title = first.problems[0], len(first.problems), f"compare {first.name}"
        cursor = connection.execute(
            "INSERT INTO runs (run_id, created, title, problem, plan, models, problems, samples, usd, picks) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, 0, '0', '{}')",
            [
                first.run_id,
                first.created,
                title[:200],
                msgspec.json.encode(asked).decode(),
                msgspec.json.encode(first.plan).decode(),
                msgspec.json.encode([info.name for info in first.models]).decode(),
                problems,
            ],
        )
        assert cursor.lastrowid is not None  # noqa: S101 (an INSERT has one)
        return cursor.lastrowid

    def close(self) -> None:
        """Give the run free. Safe to call twice, and never raises: the run's own outcome matters more."""
        try:
            with self._journal.transaction() as connection:
                connection.execute(
                    "DELETE FROM leases WHERE run_id = ? AND token = ?", [self.run_id, self._token]
                )
        except MonkeysError:
            return

    def __enter__(self) -> JournalStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

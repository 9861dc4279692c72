"""The journal: every run on disk, event by event, so that nothing that was paid for is ever lost.

What the engine hands over is kept in one transaction before it goes on: a sample, its charge, its verdict
and the list's summary stand together or not at all. SQLite's WAL with ``synchronous=NORMAL`` keeps that
promise against ``kill -9`` at any moment; only a power cut can take the last moments, never the order.

The summary of each run is kept current in the same transaction, so that listing ten thousand runs reads no
event. A run is written by one process at a time (``app.runs.lease``); anybody may read.
"""

from __future__ import annotations

import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from app.errors import BadInput, PartMissing
from app.runs import events as ev
from app.runs import lease
from app.runs.journal_file import connect, connect_to_read, explained
from app.runs.journal_store import JournalStore
from app.runs.migrations import migrate
from app.runs.state import RunState
from app.runs.summary import RunSummary

__all__ = ["Journal", "JournalStore", "fold", "new_run_id"]

_T = TypeVar("_T")

_LEAST_FREE = 4 * 1024 * 1024
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_EPOCH = 1_735_689_600
"""2025-01-01. Six characters of seconds since then last until 2059."""


def fold(events: Sequence[ev.Event]) -> RunState:
    state = RunState()
    for event in events:
        state.apply(event)
    return state


def new_run_id(now: float | None = None) -> str:
    """Eight characters that sort by time: six of the second, two at random."""
    seconds = int(time.time() if now is None else now) - _EPOCH
    value = (max(0, seconds) << 10 | secrets.randbelow(1 << 10)) & ((1 << 40) - 1)
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(35, -1, -5))


class Journal:
    """One open journal. Safe to use from several threads; a process may open it more than once.

    Every method raises ``BadInput`` or ``PartMissing`` with the fix, never an ``sqlite3`` error.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: Path, *, write: bool = True) -> Journal:
        """Open the journal, making it where there is none.

        Without ``write``, a folder that cannot be written is no obstacle, and a missing journal is an empty
        one that is not made.
        """
        if not write and not path.exists():
            connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            migrate(connection, path)
            return cls(path, connection, read_only=True)
        with explained(path):
            try:
                return cls(path, connect(path), read_only=False)
            except (sqlite3.OperationalError, OSError):
                if write:
                    raise
                return cls(path, connect_to_read(path), read_only=True)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- reading ----------------------------------------------------------------------------------

    def runs(self, limit: int | None = None) -> list[RunSummary]:
        """Newest first."""
        return self._read(
            lambda c: [
                RunSummary.from_row(row, alive)
                for row, alive in self._rows(c, "", limit=-1 if limit is None else limit)
            ]
        )

    def resolve(self, name: str) -> str:
        """The run's whole id, from an unambiguous beginning of it or ``last``. Raises ``BadInput``."""
        wanted = name.strip().lower()
        if wanted == "last":
            found = self._read(
                lambda c: c.execute("SELECT run_id FROM runs ORDER BY created DESC, run DESC LIMIT 1")
            )
        else:
            pattern = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            found = self._read(
                lambda c: c.execute(
                    "SELECT run_id FROM runs WHERE run_id LIKE ? ESCAPE '\\' ORDER BY run_id LIMIT 5",
                    [pattern],
                )
            )
        ids = [row[0] for row in found]
        if wanted in ids:
            return wanted
        if not ids or not wanted:
            if wanted == "last":
                raise BadInput("There are no runs yet.", "Make one: monkeys solve PROBLEM")
            raise BadInput(f"There is no run {name!r}.", "See them with: monkeys runs list")
        if len(ids) > 1:
            shown = ", ".join(ids[:4]) + (", …" if len(ids) > 4 else "")
            raise BadInput(
                f"{name!r} is the beginning of several runs: {shown}.", "Give more of its characters."
            )
        return str(ids[0])

    def summary(self, run_id: str) -> RunSummary:
        rows = self._read(lambda c: list(self._rows(c, "WHERE runs.run_id = ?", run_id, limit=1)))
        if not rows:
            raise BadInput(f"There is no run {run_id!r}.", "See them with: monkeys runs list")
        return RunSummary.from_row(*rows[0])

    def load(self, run_id: str) -> list[ev.Event]:
        """Every event of a run, in order. Raises ``BadInput`` if it is unknown or cannot be understood."""
        return self._events(run_id, limit=-1)

    def first(self, run_id: str) -> ev.Event:
        """The event that a run began with, read alone. Raises as ``load`` does."""
        return self._events(run_id, limit=1)[0]

    def _events(self, run_id: str, *, limit: int) -> list[ev.Event]:
        lines = self._read(
            lambda c: c.execute(
                "SELECT json FROM events JOIN runs USING (run) WHERE run_id = ? ORDER BY seq LIMIT ?",
                [run_id, limit],
            ).fetchall()
        )
        if not lines:
            raise BadInput(f"There is no run {run_id!r}.", "See them with: monkeys runs list")
        try:
            return [ev.from_json(line) for (line,) in lines]
        except (msgspec.DecodeError, UnicodeError) as error:
            raise BadInput(
                f"Run {run_id} in {self.path} holds an event that this version cannot read ({error}).",
                "It may be from a newer monkeys: upgrade, or export it there.",
            ) from None

    # -- writing ----------------------------------------------------------------------------------

    def reserve_run_id(self) -> str:
        """A run id that no run has and no other program will be given. Proves that the journal can be
        written, so that nothing is spent on a run that could not be kept."""
        free = shutil.disk_usage(self.path.parent).free if self.path.parent.exists() else None
        if free is not None and free < _LEAST_FREE:
            raise PartMissing(
                f"The disk of {self.path.parent} is full ({free // 1024} kB are left).",
                "Free some space, or set MONKEYS_HOME to a folder elsewhere.",
            )
        now = time.time()
        with self.transaction() as connection:
            for run_id, writer, seen in connection.execute(
                "SELECT run_id, writer, seen FROM leases WHERE run_id NOT IN (SELECT run_id FROM runs)"
            ).fetchall():
                if not lease.is_alive(_decode_writer(writer), seen, now):
                    connection.execute("DELETE FROM leases WHERE run_id = ?", [run_id])
            while True:
                run_id = new_run_id(now)
                taken = connection.execute(
                    "SELECT 1 FROM runs WHERE run_id = ?1 UNION ALL SELECT 1 FROM leases WHERE run_id = ?1",
                    [run_id],
                ).fetchone()
                if taken is None:
                    _take(connection, run_id, "reserved", now)
                    return run_id

    def release_run_id(self, run_id: str) -> None:
        """Give back an id that no run was made of."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM leases WHERE run_id = ? AND token = 'reserved'", [run_id])

    def store(self, run_id: str) -> JournalStore:
        """The place to write this run to. Raises ``BadInput`` while another living process writes it."""
        token = secrets.token_hex(8)
        now = time.time()
        with self.transaction() as connection:
            held = connection.execute("SELECT writer, seen FROM leases WHERE run_id = ?", [run_id]).fetchone()
            row = connection.execute(
                "SELECT run, status, samples, usd, picks, title FROM runs WHERE run_id = ?", [run_id]
            ).fetchone()
            going_on = row is None or row[1] is None
            if held is not None and going_on:
                writer = _decode_writer(held[0])
                if writer != lease.this_process() and lease.is_alive(writer, held[1], now):
                    raise BadInput(
                        f"Run {run_id} is being written by another monkeys (process {writer.pid}).",
                        "Stop it there first, or watch it: monkeys runs show " + run_id,
                    )
            _take(connection, run_id, token, now)
            seq = 0
            if row is not None:
                (last,) = connection.execute("SELECT max(seq) FROM events WHERE run = ?", [row[0]]).fetchone()
                seq = 0 if last is None else last + 1
        return JournalStore(self, run_id, token, row[0] if row is not None else None, seq)

    def delete(self, run_id: str) -> None:
        """Forget a run. Raises ``BadInput`` if it is unknown or still being written."""
        if self.summary(run_id).status == "running":
            raise BadInput(f"Run {run_id} is still running.", "Stop it first.")
        with self.transaction() as connection:
            connection.execute("DELETE FROM runs WHERE run_id = ?", [run_id])
            connection.execute("DELETE FROM leases WHERE run_id = ?", [run_id])
        with self._lock, explained(self.path):
            self._connection.execute("PRAGMA incremental_vacuum").fetchall()

    # -- inside -----------------------------------------------------------------------------------

    def _rows(
        self, connection: sqlite3.Connection, where: str, *values: object, limit: int
    ) -> Iterator[tuple[sqlite3.Row | tuple[object, ...], bool]]:
        now = time.time()
        leases = {
            run_id: lease.is_alive(_decode_writer(writer), seen, now)
            for run_id, writer, seen in connection.execute("SELECT run_id, writer, seen FROM leases")
        }
        columns = "run_id, created, status, title, models, problems, samples, usd, picks"
        query = f"SELECT {columns} FROM runs {where} ORDER BY created DESC, run DESC LIMIT ?"  # noqa: S608
        for row in connection.execute(query, [*values, limit]):
            yield row, leases.get(row[0], False)

    def _read(self, query: Callable[[sqlite3.Connection], _T]) -> _T:
        with self._lock, explained(self.path):
            return query(self._connection)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: what is done inside is kept at its end, or undone when it raises."""
        with self._lock, explained(self.path):
            connection = self._connection
            if self.read_only:
                raise sqlite3.OperationalError("attempt to write a readonly database")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _take(connection: sqlite3.Connection, run_id: str, token: str, now: float) -> None:
    writer = msgspec.json.encode(lease.this_process()).decode()
    connection.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)", [run_id, token, writer, now])


def _decode_writer(text: str) -> lease.Writer:
    return msgspec.json.decode(text, type=lease.Writer)

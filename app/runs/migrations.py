"""The journal's schema, and how an older one becomes this one.

``MIGRATIONS[n]`` takes a journal from version n to n + 1. A published entry is never edited: journals in the
world were made by it. All steps that a file lacks run in one transaction, so a program killed half-way
leaves the old schema whole.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from app.errors import BadInput

APPLICATION_ID = 0x6D6F6E6B  # "monk": tells our files from any other SQLite database

MIGRATIONS: Sequence[str] = (
    """
    CREATE TABLE runs (
        run INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL UNIQUE,
        created TEXT NOT NULL,
        status TEXT,
        title TEXT NOT NULL,
        problem TEXT NOT NULL,
        plan TEXT NOT NULL,
        models TEXT NOT NULL,
        problems INTEGER NOT NULL,
        samples INTEGER NOT NULL,
        usd TEXT,
        picks TEXT NOT NULL
    );
    CREATE INDEX runs_by_age ON runs (created);
    CREATE TABLE events (
        run INTEGER NOT NULL REFERENCES runs (run) ON DELETE CASCADE,
        seq INTEGER NOT NULL,
        at REAL NOT NULL,
        type TEXT NOT NULL,
        json TEXT NOT NULL,
        PRIMARY KEY (run, seq)
    );
    CREATE TABLE leases (
        run_id TEXT PRIMARY KEY,
        token TEXT NOT NULL,
        writer TEXT NOT NULL,
        seen REAL NOT NULL
    );
    """,
)


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Bring the open journal at ``path`` up to date. The connection is in autocommit mode.

    Raises ``BadInput`` for a database that is not ours or that a newer program wrote; neither is touched.
    """
    if _check_version(connection, path, len(migrations)) == len(migrations):
        return
    connection.execute("BEGIN EXCLUSIVE")
    try:
        version = _check_version(connection, path, len(migrations))  # another program may have been faster
        for script in migrations[version:]:
            for statement in filter(str.strip, script.split(";")):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _check_version(connection: sqlite3.Connection, path: Path, known: int) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and application != APPLICATION_ID:
        raise BadInput(
            f"{path} is a database, but no journal of monkeys.",
            "Move it away, or set MONKEYS_HOME to another folder.",
        )
    if version > known:
        raise BadInput(
            f"{path} was written by a newer monkeys (schema {version}; this one knows {known}).",
            "Upgrade monkeys, or set MONKEYS_HOME to another folder.",
        )
    return int(version)

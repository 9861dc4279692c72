"""SQLite's complaints in words that say what to do, and the ways to open a journal file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import BadInput, PartMissing
from app.runs.migrations import migrate

_BUSY_MS = 5000
_ELSEWHERE = "set MONKEYS_HOME to a folder elsewhere"


def connect(path: Path) -> sqlite3.Connection:
    """Open for reading and writing, making folder, file and schema where they are missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            connection.execute(
                "PRAGMA auto_vacuum = INCREMENTAL"
            )  # only ever possible before the first table
        migrate(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open what cannot be written. A WAL whose helper files are missing and cannot be made either is read as
    it stands on the disk, which is whole, because then nobody is writing it."""
    last: Exception | None = None
    for how in ("mode=ro", "mode=ro&immutable=1"):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None, check_same_thread=False
        )
        try:
            migrate(connection, path)
            connection.execute("SELECT count(*) FROM runs").fetchone()
        except sqlite3.OperationalError as error:
            connection.close()
            last = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    assert last is not None  # noqa: S101 (the loop ran)
    raise last


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise into the project's errors."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(path, error) from error
    except OSError as error:
        raise PartMissing(
            f"The journal {path} cannot be used: {error.strerror or error}.",
            f"Make {path.parent} writable, or {_ELSEWHERE}.",
        ) from error


def _explain(path: Path, error: sqlite3.Error) -> BadInput | PartMissing:
    text = str(error).lower()
    if "not a database" in text or "malformed" in text or "corrupt" in text:
        return BadInput(
            f"The journal {path} is damaged ({error}); nothing in it was changed.",
            f"Rescue it with: sqlite3 '{path}' .recover | sqlite3 rescued.sqlite3, then move it away.",
        )
    if "full" in text:
        return PartMissing(
            f"The disk of {path.parent} is full: nothing more can be kept.",
            f"Free some space, or {_ELSEWHERE}.",
        )
    if "readonly" in text or "unable to open" in text or "read-only" in text:
        return PartMissing(
            f"The journal {path} cannot be written.", f"Make {path.parent} writable, or {_ELSEWHERE}."
        )
    if "locked" in text or "busy" in text:
        return PartMissing(
            f"The journal {path} has been locked by another program for {_BUSY_MS // 1000} seconds.",
            "Wait for it or stop it, then try again.",
        )
    return PartMissing(f"The journal {path} cannot be used: {error}.", f"Check the disk, or {_ELSEWHERE}.")

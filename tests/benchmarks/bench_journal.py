"""What the journal costs: a sample with its charge and verdict, and the list of ten thousand runs.

    python -m tests.benchmarks.bench_journal

The baseline of an append is the bare insertion of the same bytes in a transaction of its own.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from app.runs import events as ev
from app.runs.journal import Journal
from tests.app.runs.rigs import ListStore, collect, engine_on, plan, scripted

SAMPLES = 2_000


def batches() -> list[tuple[ev.Event, ...]]:
    """The transactions of a real run on a scripted model."""
    store = ListStore()
    asyncio.run(collect(engine_on(scripted(), plan(samples=SAMPLES), store=store)))
    return store.batches


def appended(folder: Path, work: list[tuple[ev.Event, ...]]) -> list[float]:
    costs: list[float] = []
    with (
        Journal.open(folder / "journal.sqlite3") as journal,
        journal.store("r1") as store,
    ):
        for batch in work:
            start = time.perf_counter()
            store.append(batch)
            costs.append(time.perf_counter() - start)
    return costs


def bare(folder: Path, work: list[tuple[ev.Event, ...]]) -> list[float]:
    connection = sqlite3.connect(folder / "bare.sqlite3", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, json BLOB)")
    costs: list[float] = []
    for batch in work:
        rows = [(ev.to_json(event),) for event in batch]
        start = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO events (json) VALUES (?)", rows)
        connection.execute("COMMIT")
        costs.append(time.perf_counter() - start)
    connection.close()
    return costs


def main() -> None:
    work = batches()
    with tempfile.TemporaryDirectory() as name:
        ours, floor = appended(Path(name), work), bare(Path(name), work)
        size = (Path(name) / "journal.sqlite3").stat().st_size
        with Journal.open(Path(name) / "journal.sqlite3") as journal:
            start = time.perf_counter()
            loaded = len(journal.load(journal.resolve("last")))
            read = time.perf_counter() - start
    median = [statistics.median(costs) * 1e6 for costs in (ours, floor)]
    print(f"{len(work):,} transactions of {SAMPLES:,} samples")
    print(f"append: median {median[0]:.0f} µs, {median[0] / median[1]:.1f} times the bare insertion")
    print(f"slowest of a hundred: {sorted(ours)[-len(ours) // 100] * 1e3:.2f} ms")
    print(f"on disk: {size / SAMPLES:.0f} bytes a sample; {loaded:,} events read back in {read:.2f} s")


if __name__ == "__main__":
    main()

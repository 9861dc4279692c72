"""A thousand problems, a hundred samples each: memory, journal, and how long it takes to go on after a kill.

python -m tests.benchmarks.bench_compare [PROBLEMS] [SAMPLES]
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from pathlib import Path

from app.runs import events as ev
from app.runs.compare.launch import open_comparison, reopen_comparison
from app.runs.compare.result import comparison_result
from app.runs.journal import Journal
from app.runs.launch import Launcher
from app.runs.plan import Plan
from tests.app.runs.compare.rigs import Guesser, sums


def main(problems: int = 1000, samples: int = 100) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite3"
        asyncio.run(_measure(path, problems, samples))


async def _measure(path: Path, problems: int, samples: int) -> None:
    asked = sums(problems)
    model = Guesser("a", lambda n: (n % 10) / 10, concurrency=64)
    launcher = Launcher(make=lambda name: model)
    with Journal.open(path) as journal, journal.store(journal.reserve_run_id()) as store:
        comparison = open_comparison(
            launcher,
            asked,
            Plan(models=("a",)),
            name="sums",
            run_id=store.run_id,
            samples_each=samples,
            store=store,
        )
        began, cpu, text = time.perf_counter(), time.process_time(), 0
        async for event in comparison.run():
            if isinstance(event, ev.SampleFinished):
                text += len(event.text)
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        run_id = store.run_id
    total = problems * samples
    size = sum(each.stat().st_size for each in path.parent.iterdir())
    print(f"{total:,} samples in {took:.1f} s, {1e6 * cpu / total:.0f} µs of CPU a sample")
    print(f"journal {size / 1e6:.0f} MB, {(size - text) / total:.0f} bytes a sample beside its text")
    began = time.perf_counter()
    with Journal.open(path) as journal:
        again = reopen_comparison(launcher, journal.load(run_id))
    print(f"ready to go on after {time.perf_counter() - began:.1f} s")
    began = time.perf_counter()
    comparison_result(again.state)
    print(f"result in {time.perf_counter() - began:.2f} s")
    print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""What a run keeps in memory for every sample: short answers, the scripted model, a journal on disk.

    python -m tests.benchmarks.bench_memory [FEW [MANY]]

A run holds its samples for as long as it is on the screen, so its memory grows with them and with nothing
else: the growth between FEW and MANY samples, by the number of samples, is what one costs. Exits with 1 if
that is above the bound, which leaves a run of 100,000 samples of 500 tokens within 400 MB.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
from pathlib import Path

from app.models.base import Settings
from app.models.script_file import Header, Line
from app.models.scripted import ScriptedBackend
from app.problems.problem import Problem
from app.runs.journal import Journal
from app.runs.launch import Launcher
from app.runs.plan import Plan
from budgets.amounts import Budget

MOST_BYTES = 1800
"""Of a sample besides its text."""
_TEXTS = [f"She sold {i} clips, then half as many. The answer is {i % 50}." for i in range(200)]


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def sizes_at(few: int, many: int, folder: Path) -> dict[int, int]:
    """Bytes in memory when so many samples had finished, in one run of ``many``."""
    lines = [Line(text=text) for text in _TEXTS]
    header = Header(concurrency=256, parameters=1000, layers=2, hidden=8, context=4096)
    backend = ScriptedBackend(lines, header, name="scripted", tick=0.0)
    plan = Plan(
        models=("scripted",), settings=Settings(max_tokens=64), budget=Budget(samples=many), concurrency=256
    )
    problem = Problem(id="clips", kind="math", prompt="How many clips?", answer="43")
    found: dict[int, int] = {}
    launcher = Launcher(lambda _: backend)
    path = folder / "journal.sqlite3"
    with Journal.open(path) as journal, journal.store(journal.reserve_run_id()) as store:
        engine = launcher.open_run(problem, plan, store=store, run_id=store.run_id)
        async for _ in engine.run():
            if few not in found and engine.state.finished >= few:
                gc.collect()
                found[few] = resident()
        gc.collect()
        found[many] = resident()
        await launcher.close()
    return found


def main() -> int:
    numbers = [int(argument) for argument in sys.argv[1:]]
    few, many = (*numbers, *(20_000, 100_000)[len(numbers) :])[:2]
    with tempfile.TemporaryDirectory() as folder:
        sizes = asyncio.run(sizes_at(few, many, Path(folder)))
    each = (sizes[many] - sizes[few]) / (many - few)
    text = sum(len(text) for text in _TEXTS) / len(_TEXTS)
    print(f"{few:,} samples: {sizes[few] / 1e6:.0f} MB; {many:,} samples: {sizes[many] / 1e6:.0f} MB")
    print(f"{each:,.0f} bytes a sample, {text:.0f} of them its text (bound: {MOST_BYTES:,} besides the text)")
    return 0 if each - text <= MOST_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())

"""How long it takes until the form stands on the screen, against importing Textual at all.

    python -m tests.benchmarks.bench_first_paint

Both are timed in turns in the same run; the ratios of the medians count, each at most 2.5. Processor time
includes what the program does after its first frame until it is stopped, and is the steadier of the two on a
machine that does other things.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time

from tests.tui.terminal import Terminal

TIMES = 9
MOST = 2.5
TITLE = b"ask once"
PROGRAM = [sys.executable, "-c", "from app.tui.opening import open_tui; open_tui()"]


def baseline() -> tuple[float, float]:
    """Wall and processor seconds of importing Textual."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import textual.app"], check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def first_paint(home: str) -> tuple[float, float]:
    """Wall and processor seconds from the start of the process to the first frame."""
    environment = {"MONKEYS_HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    with Terminal(PROGRAM, environment=environment) as terminal:
        wall = terminal.wait_for_bytes(TITLE)
        terminal.kill()
        return wall, terminal.cpu


def main() -> int:
    base: list[tuple[float, float]] = []
    paint: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as home:
        first_paint(home)
        baseline()
        for _ in range(TIMES):
            base.append(baseline())
            paint.append(first_paint(home))
    ratios = []
    for name, column in (("wall", 0), ("processor", 1)):
        before = statistics.median(row[column] for row in base)
        after = statistics.median(row[column] for row in paint)
        ratios.append(after / before)
        print(
            f"{name:9}  import textual.app {before * 1000:4.0f} ms   first paint {after * 1000:4.0f} ms   "
            f"ratio {after / before:.2f} (at most {MOST})"
        )
    return 0 if max(ratios) <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())

"""The same run without a terminal and in one: does watching cost any samples?

    python -m tests.benchmarks.bench_throughput

A scripted model streams a thousand tokens a second over 16 streams; both ways go through the real command and
journal, the second in a real pseudo-terminal. The time is the run's own, from the journal.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.bench_terminal import Terminal

SAMPLES = 200
MONKEYS = [sys.executable, "-m", "app"]
PROBLEM = "How much is 2 + 2?"


def script(folder: Path) -> Path:
    file = folder / "model.jsonl"
    head = {"scripted": 1, "model": "steady", "tokens_per_second": 62.5, "concurrency": 16}
    words = " ".join(["so we count on and on"] * 10)
    lines = [{"text": f"{words}. The answer is {4 if i % 3 else i}."} for i in range(50)]
    file.write_text("\n".join(json.dumps(line) for line in [head, *lines]), encoding="utf-8")
    return file


def last_run() -> tuple[str, float, int]:
    """Status, seconds and completion tokens of the newest run."""
    done = subprocess.run(
        [*MONKEYS, "runs", "show", "last", "-o", "json"], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    return found["status"], found["spend"]["seconds"], found["spend"]["completion_tokens"]


def headless() -> float:
    command = [*MONKEYS, "solve", PROBLEM, "--samples", str(SAMPLES), "-o", "json"]
    subprocess.run(command, capture_output=True, check=True)
    _, seconds, tokens = last_run()
    return tokens / seconds


def in_the_tui() -> float:
    terminal = Terminal([*MONKEYS, "tui", PROBLEM])
    try:
        terminal.drain(4)
        terminal.type(b"\x12")
        for _ in range(60):
            terminal.drain(1)
            status, seconds, tokens = last_run()
            if status == "completed" and tokens > 0 and seconds > 0:
                return tokens / seconds
    finally:
        terminal.close()
    raise SystemExit("the run in the terminal did not end")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["MONKEYS_HOME"] = name
        os.environ["MONKEYS_MODEL"] = f"scripted:{script(folder)}"
        os.environ["MONKEYS_SAMPLES"] = str(SAMPLES)
        quiet = headless()
        os.environ["MONKEYS_HOME"] = str(folder / "second")
        watched = in_the_tui()
    print(f"headless {quiet:.0f} tokens/s, in the TUI {watched:.0f} tokens/s: {watched / quiet:.1%}")


if __name__ == "__main__":
    main()

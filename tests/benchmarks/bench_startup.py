"""How long ``monkeys --help`` takes, against ``import textual.app``, in this process's children's CPU time.

    python tests/benchmarks/bench_startup.py

CPU time rather than wall time, the least of several runs, the two taken in turns: the ratio then hardly
depends on what else the machine is doing.
"""

from __future__ import annotations

import os
import subprocess
import sys

ROUNDS = 15
LIMIT = 1.6

COMMANDS = {
    "import textual.app": [sys.executable, "-c", "import textual.app"],
    "monkeys --help": [sys.executable, "-m", "app", "--help"],
    "monkeys --version": [sys.executable, "-m", "app", "--version"],
    "monkeys runs list": [sys.executable, "-m", "app", "runs", "list"],
    "python -c pass": [sys.executable, "-c", "pass"],
}


def cpu_seconds(command: list[str]) -> float:
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def main() -> int:
    least = dict.fromkeys(COMMANDS, float("inf"))
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            least[name] = min(least[name], cpu_seconds(command))
    base = least["import textual.app"]
    for name, seconds in least.items():
        print(f"{name:20} {seconds * 1000:5.0f} ms  {seconds / base:4.2f} x")
    ratio = least["monkeys --help"] / base
    print(f"ratio {ratio:.2f}, limit {LIMIT}")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())

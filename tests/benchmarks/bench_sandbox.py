"""How many programs a second the sandbox runs, against a plain interpreter for each.

    python -m pytest tests/benchmarks/bench_sandbox.py -q -s

Both sides take turns on one worker and one core's worth of work, so that a busy machine slows both. The bars
are the sandbox's reason to be warm: 20 times a plain ``python -I -c`` on a program that imports sympy, 1.5
times on one that prints a number.
"""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from verifiers.sandbox import NoSandbox, Sandbox

PROGRAMS = {
    "print(2+2)": ("print(2+2)", 40, 1.5),
    "import sympy, use it": (
        "import sympy\nx = sympy.Symbol('x')\nprint(sympy.expand((x + 1)**2), sympy.Rational(1, 3) + 1)",
        6,
        20.0,
    ),
}
ROUNDS = 4


@pytest.mark.timeout(300)
async def test_programs_per_second() -> None:
    async with Sandbox(1) as sandbox:
        try:
            box = await sandbox.probe()
        except NoSandbox as missing:
            pytest.skip(f"NOT MEASURED: {missing.message} {missing.fix}")
        print(f"\nprograms a second, one at a time, {box}\n{'program':<24}{'plain':>8}{'box':>8}{'times':>8}")
        for name, (program, repeats, bar) in PROGRAMS.items():
            plain_seconds = box_seconds = 0.0
            boxed = repeats * 5
            for _ in range(ROUNDS):
                began = time.perf_counter()
                for _ in range(repeats):
                    subprocess.run(  # noqa: ASYNC221  nothing else runs meanwhile
                        [sys.executable, "-I", "-c", program], check=True, capture_output=True
                    )
                plain_seconds += time.perf_counter() - began
                began = time.perf_counter()
                for _ in range(boxed):
                    assert (await sandbox.run(program)).succeeded
                box_seconds += time.perf_counter() - began
            plain, warm = ROUNDS * repeats / plain_seconds, ROUNDS * boxed / box_seconds
            print(f"{name:<24}{plain:>8.1f}{warm:>8.1f}{warm / plain:>8.1f}")
            assert warm >= bar * plain

"""A real model repairs a real bug in a small repository, its own tests deciding.

    MONKEYS_TEST_GGUF=qwen2.5-coder-0.5b.gguf python -m pytest tests/acceptance/test_patches.py -q -s

Up to 64 samples, until one passes the tests. A model of half a billion parameters needed 14 of them once
(about ten seconds each on two busy cores); the run prints what became of every one. Skips loudly without the
weights or a sandbox.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.app.cli.calls import environment
from tests.verifiers.patches.shop import ISSUE, PYTEST, listing, make_shop

pytestmark = pytest.mark.timeout(1200)
WEIGHTS = os.environ.get("MONKEYS_TEST_GGUF", "")


@pytest.mark.skipif(not Path(WEIGHTS).is_file(), reason="NOT CHECKED: MONKEYS_TEST_GGUF names no GGUF file")
def test_a_small_model_repairs_a_repository_in_the_end(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    before = listing(make_shop(shop))
    arguments = [
        *("solve", ISSUE, "--repo", str(shop), "--test-command", PYTEST, "--model", f"gguf:{WEIGHTS}"),
        *("--samples", "64", "--temperature", "0.8", "--max-tokens", "120", "--stop", "first-verified"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "app", *arguments, "-o", "jsonl"],
        capture_output=True,
        env=environment(tmp_path / "home"),
        check=False,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode == 5:
        pytest.skip(f"NOT CHECKED: {events}")
    assert done.returncode == 0, done.stderr
    reasons = Counter(event["reason"][:90] for event in events if event["type"] == "judged")
    for reason, times in reasons.most_common():
        print(f"{times:4}  {reason}")
    result = events[-1]
    print(f"{result['samples']} samples, {result['spend']['seconds']:.0f} s")

    assert result["coverage"]["correct"] >= 1
    assert listing(shop) == before, "the user's folder is only read"
    diff = result["picks"]["first_verified"]["answer"]
    subprocess.run(["git", "-C", str(shop), "apply", "-"], input=diff.encode(), check=True)
    tests = subprocess.run(["sh", "-c", PYTEST], cwd=shop, check=False, capture_output=True)
    assert tests.returncode == 0, tests.stdout

"""``monkeys pick`` on real solutions with a real reward model's scores, against a plain re-implementation.

    python -m pytest tests/acceptance/test_pick_accuracies.py -q -s

Nothing of ours but the command itself is used here: answers are grouped by their text in lower case without
white space, rules are loops over dictionaries, and accuracies at k are means over every subset that there is,
so the command's random ones must come near them. At k = all they must be the same figures.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import run

DATA = Path(
    os.environ.get("MONKEYS_TEST_DATA") or Path(__file__).resolve().parents[2].parent / "shared" / "data"
)
Row = dict[str, Any]
SUBSETS = 100


def rows_of(name: str) -> dict[str, list[Row]]:
    path = DATA / f"{name}_samples.jsonl"
    if not path.exists():
        pytest.skip(f"NOT CHECKED: {path} is missing; set MONKEYS_TEST_DATA to the folder that holds it")
    problems: dict[str, list[Row]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        problems[row["problem_id"]].append(row)
    return problems


def heaviest(rows: Sequence[Row], weight: Callable[[Row], float]) -> bool:
    """Whether the answer with the largest sum of weights is right; ties to the first."""
    sums: dict[str, float] = {}
    first: dict[str, Row] = {}
    for row in rows:
        if row["answer"] is None:
            continue
        answer = "".join(row["answer"].lower().split())
        sums[answer] = sums.get(answer, 0.0) + weight(row)
        first.setdefault(answer, row)
    if not sums:
        return False
    best = max(sums, key=lambda answer: sums[answer])
    return bool(first[best]["verdict"] == "right")


def majority(rows: Sequence[Row]) -> bool:
    return heaviest(rows, lambda row: 1.0)


def best_reward(rows: Sequence[Row]) -> bool:
    return bool(max(rows, key=lambda row: float(row["reward"]))["verdict"] == "right")


def reward_sum(rows: Sequence[Row]) -> bool:
    """The rewards are logits, so they are summed as chances."""
    return heaviest(rows, lambda row: 1 / (1 + math.exp(-row["reward"])))


def plain_reward_sum(rows: Sequence[Row]) -> bool:
    """Without a normalisation: negative rewards count against their answer."""
    return heaviest(rows, lambda row: float(row["reward"]))


def covered(rows: Sequence[Row]) -> bool:
    return any(row["verdict"] == "right" for row in rows)


def exact(problems: dict[str, list[Row]], k: int, rule: Callable[[Sequence[Row]], bool]) -> float:
    """The mean accuracy over all subsets of k samples, in the order of the file."""
    shares = []
    for rows in problems.values():
        hits = [rule(subset) for subset in combinations(rows, k)]
        shares.append(sum(hits) / len(hits))
    return sum(shares) / len(shares)


def told(capsys: pytest.CaptureFixture[str], name: str, *more: str) -> Any:
    files = (
        "--problems",
        str(DATA / f"{name}_problems.jsonl"),
        "--samples",
        str(DATA / f"{name}_samples.jsonl"),
    )
    assert run(["pick", *files, "-o", "json", *more]) == 0
    return json.loads(capsys.readouterr().out)


RULES = {"majority": majority, "reward": best_reward, "reward_weighted": reward_sum, "coverage": covered}


def test_the_accuracies_on_real_rewards_are_those_computed_apart(capsys: pytest.CaptureFixture[str]) -> None:
    problems = rows_of("math_rm")
    found = told(capsys, "math_rm")

    assert (found["problems"], found["samples"], found["subsets"]) == (50, 400, SUBSETS)
    print(f"\n{'rule':16}  k  command          all subsets")
    for name, rule in RULES.items():
        for k in (1, 2, 4, 8):
            mean, sd = found["rules"][name][str(k)]
            truth = exact(problems, k, rule)
            print(f"{name:16}  {k}  {mean:.4f} ±{sd:.4f}  {truth:.4f}")
            # Four standard errors of a mean of 100 subsets; exactly equal where there is only one subset.
            assert mean == pytest.approx(truth, abs=4 * sd / math.sqrt(SUBSETS) + 1e-12)
            assert (sd == 0) == (k == 8)
    assert found["pass_at_k"]["1"] == pytest.approx(exact(problems, 1, covered), abs=1e-12)
    assert exact(problems, 8, plain_reward_sum) == exact(problems, 8, reward_sum)


def test_grading_anew_gives_the_same_accuracies(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    problems = rows_of("math_rm")
    bare = tmp_path / "samples.jsonl"
    rows = [row for samples in problems.values() for row in samples]
    bare.write_text(
        "".join(
            json.dumps({key: value for key, value in row.items() if key != "verdict"}) + "\n" for row in rows
        )
    )
    labelled = told(capsys, "math_rm")
    graded = told(capsys, "math_rm", "--samples", str(bare))

    assert graded["rules"] == labelled["rules"]


def test_a_vote_over_forty_real_answers(capsys: pytest.CaptureFixture[str]) -> None:
    problems = rows_of("last_letters")
    start = time.process_time()
    found = told(capsys, "last_letters")
    seconds = time.process_time() - start
    print(f"\n250 problems, 10,000 samples, 7 values of k, 100 subsets: {seconds:.2f} s of processor time")

    assert found["rules"]["majority"]["40"] == [exact(problems, 40, majority), 0.0]
    assert found["rules"]["coverage"]["40"] == [exact(problems, 40, covered), 0.0]
    truth = exact(problems, 2, majority)
    mean, sd = found["rules"]["majority"]["2"]
    assert mean == pytest.approx(truth, abs=4 * sd / math.sqrt(SUBSETS))
    assert found["rules"]["reward"] is None

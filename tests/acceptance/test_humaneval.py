"""Code checks against HumanEval: its own solutions, and labels that others gave to real samples.

    python -m pytest tests/acceptance/test_humaneval.py -q -s

Reads ``humaneval.jsonl`` and ``humaneval_codegen_samples.jsonl`` from the folder in MONKEYS_TEST_DATA (by
default ``../shared/data`` beside the repository), prints what agreed and how fast, and every disagreement
with our reason. Skips loudly where the data or a sandbox is missing.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from verifiers.code import CodeChecker, CodeVerdict
from verifiers.sandbox import NoSandbox, Sandbox

DATA = Path(
    os.environ.get("MONKEYS_TEST_DATA") or Path(__file__).resolve().parents[2].parent / "shared" / "data"
)

pytestmark = pytest.mark.timeout(1800)


def lines(name: str) -> list[dict[str, Any]]:
    path = DATA / f"{name}.jsonl"
    if not path.exists():
        pytest.skip(f"NOT CHECKED: {path} is missing; set MONKEYS_TEST_DATA to the folder that holds it")
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


async def judge_all(pairs: list[tuple[dict[str, Any], str]], workers: int) -> tuple[list[CodeVerdict], float]:
    """Verdicts on (problem, reply) pairs, and the seconds they took from the first to the last."""
    async with Sandbox(workers) as sandbox:
        try:
            print(f"\nbehind {await sandbox.probe()}, {workers} workers")
        except NoSandbox as missing:
            pytest.skip(f"NOT CHECKED: {missing.message} {missing.fix}")
        checker = CodeChecker(sandbox)

        async def one(problem: dict[str, Any], reply: str) -> CodeVerdict:
            return await checker.judge(
                reply,
                prompt=problem["prompt"],
                entry_point=problem["entry_point"],
                tests={"type": "python", "code": problem["test"]},
            )

        began = time.perf_counter()
        verdicts = await asyncio.gather(*(one(problem, reply) for problem, reply in pairs))
        return verdicts, time.perf_counter() - began


async def test_every_reference_solution_passes() -> None:
    problems = lines("humaneval")
    verdicts, seconds = await judge_all([(each, each["canonical_solution"]) for each in problems], 2)
    passed = Counter(verdict.judgement.verdict for verdict in verdicts)
    print(f"reference solutions: {dict(passed)} in {seconds:.1f} s")
    for problem, verdict in zip(problems, verdicts, strict=True):
        if verdict.judgement.verdict != "right":
            print(f"  {problem['task_id']}: {verdict.judgement.reason}")
    assert passed["right"] == len(problems) == 164


async def test_no_reference_solution_passes_with_a_wrong_result() -> None:
    """The same solutions with their function replaced by one that answers with a liar: equal to
    everything."""
    liar = (
        "\n\nclass Liar:\n    __eq__ = lambda self, other: True\n    __ne__ = lambda self, other: False\n"
        "    __lt__ = __gt__ = __le__ = __ge__ = lambda self, other: True\n"
        "    __sub__ = __rsub__ = __abs__ = lambda self, *other: self\n"
        "    __hash__ = lambda self: 0\n    __len__ = lambda self: 0\n\n\n"
        "def {name}(*args):\n    return Liar()\n"
    )
    problems = lines("humaneval")
    pairs = [(each, each["canonical_solution"] + liar.format(name=each["entry_point"])) for each in problems]
    verdicts, _seconds = await judge_all(pairs, 2)
    assert Counter(verdict.judgement.verdict for verdict in verdicts) == {"wrong": 164}


async def test_our_verdicts_agree_with_the_labels() -> None:
    problems = {problem["task_id"]: problem for problem in lines("humaneval")}
    samples = lines("humaneval_codegen_samples")
    pairs = [(problems[sample["problem_id"]], sample["text"]) for sample in samples]
    verdicts, seconds = await judge_all(pairs, 2)
    agreed = 0
    table: Counter[tuple[str, str]] = Counter()
    for sample, verdict in zip(samples, verdicts, strict=True):
        table[sample["verdict"], verdict.judgement.verdict] += 1
        if sample["verdict"] == verdict.judgement.verdict:
            agreed += 1
        else:
            print(
                f"  {sample['problem_id']} #{sample['index']}: labelled {sample['verdict']}, "
                f"ours {verdict.judgement.verdict}: {verdict.judgement.reason}"
            )
    share = agreed / len(samples)
    pace = 60 * len(samples) / seconds
    print(f"{'label':<12}{'ours':<12}{'samples':>8}")
    for (label, ours), count in sorted(table.items()):
        print(f"{label:<12}{ours:<12}{count:>8}")
    print(f"agreement {share:.2%} of {len(samples)} in {seconds:.0f} s: {pace:.0f} samples a minute")
    assert share >= 0.995
    if (os.getloadavg()[0]) < 3:
        assert pace >= 1000

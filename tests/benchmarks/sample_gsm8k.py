"""Which answers a model really gives to GSM8K training problems, and which of them are right.

    python -m tests.benchmarks.sample_gsm8k --model smollm2 --problems 40 --samples 16 --out FILE.json

Writes, for every problem, the group of each sample in the order drawn (samples with the same number gave the
same answer, -1 gave none) and the groups that are right; no text. Reads ``gsm8k_train.jsonl`` from the folder
in MONKEYS_TEST_DATA. The file is written after every problem, so that a run can be cut short.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
from contextlib import aclosing
from pathlib import Path
from typing import Any

from app.models.base import Settings
from app.problems.load import load_problems
from app.problems.problem import Problem
from app.runs.launch import Launcher
from app.runs.plan import Plan
from app.runs.state import RunState
from budgets.amounts import Budget

DATA = Path(
    os.environ.get("MONKEYS_TEST_DATA") or Path(__file__).resolve().parents[2].parent / "shared" / "data"
)


def grouped(problem: Problem, state: RunState) -> dict[str, Any]:
    """One problem's samples as group numbers, in the order of their indices."""
    numbers: dict[str, int] = {}
    right: set[int] = set()
    drawn = []
    for sample in state.every_sample():
        if sample.status != "finished":
            continue
        if sample.group is None:
            drawn.append(-1)
            continue
        number = numbers.setdefault(sample.group, len(numbers))
        drawn.append(number)
        if sample.verdict == "right":
            right.add(number)
    return {"problem": problem.id, "groups": drawn, "right": sorted(right)}


async def sampled(launcher: Launcher, problem: Problem, plan: Plan) -> dict[str, Any]:
    engine = launcher.open_run(problem, plan, run_id=problem.id)
    async with aclosing(engine.run()) as events:
        async for _ in events:
            pass
    if engine.fault is not None:
        raise engine.fault
    return grouped(problem, engine.state)


async def main(wish: argparse.Namespace) -> None:
    chosen = random.Random(wish.seed).sample(load_problems(wish.file), wish.problems)
    settings = Settings(temperature=wish.temperature, max_tokens=wish.max_tokens)
    plan = Plan(models=(wish.model,), settings=settings, budget=Budget(samples=wish.samples), seed=wish.seed)
    told = {
        "model": Path(wish.model).name,
        "set": wish.file.name,
        "settings": {
            "temperature": wish.temperature,
            "max_tokens": wish.max_tokens,
            "samples": wish.samples,
            "seed": wish.seed,
        },
    }
    launcher = Launcher()
    rows: list[dict[str, Any]] = []
    try:
        for problem in chosen:
            rows.append(await sampled(launcher, problem, plan))
            lines = ",\n".join("  " + json.dumps(row) for row in rows)
            head = json.dumps(told)[:-1]
            wish.out.write_text(f'{head}, "problems": [\n{lines}\n]}}\n', encoding="utf-8")
            print(f"{len(rows)} of {len(chosen)}: {rows[-1]}", flush=True)
    finally:
        await launcher.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--file", type=Path, default=DATA / "gsm8k_train.jsonl")
    parser.add_argument("--problems", type=int, default=40)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--temperature", type=float, default=0.6)
    parser.add_argument("--max-tokens", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    asyncio.run(main(parser.parse_args()))

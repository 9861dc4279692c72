"""How fast a real vLLM samples through us, and through a client that does nothing but read bytes.

    python -m tests.benchmarks.bench_vllm --model OWNER/MODEL

One command, made for a GPU: it starts the server, warms it up, lets both clients take turns on the same
requests, and prints one table for the README, with the server's own counters beside ours. ``--model`` may be
a folder; without it, the largest model of the hub's cache that fits is taken. Flags for vLLM go after ``--``.
Ends with 1 where, in the middle one of the rounds, we are slower than 95% of the bare client.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from statistics import median

from app.models.prompts import build_prompt
from app.runs.launch import Launcher
from tests.acceptance.vllm_runs import (
    PROBLEM,
    Outcome,
    Served,
    load_of,
    plan,
    requests_of,
    run_engine,
    serving,
    through_a_bare_client,
    total_rate,
)

TARGET = 0.95


def largest_that_fits() -> str:
    """The largest model here that the cards have room for."""
    from app.models.gpus import find_gpus, fits
    from app.models.machine import memory_available
    from app.models.vllm_catalog import cached_models
    from app.models.vllm_plan import size_of_model

    memory = sum(gpu.free for gpu in find_gpus()) or memory_available()
    sizes = [
        (size.parameters, name)
        for name in cached_models()
        if (size := size_of_model(name)) and fits(name, size, memory)
    ]
    if not sizes:
        sys.exit("No model of the hub's cache fits. Name one: --model OWNER/MODEL")
    return max(sizes)[1]


async def take_turns(
    served: Served, samples: int, max_tokens: int, rounds: int
) -> list[tuple[Outcome, Outcome, float]]:
    """(ours, bare client's, our CPU seconds) of each round after the first, which only warms up."""
    launcher = Launcher()
    found = []
    for turn in range(rounds + 1):
        seed = 10_000 * (turn + 1)
        engine = launcher.open_run(PROBLEM, plan(served, samples, max_tokens, seed), run_id="r")
        began = time.process_time()
        ours, events = await run_engine(engine)
        busy = time.process_time() - began
        info = launcher.info(served.name)
        messages = [
            {"role": message.role, "content": message.content}
            for message in build_prompt(PROBLEM, info).messages
        ]
        theirs = await through_a_bare_client(
            served, messages, requests_of(events), max_tokens, in_flight=info.concurrency
        )
        if turn:
            found.append((ours, theirs, busy))
            print(
                f"  round {turn}: monkeys {ours.rate:,.0f} tokens/s, bare client {theirs.rate:,.0f}",
                flush=True,
            )
    await launcher.close()
    return found


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--model")
    words.add_argument("--samples", type=int, default=2048, help="samples of each round")
    words.add_argument("--max-tokens", type=int, default=256)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("flags", nargs="*", help="flags for vLLM, after --")
    chosen = words.parse_args()
    model = chosen.model or largest_that_fits()
    from app.models.gpus import find_gpus

    cards = find_gpus()
    began = time.perf_counter()
    with serving(model, *chosen.flags) as served:
        started = time.perf_counter() - began
        before = load_of(served)
        found = asyncio.run(take_turns(served, chosen.samples, chosen.max_tokens, chosen.rounds))
        load = load_of(served).since(before)
    ratio = median(ours.rate / theirs.rate for ours, theirs, _ in found)
    rates = total_rate(ours for ours, *_ in found), total_rate(theirs for _, theirs, _ in found)
    tokens = sum(ours.completion_tokens for ours, *_ in found)
    busy = sum(seconds for *_, seconds in found)
    print("\n| model | on | start | monkeys | bare client | ratio | our CPU |\n|---|---|---|---|---|---|---|")
    print(
        f"| {model} | {', '.join(gpu.name for gpu in cards) or 'CPU'} | {started:.0f} s "
        f"| {rates[0]:,.0f} tokens/s | {rates[1]:,.0f} tokens/s | {ratio:.3f} "
        f"| {busy / max(1, tokens) * 1e6:.0f} µs a token |"
    )
    print(f"{tokens:,} tokens above; the server counted {load.generation_tokens:,} in all; {load.words}")
    same = all(ours.completion_tokens == theirs.completion_tokens for ours, theirs, _ in found)
    print(
        "Both clients drew the same tokens."
        if same
        else "The two clients' tokens differ a little: batches differ."
    )
    return 0 if ratio >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())

"""A real vLLM, started and stopped by us: samples, counts, speed, cancelling, and nothing left behind.

    MONKEYS_VLLM_COMMAND=~/vllm MONKEYS_TEST_VLLM_MODEL=OWNER/MODEL \
        python -m pytest tests/acceptance/test_vllm.py -q -s -o addopts=--import-mode=importlib

A few minutes on a CPU with a small model. Skips loudly where nothing says which vLLM and which model.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from app.models.base import Delta, Request, Settings
from app.models.prompts import build_prompt
from app.models.registry import backend_for
from app.runs import events as ev
from app.runs.launch import Launcher
from tests.acceptance.vllm_runs import (
    PROBLEM,
    ROOT,
    START,
    Outcome,
    Served,
    group_lives,
    load_of,
    missing,
    plan,
    requests_of,
    run_engine,
    serving,
    through_a_bare_client,
    total_rate,
)

SAMPLES = int(os.environ.get("MONKEYS_TEST_VLLM_SAMPLES", "256"))
MAX_TOKENS = 32
ROUNDS = 8
"""The runs that are compared take turns in short rounds, and the middle one counts, so that what else the
machine does falls on both."""
LEAST_RATE = 0.95

pytestmark = [pytest.mark.skipif(bool(missing()), reason=missing()), pytest.mark.timeout(2 * START)]


@pytest.fixture(scope="module", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MONKEYS_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def served(_own_home: None) -> Iterator[Served]:
    with serving(os.environ["MONKEYS_TEST_VLLM_MODEL"]) as server:
        yield server


def test_256_samples_in_batches_cost_what_the_server_counted(served: Served) -> None:
    before = load_of(served)

    async def sample() -> tuple[Outcome, list[ev.Event], int]:
        launcher = Launcher()
        engine = launcher.open_run(PROBLEM, plan(served, SAMPLES, MAX_TOKENS), run_id="r")
        outcome, events = await run_engine(engine)
        await launcher.close()
        return outcome, events, engine.state.books.at_most.flops or 0

    outcome, events, flops = asyncio.run(sample())
    load = load_of(served).since(before)
    sizes = [samples for _, samples in requests_of(events)]
    finished = [event for event in events if isinstance(event, ev.SampleFinished)]
    print(f"\n{outcome.samples} samples in {len(sizes)} requests, {outcome.rate:.0f} tokens/s")
    print(f"completion tokens: ours {outcome.completion_tokens:,}, the server's {load.generation_tokens:,}")
    print(f"prompt tokens: ours {outcome.prompt_tokens_by_sample:,}, the server's {load.prompt_tokens:,}")
    print(f"FLOPs: by our formula {flops:.3g}, the server's estimate {load.flops or 0:.3g}; {load.words}")
    assert outcome.samples == SAMPLES
    assert outcome.completion_tokens == load.generation_tokens
    assert outcome.prompt_tokens_by_sample == load.prompt_tokens
    assert max(sizes) > 1
    assert not any(event.estimated for event in finished)
    assert all(event.mean_logprob is not None and event.mean_logprob < 0 for event in finished)
    assert sorted(event.sample for event in finished) == list(range(SAMPLES))


def test_our_throughput_is_that_of_a_bare_client(served: Served) -> None:
    """The same requests, under the same seeds, so that both draw the same tokens."""

    async def rounds() -> list[tuple[Outcome, Outcome]]:
        launcher = Launcher()
        found = []
        for turn in range(ROUNDS + 1):
            seed = 10_000 * (turn + 1)
            engine = launcher.open_run(PROBLEM, plan(served, SAMPLES // ROUNDS, MAX_TOKENS, seed), run_id="r")
            ours, events = await run_engine(engine)
            info = launcher.info(served.name)
            prompt = build_prompt(PROBLEM, info)
            theirs = await through_a_bare_client(
                served,
                [{"role": message.role, "content": message.content} for message in prompt.messages],
                requests_of(events),
                MAX_TOKENS,
                in_flight=info.concurrency,
            )
            if turn:  # the first only warms up
                found.append((ours, theirs))
        await launcher.close()
        return found

    found = asyncio.run(rounds())
    for ours, theirs in found:
        print(f"\nmonkeys {ours.rate:6.1f} tokens/s, bare client {theirs.rate:6.1f}", end="")
    ratio = median(ours.rate / theirs.rate for ours, theirs in found)
    both = total_rate(ours for ours, _ in found), total_rate(theirs for _, theirs in found)
    print(f"\nin all {both[0]:.1f} and {both[1]:.1f} tokens/s; the middle ratio of the rounds {ratio:.3f}")
    assert ratio >= LEAST_RATE


def wait_for_running(served: Served, samples: int) -> None:
    deadline = time.monotonic() + 30
    while load_of(served).running != samples:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_is_cancelled_stops_running_within_two_seconds(served: Served) -> None:
    async def stop_a_run() -> float:
        launcher = Launcher()
        engine = launcher.open_run(PROBLEM, plan(served, 512, 512), run_id="r")
        stopped_at, deltas = 0.0, 0
        async for event in engine.run():
            deltas += isinstance(event, ev.TextDelta)
            if deltas == 200 and not stopped_at:
                assert await asyncio.to_thread(lambda: load_of(served).running) > 8
                stopped_at = time.perf_counter()
                engine.stop()
        await asyncio.to_thread(wait_for_running, served, 0)
        seconds = time.perf_counter() - stopped_at
        await launcher.close()
        return seconds

    async def cancel_one_request() -> float:
        backend = backend_for(served.name)
        await backend.open(lambda _: None)
        prompt = build_prompt(PROBLEM, backend.info)
        pieces = backend.sample(Request(prompt, Settings(max_tokens=512, temperature=1.0), 8, 1))
        async for piece in pieces:
            if isinstance(piece, Delta):
                break
        await asyncio.to_thread(wait_for_running, served, 8)
        began = time.perf_counter()
        await pieces.aclose()
        await asyncio.to_thread(wait_for_running, served, 0)
        seconds = time.perf_counter() - began
        await backend.close()
        return seconds

    seconds = asyncio.run(cancel_one_request())
    print(f"\na request of 8 samples: none running {seconds:.2f} s after its end")
    assert seconds < 2.0
    seconds = asyncio.run(stop_a_run())
    print(f"a whole run: none running {seconds:.2f} s after its stop")
    assert seconds < 2.0


def test_a_killed_program_leaves_no_server(tmp_path: Path) -> None:
    """Its start is cut off with kill -9, where it is most fragile."""
    environment = {**os.environ, "MONKEYS_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "app", "solve", "What is 1 + 1?", "--yes"]
    command += ["--model", f"vllm:{os.environ['MONKEYS_TEST_VLLM_MODEL']}"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as program:
        cards = tmp_path / "data" / "servers"
        deadline = time.monotonic() + 60
        while not list(cards.glob("*.json")):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        group = int(next(cards.glob("*.json")).read_text().split('"pid":')[1].split(",")[0])
        time.sleep(5)
        assert group_lives(group)
        program.send_signal(signal.SIGKILL)
    began = time.monotonic()
    while group_lives(group):
        assert time.monotonic() - began < 20
        time.sleep(0.1)
    print(f"\nnothing of it left {time.monotonic() - began:.1f} s after kill -9")

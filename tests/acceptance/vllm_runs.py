"""Runs against a real vLLM, and the same requests from a bare client: what both need to be compared.

``MONKEYS_VLLM_COMMAND`` says where vLLM is, as the program's own setting, and ``MONKEYS_TEST_VLLM_MODEL``
which model to serve, a folder or ``OWNER/MODEL``. A small chat model on a CPU will do.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from app.models.base import Settings
from app.models.vllm_metrics import ServerLoad, read_metrics
from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.engine import Engine
from app.runs.launch import Launcher
from app.runs.plan import Plan
from budgets.amounts import Budget

ROOT = Path(__file__).resolve().parents[2]
PROBLEM = Problem(id="p", kind="math", prompt="A farmer has 17 cows and buys 26 more. How many has he now?")
START = 900.0
"""Seconds that a start may take: a large model is loaded and compiled in it."""


@dataclass(frozen=True)
class Served:
    """A server that ``monkeys models serve`` holds. ``name`` is the model's name for monkeys."""

    name: str
    base_url: str
    model: str
    pid: int

    @property
    def root(self) -> str:
        return self.base_url.removesuffix("/v1")


@contextmanager
def serving(model: str, *flags: str, reward: bool = False) -> Iterator[Served]:
    """``monkeys models serve MODEL``, from its start to ctrl+c. Fails where it leaves anything behind."""
    command = [sys.executable, "-m", "app", "models", "serve", model, "--output", "jsonl"]
    command += ["--reward"] if reward else []
    command += ["--", *flags] if flags else []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            line = program.stdout.readline()
            assert line, "the server did not start; see above"
            row = json.loads(line)
            yield Served(f"vllm:{model}", row["base_url"], row["model"], row["pid"])
        finally:
            program.send_signal(signal.SIGINT)
            program.wait(60)
    for _ in range(100):
        if not group_lives(row["pid"]):
            return
        time.sleep(0.1)
    raise AssertionError(f"processes of group {row['pid']} are left")


def group_lives(group: int) -> bool:
    """Whether any process of the group is there and not dead."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if int(of_group) == group and state != "Z":
            return True
    return False


def load_of(served: Served) -> ServerLoad:
    """The server's own figures now."""

    async def look() -> ServerLoad:
        async with aiohttp.ClientSession() as session, session.get(f"{served.root}/metrics") as page:
            return read_metrics(await page.text())

    return asyncio.run(look())


@dataclass
class Outcome:
    """What came of a number of samples. ``requests`` are (prompt tokens, samples) of each request."""

    seconds: float
    samples: int
    completion_tokens: int
    requests: list[tuple[int, int]]

    @property
    def rate(self) -> float:
        return self.completion_tokens / self.seconds

    @property
    def prompt_tokens_by_sample(self) -> int:
        """As vLLM's own counter counts: a prompt once for each of its samples."""
        return sum(tokens * samples for tokens, samples in self.requests)


def total_rate(outcomes: Iterable[Outcome]) -> float:
    """Tokens per second of several runs together."""
    found = list(outcomes)
    return sum(one.completion_tokens for one in found) / sum(one.seconds for one in found)


def plan(served: Served, samples: int, max_tokens: int, seed: int = 0) -> Plan:
    return Plan(
        models=(served.name,),
        settings=Settings(max_tokens=max_tokens, temperature=1.0),
        budget=Budget(samples=samples),
        seed=seed,
    )


async def run_engine(engine: Engine) -> tuple[Outcome, list[ev.Event]]:
    """Run to the end; the clock starts when the model is ready."""
    seen: list[ev.Event] = []
    ready = 0.0
    async for event in engine.run():
        if not isinstance(event, ev.TextDelta):
            seen.append(event)
        if isinstance(event, ev.ModelStatus) and event.state == "ready":
            ready = event.at
    finished = [event for event in seen if isinstance(event, ev.SampleFinished)]
    calls = {event.call: event for event in seen if isinstance(event, ev.CallStarted)}
    prompts = {event.call: event.prompt_tokens or 0 for event in finished}
    outcome = Outcome(
        engine.state.at - ready,
        len(finished),
        sum(event.completion_tokens for event in finished),
        [(tokens, len(calls[call].samples)) for call, tokens in prompts.items()],
    )
    return outcome, seen


async def through_monkeys(served: Served, samples: int, max_tokens: int, seed: int) -> Outcome:
    launcher = Launcher()
    try:
        engine = launcher.open_run(PROBLEM, plan(served, samples, max_tokens, seed), run_id="r")
        return (await run_engine(engine))[0]
    finally:
        await launcher.close()


def requests_of(events: list[ev.Event]) -> list[tuple[int, int]]:
    """(seed, samples) of each request of a run, in the order in which they left."""
    return [(event.seed, len(event.samples)) for event in events if isinstance(event, ev.CallStarted)]


async def through_a_bare_client(
    served: Served,
    messages: list[dict[str, str]],
    requests: list[tuple[int, int]],
    max_tokens: int,
    *,
    in_flight: int,
) -> Outcome:
    """The same requests as fast as a client can send them that only reads bytes: a request leaves as soon as
    all of its samples fit among those in flight."""
    room = asyncio.Semaphore(in_flight)
    connector = aiohttp.TCPConnector(limit=0)
    done: list[tuple[int, int, int]] = []

    async def one(session: aiohttp.ClientSession, seed: int, samples: int) -> None:
        body: dict[str, Any] = {
            "model": served.model, "messages": messages, "max_tokens": max_tokens, "temperature": 1.0,
            "n": samples, "seed": seed, "stream": True, "stream_options": {"include_usage": True},
        }  # fmt: skip
        last = b""
        async with session.post(f"{served.base_url}/chat/completions", json=body) as response:
            response.raise_for_status()
            ended = 0
            async for data in response.content.iter_any():
                last = (last + data)[-4000:]
                now_ended = data.count(b'"finish_reason":"')
                for _ in range(min(now_ended, samples - ended)):
                    room.release()
                ended += now_ended
        for _ in range(samples - ended):
            room.release()
        usage = next(json.loads(line[5:]) for line in last.split(b"\n") if b'"choices":[]' in line)["usage"]
        done.append((usage["prompt_tokens"], samples, usage["completion_tokens"]))

    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(None)) as session:
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for seed, samples in requests:
                for _ in range(samples):
                    await room.acquire()
                tasks.create_task(one(session, seed, samples))
        seconds = time.perf_counter() - began
    return Outcome(
        seconds,
        sum(samples for _, samples, _ in done),
        sum(tokens for *_, tokens in done),
        [(tokens, samples) for tokens, samples, _ in done],
    )


def missing() -> str:
    """What is missing for a real vLLM to be tested, empty where nothing is."""
    if not os.environ.get("MONKEYS_TEST_VLLM_MODEL"):
        return (
            "NOT CHECKED: set MONKEYS_TEST_VLLM_MODEL to a model, and MONKEYS_VLLM_COMMAND to where vLLM is"
        )
    return ""

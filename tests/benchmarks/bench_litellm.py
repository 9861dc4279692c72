"""What LiteLLM costs the program's event loop: in a process of its own, next to an import in a thread.

    python -m tests.benchmarks.bench_litellm [STREAMS]

Prints the longest stall of the loop while LiteLLM is loaded either way, and this process's CPU for each chunk
that comes through the pipe. Exits with 1 if loading the separate process stalls the loop above 100 ms.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from app.models.base import Delta, Message, Prompt, Request, Settings
from app.models.litellm_backend import LiteLLMBackend
from app.models.litellm_worker import SETTINGS
from tests.servers.billing import KEY, BillingServer, Manners

LONGEST_STALL = 0.1
_TICK = 0.005
_WORDS = 300
_SERVE = "serve"


@asynccontextmanager
async def watched() -> AsyncIterator[list[float]]:
    """Seconds by which the loop was late, tick by tick, while the context is open."""
    late: list[float] = []

    async def tick() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(_TICK)
            now = time.perf_counter()
            late.append(now - last - _TICK)
            last = now

    task = asyncio.create_task(tick())
    try:
        yield late
    finally:
        task.cancel()


async def stall_of_a_thread() -> float:
    os.environ.update(SETTINGS)

    def load() -> None:
        import litellm  # noqa: F401

    async with watched() as late:
        await asyncio.to_thread(load)
    return max(late)


async def read_all(backend: LiteLLMBackend, streams: int) -> int:
    async def one(seed: int) -> int:
        request = Request(Prompt(messages=(Message("user", "hi"),)), Settings(max_tokens=2 * _WORDS), 1, seed)
        async with aclosing(backend.sample(request)) as pieces:
            return sum([type(piece) is Delta async for piece in pieces])

    return sum(await asyncio.gather(*(one(seed) for seed in range(streams))))


async def measure(url: str, streams: int) -> float:
    backend = LiteLLMBackend("openai/gpt-4o-mini", base_url=url, keys={"openai": KEY})
    async with watched() as late:
        await backend.open(lambda _: None)
    await read_all(backend, 1)  # what is imported with the first request is nobody's chunk
    before = time.process_time()
    chunks = await read_all(backend, streams)
    each = (time.process_time() - before) / chunks
    await backend.close()
    print(f"loading it in its own process  stalls us for {max(late) * 1000:6.1f} ms at the longest")
    print(f"loading it in a thread         stalls us for {await stall_of_a_thread() * 1000:6.1f} ms")
    print(f"a chunk through the pipe       costs us {each * 1e6:6.1f} µs of CPU ({streams} streams)")
    return max(late)


def serve() -> None:
    with BillingServer(Manners(models=("gpt-4o-mini",), words=lambda _: ["word "] * _WORDS)) as server:
        print(server.url, flush=True)
        sys.stdin.read()


def main() -> int:
    if _SERVE in sys.argv:
        serve()
        return 0
    streams = next((int(argument) for argument in sys.argv[1:] if argument.isdigit()), 8)
    command = [sys.executable, "-m", "tests.benchmarks.bench_litellm", _SERVE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = server.stdout.readline().strip() if server.stdout else ""
            stall = asyncio.run(measure(url, streams))
        finally:
            server.terminate()
    return 0 if stall <= LONGEST_STALL else 1


if __name__ == "__main__":
    sys.exit(main())

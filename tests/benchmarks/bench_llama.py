"""Tokens a second of the embedded model by slots, threads and kinds of cache, and against bare llama.cpp.

    python -m tests.benchmarks.bench_llama [--seconds 4] [--model FILE.gguf]

Prints four tables. On a machine that others use as well, trust the ratios: what is compared runs in turns.
"Bare" is the same server asked for the same choices by a client that reads bytes and counts events, so the
last ratio is what the backend itself costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from collections.abc import Callable, Coroutine
from contextlib import aclosing, suppress
from pathlib import Path

from app.models.base import ChoiceDone, Delta, Message, ModelInfo, Prompt, Request, Settings
from app.models.llama import LlamaBackend, Tuning, request_body
from app.models.llama_groups import Work
from app.models.machine import cores, threads_for_model
from app.models.weights import find_smollm2

STORY = Prompt(text="Once upon a time, in a land far away, there was a")
LONG = Settings(temperature=1.0, max_tokens=400)
EXAMPLES = tuple(
    turn
    for boxes in range(3, 6)
    for turn in (
        Message(
            "user",
            f"Nora has {boxes} boxes with {boxes + 4} apples each and gives {boxes} apples away. How many "
            "are left? Think step by step, and end with #### and the answer.",
        ),
        Message(
            "assistant",
            f"{boxes} boxes of {boxes + 4} apples are {boxes * (boxes + 4)} apples. Without the {boxes} that "
            f"she gives away, {boxes * (boxes + 4) - boxes} are left.\n#### {boxes * (boxes + 4) - boxes}",
        ),
    )
)


async def opened(path: Path, tuning: Tuning) -> LlamaBackend:
    info = ModelInfo(name=path.stem, kind="gguf", local=True, stops_when_told=True)
    backend = LlamaBackend(info, lambda report: path, tuning)
    await backend.open(lambda progress: None)
    return backend


async def rate(backend: LlamaBackend, slots: int, seconds: float, seed: int = 1) -> float:
    """Tokens a second with all slots busy, from the first token on."""
    tokens, began = 0, 0.0
    async with aclosing(backend.sample(Request(STORY, LONG, slots, seed))) as pieces:
        async for piece in pieces:
            if not isinstance(piece, Delta):
                continue
            began = began or time.perf_counter()
            tokens += piece.tokens
            if time.perf_counter() - began > seconds:
                break
    return tokens / (time.perf_counter() - began)


async def bare_rate(backend: LlamaBackend, slots: int, seconds: float, seed: int = 1) -> float:
    """The same request over a plain socket, its events counted and not read."""
    assert backend.folder is not None
    tokens = await backend.prompt_tokens(STORY)
    body = json.dumps(request_body(Work(tokens, LONG, LONG.max_tokens), seed, slots)).encode()
    reader, writer = await asyncio.open_unix_connection(str(backend.folder / "s.sock"))
    writer.write(b"POST /completion HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
    writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    events, began = 0, 0.0
    while began == 0.0 or time.perf_counter() - began < seconds:
        data = await reader.read(1 << 16)
        if not data:
            break
        fresh = (
            data.count(b'"tokens_predicted":') - data.count(b'"prompt_progress"') - data.count(b'"stop":true')
        )
        if fresh > 0:
            began = began or time.perf_counter()
            events += fresh
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return events / (time.perf_counter() - began)


async def idle(backend: LlamaBackend) -> None:
    """Wait until the server has seen that its last request was given up."""
    while await backend.busy_slots():  # noqa: ASYNC110 (the server tells only who asks)
        await asyncio.sleep(0.05)


def megabytes(pid: int | None) -> float:
    """Memory that the process holds for itself alone: its cache and buffers, not the mapped weights."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0


async def slots_and_threads(path: Path, seconds: float) -> None:
    print("\nslots  threads  tokens/s  start-up s  memory MB (weights not counted)")
    for threads in sorted({1, min(2, cores())}):
        for slots in (4, 8, 16, 32):
            began = time.perf_counter()
            backend = await opened(path, Tuning(slots=slots, threads=threads))
            started = time.perf_counter() - began
            speed = await rate(backend, slots, seconds)
            print(
                f"{slots:5}  {threads:7}  {speed:8.1f}  {started:10.2f}  {megabytes(backend.pid):9.0f}",
                flush=True,
            )
            await backend.close()


async def kinds_of_cache(path: Path, seconds: float) -> None:
    print("\none pool  flash attention  tokens/s, two turns")
    kinds = [(unified, flash) for unified in (True, False) for flash in (True, False)]
    backends = [
        await opened(path, Tuning(unified=unified, flash_attention=flash)) for unified, flash in kinds
    ]
    speeds: list[list[float]] = [[] for _ in kinds]
    for turn in range(2):
        for backend, found in zip(backends, speeds, strict=True):
            found.append(await rate(backend, backend.info.concurrency, seconds, seed=turn))
            await idle(backend)
    for (unified, flash), found in zip(kinds, speeds, strict=True):
        print(f"{unified!s:8}  {flash!s:15}  " + "  ".join(f"{speed:6.1f}" for speed in found), flush=True)
    for backend in backends:
        await backend.close()


async def groups_and_singles(path: Path, samples: int = 32) -> None:
    """What reading the prompt once is worth: the same samples asked for in three ways."""
    print(f"\n{samples} samples of 48 tokens, prompt of examples   seconds  tokens/s")
    prompt = Prompt((*EXAMPLES, Message("user", "Tom has 5 bags of 3 apples and eats 4. How many are left?")))
    settings = Settings(temperature=0.8, max_tokens=48)

    async def all_of(backend: LlamaBackend, choices: int) -> int:
        gate = asyncio.Semaphore(max(1, backend.info.concurrency // choices))

        async def one(seed: int) -> int:
            async with gate, aclosing(backend.sample(Request(prompt, settings, choices, seed))) as pieces:
                return sum([p.completion_tokens async for p in pieces if isinstance(p, ChoiceDone)])

        return sum(await asyncio.gather(*(one(seed) for seed in range(0, samples, choices))))

    async def alone(backend: LlamaBackend) -> int:
        tokens = await backend.prompt_tokens(prompt)
        gate = asyncio.Semaphore(backend.info.concurrency)

        async def one(seed: int) -> int:
            async with gate:
                pieces = backend.send(Work(tokens, settings, settings.max_tokens), seed, 1)
                return sum([p.completion_tokens async for p in pieces if isinstance(p, ChoiceDone)])

        return sum(await asyncio.gather(*(one(seed) for seed in range(samples))))

    ways: dict[str, Callable[[LlamaBackend], Coroutine[None, None, int]]] = {
        "requests of as many as there are slots": lambda backend: all_of(backend, backend.info.concurrency),
        "requests of one, gathered by the backend": lambda backend: all_of(backend, 1),
        "requests of one, each alone at the server": alone,
    }
    for name, way in ways.items():
        backend = await opened(path, Tuning())
        began = time.perf_counter()
        tokens = await way(backend)
        seconds = time.perf_counter() - began
        print(f"{name:45}  {seconds:7.1f}  {tokens / seconds:8.1f}", flush=True)
        await backend.close()


async def against_bare(path: Path, seconds: float, turns: int = 5) -> None:
    tuning = Tuning()
    print(f"\n{tuning.slots} slots, {threads_for_model()} thread(s)   ours  bare  ratio")
    backend = await opened(path, tuning)
    ratios = []
    for turn in range(turns):
        pair = {}
        ways = [("ours", rate), ("bare", bare_rate)]
        for name, way in ways if turn % 2 else ways[::-1]:
            pair[name] = await way(backend, tuning.slots, seconds, turn)
            await idle(backend)
        ratios.append(pair["ours"] / pair["bare"])
        print(f"turn {turn + 1:16}  {pair['ours']:6.1f}  {pair['bare']:6.1f}  {ratios[-1]:.2f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.3f}")
    await backend.close()


async def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    options.add_argument("--model", type=Path, help="another GGUF file")
    options.add_argument("--only", choices=["slots", "cache", "groups", "bare"], help="one table")
    asked = options.parse_args()
    path = asked.model or find_smollm2(lambda progress: None)
    print(f"{path.name}, {cores()} cores, load {os.getloadavg()[0]:.1f}")
    if asked.only in (None, "slots"):
        await slots_and_threads(path, asked.seconds)
    if asked.only in (None, "cache"):
        await kinds_of_cache(path, asked.seconds)
    if asked.only in (None, "groups"):
        await groups_and_singles(path)
    if asked.only in (None, "bare"):
        await against_bare(path, asked.seconds)


if __name__ == "__main__":
    asyncio.run(main())

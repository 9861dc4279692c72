"""What the engine itself costs per streamed piece (events, reducer, store), on a model that answers at once.

    python -m tests.benchmarks.bench_engine

The baseline is the same scripted model, drained by a bare loop that counts its pieces. Figures are process
CPU time, so that a busy machine does not change them much.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

from app.models.base import ChoiceDone, Delta, Message, Piece, Prompt, PromptRead, Request, Settings
from app.models.script_file import Header
from app.models.scripted import ScriptedBackend
from tests.app.runs.rigs import ListStore, engine_on, plan

WORDS = 100
SAMPLES = 2_000


class PieceByPiece(ScriptedBackend):
    """Yields every word by itself and lets the others go on in between, as a socket would."""

    async def sample(self, request: Request) -> AsyncGenerator[Piece, None]:
        words = self.lines[request.seed % len(self.lines)].words.split(" ")
        yield PromptRead(20)
        for word in words:
            yield Delta(0, word + " ", 1)
            await asyncio.sleep(0)
        yield ChoiceDone(0, "stop", len(words))


def backend(streams: int) -> ScriptedBackend:
    lines = [" ".join(["word"] * WORDS) + f" The answer is {i % 7}." for i in range(97)]
    return PieceByPiece(lines, Header(concurrency=streams))


async def bare(streams: int) -> tuple[int, float]:
    """Pieces and CPU seconds of draining the model without any engine."""
    model = backend(streams)
    request_of = iter(range(SAMPLES))
    pieces = 0

    async def worker() -> None:
        nonlocal pieces
        for seed in request_of:
            request = Request(Prompt((Message("user", "?"),)), Settings(max_tokens=512), 1, seed)
            async for _ in model.sample(request):
                pieces += 1

    start = time.process_time()
    await asyncio.gather(*(worker() for _ in range(streams)))
    return pieces, time.process_time() - start


async def whole(streams: int) -> tuple[int, float]:
    """Events and CPU seconds of the same samples through the engine."""
    engine = engine_on(backend(streams), plan(samples=SAMPLES, max_tokens=512), store=ListStore())
    events = 0
    start = time.process_time()
    async for _ in engine.run():
        events += 1
    return events, time.process_time() - start


def main() -> None:
    print(f"{SAMPLES:,} samples of {WORDS} words; microseconds of CPU per piece")
    print("streams    bare   engine   added")
    for streams in (16, 64, 512):
        pieces, low = asyncio.run(bare(streams))
        _, high = asyncio.run(whole(streams))
        per = [seconds / pieces * 1e6 for seconds in (low, high)]
        print(f"{streams:7}  {per[0]:6.1f}  {per[1]:7.1f}  {per[1] - per[0]:6.1f}")


if __name__ == "__main__":
    main()

"""What a streamed chunk costs us, next to the plain openai client's own loop in the same run.

    python -m tests.benchmarks.bench_openai [STREAMS [CHUNKS]]

A server in a process of its own streams as fast as it can, one event a write. Three readers take turns: the
openai client's loop, our backend, and our backend under the whole engine. Only this process's CPU is counted,
so the machine's load changes the figures little, and their ratio hardly at all. Exits with 1 if the backend
is not at least twice as cheap as the client.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from app.models.base import Delta, Message, Prompt, Request, Settings
from app.models.openai_backend import OpenAIBackend
from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.launch import Launcher
from app.runs.plan import Plan
from budgets.amounts import Budget

TARGET = 2.0
_CHUNK = (
    b'data: {"id":"chatcmpl-9xQ2","object":"chat.completion.chunk","created":1720000000,"model":"m",'
    b'"system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":{"content":" word"},'
    b'"logprobs":null,"finish_reason":null}],"usage":null}\n\n'
)
_END = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1720000000,"model":"m","choices":'
    b'[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"c","object":"chat.completion.chunk","created":1720000000,"model":"m","choices":[],'
    b'"usage":{"prompt_tokens":9,"completion_tokens":%d,"total_tokens":9}}\n\ndata: [DONE]\n\n'
)


def framed(data: bytes) -> bytes:
    """One chunk of HTTP's chunked encoding."""
    return b"%x\r\n%s\r\n" % (len(data), data)


async def serve(chunks: int) -> None:
    """Answer every request with the same stream, and print the port."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    listing = b'{"data":[{"id":"m"}]}'
    listed = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                if request.startswith(b"GET"):
                    writer.write(listed % (len(listing), listing))
                    continue
                size = next(
                    int(line[15:])
                    for line in request.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                )
                await reader.readexactly(size)
                writer.write(head)
                for _ in range(chunks):
                    writer.write(framed(_CHUNK))
                    await writer.drain()
                    await asyncio.sleep(0)
                writer.write(framed(_END % chunks) + b"0\r\n\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def cpu_per_chunk(work: Callable[[], Awaitable[int]]) -> float:
    """Microseconds of this process's CPU for each chunk that ``work`` says it read."""
    gc.collect()
    before = time.process_time()
    read = await work()
    return (time.process_time() - before) / read * 1e6


async def client_loop(url: str, streams: int) -> int:
    import openai

    client = openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0)

    async def one() -> int:
        read = 0
        stream = await client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "hello"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in stream:
            read += bool(chunk.choices and chunk.choices[0].delta.content)
        return read

    try:
        return sum(await asyncio.gather(*(one() for _ in range(streams))))
    finally:
        await client.close()


async def backend_loop(backend: OpenAIBackend, streams: int, chunks: int) -> int:
    prompt = Prompt(messages=(Message("user", "hello"),))

    async def one(seed: int) -> int:
        read = 0
        request = Request(prompt, Settings(max_tokens=chunks), 1, seed)
        async with aclosing(backend.sample(request)) as pieces:
            async for piece in pieces:
                read += type(piece) is Delta
        return read

    return sum(await asyncio.gather(*(one(seed) for seed in range(streams))))


async def engine_loop(backend: OpenAIBackend, streams: int, chunks: int) -> int:
    plan = Plan(
        models=("openai:m",),
        settings=Settings(max_tokens=chunks),
        budget=Budget(samples=streams),
        concurrency=streams,
    )
    launcher = Launcher(lambda _: backend)
    engine = launcher.open_run(Problem(id="p", kind="open", prompt="hello"), plan, run_id="r")
    return sum([isinstance(event, ev.TextDelta) async for event in engine.run()])


async def measure(port: int, streams: int, chunks: int) -> float:
    url = f"http://127.0.0.1:{port}/v1"
    backend = OpenAIBackend("m", url, choices_per_request=1)
    await backend.open(lambda _: None)
    await client_loop(url, 2)  # imports and first connections are nobody's chunk
    await backend_loop(backend, 2, chunks)
    theirs, ours, whole = [], [], []
    for _ in range(3):
        theirs.append(await cpu_per_chunk(lambda: client_loop(url, streams)))
        ours.append(await cpu_per_chunk(lambda: backend_loop(backend, streams, chunks)))
        whole.append(await cpu_per_chunk(lambda: engine_loop(backend, streams, chunks)))
    await backend.close()
    print(f"{streams} streams of {chunks} chunks, CPU per chunk, best of 3 rounds")
    print(f"  openai client's loop   {min(theirs):6.1f} µs")
    print(f"  our backend            {min(ours):6.1f} µs")
    print(f"  backend and engine     {min(whole):6.1f} µs")
    ratio = min(theirs) / min(ours)
    print(f"  backend against client {ratio:6.1f} times less (target {TARGET})")
    print(f"  engine against client  {min(theirs) / min(whole):6.1f} times less")
    return ratio


def main() -> int:
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    streams, chunks = (*numbers, *(64, 300)[len(numbers) :])[:2]
    if "serve" in sys.argv:
        asyncio.run(serve(chunks))
        return 0
    command = [sys.executable, "-m", "tests.benchmarks.bench_openai", "serve", str(streams), str(chunks)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            port = int(server.stdout.readline()) if server.stdout else 0
            ratio = asyncio.run(measure(port, streams, chunks))
        finally:
            server.terminate()
    return 0 if ratio >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())

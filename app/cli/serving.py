"""A vLLM server in the foreground: its start, its figures, and its end by a signal."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from app.cli.out import Output, print_one, warn

if TYPE_CHECKING:
    from app.models.base import Progress
    from app.models.vllm_metrics import ServerLoad
    from app.models.vllm_plan import Wanted
    from app.models.vllm_server import VllmServer

_INTERRUPTED = 130
_T = TypeVar("_T")


def serve_until_told(wanted: Wanted, output: Output) -> int:
    """Hold a server until a signal to end comes, and say where it is. The exit status."""
    return asyncio.run(_serve(wanted, output))


async def _serve(wanted: Wanted, output: Output) -> int:
    from app.models.vllm_server import hold_server

    with _told_to_stop() as stop, _Line() as line:
        work = asyncio.create_task(hold_server(wanted))
        server: VllmServer | None = None
        try:
            server = await _unless(stop, work)
            if server is None:
                return _INTERRUPTED
            ready = asyncio.create_task(_ready(server, line))
            if await _unless(stop, ready) is None:
                return _INTERRUPTED
            line.clear()
            _tell(server, output)
            return await _stay(server, stop, line)
        finally:
            if server is not None:
                line.show("stopping")
                await server.close()


async def _ready(server: VllmServer, line: _Line) -> bool:
    await server.wait_until_ready(line.report)
    return True


async def _stay(server: VllmServer, stop: asyncio.Event, line: _Line) -> int:
    """Until told to stop, with the server's figures on the line. 1 where the server ends by itself."""
    from app.models.vllm_metrics import MetricsPoller

    metrics = MetricsPoller(server.root, cards=server.about.gpus)
    await metrics.open()
    try:
        while server.alive and not stop.is_set():
            line.show(_load_words(metrics.load))
            await _unless(stop, asyncio.create_task(server.died(1.0)))
    finally:
        await metrics.close()
        line.clear()
    if server.alive:
        return 0
    warn(f"The server of {server.about.name} ended: {server.why or 'it did not say why'}", server.about.log)
    return 1


def _load_words(load: ServerLoad | None) -> str:
    if load is None:
        return "no figures"
    return f"{load.words} · {load.generation_tokens:,} tokens"


def _tell(server: VllmServer, output: Output) -> None:
    about = server.about
    url = f"{server.root}/v1"
    row = {
        "name": about.name,
        "base_url": url,
        "model": about.served_as,
        "reward": about.pooling,
        "pid": server.pid,
        "log": about.log,
    }
    use = f"--reward vllm:{about.name}" if about.pooling else f"--model vllm:{about.name}"
    print_one(
        output,
        row,
        [
            f"{'Serving' if server.started else 'Already up:'} {about.name} at {url}",
            f'Use it in another terminal: monkeys solve "…" {use}',
            f"From elsewhere, as the model {about.served_as!r} of an OpenAI-compatible server.",
            f"Log: {about.log}",
            "ctrl+c stops it." if server.started else "It ends when the last program that uses it does.",
        ],
    )


async def _unless(stop: asyncio.Event, work: asyncio.Task[_T]) -> _T | None:
    """What ``work`` gives, or ``None`` once told to stop: then it is cancelled."""
    told = asyncio.create_task(stop.wait())
    await asyncio.wait([told, work], return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if work.done():
        return work.result()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    return None


@contextmanager
def _told_to_stop() -> Iterator[asyncio.Event]:
    """Set by the first signal to end, while inside."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


class _Line:
    """One line on a terminal's stderr that is written over; elsewhere each new step is a line."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._shown = self._step = ""

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def report(self, progress: Progress) -> None:
        share = "" if progress.fraction is None else f" {progress.fraction:.0%}"
        step = progress.step.partition(" · ")[0]
        if self._live:
            self.show(f"{progress.step}{share}")
        elif step != self._step:
            warn(step)
        self._step = step

    def show(self, text: str) -> None:
        import shutil

        from verifiers.safe_text import one_line

        text = one_line(text, shutil.get_terminal_size().columns - 1)
        if self._live and text != self._shown:
            sys.stderr.write(f"\r\x1b[2K{text}")
            sys.stderr.flush()
            self._shown = text

    def clear(self) -> None:
        if self._live and self._shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
            self._shown = ""

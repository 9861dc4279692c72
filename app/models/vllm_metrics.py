"""What a vLLM server says of itself at ``/metrics``: how much it works on, and how full its cache is.

The page is Prometheus text, one figure a line, one line for each engine of a data-parallel server. Names that
changed between versions are read under both. What a version does not tell is ``None``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiohttp

EVERY = 1.0
"""Seconds between two looks."""
_PATIENCE = 2.0
_LINE = re.compile(r"^vllm:(\w+)(?:\{[^}]*\})? ([-+0-9.eE]+|NaN)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ServerLoad:
    """One look at a server. ``running`` and ``waiting`` count samples; ``cache`` is the used share of the
    cache, in 0..1. The rest counts from the server's start: tokens of prompts (once for each sample of a
    request) and of completions, prompt tokens looked up in the prefix cache and found there, and the
    server's own estimate of its FLOPs, all cards together."""

    running: int = 0
    waiting: int = 0
    cache: float | None = None
    prompt_tokens: int = 0
    generation_tokens: int = 0
    prefix_queries: int = 0
    prefix_hits: int = 0
    flops: int | None = None

    @property
    def prefix_share(self) -> float | None:
        """The share of prompt tokens that the cache had already, in 0..1."""
        return self.prefix_hits / self.prefix_queries if self.prefix_queries else None

    def since(self, start: ServerLoad) -> ServerLoad:
        """The same with the counters from ``start`` on, for one user of a server that had others before."""
        return ServerLoad(
            self.running,
            self.waiting,
            self.cache,
            max(0, self.prompt_tokens - start.prompt_tokens),
            max(0, self.generation_tokens - start.generation_tokens),
            max(0, self.prefix_queries - start.prefix_queries),
            max(0, self.prefix_hits - start.prefix_hits),
            None if self.flops is None else max(0, self.flops - (start.flops or 0)),
        )

    @property
    def words(self) -> str:
        """``16 running, 4 waiting · cache 12% · prefix hits 94% · 2.3 TFLOP by its count``."""
        from budgets.amounts import show_flops

        parts = [f"{self.running:,} running" + (f", {self.waiting:,} waiting" if self.waiting else "")]
        if self.cache is not None:
            parts.append(f"cache {self.cache:.0%}")
        if self.prefix_share is not None:
            parts.append(f"prefix hits {self.prefix_share:.0%}")
        if self.flops:
            parts.append(f"{show_flops(self.flops)} by its count")
        return " · ".join(parts)


def read_metrics(text: str, cards: int = 1) -> ServerLoad:
    """The figures in a page. ``cards`` is how many share an engine's work: FLOPs are told for each."""
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for name, value in _LINE.findall(text):
        number = float(value)
        if number == number and number >= 0:
            sums[name] = sums.get(name, 0.0) + number
            counts[name] = counts.get(name, 0) + 1

    def total(*names: str) -> int:
        return next((int(sums[name]) for name in names if name in sums), 0)

    use = next((name for name in ("kv_cache_usage_perc", "gpu_cache_usage_perc") if name in sums), None)
    flops = sums.get("estimated_flops_per_gpu_total")
    return ServerLoad(
        running=total("num_requests_running"),
        waiting=total("num_requests_waiting"),
        cache=min(1.0, sums[use] / counts[use]) if use else None,
        prompt_tokens=total("prompt_tokens_total"),
        generation_tokens=total("generation_tokens_total"),
        prefix_queries=total("prefix_cache_queries_total", "gpu_prefix_cache_queries_total"),
        prefix_hits=total("prefix_cache_hits_total", "gpu_prefix_cache_hits_total"),
        flops=int(flops) * cards if flops is not None else None,
    )


class MetricsPoller:
    """Looks at a server's figures again and again while it is open. ``load`` is the last look, ``None``
    before the first and while the server does not answer."""

    def __init__(
        self, root: str, *, cards: int = 1, every: float = EVERY, told: Callable[[], None] | None = None
    ) -> None:
        """``root`` is the server's address without ``/v1``; ``told`` is called after each look."""
        self._url = f"{root}/metrics"
        self._cards, self._every, self._told = cards, every, told
        self._session: aiohttp.ClientSession | None = None
        self._task: asyncio.Task[None] | None = None
        self._first: ServerLoad | None = None
        self.load: ServerLoad | None = None

    async def open(self) -> None:
        """Take the first look, from which the counters count, and go on looking."""
        import aiohttp

        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_PATIENCE))
        await self.look()
        self._task = asyncio.create_task(self._poll())

    async def look(self) -> ServerLoad | None:
        """One look now."""
        import aiohttp

        found: ServerLoad | None = None
        if self._session is not None:
            with suppress(aiohttp.ClientError, TimeoutError, OSError, ValueError):
                async with self._session.get(self._url) as response:
                    if response.status == 200:
                        now = read_metrics(await response.text(errors="replace"), self._cards)
                        self._first = self._first or now
                        found = now.since(self._first)
        self.load = found
        return found

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
        self._task = self._session = self.load = None

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            await self.look()
            if self._told is not None:
                self._told()

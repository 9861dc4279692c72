"""GGUF models on this machine, through llama.cpp: the embedded SmolLM2 and any file the user names.

Sampling is plain: temperature, and top-p where asked for, in that order, and nothing else that llama.cpp
would add by itself (top-k, min-p, penalties). Coverage speaks of the model's own distribution, and a sampler
that trims its tail would make every pass@k a statement about the sampler.

A crash of the model's process fails the samples in flight with ``retry=True``; the next request starts the
process again. A second crash is final.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from app.errors import BadInput, MonkeysError
from app.models.base import (
    BackendError,
    ModelInfo,
    Piece,
    Progress,
    Prompt,
    Request,
)
from app.models.finding import Finder, find_in_thread
from app.models.gguf_header import GgufHeader, NotGgufError, read_gguf_header
from app.models.llama_groups import Groups, Work
from app.models.llama_prompt import PromptReader
from app.models.llama_server import LlamaServer
from app.models.llama_stream import FIELDS, fault_of, read_stream
from app.models.machine import memory_available, threads_for_model

SLOTS = 16
CELLS_PER_SLOT = 1024
_MEMORY_SHARE = 0.25  # of what is free, for the attention cache
_RESTARTS = 1


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the server runs; the defaults are the best of ``tests/benchmarks/bench_llama.py``."""

    slots: int = SLOTS
    threads: int | None = None
    """``None``: every core but one."""
    cells: int | None = None
    """``None``: by slots and free memory."""
    unified: bool = True
    flash_attention: bool | None = None


class LlamaBackend:
    """One GGUF model. ``info`` has the sizes of the file's own header once ``open`` has run, and before that
    whatever the maker of the backend knew."""

    def __init__(self, info: ModelInfo, find: Finder, tuning: Tuning | None = None) -> None:
        self._tuning = tuning or Tuning()
        self._info = msgspec.structs.replace(
            info, concurrency=self._tuning.slots, choices_per_request=self._tuning.slots
        )
        self._find = find
        self._prompts = PromptReader()
        self._server: LlamaServer | None = None
        self._groups: Groups | None = None
        self._starts = 0
        self._starting = asyncio.Lock()
        self._closed = False

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def pid(self) -> int | None:
        """The process that holds the model, for the log and for ``doctor``."""
        return self._server.pid if self._server else None

    @property
    def folder(self) -> Path | None:
        """The private folder of the process's socket, gone when the process is."""
        return self._server.folder if self._server else None

    async def prompt_tokens(self, prompt: Prompt) -> tuple[int, ...]:
        """``prompt`` as the model reads it, template included."""
        server = await self._running()
        async with self._told_of_crashes(server):
            return await self._prompts.read(prompt)

    async def busy_slots(self) -> int:
        """How many slots work at this moment, by the server's own account."""
        server = await self._running()
        async with self._told_of_crashes(server), server.session.get("/slots") as response:
            return sum(bool(slot["is_processing"]) for slot in await response.json())

    async def open(self, report: Callable[[Progress], None]) -> None:
        path = await find_in_thread(self._find, report)
        try:
            header = await asyncio.to_thread(read_gguf_header, path)
        except NotGgufError as error:
            raise BadInput(str(error), "give the path of a GGUF model file") from None
        except OSError as error:
            fix = "give a GGUF file that can be read"
            raise BadInput(f"cannot read {path}: {error.strerror}", fix) from None
        self._path = path
        self._cells = self._tuning.cells or _cells(header, self._tuning.slots)
        self._groups = Groups(self._tuning.slots, self._cells, self.send)
        self._info = _with_sizes(self._info, header, self._cells)
        report(Progress("starting the model"))
        await self._running()

    async def close(self) -> None:
        self._closed = True
        if self._groups is not None:
            await self._groups.close()
        async with self._starting:
            if self._server is not None:
                await self._server.stop()

    def prompt_tokens_at_most(self, prompt: Prompt) -> int:
        return self._prompts.at_most(prompt)

    async def sample(self, request: Request) -> AsyncGenerator[Piece, None]:
        tokens = await self.prompt_tokens(request.prompt)
        context = self._info.context or self._cells
        left = min(context, self._cells) - len(tokens)
        if left < 1:
            raise BackendError(
                "context",
                f"the prompt has {len(tokens):,} tokens and {self._info.name} reads {context:,} at most",
                retry=False,
            )
        most = min(request.settings.max_tokens, left)
        work = Work(tokens, request.settings, most)
        if self._groups is None:
            raise RuntimeError("open first")
        async with aclosing(self._groups.sample(work, request.seed, request.choices)) as pieces:
            async for piece in pieces:
                yield piece

    async def send(self, work: Work, seed: int, choices: int) -> AsyncGenerator[Piece, None]:
        """One request as the server gets it, past the queue. ``sample`` is the way in for everybody else."""
        server = await self._running()
        async with (
            self._told_of_crashes(server),
            server.session.post("/completion", json=request_body(work, seed, choices)) as response,
        ):
            if response.status != 200:
                raise fault_of(await response.read())
            async for piece in read_stream(response.content.iter_any(), choices):
                yield piece

    async def _running(self) -> LlamaServer:
        """The server, started or started again if it has to be."""
        async with self._starting:
            if self._closed:
                raise BackendError("refused", f"{self._info.name} is closed", retry=False)
            if self._server is not None and self._server.alive:
                return self._server
            if self._starts > _RESTARTS:
                raise BackendError("crashed", f"{self._info.name} crashed twice", retry=False)
            if self._server is not None:
                await self._server.stop()
            self._starts += 1
            self._server = LlamaServer(
                model=self._path,
                slots=self._tuning.slots,
                threads=self._tuning.threads or threads_for_model(),
                context=self._cells,
                unified=self._tuning.unified,
                flash_attention=self._tuning.flash_attention,
            )
            try:
                await self._server.start()
            except MonkeysError as error:
                if self._starts == 1:
                    raise
                words = f"{self._info.name} crashed and could not be started again: {error.message}"
                raise BackendError("crashed", words, retry=False) from None
            await self._prompts.connect(self._server.session)
            return self._server

    @asynccontextmanager
    async def _told_of_crashes(self, server: LlamaServer) -> AsyncIterator[None]:
        """Turn a broken connection into an error that says whether the process is dead."""
        import aiohttp

        start = self._starts
        try:
            yield
        except (aiohttp.ClientError, BackendError, OSError) as error:
            if isinstance(error, BackendError) and error.kind != "crashed":
                raise
            if self._closed:
                raise BackendError("refused", f"{self._info.name} was closed", retry=False) from None
            if not await server.crashed():
                raise BackendError("server", "the model's process broke a connection", retry=True) from None
            words = server.last_words()
            raise BackendError(
                "crashed",
                f"the process of {self._info.name} ended" + (f": {words}" if words else ""),
                retry=start <= _RESTARTS,
            ) from None


def request_body(work: Work, seed: int, choices: int) -> dict[str, Any]:
    settings = work.settings
    narrowed = settings.top_p is not None and settings.top_p < 1
    return {
        "prompt": work.tokens,
        "n_predict": work.most,
        "n_cmpl": choices,
        "seed": seed % 0xFFFF_FFFF,  # the one value left out means "random"
        "samplers": ["temperature", "top_p"] if narrowed else ["temperature"],
        "temperature": settings.temperature,
        "top_p": settings.top_p if narrowed else 1.0,
        "top_k": 0,
        "min_p": 0.0,
        "stop": list(settings.stop),
        "n_probs": 1,  # measured to cost nothing that shows, and needed for the mean log-probability
        "cache_prompt": True,
        "stream": True,
        "return_progress": True,
        "response_fields": FIELDS,
    }


def _cells(header: GgufHeader, slots: int) -> int:
    """Cells for all slots together: enough for ordinary samples in every slot, no more than the memory share
    allows, and never less than one long sample needs."""
    wanted = max(slots * CELLS_PER_SLOT, min(header.context or 4096, 8192))
    if header.cache_bytes_per_token is None:
        return wanted
    affordable = int(memory_available() * _MEMORY_SHARE) // header.cache_bytes_per_token
    return max(2048, min(wanted, affordable))


def _with_sizes(info: ModelInfo, header: GgufHeader, cells: int) -> ModelInfo:
    return msgspec.structs.replace(
        info,
        parameters=header.parameters,
        active_parameters=header.active_parameters,
        layers=header.layers,
        hidden=header.hidden,
        context=min(header.context or cells, cells),
    )

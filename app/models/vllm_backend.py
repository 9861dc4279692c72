"""Samples from a vLLM server that is found or started when it is needed, and ends when nobody needs it.

The server speaks OpenAI's protocol, so the requests are the openai backend's. What is added here is the
server's life: its start, its figures, and one more start if it dies in the middle of a run. What had arrived
by then is kept and charged, and the samples that were lost are drawn again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import msgspec

from app.errors import MonkeysError
from app.models.base import BackendError, ModelInfo, Piece, Progress, Prompt, Request
from app.models.openai_backend import OpenAIBackend
from app.models.openai_bound import prompt_tokens_at_most
from app.models.openai_patience import Patience
from app.models.vllm_found import running_servers
from app.models.vllm_metrics import MetricsPoller, ServerLoad
from app.models.vllm_place import find_vllm
from app.models.vllm_plan import Wanted, check_cards, size_of_model
from app.models.vllm_server import VllmServer, hold_server

CHOICES = 8
"""Samples of one request. More share a prompt better, but one of them cannot be cancelled alone, and a stream
of many choices keeps one connection busy while others wait."""
_BEFORE_IT_IS_KNOWN = 32
_RESTARTS = 1
_SECONDS_TO_BE_SEEN_DEAD = 3.0
_PATIENCE = Patience(first=600.0, between=60.0)
"""Its death is seen otherwise, so it may take its time: with its cache full, samples wait for each other."""
_NEEDS_EXAMPLES_BELOW = 300_000_000  # parameters


class VllmBackend:
    """One model behind a server of ours. ``wanted`` says which, ``hold`` gets a hold on it.

    ``load`` is what the server said of itself last, ``None`` while it says nothing.
    """

    def __init__(
        self, wanted: Wanted, *, hold: Callable[[Wanted], Awaitable[VllmServer]] = hold_server
    ) -> None:
        wanted.check()
        self._wanted = wanted
        self._hold = hold
        self._server: VllmServer | None = None
        self._client: OpenAIBackend | None = None
        self._metrics: MetricsPoller | None = None
        self._starts = 0
        self._starting = asyncio.Lock()
        self._closed = False
        self._info = _info(wanted)

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def load(self) -> ServerLoad | None:
        return self._metrics.load if self._metrics else None

    @property
    def notes(self) -> list[str]:
        return self._client.notes if self._client else []

    @property
    def base_url(self) -> str | None:
        """Where the server answers, with ``/v1``."""
        return f"{self._server.root}/v1" if self._server else None

    async def open(self, report: Callable[[Progress], None]) -> None:
        """Find or start the server and wait until it answers, which takes minutes for a large model."""
        try:
            await self._start(report)
        except BaseException:
            await self.close()
            raise

    def prompt_tokens_at_most(self, prompt: Prompt) -> int:
        return self._client.prompt_tokens_at_most(prompt) if self._client else prompt_tokens_at_most(prompt)

    async def sample(self, request: Request) -> AsyncGenerator[Piece, None]:
        server, client = await self._running()
        try:
            async with aclosing(client.sample(request)) as pieces:
                async for piece in pieces:
                    yield piece
        except BackendError as error:
            broken = error.kind in ("crashed", "refused", "timeout", "malformed", "server")
            if not broken or not await server.died(_SECONDS_TO_BE_SEEN_DEAD if error.retry else 0.0):
                raise
            raise BackendError(
                "refused" if error.kind == "refused" else "crashed",
                f"The vLLM server of {self._wanted.name} ended: {server.why or 'it did not say why'}",
                retry=self._starts <= _RESTARTS,
            ) from None

    async def close(self) -> None:
        self._closed = True
        async with self._starting:
            await self._let_go()

    async def _running(self) -> tuple[VllmServer, OpenAIBackend]:
        """The server and the client for it, started again if the server has died."""
        async with self._starting:
            if self._closed:
                raise BackendError("refused", f"{self._info.name} is closed.", retry=False)
            if self._server is not None and self._client is not None and self._server.alive:
                return self._server, self._client
            if self._starts > _RESTARTS:
                raise BackendError(
                    "refused", f"The vLLM server of {self._wanted.name} ended twice.", retry=False
                )
            await self._let_go()
            try:
                await self._start(lambda _: None)
            except MonkeysError as error:
                raise BackendError("refused", f"{error.message} {error.fix or ''}", retry=False) from None
            if self._server is None or self._client is None:
                raise RuntimeError("started, and not there")
            return self._server, self._client

    async def _start(self, report: Callable[[Progress], None]) -> None:
        self._starts += 1
        report(Progress("looking for vLLM"))
        server = self._server = await self._hold(self._wanted)
        await server.wait_until_ready(report)
        about = server.about
        self._client = OpenAIBackend(
            about.served_as,
            f"{server.root}/v1",
            shown_as=self._info.name,
            concurrency=about.concurrency,
            choices_per_request=CHOICES,
            local=True,
            stops_when_told=True,
            running_counts=True,
            logprobs=True,
            patience=_PATIENCE,
        )
        await self._client.open(report)
        self._info = msgspec.structs.replace(
            self._info,
            concurrency=about.concurrency,
            context=self._client.info.context or self._info.context,
        )
        self._metrics = MetricsPoller(server.root, cards=about.gpus)
        await self._metrics.open()

    async def _let_go(self) -> None:
        for part in (self._metrics, self._client, self._server):
            if part is not None:
                await part.close()
        self._metrics = self._client = self._server = None


def vllm(name: str) -> VllmBackend:
    """The backend of ``vllm:NAME``, by the settings. What is missing for a server to be started is refused
    here, unless one is up. Raises ``BadInput`` or ``PartMissing``."""
    wanted = wanted_by_settings(name)
    backend = VllmBackend(wanted)
    if not any(about.model == wanted.model and not about.pooling for about in running_servers()):
        check_cards(find_vllm(wanted.command))
    return backend


def wanted_by_settings(name: str) -> Wanted:
    """A server of ``name`` as the settings would have it."""
    from app import settings
    from app.models.vllm_plan import flags_of

    chosen = settings.load().settings
    return Wanted(name, command=chosen.vllm_command, flags=flags_of(chosen.vllm_flags))


def _info(wanted: Wanted) -> ModelInfo:
    size = size_of_model(wanted.name)
    return ModelInfo(
        name=f"vllm:{wanted.name}",
        kind="vllm",
        local=True,
        stops_when_told=True,
        concurrency=_BEFORE_IT_IS_KNOWN,
        choices_per_request=CHOICES,
        parameters=size.parameters if size else None,
        active_parameters=size.active_parameters if size else None,
        layers=size.layers if size else None,
        hidden=size.hidden if size else None,
        context=size.context if size else None,
        needs_examples=size is not None and size.parameters < _NEEDS_EXAMPLES_BELOW,
    )

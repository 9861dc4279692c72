"""Samples from the API models that LiteLLM knows: some eighty providers, each with a protocol of its own.

LiteLLM runs in a process of its own (``litellm_worker``) and brings every answer in OpenAI's shape; what is
in it is read, counted and learnt from as for any other server. A request asks for one sample: LiteLLM's
streams of several lose why all but one of them ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from app.errors import BadInput, PartMissing
from app.models.base import BackendError, ModelInfo, Piece, Progress, Prompt, Request
from app.models.litellm_child import SharedChild, shared_child
from app.models.litellm_providers import is_familiar, key_setting, missing_variables, provider_of
from app.models.litellm_wire import Account, Event
from app.models.openai_address import read_address
from app.models.openai_asker import Asker, RefusedError, Source, messages_of, sendable
from app.models.openai_backend import sizes_of
from app.models.openai_bound import prompt_tokens_at_most
from app.models.openai_habits import Habits
from app.models.openai_patience import Patience, silence
from app.models.openai_stream import StreamReader

_ASKED_ABOUT = ("temperature", "top_p", "seed")
"""Request fields that are left out where LiteLLM says that the provider does not take them."""
_CONCURRENCY = 16


class LiteLLMBackend:
    """The model that LiteLLM calls ``name``.

    ``base_url`` is where it is asked instead of at its provider; ``keys`` are the user's own, by provider,
    for those that are not in the environment. Raises ``BadInput`` for an address that is none.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        keys: Mapping[str, str] | None = None,
        patience: Patience | None = None,
    ) -> None:
        from budgets.prices import context_of

        self._provider = provider_of(name) or name.partition("/")[0]
        address = read_address(base_url) if base_url else None
        self._server = address.shown if address else self._provider
        self._account = Account(
            name,
            self._server,
            address.url if address else "",
            (keys or {}).get(key_setting(self._provider), ""),
        )
        self._patience = patience or Patience()
        self._habits = Habits(choices=1)
        self._shared: SharedChild | None = None
        self._asker = Asker(
            self._server, self._post, self._habits, self._patience, self.prompt_tokens_at_most
        )
        self._bound: tuple[Prompt, int] | None = None
        sizes = sizes_of(name)
        sizes["context"] = context_of(name) or sizes.get("context")
        self.info = ModelInfo(
            name=name,
            kind="litellm",
            local=False,
            stops_when_told=False,
            concurrency=_CONCURRENCY,
            server=self._server,
            **sizes,
        )

    @property
    def price_name(self) -> str:
        """LiteLLM's own name: the name says who is paid."""
        return self._account.model

    @property
    def notes(self) -> list[str]:
        return self._habits.notes

    async def open(self, report: Callable[[Progress], None]) -> None:
        """Load LiteLLM, and check name and key with it, which asks nobody and costs nothing.

        Raises ``PartMissing`` for a key that is not set, ``BadInput`` for a name that LiteLLM does not know.
        """
        if is_familiar(self._provider):
            self._need(missing_variables(self._provider))
        shared = shared_child()
        await shared.join(report)
        self._shared = shared
        try:
            looked = await (await shared.child()).look(self._account)
            if looked.unknown:
                raise BadInput(
                    f"LiteLLM does not know {self._account.model}.",
                    "Write PROVIDER/NAME; `monkeys models list` has the providers.",
                )
            if not is_familiar(self._provider):
                self._need(looked.missing)
        except BaseException:
            await self.close()
            raise
        if looked.fields:
            self._habits.dropped |= {name for name in _ASKED_ABOUT if name not in looked.fields}
        report(Progress("ready", 1.0))

    def prompt_tokens_at_most(self, prompt: Prompt) -> int:
        """See ``openai_bound``."""
        if self._bound is None or self._bound[0] is not prompt:
            self._bound = (prompt, prompt_tokens_at_most(prompt))
        return self._bound[1]

    def sample(self, request: Request) -> AsyncGenerator[Piece, None]:
        """Stream the choices of a request. Raises ``BackendError`` after all that came was yielded."""
        return self._asker.sample(request)

    async def close(self) -> None:
        if self._shared is not None:
            shared, self._shared = self._shared, None
            await shared.leave()

    def _need(self, missing: tuple[str, ...]) -> None:
        """Raises ``PartMissing`` where variables are missing and the user gave no key and no address."""
        if missing and not (self._account.key or self._account.url):
            settings = " ".join(f"{name}=…" for name in missing)
            raise PartMissing(f"The key for {self._provider} is missing.", f"Set it: export {settings}")

    @asynccontextmanager
    async def _post(self, prompt: Prompt, fields: dict[str, Any]) -> AsyncGenerator[Source, None]:
        if self._shared is None:
            raise RuntimeError("the backend is not open")
        text = None if prompt.text is None else sendable(prompt.text)
        async with AsyncExitStack() as stack:
            try:
                child = await self._shared.child()
            except PartMissing as error:
                raise BackendError("crashed", error.message, retry=False) from None
            events = await stack.enter_async_context(
                child.ask(self._account, fields, messages_of(prompt), text)
            )
            first = await events.get()
            if first.refusal is not None:
                raise RefusedError(first.refusal)
            yield lambda reader: self._bytes_of(first, events, reader)

    async def _bytes_of(
        self, first: Event, events: asyncio.Queue[Event], reader: StreamReader
    ) -> AsyncGenerator[bytes, None]:
        """The events of a stream as they come. Raises ``BackendError`` for faults and for silence."""
        event = first
        while not event.end:
            if event.fault is not None:
                raise event.fault.error
            if event.chunk:
                yield b"data: " + bytes(event.chunk) + b"\n"
            event = await self._next(events, reader)
        if event.whole:
            yield b"data: [DONE]\n"

    async def _next(self, events: asyncio.Queue[Event], reader: StreamReader) -> Event:
        """The next event. Raises ``BackendError`` for a silence."""
        with suppress(asyncio.QueueEmpty):
            return events.get_nowait()
        patience = self._patience.between if reader.any_text else self._patience.first
        try:
            async with asyncio.timeout(patience):
                return await events.get()
        except TimeoutError:
            raise silence(self._server, patience) from None

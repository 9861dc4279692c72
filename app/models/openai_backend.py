"""Samples from any server that speaks OpenAI's protocol, remote or local.

The openai client brings the bytes; what is in them is read here. A request asks for several choices at once
where the server can do that, so that their prompt is paid once. Nothing is retried in here but what was
refused without cost and can be asked differently: retries cost money, and the budget belongs to the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from app.errors import BadInput
from app.models.base import BackendError, ModelInfo, Piece, Progress, Prompt, Request
from app.models.openai_address import PRICED_UNDER, Address, read_address
from app.models.openai_bound import prompt_tokens_at_most
from app.models.openai_client import Listed, find_model, make_client, missing_model
from app.models.openai_faults import fault_of, fault_of_connection, read_refusal
from app.models.openai_habits import Habits
from app.models.openai_patience import Patience, bytes_of, silence
from app.models.openai_stream import StreamReader

if TYPE_CHECKING:
    from openai import AsyncOpenAI, AsyncStream
    from openai._response import AsyncAPIResponse

_MOST_LESSONS = 6
"""How often one request is written anew, each time for another field that the server refused."""
_PATIENCE_WITH_FIRST = 2.0
_EVENTS_OF_ONE_CHOICE = 16
"""After so many events about choice 0 alone, a server is taken to draw one choice per request."""


class OpenAIBackend:
    """The model ``name`` at ``base_url`` (OpenAI's own if there is none).

    ``local`` declares that the server on this machine costs nothing, ``stops_when_told`` that it stops work
    on a request whose connection is closed (vLLM and llama.cpp do). ``notes`` are lines for the user: which
    settings the server does not take. Raises ``BadInput`` for an address that is none.
    """

    def __init__(
        self,
        name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        shown_as: str | None = None,
        concurrency: int = 16,
        choices_per_request: int = 4,
        local: bool = False,
        stops_when_told: bool = False,
        running_counts: bool = False,
        logprobs: bool = False,
        patience: Patience | None = None,
    ) -> None:
        if not name.strip():
            raise BadInput("The model has no name.", "Write openai:NAME, for example openai:gpt-4o-mini.")
        self._name = name.strip()
        self._key = (api_key or "").strip()
        self._address: Address = read_address(base_url)
        if local and not self._address.loopback:
            raise BadInput(
                f"{self._address.shown} is not on this machine.", "Only a server on it counts as local."
            )
        self._patience = patience or Patience()
        self._habits = Habits(choices_per_request, logprobs=logprobs, running_counts=running_counts)
        self._client: AsyncOpenAI | None = None
        self._models: list[Listed] = []
        self._explored = asyncio.Event()
        self._explorer_out = choices_per_request == 1 or running_counts
        if self._explorer_out:
            self._explored.set()
        self._bound: tuple[Prompt, int] | None = None
        self._info = ModelInfo(
            name=shown_as or f"openai:{self._name}",
            kind="openai",
            local=local,
            server=self._address.shown,
            stops_when_told=stops_when_told,
            concurrency=concurrency,
            choices_per_request=choices_per_request,
            **_sizes(self._name),
        )

    @classmethod
    def from_environment(
        cls,
        name: str,
        environment: Mapping[str, str],
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        **options: Any,
    ) -> OpenAIBackend:
        """What is not given is taken from ``OPENAI_BASE_URL`` and ``OPENAI_API_KEY``."""
        return cls(
            name,
            base_url or environment.get("OPENAI_BASE_URL"),
            api_key or environment.get("OPENAI_API_KEY"),
            **options,
        )

    @property
    def info(self) -> ModelInfo:
        """What is known now: a server that refuses ``n`` has one choice per request from then on."""
        if self._info.choices_per_request != self._habits.choices:
            self._info = msgspec.structs.replace(self._info, choices_per_request=self._habits.choices)
        return self._info

    @property
    def price_name(self) -> str | None:
        """The name under which this server's price for the model is published, ``None`` where none is."""
        host = urlsplit(self._address.url).hostname or ""
        return PRICED_UNDER[host] + self._name if host in PRICED_UNDER else None

    @property
    def notes(self) -> list[str]:
        return self._habits.notes

    async def open(self, report: Callable[[Progress], None]) -> None:
        """Check address, key and model, which costs no tokens. Raises ``PartMissing`` or ``BadInput``."""
        report(Progress(f"Asking {self._address.shown} for its models"))
        self._client = await make_client(self._address, self._key)
        try:
            self._address, self._models, listed = await find_model(
                self._client, self._address, self._name, self._key
            )
        except BaseException:
            await self.close()
            raise
        if listed is not None and listed.max_model_len:
            self._info = msgspec.structs.replace(self._info, context=listed.max_model_len)
        if listed is not None and listed.owned_by == "vllm":
            self._habits.running_counts = True
        report(Progress("ready", 1.0))

    def prompt_tokens_at_most(self, prompt: Prompt) -> int:
        """See ``openai_bound``."""
        if self._bound is None or self._bound[0] is not prompt:
            self._bound = (prompt, prompt_tokens_at_most(prompt))
        return self._bound[1]

    async def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    async def sample(self, request: Request) -> AsyncGenerator[Piece, None]:
        """Stream the choices of a request. Raises ``BackendError`` after all that came was yielded."""
        exploring = await self._explore_first(request.choices)
        choices = min(request.choices, self._habits.choices)
        reader: StreamReader | None = None
        try:
            async with AsyncExitStack() as stack:
                response, choices = await self._connect(request, choices, stack)
                reader = StreamReader(
                    choices,
                    request.settings.max_tokens,
                    prompt_at_most=self.prompt_tokens_at_most(request.prompt),
                    counts_choices=self._habits.running_counts,
                )
                source = await stack.enter_async_context(
                    aclosing(bytes_of(response, reader, self._patience, self._address.shown))
                )
                async for data in source:
                    for piece in reader.feed(data):
                        yield piece
                    if reader.done:
                        break
                    if exploring:
                        exploring = not self._learnt_from(reader)
                for piece in reader.end():
                    yield piece
                async for _ in source:
                    pass  # what is left of the response frees its connection for the next request
        except BackendError:
            if reader is None:
                raise
            for piece in reader.settle():
                yield piece
            if reader.unfinished:
                raise
        finally:
            if exploring:
                self._explored.set()
        if fault := self._shortfall(reader, request.choices):
            raise fault

    async def _explore_first(self, choices: int) -> bool:
        """Let the first request of several choices find out alone whether the server takes them; the others
        wait for it a moment. True for the one that finds out."""
        if choices == 1 or self._explored.is_set():
            return False
        if not self._explorer_out:
            self._explorer_out = True
            return True
        with suppress(TimeoutError):
            await asyncio.wait_for(self._explored.wait(), _PATIENCE_WITH_FIRST)
        return False

    def _learnt_from(self, reader: StreamReader) -> bool:
        """Whether the stream so far shows how many choices a request draws; if so, tell those who wait."""
        if reader.most_index < 1 and reader.events < _EVENTS_OF_ONE_CHOICE:
            return False
        if reader.most_index < 1:
            self._habits.choices = 1
        self._explored.set()
        return True

    async def _connect(
        self, request: Request, choices: int, stack: AsyncExitStack
    ) -> tuple[AsyncAPIResponse[AsyncStream[Any]], int]:
        """The response to a request, written anew for each field that the server refuses. The second value
        is the number of choices that were asked for in the end."""
        import openai

        for _ in range(_MOST_LESSONS):
            fields = self._habits.fields(request, choices)
            try:
                async with asyncio.timeout(self._patience.first):
                    return await stack.enter_async_context(self._post(request.prompt, fields)), choices
            except TimeoutError:
                raise silence(self._address.shown, self._patience.first) from None
            except openai.APIStatusError as error:
                refusal = read_refusal(error, self._key)
                if refusal.is_missing_model and self._models:
                    said = " ".join(missing_model(self._name, self._models, self._address.shown))
                    raise BackendError("refused", said, retry=False) from None
                if not self._habits.learn(refusal, fields):
                    raise fault_of(refusal, self._address.shown) from None
                choices = min(choices, self._habits.choices)
            except openai.OpenAIError as error:
                raise fault_of_connection(error, self._address.shown, sent=False) from None
        raise BackendError("refused", f"{self._address.shown} refuses every form of request.", retry=False)

    def _post(self, prompt: Prompt, fields: dict[str, Any]) -> Any:
        if self._client is None:
            raise RuntimeError("the backend is not open")
        if prompt.text is not None:
            plain = self._client.completions.with_streaming_response
            return plain.create(
                model=self._name, prompt=_sendable(prompt.text), stream=True, extra_body=fields
            )
        messages: Any = [
            {"role": message.role, "content": _sendable(message.content)} for message in prompt.messages
        ]
        chat = self._client.chat.completions.with_streaming_response
        return chat.create(model=self._name, messages=messages, stream=True, extra_body=fields)

    def _shortfall(self, reader: StreamReader | None, wanted: int) -> BackendError | None:
        """What to say of choices that were asked for and did not come."""
        if reader is None or reader.finished == wanted:
            return None
        server = self._address.shown
        complete = reader.done or reader.counted
        if complete and reader.finished and reader.most_index == reader.finished - 1:
            self._habits.choices = 1
            message = f"{server} draws one sample per request; the others are asked for singly."
            return BackendError("refused", message, retry=True)
        if reader.finished or reader.any_text:
            return BackendError("crashed", f"{server} closed the stream too early.", retry=True)
        return BackendError("malformed", f"{server} answered without a single sample.", retry=True)


def _sendable(text: str) -> str:
    """``text`` as JSON can carry it: half a surrogate pair becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _sizes(name: str) -> dict[str, Any]:
    """The sizes of a model that the catalog knows, as fields of ``ModelInfo``."""
    try:
        from budgets.catalog import size_of
    except ImportError:
        return {}
    size = size_of(name)
    if size is None:
        return {}
    return {
        "parameters": size.parameters,
        "active_parameters": size.active_parameters,
        "layers": size.layers,
        "hidden": size.hidden,
        "context": size.context,
    }

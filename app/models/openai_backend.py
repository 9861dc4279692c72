"""Samples from any server that speaks OpenAI's protocol, remote or local.

The openai client brings the bytes; what is in them is read here. A request asks for several choices at once
where the server can do that, so that their prompt is paid once. Nothing is retried in here but what was
refused without cost and can be asked differently: retries cost money, and the budget belongs to the run.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from app.errors import BadInput
from app.models.base import BackendError, ModelInfo, Piece, Progress, Prompt, Request
from app.models.openai_address import PRICED_UNDER, Address, read_address
from app.models.openai_asker import Asker, RefusedError, Source, messages_of, sendable
from app.models.openai_bound import prompt_tokens_at_most
from app.models.openai_client import Listed, find_model, make_client, missing_model
from app.models.openai_faults import fault_of_connection, read_refusal
from app.models.openai_habits import Habits
from app.models.openai_patience import Patience, bytes_of

if TYPE_CHECKING:
    from openai import AsyncOpenAI


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
        self._asker = Asker(
            self._address.shown, self._post, self._habits, self._patience, self.prompt_tokens_at_most
        )
        self._bound: tuple[Prompt, int] | None = None
        self._info = ModelInfo(
            name=shown_as or f"openai:{self._name}",
            kind="openai",
            local=local,
            server=self._address.shown,
            stops_when_told=stops_when_told,
            concurrency=concurrency,
            choices_per_request=choices_per_request,
            **sizes_of(self._name),
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
        self._asker.server = self._address.shown
        if listed is not None and listed.max_model_len:
            self._info = msgspec.structs.replace(self._info, context=listed.max_model_len)
        if listed is not None and listed.owned_by == "vllm":
            self._learn_of_vllm()
        report(Progress("ready", 1.0))

    def _learn_of_vllm(self) -> None:
        """vLLM counts as it goes. On this machine it costs no dollars of its own, hears at once that nobody
        listens any more, and gives log-probabilities for nothing."""
        self._habits.running_counts = True
        if self._address.loopback:
            self._habits.logprobs = True
            self._info = msgspec.structs.replace(self._info, local=True, stops_when_told=True)

    def prompt_tokens_at_most(self, prompt: Prompt) -> int:
        """See ``openai_bound``."""
        if self._bound is None or self._bound[0] is not prompt:
            self._bound = (prompt, prompt_tokens_at_most(prompt))
        return self._bound[1]

    async def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    def sample(self, request: Request) -> AsyncGenerator[Piece, None]:
        """Stream the choices of a request. Raises ``BackendError`` after all that came was yielded."""
        return self._asker.sample(request)

    @asynccontextmanager
    async def _post(self, prompt: Prompt, fields: dict[str, Any]) -> AsyncGenerator[Source, None]:
        """One request. Its faults are raised as ``RefusedError`` or ``BackendError`` before it yields."""
        import openai

        async with AsyncExitStack() as stack:
            try:
                response = await stack.enter_async_context(self._send(prompt, fields))
            except openai.APIStatusError as error:
                refusal = read_refusal(error, self._key)
                if refusal.is_missing_model and self._models:
                    said = " ".join(missing_model(self._name, self._models, self._address.shown))
                    raise BackendError("refused", said, retry=False) from None
                raise RefusedError(refusal) from None
            except openai.OpenAIError as error:
                raise fault_of_connection(error, self._address.shown, sent=False) from None
            yield lambda reader: bytes_of(response, reader, self._patience, self._address.shown)

    def _send(self, prompt: Prompt, fields: dict[str, Any]) -> Any:
        if self._client is None:
            raise RuntimeError("the backend is not open")
        if prompt.text is not None:
            plain = self._client.completions.with_streaming_response
            return plain.create(
                model=self._name, prompt=sendable(prompt.text), stream=True, extra_body=fields
            )
        messages: Any = messages_of(prompt)
        chat = self._client.chat.completions.with_streaming_response
        return chat.create(model=self._name, messages=messages, stream=True, extra_body=fields)


def sizes_of(name: str) -> dict[str, Any]:
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

"""A vLLM server that scores, as the reward models here need it: JSON out, and answers that may be broken.

The server's own addresses (``/tokenize``, ``/classify``, ``/pooling``) stand beside ``/v1``, not under it. An
answer that is a web page, is cut short, or holds something else than was asked for is a ``BackendError``; a
number that is none (``NaN``) is handed on, so that it costs one solution its reward and not the whole batch.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from app.errors import PartMissing
from app.models.base import BackendError, Progress
from app.models.openai_address import Address, read_address
from app.models.openai_client import find_model, make_client
from app.models.openai_faults import fault_of, fault_of_connection, read_refusal
from app.models.rewards.fitting import Conversation, fitted, split_at
from verifiers.rewards.quoting import harmless
from verifiers.safe_text import clean

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from app.models.vllm_plan import Wanted
    from app.models.vllm_server import VllmServer

_NOT_YET_KNOWN = "http://127.0.0.1/v1"
Form = TypeVar("Form")

SECONDS = 300.0
"""How long one batch may take."""
_MOST_REMEMBERED = 256  # problems


class Tokens(msgspec.Struct, frozen=True):
    """What ``/tokenize`` answers."""

    tokens: list[int]
    max_model_len: int


class RewardServer:
    """One model behind one vLLM server: the one at ``base_url``, or without that one on this machine, found
    or started as ``wanted`` says and let go in the end. ``open`` and ``close`` once each."""

    def __init__(
        self,
        name: str,
        base_url: str | None,
        api_key: str | None = None,
        *,
        wanted: Wanted | None = None,
        hold: Callable[[Wanted], Awaitable[VllmServer]] | None = None,
    ) -> None:
        self.name = name
        self.context: int | None = None
        self._address: Address = read_address(base_url or _NOT_YET_KNOWN)
        self._key = (api_key or "").strip()
        self._wanted, self._hold = (None if base_url else wanted), hold
        self._held: VllmServer | None = None
        self._client: AsyncOpenAI | None = None
        self._heads: dict[str, tuple[int, ...]] = {}
        self._has_template = True

    @property
    def shown(self) -> str:
        """The server's name for people."""
        return self._address.shown

    @property
    def ours(self) -> bool:
        """Whether it is found or started here, rather than named by its address."""
        return self._wanted is not None

    @property
    def ended(self) -> str | None:
        """Why the server that is held here has ended, ``None`` while it has not."""
        if self._held is None or self._held.alive:
            return None
        return self._held.why or "it did not say why"

    @property
    def loopback(self) -> bool:
        return self._address.loopback

    async def open(self, report: Callable[[Progress], None]) -> None:
        """Check address, key and model. Raises ``PartMissing`` or ``BadInput``."""
        try:
            if self._wanted is not None:
                await self._start(self._wanted, report)
            report(Progress(f"asking {self.shown} for its reward model"))
            self._client = await make_client(self._address, self._key)
            self._address, _, _ = await find_model(self._client, self._address, self.name, self._key)
            self.context = (await self._tokens({"prompt": "x"})).max_model_len
            self._has_template = await self._renders()
        except BackendError as error:
            await self.close()
            fix = "Start it with: monkeys models serve --reward, or vllm serve --runner pooling."
            raise PartMissing(
                f"{self.shown} is no vLLM server that can score: {error.message}", fix
            ) from None
        except BaseException:
            await self.close()
            raise
        report(Progress("ready", 1.0))

    async def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()
        if self._held is not None:
            held, self._held = self._held, None
            await held.close()

    async def _start(self, wanted: Wanted, report: Callable[[Progress], None]) -> None:
        from app.models.vllm_server import hold_server

        report(Progress("looking for vLLM"))
        self._held = await (self._hold or hold_server)(wanted)
        await self._held.wait_until_ready(report)
        self._address = read_address(f"{self._held.root}/v1")
        self.name = self._held.about.served_as

    async def offers(self, path: str) -> bool:
        """Whether the server scores at ``path``, tried on one short text: an address may be there and say
        that the model does not support it."""
        try:
            await self.post(path, {"input": [list(await self.text_tokens("x"))]})
        except BackendError as error:
            if error.kind == "refused" or "(501)" in error.message:
                return False
            raise
        return True

    async def conversation(self, problem: str, solution: str, *, reserve: int = 0) -> Conversation:
        """Problem and solution in the model's own template and tokens, short enough to leave ``reserve``
        tokens of its context; of a longer solution the end."""
        problem, solution = harmless(clean(problem)), harmless(clean(solution))
        whole = (await self._tokens(self._asked(problem, solution))).tokens
        return self.fitted(*split_at(await self.head(problem), whole), reserve)

    def fitted(self, head: tuple[int, ...], body: tuple[int, ...], reserve: int = 0) -> Conversation:
        """See ``fitting``."""
        return fitted(head, body, (self.context or 1) - reserve)

    async def head(self, problem: str) -> tuple[int, ...]:
        """All that stands before a solution, in tokens."""
        if (known := self._heads.get(problem)) is not None:
            return known
        head = tuple((await self._tokens(self._asked(problem, None))).tokens)
        if len(self._heads) >= _MOST_REMEMBERED:
            self._heads.pop(next(iter(self._heads)))
        self._heads[problem] = head
        return head

    async def text_tokens(self, text: str) -> tuple[int, ...]:
        """The tokens of ``text`` alone, none added."""
        return tuple((await self._tokens({"prompt": text, "add_special_tokens": False})).tokens)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """The server's answer as plain values. Raises ``BackendError``."""
        import httpx
        import openai

        if self._client is None:
            raise RuntimeError("open first")
        url = self._address.url.removesuffix("/v1") + path
        try:
            async with asyncio.timeout(SECONDS):
                response = await self._client.post(
                    url, body={"model": self.name, **body}, cast_to=httpx.Response
                )
        except TimeoutError:
            fault = f"{self.shown} did not score within {SECONDS:g} seconds."
            raise BackendError("timeout", fault, retry=True) from None
        except openai.APIStatusError as error:
            raise fault_of(read_refusal(error, self._key), self.shown) from None
        except openai.OpenAIError as error:
            if self._held is not None and await self._held.died():
                words = f"The vLLM server of {self.name} ended: {self.ended}"
                raise BackendError("crashed", words, retry=False) from None
            raise fault_of_connection(error, self.shown, sent=True) from None
        if "html" in response.headers.get("content-type", ""):
            fault = f"{self.shown} answers with a web page; check the base URL."
            raise BackendError("malformed", fault, retry=False)
        try:
            return json.loads(response.content)  # unlike msgspec it reads NaN, which such servers send
        except (ValueError, RecursionError):
            said = "nothing" if not response.content.strip() else "something else than JSON"
            raise BackendError("malformed", f"{self.shown} answered {said}.", retry=True) from None

    def _asked(self, problem: str, solution: str | None) -> dict[str, Any]:
        if not self._has_template:
            return {"prompt": f"{problem}\n\n{solution or ''}"}
        messages = [{"role": "user", "content": problem}]
        if solution is None:
            return {"messages": messages, "add_generation_prompt": True}
        messages.append({"role": "assistant", "content": solution})
        return {"messages": messages, "add_generation_prompt": False}

    async def _renders(self) -> bool:
        """Whether the server has a chat template for its model."""
        try:
            await self._tokens(self._asked("x", "x"))
        except BackendError as error:
            if error.retry or error.kind == "auth":
                raise
            return False
        return True

    async def _tokens(self, asked: dict[str, Any]) -> Tokens:
        return converted(await self.post("/tokenize", asked), Tokens, self.shown)


def converted(answer: Any, form: type[Form], server: str) -> Form:
    """``answer`` in the ``form`` that was expected. Raises ``BackendError`` (``malformed``)."""
    try:
        return msgspec.convert(answer, form)
    except msgspec.ValidationError as error:
        words = f"{server} answered in another form than a vLLM server does: {error}."
        raise BackendError("malformed", words, retry=False) from None


def in_order(data: Sequence[Any], wanted: int, server: str) -> list[Any]:
    """The parts of an answer by their ``index``. Raises ``BackendError`` where some are missing."""
    parts = sorted(data, key=lambda part: part.index)
    if [part.index for part in parts] != list(range(wanted)):
        words = f"{server} scored {len(parts)} solutions where {wanted} were given."
        raise BackendError("malformed", words, retry=True)
    return parts

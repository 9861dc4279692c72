"""An OpenAI-compatible server that keeps its own bill, and can be told to misbehave.

It answers from a script: the sample with seed s is always the same text. It bills as a provider does: the
prompt as soon as a valid request is there, and every completion token it made, whether or not anybody was
still listening. What our own books say can then be held against what this server says.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from types import TracebackType
from typing import Any, Literal

import msgspec
from aiohttp import web

Fault = Literal[
    "429", "429-wait", "500", "503", "cut", "cut-first", "hang", "hang-first", "loris", "malformed",
    "truncated", "empty", "error-event", "no-usage", "zero-usage", "half-usage", "negative-usage",
    "absurd-usage", "no-done", "revoked",
]  # fmt: skip
USAGE_FAULTS = frozenset({"no-usage", "zero-usage", "half-usage", "negative-usage", "absurd-usage"})
KEY = "sk-a-key-for-this-server-only"


def scripted_words(seed: int) -> list[str]:
    """The tokens of the sample with this seed: 4 to 43 of them, ending in an answer."""
    chance = random.Random(seed)
    words = [f"step{chance.randrange(100)} " for _ in range(chance.randrange(40))]
    return [*words, "The ", "answer ", "is ", str(chance.randrange(5))]


@dataclass
class Bill:
    """What one request costs. ``reported``: the client was told the truth about it, to the end."""

    request: int
    seed: int
    choices: int
    prompt_tokens: int
    completion_tokens: int = 0
    reported: bool = False
    usd: Decimal = Decimal(0)


@dataclass
class Manners:
    """How the server behaves. ``fault`` names the fault of request number i, if it has one.

    ``bills_on``: a completion is made and billed whole even when the client is gone. ``n``: what it does
    about requests for several choices. ``room``: how many requests it takes at once. ``pace``: seconds
    between two tokens.
    """

    models: tuple[str, ...] = ("m",)
    key: str | None = KEY
    fault: Callable[[int], Fault | None] = lambda _: None
    bills_on: bool = True
    n: Literal["taken", "refused", "ignored"] = "taken"
    room: int | None = None
    refuses: tuple[str, ...] = ()
    wants_max_completion_tokens: bool = False
    pace: float = 0.0
    tokens_per_chunk: int = 1
    thoughts: int = 0
    input_usd: Decimal = Decimal("0.00000015")
    output_usd: Decimal = Decimal("0.0000006")
    cached_tokens: int = 0
    cached_usd: Decimal | None = None
    reasoning_usd: Decimal | None = None
    words: Callable[[int], list[str]] = scripted_words
    listed: bool = True
    folder: str = "/v1"
    context: int = 100_000
    owner: str = "test"
    retrieves: bool = True


@dataclass
class Seen:
    """What reached the server, for tests to look at."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    open_now: int = 0
    most_open: int = 0
    turned_away: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    connections: set[object] = field(default_factory=set)


class BillingServer:
    """Runs in a thread of its own on a free loopback port while it is entered as a context."""

    def __init__(self, manners: Manners | None = None) -> None:
        self.manners = manners or Manners()
        self.bills: list[Bill] = []
        self.seen = Seen()
        self.port = 0
        self._requests = 0
        self._transports: set[asyncio.Transport] = set()
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="billing-server", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.manners.folder}"

    @property
    def usd(self) -> Decimal:
        """The whole bill."""
        return sum((bill.usd for bill in self.bills), Decimal(0))

    def __enter__(self) -> BillingServer:
        self._thread.start()
        if not self._up.wait(10):
            raise RuntimeError("the test server does not come up")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def die(self) -> None:
        """Break all connections, and listen no more."""

        def now() -> None:
            for transport in self._transports:
                transport.abort()
            self._loop.stop()

        self._loop.call_soon_threadsafe(now)
        self._thread.join(10)

    def wait_idle(self, seconds: float = 5.0) -> None:
        """Until no request is being worked on, so that the bill is final."""
        import time

        end = time.monotonic() + seconds
        while self.seen.open_now and time.monotonic() < end:
            time.sleep(0.005)
        if self.seen.open_now:
            raise AssertionError(f"{self.seen.open_now} requests are still open")

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", self.port, backlog=1024)
        self._loop.run_until_complete(site.start())
        self.port = runner.addresses[0][1]
        self._up.set()
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(runner.cleanup())
            self._loop.close()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024**2)
        folder = self.manners.folder
        app.router.add_get(f"{folder}/models", self._list)
        app.router.add_get(f"{folder}/models/{{name:.+}}", self._retrieve)
        app.router.add_post(f"{folder}/chat/completions", self._complete)
        app.router.add_post(f"{folder}/completions", self._complete)
        return app

    async def _list(self, request: web.Request) -> web.Response:
        if refused := self._bad_key(request):
            return refused
        if not self.manners.listed:
            return _error(404, "Not Found")
        return web.json_response(
            {
                "object": "list",
                "data": [{"id": name, "owned_by": self.manners.owner} for name in self.manners.models],
            }
        )

    async def _retrieve(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if not self.manners.retrieves:
            return _error(404, "Not Found")
        if name in self.manners.models:
            return web.json_response({"id": name, "object": "model"})
        return _error(404, f"The model `{name}` does not exist", code="model_not_found")

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        self.seen.open_now += 1
        if isinstance(request.transport, asyncio.Transport):
            self._transports.add(request.transport)
            self.seen.connections.add(request.transport.get_extra_info("peername"))
        self.seen.most_open = max(self.seen.most_open, self.seen.open_now)
        try:
            return await self._answer(request)
        except ConnectionError:  # the client left before it had asked
            return web.Response(status=499)
        finally:
            self.seen.open_now -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.seen.bodies.append(body)
        if refused := self._bad_key(request) or self._bad_request(body):
            return refused
        if self.manners.room is not None and self.seen.open_now > self.manners.room:
            self.seen.turned_away += 1
            return _error(429, "Too many at once", headers={"Retry-After": "0.5"})
        number = self._requests
        self._requests += 1
        fault = self.manners.fault(number)
        if fault is not None:
            self.seen.faults[fault] = self.seen.faults.get(fault, 0) + 1
        if fault == "429":
            return _error(429, "Slow down", code="rate_limit_exceeded")
        if fault == "429-wait":
            return _error(429, "Slow down", headers={"Retry-After": "0.02"})
        if fault == "503":
            return _error(503, "Overloaded")
        if fault == "revoked":
            return _error(401, f"Incorrect API key provided: {KEY}")
        job = _Job(self.manners, body)
        bill = Bill(number, body.get("seed", 0), job.choices, job.prompt_tokens)
        self.bills.append(bill)
        self._charge(bill, 0)
        if fault == "500":
            self._charge(bill, job.total)
            return _error(500, "Something broke")
        return await self._stream(request, job, bill, fault)

    async def _stream(
        self, request: web.Request, job: _Job, bill: Bill, fault: Fault | None
    ) -> web.StreamResponse:
        manners = self.manners
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        try:
            await response.prepare(request)
            await self._stream_body(request, response, job, bill, fault)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            if manners.bills_on:
                self._charge(bill, job.total)
        return response

    async def _stream_body(
        self,
        request: web.Request,
        response: web.StreamResponse,
        job: _Job,
        bill: Bill,
        fault: Fault | None,
    ) -> None:
        pace = self.manners.pace
        half = 0 if fault in ("cut-first", "hang-first", "empty") else job.total // 2
        if fault != "empty":
            for tokens, payload in job.events():
                if fault is not None and bill.completion_tokens >= half:
                    if await self._misbehave(request, response, fault, payload):
                        return
                    if fault not in USAGE_FAULTS and fault != "no-done":
                        fault = None
                self._charge(bill, bill.completion_tokens + tokens)
                await response.write(payload)
                if pace:
                    await asyncio.sleep(pace)
        usage = job.usage(fault)
        if usage is not None and job.wants_usage:
            await response.write(_event({"choices": [], "usage": usage}))
        if fault != "no-done":
            await response.write(b"data: [DONE]\n\n")
        bill.reported = fault is None and job.wants_usage
        await response.write_eof()

    async def _misbehave(
        self, request: web.Request, response: web.StreamResponse, fault: Fault, payload: bytes
    ) -> bool:
        """Do what the fault is. True where nothing comes after it."""
        transport = request.transport
        if fault in ("cut", "cut-first"):
            if transport is not None:
                transport.abort()
            return True
        if fault in ("hang", "hang-first", "loris"):
            while request.transport is not None and not request.transport.is_closing():
                if fault == "loris":
                    await response.write(b"d")
                await asyncio.sleep(0.02)
            return True
        if fault == "malformed":
            await response.write(b'data: {"choices": [{"index": 0, "delta": {"content": 7}}]}\n\n')
            return True
        if fault == "truncated":
            await response.write(payload[: len(payload) // 2])
            await response.write_eof()
            return True
        if fault == "error-event":
            await response.write(_event({"error": {"message": "The engine died", "code": 500}}))
            return True
        return False

    def _charge(self, bill: Bill, completion_tokens: int) -> None:
        bill.completion_tokens = max(bill.completion_tokens, completion_tokens)
        rates = self.manners
        cached = min(rates.cached_tokens, bill.prompt_tokens)
        thoughts = min(rates.thoughts * bill.choices, bill.completion_tokens)
        bill.usd = (
            (bill.prompt_tokens - cached) * rates.input_usd
            + cached * (rates.cached_usd or rates.input_usd)
            + (bill.completion_tokens - thoughts) * rates.output_usd
            + thoughts * (rates.reasoning_usd or rates.output_usd)
        )

    def _bad_key(self, request: web.Request) -> web.Response | None:
        key = self.manners.key
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if key is not None and sent != key:
            return _error(401, f"Incorrect API key provided: {sent}", code="invalid_api_key")
        return None

    def _bad_request(self, body: dict[str, Any]) -> web.Response | None:
        manners = self.manners
        if body["model"] not in manners.models:
            return _error(404, f"The model `{body['model']}` does not exist", code="model_not_found")
        for name in manners.refuses:
            if name in body:
                message = f"Unsupported parameter: '{name}' is not supported with this model."
                return _error(400, message, code="unsupported_parameter", param=name)
        if manners.wants_max_completion_tokens and "max_tokens" in body:
            message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            return _error(400, message, code="unsupported_parameter", param="max_tokens")
        if len(body.get("stop", ())) > 4:
            message = "Invalid 'stop': array too long. Expected an array with maximum length 4."
            return _error(400, message, code="array_above_max_length", param="stop")
        if not (body.get("max_tokens") or body.get("max_completion_tokens")):
            return _error(400, "max_tokens is required")
        if body.get("n", 1) > 1 and manners.n == "refused":
            return _error(400, "Unsupported value: 'n' must be 1.", param="n")
        if _prompt_tokens(body) > manners.context:
            message = f"This model's maximum context length is {manners.context} tokens."
            return _error(400, message, code="context_length_exceeded", param="messages")
        return None


class _Job:
    """One valid request: the tokens of its choices, and the events that carry them."""

    def __init__(self, manners: Manners, body: dict[str, Any]) -> None:
        self.choices = 1 if manners.n == "ignored" else body.get("n", 1)
        self.prompt_tokens = _prompt_tokens(body)
        self.wants_usage = body.get("stream_options", {}).get("include_usage", False)
        self._plain = "prompt" in body
        self._per_chunk = manners.tokens_per_chunk
        limit = body.get("max_tokens") or body["max_completion_tokens"]
        self._thoughts = manners.thoughts
        self._cached = manners.cached_tokens
        self._tokens = []
        self._reasons = []
        for choice in range(self.choices):
            tokens = ["thinking "] * manners.thoughts + manners.words(body.get("seed", 0) + choice)
            self._reasons.append("length" if len(tokens) > limit else "stop")
            self._tokens.append(tokens[:limit])
        self.total = sum(len(tokens) for tokens in self._tokens)

    def usage(self, fault: Fault | None) -> dict[str, Any] | None:
        completion = {
            "no-usage": None,
            "zero-usage": 0,
            "half-usage": self.total // 2,
            "negative-usage": -5,
            "absurd-usage": 10**12,
        }.get(fault or "", self.total)
        if completion is None:
            return None
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
            "prompt_tokens_details": {"cached_tokens": min(self._cached, self.prompt_tokens)},
            "completion_tokens_details": {"reasoning_tokens": self._thoughts * self.choices},
        }

    def events(self) -> Iterator[tuple[int, bytes]]:
        """(tokens, event), the choices taking turns."""
        places = [0] * self.choices
        for index in range(self.choices):
            yield 0, self._piece(index, {"role": "assistant", "content": ""}, None)
        while any(place <= len(tokens) for place, tokens in zip(places, self._tokens, strict=True)):
            for index, tokens in enumerate(self._tokens):
                place = places[index]
                if place > len(tokens):
                    continue
                if place == len(tokens):
                    places[index] += 1
                    yield 0, self._piece(index, {}, self._reasons[index])
                    continue
                thinking = place < self._thoughts
                end = min(place + self._per_chunk, self._thoughts if thinking else len(tokens))
                text = "".join(tokens[place:end])
                places[index] = end
                yield (
                    end - place,
                    self._piece(index, {"reasoning_content" if thinking else "content": text}, None),
                )

    def _piece(self, index: int, delta: dict[str, str], reason: str | None) -> bytes:
        choice: dict[str, Any] = {"index": index, "finish_reason": reason}
        if self._plain:
            choice["text"] = delta.get("content", "")
        else:
            choice["delta"] = delta
        return _event({"id": "x", "object": "chunk", "model": "m", "choices": [choice], "usage": None})


def _prompt_tokens(body: dict[str, Any]) -> int:
    if "prompt" in body:
        return len(str(body["prompt"]).split()) + 1
    return sum(len(message["content"].split()) + 4 for message in body["messages"]) + 3


def _event(fields: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(fields) + b"\n\n"


def _error(
    status: int,
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    body = {"error": {"message": message, "type": "error", "code": code, "param": param}}
    return web.json_response(body, status=status, headers=headers)


def some_faults(share: float, kinds: tuple[Fault, ...], seed: int) -> Callable[[int], Fault | None]:
    """A fault for about ``share`` of all requests, of every kind in turn, the same for the same ``seed``."""

    def fault(number: int) -> Fault | None:
        chance = random.Random(seed * 1_000_003 + number)
        return chance.choice(kinds) if chance.random() < share else None

    return fault


@contextmanager
def serving(manners: Manners | None = None) -> Iterator[BillingServer]:
    with BillingServer(manners) as server:
        yield server

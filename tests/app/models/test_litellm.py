"""LiteLLM in its own process: what is said over the pipe, and what is made of what it says.

One real process is started, on a loopback provider; everything else runs on a stand-in for the library.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from app.errors import BadInput, PartMissing
from app.models.base import (
    BackendError,
    ChoiceDone,
    Delta,
    Message,
    Piece,
    Prompt,
    PromptRead,
    Request,
    Settings,
)
from app.models.litellm_backend import LiteLLMBackend
from app.models.litellm_child import Child, SharedChild, shared_child
from app.models.litellm_faults import plain_words, read_fault
from app.models.litellm_providers import FAMILIAR, missing_variables, provider_of
from app.models.litellm_wire import Account, Ask, Event, Fault, Look, Stop
from app.models.litellm_worker import Worker, load_litellm
from app.models.openai_faults import Refusal
from app.models.openai_patience import Patience
from app.runs.launch import Launcher
from app.runs.plan import Plan
from budgets.amounts import Budget
from budgets.prices import Usage, price_of
from tests.app.runs.rigs import SUM, ListStore
from tests.servers.billing import KEY, BillingServer, Manners, scripted_words
from tests.servers.billing import Fault as ServerFault

MODEL = "openai/gpt-4o-mini"
PROMPT = Prompt(messages=(Message("user", "What is 17 + 26?"),))
HERE = Account(MODEL, "the provider", "", KEY)


def manners(fault: ServerFault | None = None, **options: object) -> Manners:
    return Manners(models=("gpt-4o-mini",), fault=lambda _: fault, **options)  # type: ignore[arg-type]


async def play(backend: LiteLLMBackend, seed: int = 7, *, prompt: Prompt = PROMPT) -> list[Piece]:
    async with aclosing(backend.sample(Request(prompt, Settings(max_tokens=64), 1, seed))) as pieces:
        return [piece async for piece in pieces]


def on(server: BillingServer, between: float = 10.0) -> LiteLLMBackend:
    patience = Patience(first=60.0, between=between)
    return LiteLLMBackend(MODEL, base_url=server.url, keys={"openai": KEY}, patience=patience)


async def test_the_real_thing_against_a_loopback_provider() -> None:
    """One start of LiteLLM (it takes seconds), and all that only the real one can show."""
    keep = shared_child()
    await keep.join(lambda _: None)
    pid = (await keep.child()).pid
    assert pid is not None
    try:
        await _samples_and_costs()
        await _a_run_pays_what_litellm_says()
        await _faults_are_told_apart()
        await _cancelling_reaches_the_provider()
        await _a_plain_completion()
        await _a_death_is_a_fault_of_what_was_in_flight()
    finally:
        await keep.leave()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def _samples_and_costs() -> None:
    with BillingServer(manners(thoughts=3, cached_tokens=5)) as server:
        backend = on(server)
        await backend.open(lambda _: None)
        pieces = await play(backend)
        await backend.close()
        bill = server.bills[0]
        [done] = [piece for piece in pieces if isinstance(piece, ChoiceDone)]
        assert "".join(piece.text for piece in pieces if isinstance(piece, Delta)) == "".join(
            scripted_words(7)
        )
        assert PromptRead(bill.prompt_tokens, 5) in pieces
        assert (done.completion_tokens, done.reasoning_tokens) == (bill.completion_tokens, 3)
        assert (done.reason, done.estimated) == ("stop", False)
        body = server.seen.bodies[0]
        assert (body["max_tokens"], body["seed"], body["temperature"]) == (64, 7, 0.6)
        assert bill.prompt_tokens <= backend.prompt_tokens_at_most(PROMPT)


async def _a_run_pays_what_litellm_says() -> None:
    price = price_of("gpt-4o-mini")
    assert price is not None
    with BillingServer(manners()) as server:
        launcher = Launcher(lambda _: on(server))
        plan = Plan(
            models=(MODEL,), settings=Settings(max_tokens=64), budget=Budget(samples=12), concurrency=4
        )
        store = ListStore()
        engine = launcher.open_run(SUM, plan, store=store, run_id="r")
        async for _ in engine.run():
            pass
        await launcher.close()
        books = engine.state.books
        assert (engine.state.status, engine.state.finished) == ("completed", 12)
        owed = sum(price.cost(Usage(bill.prompt_tokens, bill.completion_tokens)) for bill in server.bills)
        assert books.known.usd == books.at_most.usd == owed == server.usd
        assert KEY not in repr(store.events)


async def _faults_are_told_apart() -> None:
    kinds_of: dict[ServerFault, tuple[str, bool]] = {
        "429-wait": ("rate-limit", True),
        "503": ("rate-limit", True),
        "500": ("server", True),
        "revoked": ("auth", False),
        "cut": ("crashed", True),
        "cut-first": ("crashed", True),
        "malformed": ("crashed", True),
        "truncated": ("crashed", True),
        "empty": ("malformed", True),
        "error-event": ("server", True),
        "hang": ("timeout", True),
    }
    for fault, kinds in kinds_of.items():
        with BillingServer(manners(fault)) as server:
            backend = on(server, between=0.3 if fault == "hang" else 10.0)
            await backend.open(lambda _: None)
            with pytest.raises(BackendError) as raised:
                await play(backend)
            await backend.close()
            assert (raised.value.kind, raised.value.retry) == kinds, fault
            assert KEY not in raised.value.message
            assert "litellm" not in raised.value.message.lower()
            assert raised.value.retry_after == (0.02 if fault == "429-wait" else None)
            assert len(server.seen.bodies) == 1  # nothing was retried in there
    with BillingServer(manners("no-usage")) as server:
        backend = on(server)
        await backend.open(lambda _: None)
        [done] = [piece for piece in await play(backend) if isinstance(piece, ChoiceDone)]
        await backend.close()
        assert done.estimated
        assert done.at_most == 64
    away = LiteLLMBackend(MODEL, base_url="http://127.0.0.1:9", keys={"openai": KEY})
    await away.open(lambda _: None)
    with pytest.raises(BackendError, match=r"No connection to 127\.0\.0\.1:9") as refused:
        await play(away)
    await away.close()
    assert (refused.value.kind, refused.value.retry) == ("refused", True)
    with pytest.raises(BadInput, match="does not know foo/bar"):
        await LiteLLMBackend("foo/bar").open(lambda _: None)


async def _cancelling_reaches_the_provider() -> None:
    with BillingServer(manners(pace=0.05)) as server:
        backend = on(server)
        await backend.open(lambda _: None)
        task = asyncio.create_task(play(backend))
        async with asyncio.timeout(10):
            while not server.bills:  # noqa: ASYNC110 - the server is in another thread
                await asyncio.sleep(0.01)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await asyncio.to_thread(server.wait_idle, 2.0)
        await backend.close()


async def _a_plain_completion() -> None:
    with BillingServer(manners()) as server:
        backend = LiteLLMBackend(
            "text-completion-openai/gpt-4o-mini", base_url=server.url, keys={"openai": KEY}
        )
        await backend.open(lambda _: None)
        pieces = await play(backend, prompt=Prompt(text="Q: What is 17 + 26?\nA:"))
        await backend.close()
        assert server.seen.bodies[0]["prompt"] == "Q: What is 17 + 26?\nA:"
        assert "".join(piece.text for piece in pieces if isinstance(piece, Delta)) == "".join(
            scripted_words(7)
        )


async def _a_death_is_a_fault_of_what_was_in_flight() -> None:
    with BillingServer(manners(pace=0.02)) as server:
        backend = on(server)
        await backend.open(lambda _: None)
        task = asyncio.create_task(play(backend))
        async with asyncio.timeout(10):
            while not server.bills:  # noqa: ASYNC110 - the server is in another thread
                await asyncio.sleep(0.01)
        os.kill((await shared_child().child()).pid or 0, 9)
        with pytest.raises(BackendError, match="LiteLLM's process ended") as raised:
            await task
        assert (raised.value.kind, raised.value.retry) == ("crashed", True)
        await backend.close()


# -- the worker, on a stand-in ----------------------------------------------------------------------------


class Stream:
    """What LiteLLM hands out: chunks, and what the provider itself has said so far."""

    def __init__(self, *chunks: Any, reason: str | None = "stop") -> None:
        self.received_finish_reason = reason
        self.chunks = list(chunks)
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[Any]:
        for chunk in self.chunks:
            yield chunk
            await asyncio.sleep(0)

    async def aclose(self) -> None:
        self.closed = True


def chunk(text: str = "", reason: str | None = None, usage: Any = None) -> Any:
    choice = SimpleNamespace(
        index=0, finish_reason=reason, delta=SimpleNamespace(content=text, reasoning_content=None)
    )
    return SimpleNamespace(choices=[choice], usage=usage)


class Library:
    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    async def acompletion(self, **fields: Any) -> Any:
        self.asked.append(fields)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def get_llm_provider(self, model: str, **_: Any) -> tuple[str, str, None, None]:
        provider, slash, name = model.partition("/")
        if not slash:
            raise ValueError("unknown")
        return name, provider, None, None

    def get_supported_openai_params(self, **_: Any) -> list[str]:
        return ["temperature", "max_tokens"]

    def validate_environment(self, **_: Any) -> dict[str, list[str]]:
        return {"missing_keys": ["ACME_API_KEY"]}


async def told_by(library: Library, *commands: Any) -> list[Event]:
    told: list[Event] = []
    worker = Worker(library, told.append)
    for command in commands:
        worker.do(command)
    for _ in range(20):
        await asyncio.sleep(0)
    return told


def ask(number: int = 1) -> Ask:
    return Ask(number, HERE, {"max_tokens": 5}, [{"role": "user", "content": "hi"}])


async def test_the_worker_sends_a_request_once_without_retries_of_its_own() -> None:
    library = Library(Stream(chunk("a"), chunk(reason="stop")))
    told = await told_by(library, ask())
    [sent] = library.asked
    assert (sent["num_retries"], sent["max_retries"], sent["stream"]) == (0, 0, True)
    assert (sent["api_key"], "api_base" in sent, sent["max_tokens"]) == (KEY, False, 5)
    texts = [msgspec.json.decode(event.chunk) for event in told if event.chunk]
    assert texts == [
        {"choices": [{"index": 0, "delta": {"content": "a"}}]},
        {"choices": [{"index": 0, "finish_reason": "stop"}]},
    ]
    assert (told[-1].end, told[-1].whole) == (True, True)
    assert library.answer.closed


async def test_an_end_that_litellm_made_up_is_not_passed_on() -> None:
    told = await told_by(Library(Stream(chunk("a"), chunk(reason="stop"), reason=None)), ask())
    assert [msgspec.json.decode(event.chunk) for event in told if event.chunk] == [
        {"choices": [{"index": 0, "delta": {"content": "a"}}]}
    ]
    assert (told[-1].end, told[-1].whole) == (True, False)


async def test_a_request_that_is_given_up_is_closed_and_answers_nothing_more() -> None:
    library = Library(Stream(*[chunk("a")] * 1000))
    told: list[Event] = []
    worker = Worker(library, told.append)
    worker.do(ask())
    for _ in range(5):
        await asyncio.sleep(0)
    worker.do(Stop(1))
    for _ in range(5):
        await asyncio.sleep(0)
    count = len(told)
    await asyncio.sleep(0)
    assert len(told) == count
    assert not any(event.end for event in told)
    assert library.answer.closed


async def test_a_model_is_looked_at_without_asking_anybody() -> None:
    known, unknown = await told_by(Library(None), Look(1, Account("acme/x", "")), Look(2, Account("x", "")))
    assert known.looked is not None
    assert unknown.looked is not None
    assert (known.looked.provider, known.looked.missing) == ("acme", ("ACME_API_KEY",))
    assert "temperature" in known.looked.fields
    assert unknown.looked.unknown


# -- what its exceptions mean -----------------------------------------------------------------------------


class RateLimitError(Exception):
    status_code = 429
    message = "litellm.RateLimitError: RateLimitError: AcmeException - Slow down"
    litellm_response_headers = {"Retry-After": "3"}  # noqa: RUF012


class APIConnectionError(Exception):
    status_code = 500
    message = "litellm.APIConnectionError: AcmeException - something\nTraceback (most recent call last): …"


class ReadError(Exception):
    pass


def test_a_providers_answer_keeps_its_status_and_its_wait() -> None:
    found = read_fault(RateLimitError(), "acme", started=False, key="")
    assert isinstance(found, Refusal)
    assert (found.status, found.told.message, found.retry_after) == (429, "Slow down", 3.0)


def test_what_happens_in_mid_stream_is_never_free_of_charge() -> None:
    found = read_fault(RateLimitError(), "acme", started=True, key="")
    assert isinstance(found, Fault)
    assert (found.kind, found.retry) == ("server", True)


def test_a_broken_connection_is_told_from_a_fault_of_the_provider() -> None:
    broken = APIConnectionError()
    broken.__cause__ = ReadError()
    assert read_fault(broken, "acme", started=False, key="") == Fault(
        "crashed", "The connection to acme broke.", True
    )
    assert read_fault(APIConnectionError(), "acme", started=False, key="") == Fault(
        "server", "The server broke off with an error: something", True
    )


def test_no_key_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", "a-key-of-acme-0123")
    error = ValueError("bad key a-key-of-acme-0123 or my-own-key-77, see https://me:secret@host/")
    words = plain_words(error, "my-own-key-77")
    assert "0123" not in words
    assert "77" not in words
    assert "secret" not in words


# -- who serves a name, and what is missing ---------------------------------------------------------------


def test_what_a_provider_still_needs() -> None:
    assert missing_variables("anthropic", {}) == ("ANTHROPIC_API_KEY",)
    assert missing_variables("anthropic", {"ANTHROPIC_AUTH_TOKEN": "x"}) == ()
    assert missing_variables("azure", {"AZURE_API_KEY": "x"}) == ("AZURE_API_BASE", "AZURE_API_VERSION")
    assert missing_variables("gemini", {"GOOGLE_API_KEY": "x"}) == ()
    assert missing_variables("ollama", {}) == ()
    assert missing_variables("somebody-new", {}) == ("SOMEBODY_NEW_API_KEY",)
    assert missing_variables("mistral", {}, {"mistral": "x"}) == ()
    assert missing_variables("mistral", {"MISTRAL_API_KEY": ""}) == ("MISTRAL_API_KEY",)


def test_names_that_are_nobodys() -> None:
    assert provider_of("foo/bar") is None
    assert provider_of("no-such-model") is None
    assert all(provider_of(f"{name}/some-model") == name for name in FAMILIAR)


async def test_a_missing_key_is_said_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(PartMissing, match="key for anthropic is missing") as caught:
        await LiteLLMBackend("anthropic/claude-sonnet-4-5").open(lambda _: None)
    assert caught.value.fix == "Set it: export ANTHROPIC_API_KEY=…"


async def test_one_process_serves_all_and_is_replaced_when_it_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Stand] = []

    class Stand:
        def __init__(self) -> None:
            self.alive = False

        async def start(self) -> None:
            self.alive = True
            started.append(self)

        async def close(self) -> None:
            self.alive = False

    monkeypatch.setattr("app.models.litellm_child.Child", Stand)
    shared = SharedChild()
    await asyncio.gather(*(shared.join(lambda _: None) for _ in range(5)))
    assert len(started) == 1
    started[0].alive = False
    replaced: object = await shared.child()
    assert replaced is started[1]
    for _ in range(5):
        await shared.leave()
    assert not started[1].alive
    await shared.join(lambda _: None)
    assert len(started) == 3


@pytest.mark.parametrize("release", ["1.82.7", "1.82.8", "1.107.0"])
def test_a_compromised_release_is_never_imported(release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.models.litellm_worker.version", lambda _: release)
    with pytest.raises(RuntimeError, match="compromised"):
        load_litellm()
    assert "litellm" not in sys.modules


async def test_a_process_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.models.litellm_child.sys.executable", "/bin/true")
    with pytest.raises(PartMissing, match="LiteLLM's process ended"):
        await Child().start()

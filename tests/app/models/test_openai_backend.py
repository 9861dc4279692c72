"""The OpenAI-compatible backend against a server that bills, differs and misbehaves."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

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
from app.models.openai_backend import OpenAIBackend
from app.models.openai_patience import Patience
from app.models.registry import backend_for, known_models
from tests.servers.billing import KEY, BillingServer, Fault, Manners, scripted_words

PROMPT = Prompt(messages=(Message("system", "Be brief."), Message("user", "What is 17 + 26?")))
HURRIED = Patience(first=0.5, between=0.2)


def request(choices: int = 1, seed: int = 7, max_tokens: int = 64, prompt: Prompt = PROMPT) -> Request:
    return Request(prompt, Settings(max_tokens=max_tokens), choices, seed)


@asynccontextmanager
async def opened(server: BillingServer, **options: object) -> AsyncIterator[OpenAIBackend]:
    backend = OpenAIBackend(
        "m",
        server.url,
        KEY,
        patience=HURRIED,
        **options,  # type: ignore[arg-type]
    )
    await backend.open(lambda _: None)
    try:
        yield backend
    finally:
        await backend.close()


async def drain(backend: OpenAIBackend, asked: Request, into: list[Piece]) -> None:
    """Keep what comes, also before a fault."""
    async with aclosing(backend.sample(asked)) as pieces:
        async for piece in pieces:
            into.append(piece)  # noqa: PERF401 - what came before a fault must stay


async def play(backend: OpenAIBackend, asked: Request) -> list[Piece]:
    found: list[Piece] = []
    await drain(backend, asked, found)
    return found


def text_of(pieces: list[Piece], choice: int = 0) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Delta) and piece.choice == choice)


def endings(pieces: list[Piece]) -> list[ChoiceDone]:
    return [piece for piece in pieces if isinstance(piece, ChoiceDone)]


async def test_a_sample_comes_whole_with_the_servers_own_count() -> None:
    with BillingServer() as server:
        async with opened(server) as backend:
            pieces = await play(backend, request())
        bill = server.bills[0]
        assert text_of(pieces) == "".join(scripted_words(7))
        assert [piece for piece in pieces if isinstance(piece, PromptRead)] == [
            PromptRead(bill.prompt_tokens)
        ]
        assert endings(pieces) == [ChoiceDone(0, "stop", bill.completion_tokens)]
        body = server.seen.bodies[0]
        assert (body["max_tokens"], body["seed"], body["temperature"]) == (64, 7, 0.6)
        assert bill.prompt_tokens <= backend.prompt_tokens_at_most(PROMPT)


async def test_several_choices_share_one_prompt_and_their_counts_add_up_to_the_bill() -> None:
    with BillingServer(Manners(tokens_per_chunk=3)) as server:
        async with opened(server) as backend:
            pieces = await play(backend, request(choices=4))
        assert [text_of(pieces, i) for i in range(4)] == ["".join(scripted_words(7 + i)) for i in range(4)]
        assert sum(done.completion_tokens for done in endings(pieces)) == server.bills[0].completion_tokens
        assert all(done.estimated and done.at_most is None for done in endings(pieces))
        assert len(server.bills) == 1
        assert all(done.completion_tokens <= 64 for done in endings(pieces))


async def test_no_sample_is_longer_than_asked() -> None:
    with BillingServer() as server:
        async with opened(server) as backend:
            pieces = await play(backend, request(max_tokens=3))
    assert endings(pieces) == [ChoiceDone(0, "length", 3)]
    assert text_of(pieces) == "".join(scripted_words(7)[:3])


async def test_reasoning_is_counted_and_kept_out_of_the_answer() -> None:
    with BillingServer(Manners(thoughts=5)) as server:
        async with opened(server) as backend:
            pieces = await play(backend, request())
        [done] = endings(pieces)
        assert text_of(pieces) == "".join(scripted_words(7))
        assert done.completion_tokens == 5 + len(scripted_words(7))
        assert done.reasoning_tokens == 5
        assert sum(piece.tokens for piece in pieces if isinstance(piece, Delta)) == done.completion_tokens


async def test_a_plain_completion_goes_to_the_plain_endpoint() -> None:
    prompt = Prompt(text="Q: What is 17 + 26?\nA:")
    with BillingServer() as server:
        async with opened(server) as backend:
            pieces = await play(backend, request(prompt=prompt))
            assert server.bills[0].prompt_tokens <= backend.prompt_tokens_at_most(prompt)
        assert server.seen.bodies[0]["prompt"] == prompt.text
        assert text_of(pieces) == "".join(scripted_words(7))


@pytest.mark.parametrize("field", ["temperature", "seed", "stream_options"])
async def test_a_field_that_is_refused_is_left_out_from_then_on(field: str) -> None:
    with BillingServer(Manners(refuses=(field,))) as server:
        async with opened(server) as backend:
            for _ in range(3):
                pieces = await play(backend, request())
                assert len(endings(pieces)) == 1
            assert bool(backend.notes) == (field != "stream_options")
        assert [field in body for body in server.seen.bodies] == [True, False, False, False]


async def test_the_other_name_of_the_limit_is_found_once() -> None:
    manners = Manners(wants_max_completion_tokens=True, refuses=("temperature",))
    with BillingServer(manners) as server:
        async with opened(server) as backend:
            for _ in range(2):
                assert endings(await play(backend, request(max_tokens=3)))[0].completion_tokens == 3
        limits = [body.get("max_completion_tokens") for body in server.seen.bodies]
        assert limits[-2:] == [3, 3]
        assert len(limits) == 4
        assert len(server.bills) == 2


async def test_more_stop_strings_than_a_server_takes() -> None:
    asked = Request(PROMPT, Settings(max_tokens=64, stop=tuple("abcdef")), 1, 7)
    with BillingServer() as server:
        async with opened(server) as backend:
            for _ in range(2):
                assert len(endings(await play(backend, asked))) == 1
            assert backend.notes == ["The server takes 4 stop strings; the others are not in force."]
        assert [len(body["stop"]) for body in server.seen.bodies] == [6, 4, 4]


@pytest.mark.parametrize("manner", ["refused", "ignored"])
async def test_a_server_without_n_is_asked_singly_from_then_on(manner: str) -> None:
    with BillingServer(Manners(n="refused" if manner == "refused" else "ignored")) as server:
        async with opened(server) as backend:
            found: list[Piece] = []
            with pytest.raises(BackendError) as shortfall:
                await drain(backend, request(choices=4), found)
            assert (shortfall.value.kind, shortfall.value.retry) == ("refused", True)
            assert [done.choice for done in endings(found)] == [0]
            assert endings(found)[0].completion_tokens == server.bills[0].completion_tokens
            assert backend.info.choices_per_request == 1
            assert len(endings(await play(backend, request()))) == 1
        assert "n" not in server.seen.bodies[-1]


async def test_only_the_first_request_finds_out_whether_n_is_taken() -> None:
    with BillingServer(Manners(n="refused")) as server:
        async with opened(server) as backend:
            tries = await asyncio.gather(
                *(play(backend, request(choices=4, seed=i)) for i in range(8)), return_exceptions=True
            )
            assert all(isinstance(one, BackendError) and one.kind == "refused" for one in tries)
        assert sum("n" in body for body in server.seen.bodies) == 1


Expected = tuple[str, bool]

FAULTS: dict[Fault, Expected] = {
    "429": ("rate-limit", True),
    "429-wait": ("rate-limit", True),
    "503": ("rate-limit", True),
    "500": ("server", True),
    "cut": ("crashed", True),
    "cut-first": ("crashed", True),
    "hang": ("timeout", True),
    "hang-first": ("timeout", True),
    "loris": ("timeout", True),
    "malformed": ("malformed", True),
    "truncated": ("malformed", True),
    "empty": ("malformed", True),
    "error-event": ("server", True),
    "revoked": ("auth", False),
}


@pytest.mark.parametrize(("fault", "expected"), FAULTS.items(), ids=FAULTS)
async def test_each_fault_has_its_kind_and_says_if_trying_again_helps(
    fault: Fault, expected: Expected
) -> None:
    with BillingServer(Manners(fault=lambda number: fault if number == 0 else None)) as server:
        async with opened(server) as backend:
            found: list[Piece] = []
            with pytest.raises(BackendError) as raised:
                await drain(backend, request(), found)
            assert (raised.value.kind, raised.value.retry) == expected
            assert KEY not in str(raised.value)
            assert not endings(found)
            if fault in ("cut", "hang", "malformed", "error-event"):
                assert text_of(found)
                assert "".join(scripted_words(7)).startswith(text_of(found))
            if fault == "429-wait":
                assert raised.value.retry_after == 0.02
            assert len(endings(await play(backend, request()))) == 1


@pytest.mark.parametrize("fault", ["no-usage", "zero-usage", "negative-usage", "absurd-usage"])
async def test_usage_that_cannot_be_true_leaves_the_worst_case_open(fault: Fault) -> None:
    with BillingServer(Manners(fault=lambda _: fault)) as server:
        async with opened(server) as backend:
            [done] = endings(await play(backend, request()))
        assert done.estimated
        assert done.completion_tokens == server.bills[0].completion_tokens
        assert done.at_most == 64


async def test_usage_below_what_was_seen_is_not_the_last_word() -> None:
    with BillingServer(Manners(fault=lambda _: "half-usage")) as server:
        async with opened(server) as backend:
            [done] = endings(await play(backend, request()))
        billed = server.bills[0].completion_tokens
        assert done.completion_tokens == billed // 2
        assert done.at_most is not None
        assert billed <= done.at_most <= 64


async def test_a_stream_without_its_last_line_is_still_whole() -> None:
    with BillingServer(Manners(fault=lambda _: "no-done")) as server:
        async with opened(server) as backend:
            assert endings(await play(backend, request())) == [
                ChoiceDone(0, "stop", server.bills[0].completion_tokens)
            ]


async def test_a_connection_serves_one_request_after_the_other() -> None:
    with BillingServer() as server:
        async with opened(server) as backend:
            for seed in range(5):
                await play(backend, request(seed=seed))
        assert len(server.bills) == 5
        assert len(server.seen.connections) == 1


async def test_a_cancelled_sample_closes_its_connection() -> None:
    with BillingServer(Manners(pace=0.01, bills_on=False)) as server:
        async with opened(server) as backend:
            async with aclosing(backend.sample(request())) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Delta):
                        break
            await asyncio.to_thread(server.wait_idle, 2.0)
        assert server.bills[0].completion_tokens < len(scripted_words(7))


async def test_a_wrong_key_is_refused_before_anything_is_asked() -> None:
    with BillingServer() as server:
        backend = OpenAIBackend("m", server.url, "sk-wrong-and-long-enough")
        with pytest.raises(PartMissing) as raised:
            await backend.open(lambda _: None)
        assert "sk-wrong" not in raised.value.message
        assert "export OPENAI_API_KEY" in (raised.value.fix or "")
        assert not server.bills


async def test_an_unknown_model_is_answered_with_those_there_are() -> None:
    with BillingServer(Manners(models=("llama-3-8b", "qwen-2.5"))) as server:
        backend = OpenAIBackend("llama-3-7b", server.url, KEY)
        with pytest.raises(BadInput) as raised:
            await backend.open(lambda _: None)
    assert "llama-3-7b" in raised.value.message
    assert raised.value.fix == "It has: llama-3-8b, qwen-2.5."


@pytest.mark.parametrize(("owner", "final"), [("vllm", True), ("llamacpp", False), ("a-proxy", False)])
async def test_a_name_that_is_not_listed_may_still_be_an_alias(owner: str, final: bool) -> None:
    with BillingServer(Manners(models=("real",), owner=owner, retrieves=False)) as server:
        backend = OpenAIBackend("alias", server.url, KEY)
        if final:
            with pytest.raises(BadInput, match="no model 'alias'"):
                await backend.open(lambda _: None)
            return
        await backend.open(lambda _: None)
        with pytest.raises(BackendError, match="It has: real") as raised:
            await play(backend, request())
        assert (raised.value.kind, raised.value.retry) == ("refused", False)
        await backend.close()


async def test_half_a_character_in_a_prompt_stops_nothing() -> None:
    with BillingServer() as server:
        async with opened(server) as backend:
            prompt = Prompt(messages=(Message("user", "a\ud83d"),))
            assert len(endings(await play(backend, request(prompt=prompt)))) == 1
        assert server.seen.bodies[0]["messages"][0]["content"] == "a?"


async def test_a_server_that_lists_nothing_is_used_all_the_same() -> None:
    with BillingServer(Manners(listed=False)) as server:
        async with opened(server) as backend:
            assert len(endings(await play(backend, request()))) == 1


async def test_nobody_at_home() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    backend = OpenAIBackend("m", f"http://user:secret@127.0.0.1:{port}/v1")
    with pytest.raises(PartMissing, match="refused") as raised:
        await backend.open(lambda _: None)
    assert "secret" not in f"{raised.value.message} {raised.value.fix}"


async def test_https_for_a_plain_server_is_explained() -> None:
    with BillingServer() as server:
        backend = OpenAIBackend("m", server.url.replace("http:", "https:"), KEY)
        with pytest.raises(PartMissing, match="try http://"):
            await backend.open(lambda _: None)


async def test_a_missing_key_is_named_with_its_remedy() -> None:
    backend = OpenAIBackend.from_environment("gpt-4o-mini", {})
    with pytest.raises(PartMissing) as raised:
        await backend.open(lambda _: None)
    assert raised.value.fix == "Set it: export OPENAI_API_KEY=…"


async def test_the_version_is_found_where_the_address_leaves_it_out() -> None:
    with BillingServer(Manners(folder="/proxy/v1")) as server:
        short = server.url.removesuffix("/v1") + "/"
        backend = OpenAIBackend("m", short, KEY)
        await backend.open(lambda _: None)
        assert len(endings(await play(backend, request()))) == 1
        await backend.close()


async def test_a_prompt_beyond_the_context_is_final() -> None:
    with BillingServer(Manners(context=3)) as server:
        async with opened(server) as backend:
            with pytest.raises(BackendError) as raised:
                await play(backend, request())
    assert (raised.value.kind, raised.value.retry) == ("context", False)


def test_local_is_believed_of_this_machine_only() -> None:
    assert OpenAIBackend("m", "localhost:8000", local=True).info.local
    with pytest.raises(BadInput):
        OpenAIBackend("m", "https://api.example.com", local=True)


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        (None, "m"),
        ("https://api.deepseek.com", "deepseek/m"),
        ("http://localhost:8000", None),
        ("https://api.openai.com.evil.example", None),
    ],
)
def test_only_servers_with_published_prices_are_priced_by_them(
    base_url: str | None, name: str | None
) -> None:
    assert OpenAIBackend("m", base_url).price_name == name


def test_the_registry_finds_it_by_its_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1234")
    backend = backend_for("openai:org/model")
    assert isinstance(backend, OpenAIBackend)
    assert (backend.info.name, backend.info.kind, backend.info.local) == ("openai:org/model", "openai", False)
    assert backend.price_name is None
    assert any(model.name == "openai:NAME" and model.ready for model in known_models())


async def _hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.close()


async def test_a_server_that_hangs_up_on_http_is_looked_at_for_https(monkeypatch: pytest.MonkeyPatch) -> None:
    server = await asyncio.start_server(_hangs_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    backend = OpenAIBackend("m", f"http://127.0.0.1:{port}", KEY)
    await backend.open(lambda _: None)  # it speaks no TLS either: what it is shows with the first request
    await backend.close()

    async def speaks_tls(_: object) -> bool:
        return True

    monkeypatch.setattr("app.models.openai_client._speaks_tls", speaks_tls)
    with pytest.raises(BadInput, match="speaks https") as caught:
        await OpenAIBackend("m", f"http://127.0.0.1:{port}", KEY).open(lambda _: None)
    assert caught.value.fix == "Write https:// in the base URL."
    server.close()
    await server.wait_closed()

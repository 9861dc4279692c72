"""The scripted backend keeps the promises that the budget and the engine rest on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInput
from app.models.base import (
    BackendError,
    ChoiceDone,
    Delta,
    Message,
    Piece,
    Progress,
    Prompt,
    PromptRead,
    Request,
    Settings,
)
from app.models.script_file import Fault, Header, Line, read_script
from app.models.scripted import ScriptedBackend, cut_pieces

PROMPT = Prompt(messages=(Message("user", "What is 17 + 26?"),))


class FakeClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0
        self.sleeps = 0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.sleeps += 1
        await asyncio.sleep(0)


def request(seed: int = 0, choices: int = 1, max_tokens: int = 512, stop: tuple[str, ...] = ()) -> Request:
    return Request(PROMPT, Settings(max_tokens=max_tokens, stop=stop), choices, seed)


async def play(backend: ScriptedBackend, asked: Request) -> list[Piece]:
    return [piece async for piece in backend.sample(asked)]


async def drain(backend: ScriptedBackend, seen: list[Piece]) -> None:
    """Like ``play``, but what came before a fault or a cancellation stays in ``seen``."""
    async for piece in backend.sample(request()):
        seen.append(piece)  # noqa: PERF401


def texts(pieces: list[Piece], choice: int = 0) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Delta) and piece.choice == choice)


def endings(pieces: list[Piece]) -> list[ChoiceDone]:
    return [piece for piece in pieces if isinstance(piece, ChoiceDone)]


async def test_a_request_reads_the_prompt_once_and_ends_every_choice() -> None:
    backend = ScriptedBackend(["one two", "three", "four five six"])
    pieces = await play(backend, request(choices=3))
    assert [type(piece) for piece in pieces].count(PromptRead) == 1
    assert isinstance(pieces[0], PromptRead)
    assert [texts(pieces, i) for i in range(3)] == ["one two", "three", "four five six"]
    assert sorted(done.choice for done in endings(pieces)) == [0, 1, 2]
    assert all(done.estimated for done in endings(pieces))


async def test_the_seed_alone_chooses_the_line() -> None:
    backend = ScriptedBackend([f"line {i}" for i in range(5)])
    together = await play(backend, request(seed=7, choices=3))
    assert [texts(together, i) for i in range(3)] == ["line 2", "line 3", "line 4"]
    assert texts(await play(backend, request(seed=8))) == "line 3"


async def test_a_script_that_does_not_loop_ends() -> None:
    backend = ScriptedBackend(["only"], Header(loop=False))
    assert texts(await play(backend, request(seed=0))) == "only"
    with pytest.raises(BackendError, match="no number 2") as caught:
        await play(backend, request(seed=1))
    assert not caught.value.retry


async def test_no_choice_yields_more_than_max_tokens() -> None:
    backend = ScriptedBackend([Line(text="a b c d e f", completion_tokens=12), "a b c d e f"])
    pieces = await play(backend, request(choices=2, max_tokens=5))
    for choice in (0, 1):
        brought = sum(p.tokens for p in pieces if isinstance(p, Delta) and p.choice == choice)
        assert brought <= 5
    assert [(done.reason, done.completion_tokens) for done in endings(pieces)] == [("length", 5)] * 2
    assert texts(pieces, 1) == "a b c d e"


async def test_a_recording_counts_what_it_recorded() -> None:
    line = Line(
        text="a b c", prompt_tokens=40, completion_tokens=7, finish_reason="length", mean_logprob=-0.5
    )
    backend = ScriptedBackend([line])
    pieces = await play(backend, request())
    assert pieces[0] == PromptRead(40)
    assert sum(piece.tokens for piece in pieces if isinstance(piece, Delta)) == 7
    assert endings(pieces) == [ChoiceDone(0, "length", 7, estimated=False, mean_logprob=-0.5)]


async def test_a_stop_string_ends_a_sample_before_it() -> None:
    backend = ScriptedBackend(["The answer is 4.\nQuestion: what next?"])
    pieces = await play(backend, request(stop=("\nQuestion:",)))
    assert texts(pieces) == "The answer is 4."
    assert endings(pieces)[0].reason == "stop"


async def test_pieces_come_at_the_pace_of_the_script() -> None:
    clock = FakeClock()
    backend = ScriptedBackend(["w " * 10], Header(tokens_per_second=20), clock=clock)
    when = [clock.time async for piece in backend.sample(request()) if isinstance(piece, Delta)]
    assert when == pytest.approx([(i + 1) / 20 for i in range(11)])


async def test_at_high_speed_one_wake_up_brings_many_pieces() -> None:
    clock = FakeClock()
    backend = ScriptedBackend(["w " * 999 + "w"], Header(tokens_per_second=1000), clock=clock, tick=0.1)
    pieces = await play(backend, request(max_tokens=2000))
    assert clock.time == pytest.approx(1.0, abs=0.11)
    assert len([piece for piece in pieces if isinstance(piece, Delta)]) <= 11
    assert endings(pieces)[0].completion_tokens == 1000


async def test_a_recorded_duration_is_played_again() -> None:
    clock = FakeClock()
    backend = ScriptedBackend([Line(text="a b c d", seconds=8.0, completion_tokens=9)], clock=clock)
    await play(backend, request())
    assert clock.time == pytest.approx(8.0)


async def test_at_full_speed_nothing_sleeps() -> None:
    clock = FakeClock()
    await play(ScriptedBackend(["a b c"] * 4, clock=clock), request(choices=4))
    assert clock.time == 0.0


async def test_a_fault_comes_after_its_piece_and_passes_when_it_should() -> None:
    fault = Fault(kind="rate-limit", message="slow down", retry=True, retry_after=1.5, after=2, times=1)
    backend = ScriptedBackend([Line(text="a b c", error=fault)])
    seen: list[Piece] = []
    with pytest.raises(BackendError, match="slow down") as caught:
        await drain(backend, seen)
    assert texts(seen) == "a b"
    assert (caught.value.kind, caught.value.retry, caught.value.retry_after) == ("rate-limit", True, 1.5)
    assert texts(await play(backend, request())) == "a b c"


async def test_a_closed_request_counts_as_cancelled() -> None:
    backend = ScriptedBackend(["a b c"])
    stream = backend.sample(request())
    await anext(stream)
    await stream.aclose()
    await play(backend, request())
    assert (backend.cancelled, backend.requests, backend.most_open) == (1, 2, 1)


async def test_a_hanging_sample_ends_only_when_cancelled() -> None:
    backend = ScriptedBackend([Line(text="a b", hang=True)])
    seen: list[Piece] = []
    task = asyncio.create_task(drain(backend, seen))
    for _ in range(20):
        await asyncio.sleep(0)
    assert texts(seen) == "a b"
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert backend.cancelled == 1


async def test_opening_reports_that_it_is_ready() -> None:
    heard: list[Progress] = []
    backend = ScriptedBackend(["a"])
    await backend.open(heard.append)
    await backend.close()
    assert heard[-1].fraction == 1.0


@given(st.text(max_size=200), st.one_of(st.none(), st.integers(0, 300)))
def test_pieces_are_the_text_and_the_tokens(text: str, tokens: int | None) -> None:
    pieces = cut_pieces(text, tokens)
    assert "".join(piece for piece, _ in pieces) == text
    if tokens is not None and text:
        assert sum(count for _, count in pieces) == tokens


@given(st.text(max_size=300), st.integers(0, 50))
def test_the_prompt_bound_is_a_bound(text: str, recorded: int) -> None:
    prompt = Prompt(messages=(Message("system", text), Message("user", text)))
    backend = ScriptedBackend([Line(text="x", prompt_tokens=recorded or None)])

    async def first() -> Piece:
        stream = backend.sample(Request(prompt, Settings(), 1, 0))
        piece = await anext(stream)
        await stream.aclose()
        return piece

    read = asyncio.run(first())
    assert isinstance(read, PromptRead)
    assert read.tokens <= backend.prompt_tokens_at_most(prompt)


def test_a_script_describes_its_model(tmp_path: Path) -> None:
    path = tmp_path / "toy.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"scripted": 1, "model": "toy", "parameters": 7, "layers": 2, "hidden": 3, '
        b'"context": 99, "concurrency": 2, "price": ["0.15", "0.60"]}\r\n\r\n{"text": "hello"}\r\n'
    )
    backend = ScriptedBackend.from_file(path)
    info = backend.info
    assert (info.name, info.kind, info.parameters, info.context, info.concurrency) == (
        "toy",
        "scripted",
        7,
        99,
        2,
    )
    assert not info.local
    assert [str(part) for part in backend.price or ()] == ["0.15", "0.60"]
    assert [line.text for line in backend.lines] == ["hello"]


def test_a_script_without_a_price_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "free.jsonl"
    path.write_text('{"text": "hello"}\n')
    backend = ScriptedBackend.from_file(path)
    assert backend.info.local
    assert backend.price is None
    assert backend.info.name == f"scripted:{path}"


def test_samples_made_elsewhere_are_a_script(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text(
        '{"problem_id": "p", "index": 1, "text": "second", "verdict": "right", "usd": "0.01"}\n'
        '{"problem_id": "p", "index": 0, "text": "first", "error": null}\n'
        '{"problem_id": "q", "index": 0, "answer": "yajo"}\n'
    )
    assert [line.words for line in read_script(path, problem="p")[1]] == ["first", "second"]
    assert [line.words for line in read_script(path, problem="q")[1]] == ["The answer is yajo."]
    with pytest.raises(BadInput, match="no samples of the problem r"):
        read_script(path, problem="r")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "holds no samples"),
        ('{"scripted": 1}\n', "holds no samples"),
        ('{"text": "a"}\n\n{"text": \n', "line 3: this is not JSON"),
        ('{"text": "a"}\n{"text": 5}\n', "line 2: `text`: expected `str | null`, got `int`"),
        ('{"text": "a"}\n[1]\n', "line 2: expected `object`, got `array`"),
        ('{"text": "a"}\n{"note": "no text"}\n', "line 2: a sample needs"),
        ('{"text": "a", "completion_tokens": -1}\n', "line 1: `completion_tokens`"),
        ('{"text": "a", "error": {"sort": "x"}}\n', "line 1: `error`: object contains unknown field"),
        ('{"text": "a"}\n{"scripted": 1}\n', "line 2: a sample needs"),
        ('{"scripted": 2}\n{"text": "a"}\n', "line 1: script version 2"),
        ('{"scripted": 1, "tokens_per_second": 0}\n{"text": "a"}\n', "`tokens_per_second` must be above 0"),
        ('{"scripted": 1, "concurrency": 0}\n{"text": "a"}\n', "must be 1 or more"),
        ('{"scripted": 1, "price": ["-1", "0"]}\n{"text": "a"}\n', "`price`"),
        ('{"text": "\\ud800"}\n', "line 1"),
        ("[" * 5000 + "\n", "line 1"),
        ('{"text": "' + "x\0" + '"}\n', "binary"),
    ],
)
def test_a_broken_script_is_refused_with_its_line(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text(content)
    with pytest.raises(BadInput) as caught:
        read_script(path)
    assert complaint in caught.value.message
    assert caught.value.fix


def test_a_missing_script_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no file"):
        ScriptedBackend.from_file(tmp_path / "absent.jsonl")
    with pytest.raises(BadInput, match="is a folder"):
        ScriptedBackend.from_file(tmp_path)
    with pytest.raises(BadInput, match="holds no samples"):
        ScriptedBackend([])

"""The server's event stream, however it is cut, becomes the same pieces."""

import json
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.base import BackendError, ChoiceDone, Delta, Piece, PromptRead
from app.models.llama_stream import fault_of, read_stream


def event(**fields: Any) -> bytes:
    return b"data: " + json.dumps(fields, ensure_ascii=False).encode() + b"\n\n"


TWO_CHOICES = b"".join(
    [
        event(index=0, tokens_evaluated=7, prompt_progress={"total": 7, "cache": 2, "processed": 2}),
        event(index=0, tokens_evaluated=7, prompt_progress={"total": 7, "cache": 2, "processed": 7}),
        event(
            index=1,
            content="héllo 😀",
            tokens_predicted=2,
            tokens_evaluated=7,
            completion_probabilities=[{"logprob": -1.0, "id": 4}, {"logprob": -2.0}],
        ),
        b": ping\n\n",
        event(index=0, content="a", tokens_predicted=1, tokens_evaluated=7),
        event(index=1, content="", tokens_predicted=4, tokens_evaluated=7, stop=True, stop_type="eos"),
        event(index=0, content="b", tokens_predicted=2, tokens_evaluated=7),
        event(index=0, content="", tokens_predicted=2, tokens_evaluated=7, stop=True, stop_type="limit"),
    ]
)
PIECES = [
    PromptRead(7, 2),
    Delta(1, "héllo 😀", 2),
    Delta(0, "a", 1),
    Delta(1, "", 2),
    ChoiceDone(1, "stop", 4, mean_logprob=-1.5),
    Delta(0, "b", 1),
    ChoiceDone(0, "length", 2),
]


async def collect(body: bytes, cuts: list[int], choices: int = 2) -> list[Piece]:
    async def chunks() -> AsyncIterator[bytes]:
        places = [0, *sorted(cut for cut in cuts if cut <= len(body)), len(body)]
        for start, end in pairwise(places):
            yield body[start:end]

    return [piece async for piece in read_stream(chunks(), choices)]


@given(st.lists(st.integers(0, len(TWO_CHOICES)), max_size=12))
async def test_any_cut_gives_the_same_pieces(cuts: list[int]) -> None:
    assert await collect(TWO_CHOICES, cuts) == PIECES


async def test_a_stream_that_ends_early_is_a_crash_worth_another_try() -> None:
    with pytest.raises(BackendError) as caught:
        await collect(TWO_CHOICES[:-40], [])
    assert (caught.value.kind, caught.value.retry) == ("crashed", True)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"data: {not json}\n\n", "malformed"),
        (event(index=5, content="x", tokens_predicted=1), "malformed"),
        (b'data: {"index": 0, "content": "\xff"}\n\n', "malformed"),
        (event(error={"message": "no room", "type": "server_error"}), "server"),
        (b'error: {"error": {"message": "Context size has been exceeded."}}\n\n', "context"),
    ],
)
async def test_faults_in_the_stream_have_a_kind(body: bytes, kind: str) -> None:
    with pytest.raises(BackendError) as caught:
        await collect(body, [])
    assert caught.value.kind == kind


def test_a_refused_request_says_why_in_one_line() -> None:
    fault = fault_of(
        json.dumps({"error": {"message": "bad\nthing", "type": "invalid_request_error"}}).encode()
    )
    assert (fault.kind, fault.message, fault.retry) == ("server", "bad thing", False)
    assert fault_of(b"<html>nonsense").kind == "server"

"""Streams as servers really write them, however the network cuts them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.base import BackendError, ChoiceDone, Delta, Message, Piece, Prompt, PromptRead
from app.models.openai_address import read_address
from app.models.openai_bound import prompt_tokens_at_most
from app.models.openai_faults import harmless, retry_after
from app.models.openai_stream import StreamReader
from app.models.openai_usage import Count, read_usage, share_out


def event(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\r\n\r\n"


def piece(text: str | None = None, index: int = 0, finish: str | None = None) -> bytes:
    return event(choices=[{"index": index, "delta": {"content": text}, "finish_reason": finish}], usage=None)


def usage(prompt: int, completion: int) -> bytes:
    return event(choices=[], usage={"prompt_tokens": prompt, "completion_tokens": completion})


DONE = b"data: [DONE]\n\n"


def read(*data: bytes, choices: int = 1, max_tokens: int = 50, counts_choices: bool = False) -> list[Piece]:
    reader = StreamReader(choices, max_tokens, prompt_at_most=100, counts_choices=counts_choices)
    found = [piece for part in data for piece in reader.feed(part)]
    return found + list(reader.end())


def text_of(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Delta))


def keep(pieces: Iterator[Piece], into: list[Piece]) -> None:
    for one in pieces:
        into.append(one)  # noqa: PERF402 - what came before a fault must stay


WHOLE = b": keep-alive\n\n" + piece("Grüße, ") + piece("née 🐒") + piece(finish="stop") + usage(9, 4) + DONE


@given(st.lists(st.integers(1, len(WHOLE) - 1), max_size=12).map(sorted))
def test_the_network_may_cut_a_stream_anywhere(cuts: list[int]) -> None:
    parts = [WHOLE[a:b] for a, b in zip([0, *cuts], [*cuts, len(WHOLE)], strict=True)]
    pieces = read(*parts)
    assert text_of(pieces) == "Grüße, née 🐒"
    assert pieces[-2:] == [PromptRead(9), ChoiceDone(0, "stop", 4)]


def test_half_characters_wait_for_their_other_half() -> None:
    first = b'data: {"choices":[{"delta":{"content":"a\\ud83d"}}]}\n'
    second = b'data: {"choices":[{"delta":{"content":"\\udc12b"}}]}\n'
    pieces = read(first, second, piece(finish="stop"))
    assert [piece.text for piece in pieces if isinstance(piece, Delta)] == ["a", "🐒b"]


def test_a_half_character_that_stays_alone_is_marked() -> None:
    pieces = read(
        b'data: {"choices":[{"delta":{"content":"\\udc12a\\ud83d"}}]}\n', piece("b"), piece(finish="stop")
    )
    assert text_of(pieces) == "\ufffda\ufffdb"
    text_of(pieces).encode()


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_thoughts_count_and_are_not_the_answer(name: str) -> None:
    pieces = read(event(choices=[{"delta": {name: "hmm"}}]), piece("43"), piece(finish="stop"), usage(9, 2))
    assert text_of(pieces) == "43"
    assert [piece.tokens for piece in pieces if isinstance(piece, Delta)] == [1, 1]


def test_content_as_a_list_of_parts() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hmm"}]}
    pieces = read(
        event(choices=[{"delta": {"content": [thinking]}}]),
        event(choices=[{"delta": {"content": [{"type": "text", "text": "43"}]}, "finish_reason": "stop"}]),
    )
    assert text_of(pieces) == "43"


def test_an_answer_that_was_not_streamed() -> None:
    pieces = read(
        event(
            choices=[{"index": 0, "message": {"content": "43"}, "finish_reason": "stop"}],
            usage={"prompt_tokens": 9, "completion_tokens": 2},
        )
    )
    assert pieces == [Delta(0, "43", 1), PromptRead(9), ChoiceDone(0, "stop", 2)]


def test_a_server_that_counts_each_choice_needs_no_holding_back() -> None:
    def counted(index: int, tokens: int, text: str, finish: str | None = None) -> bytes:
        return event(
            choices=[{"index": index, "delta": {"content": text}, "finish_reason": finish}],
            usage={"prompt_tokens": 9, "completion_tokens": tokens},
        )

    reader = StreamReader(2, 50, prompt_at_most=100, counts_choices=True)
    early = list(reader.feed(counted(0, 3, "abc") + counted(1, 2, "de") + counted(0, 4, "", "stop")))
    assert early == [PromptRead(9), Delta(0, "abc", 3), Delta(1, "de", 2), ChoiceDone(0, "stop", 4)]
    late = list(reader.feed(counted(1, 6, "fg", "length") + usage(9, 10) + DONE)) + list(reader.end())
    assert late == [Delta(1, "fg", 4), ChoiceDone(1, "length", 6)]


def test_a_choice_may_end_without_a_word_why() -> None:
    assert read(piece("43"), usage(9, 1), DONE)[-1] == ChoiceDone(0, "stop", 1)
    assert not [one for one in read(piece("43")) if isinstance(one, ChoiceDone)]


def test_log_probabilities_are_averaged_where_they_come_along() -> None:
    logprobs = {"content": [{"logprob": -1.0}, {"logprob": -2.0}, {"logprob": None}]}
    pieces = read(event(choices=[{"delta": {"content": "a"}, "logprobs": logprobs}]), piece(finish="stop"))
    assert isinstance(pieces[-1], ChoiceDone)
    assert pieces[-1].mean_logprob == -1.5


@pytest.mark.parametrize(
    "bad",
    [
        b"data: {\n",
        b"data: 7\n",
        b'data: {"choices": [{"index": 3, "delta": {"content": "a"}}]}\n',
        b'data: {"choices": [{"index": -1, "delta": {"content": "a"}}]}\n',
        b"data: " + b"[" * 100_000 + b"\n",
        b'data: {"error": "no"}\n',
    ],
)
def test_what_came_before_a_bad_event_is_kept(bad: bytes) -> None:
    reader = StreamReader(1, 50, prompt_at_most=100)
    found: list[Piece] = []
    with pytest.raises(BackendError):
        keep(reader.feed(piece("before") + piece("also") + bad), found)
    assert text_of(found) == "beforealso"


def test_a_server_that_ignores_the_limit_is_cut_off() -> None:
    with pytest.raises(BackendError, match="ignores the limit"):
        read(*[piece("endless words and words " * 4)] * 100, max_tokens=10)


def test_a_line_without_an_end_is_given_up() -> None:
    with pytest.raises(BackendError, match="never ends"):
        read(*[b"data: " + b"x" * 1_000_000] * 5)


@given(
    st.integers(0, 400),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 300)), min_size=1, max_size=6),
)
def test_shares_add_up_to_the_bill_and_stay_within_the_limit(total: int, seen: list[tuple[int, int]]) -> None:
    counts = [Count(pieces=pieces, bytes=pieces + size) for pieces, size in seen]
    share_out(total, counts, 50)
    if total or not any(pieces for pieces, _ in seen):
        assert sum(count.tokens for count in counts) == total
    assert all(count.tokens >= 0 for count in counts)
    if total <= 50 * len(counts):
        assert all(count.tokens <= 50 for count in counts)
    assert all(count.at_most is None or count.at_most >= count.tokens for count in counts)


@pytest.mark.parametrize("report", ["text", {"prompt_tokens": "9"}, {"prompt_tokens": -1}, [], 3, {}])
def test_a_report_that_makes_no_sense_is_as_if_absent(report: object) -> None:
    found = read_usage(report)
    assert (found.prompt, found.completion) == (None, None)


@pytest.mark.parametrize(
    ("written", "url"),
    [
        (None, "https://api.openai.com/v1"),
        ("localhost:8000", "http://localhost:8000/v1"),
        ("http://localhost:8000/", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1/chat/completions", "http://localhost:8000/v1"),
        ("192.168.1.5:8000", "http://192.168.1.5:8000/v1"),
        ("api.deepseek.com", "https://api.deepseek.com/v1"),
        ("HTTPS://Host.example/api/v1", "https://Host.example/api/v1"),
        ("http://[::1]:8000", "http://[::1]:8000/v1"),
    ],
)
def test_one_server_has_many_spellings(written: str | None, url: str) -> None:
    assert read_address(written).url == url


def test_credentials_of_an_address_are_not_shown() -> None:
    address = read_address("https://me:hidden@host.example/v1")
    assert "hidden" not in address.shown
    assert "hidden" in address.url


def test_a_wait_is_read_against_the_servers_own_clock() -> None:
    dates = {"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert retry_after(dates) == 30.0
    assert retry_after({"retry-after": "2.5"}) == 2.5
    assert retry_after({"retry-after-ms": "40"}) == 0.04
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({"retry-after": "1e9"}) == 3600.0
    assert retry_after({}) is None


def test_words_of_a_server_are_made_harmless() -> None:
    said = harmless("Bad key sk-abcdefghijkl\x1b[31m at http://u:pw@h/ and hunter22\n!", "hunter22")
    assert "abcdefgh" not in said
    assert "pw" not in said
    assert "hunter22" not in said
    assert "\x1b" not in said
    assert len(harmless("x" * 10_000)) <= 300


def test_a_prompt_never_has_more_tokens_than_bytes() -> None:
    messages = Prompt(messages=(Message("user", "Grüße 🐒"), Message("user", "㍿")))
    assert prompt_tokens_at_most(messages) >= len("Grüße 🐒".encode()) + len("株式会社".encode()) + 2 * 10
    assert prompt_tokens_at_most(Prompt(text="abc")) >= 4

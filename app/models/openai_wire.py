"""The bytes of an OpenAI-compatible stream, cut into events and read at the least cost.

A server sends thousands of small events a second, and the openai client spends more time on making an object
of each than a fast model on writing it. Here an event is one small Struct with the few fields that sampling
needs; what varies between servers or is rare (usage, log-probabilities, errors) is left as plain values.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from app.models.base import BackendError

LONGEST_LINE = 4_000_000
"""Bytes. A server that sends more without ending a line is not speaking this protocol."""


class Part(msgspec.Struct, gc=False):
    """A piece of content from servers that send it as a list, thoughts and answer side by side."""

    type: str = ""
    text: str | None = None


class Message(msgspec.Struct, gc=False):
    """What one event adds to a choice (``delta``), or all of it where a server does not stream."""

    content: str | list[Part] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None


class Choice(msgspec.Struct, gc=False):
    index: int = 0
    delta: Message | None = None
    message: Message | None = None
    text: str | None = None
    finish_reason: str | None = None
    logprobs: Any = None


class Chunk(msgspec.Struct, gc=False):
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None


_decoder = msgspec.json.Decoder(Chunk)


def read_chunk(payload: bytes) -> Chunk:
    """One event. Raises ``BackendError`` (``malformed``) where it is none."""
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _read_leniently(payload)


def _read_leniently(payload: bytes) -> Chunk:
    """Half surrogate pairs, NaN and broken UTF-8 are no JSON, but some servers send them."""
    try:
        return msgspec.convert(json.loads(payload.decode("utf-8", "replace")), Chunk)
    except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors too
        message = "The server sent an event that cannot be read."
        raise BackendError("malformed", message, retry=True) from None


class EventLines:
    """Cuts a stream of server-sent events into their payloads, wherever the network cut it."""

    def __init__(self) -> None:
        self._rest = b""
        self.count = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that ``data`` completes. Comments (keep-alives) and other fields are left out.

        Raises ``BackendError`` (``malformed``) for a line without an end.
        """
        lines = (self._rest + data if self._rest else data).split(b"\n")
        self._rest = lines.pop()
        self.count += len(lines)
        if len(self._rest) > LONGEST_LINE:
            raise BackendError("malformed", "The server sends a line that never ends.", retry=False)
        return [line[5:].strip() for line in lines if line[:5] == b"data:"]

    def flush(self) -> list[bytes]:
        """The payload of a last line that the server did not end."""
        rest, self._rest = self._rest, b""
        return self.feed(rest + b"\n") if rest else []

"""Reads the event stream of llama.cpp's ``/completion`` into the pieces of the sampling seam.

A stream carries the choices of one request side by side, each event marked with its choice. The server sends
whole characters only and says in every event how many tokens the choice has so far; a token whose text waits
(half a character, the start of a stop string) is counted by the next event of its choice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from app.models.base import BackendError, ChoiceDone, Delta, Piece, PromptRead


class _Fault(msgspec.Struct):
    message: str = ""
    type: str = ""


class _Reading(msgspec.Struct):
    total: int = 0
    cache: int = 0
    processed: int = 0


class _Probability(msgspec.Struct):
    logprob: float | None = None


class _Event(msgspec.Struct):
    index: int = 0
    content: str = ""
    stop: bool = False
    stop_type: str = ""
    tokens_predicted: int = 0
    tokens_evaluated: int = 0
    completion_probabilities: list[_Probability] = []
    """One for each new token, in nats, before temperature and top-p."""
    prompt_progress: _Reading | None = None
    error: _Fault | None = None


FIELDS = ("index", "content", "stop", "stop_type", "tokens_predicted", "tokens_evaluated")
"""What a last event is asked to hold; left alone it repeats the whole prompt and all settings."""

_decoder = msgspec.json.Decoder(_Event)


def fault_of(body: bytes) -> BackendError:
    """The error that an answer with a bad status, or an error event, stands for."""
    try:
        fault = msgspec.json.decode(body, type=_Event).error or _Fault()
    except (msgspec.DecodeError, UnicodeDecodeError):
        fault = _Fault(message=body[:200].decode("utf-8", "replace"))
    return _error(fault)


def _error(fault: _Fault) -> BackendError:
    words = " ".join(fault.message.split()) or "llama.cpp gave no reason"
    if fault.type == "exceed_context_size_error" or "context size" in words.lower():
        return BackendError("context", words, retry=False)
    return BackendError("server", words, retry=fault.type in ("server_error", "unavailable_error"))


async def read_stream(chunks: AsyncIterator[bytes], choices: int) -> AsyncIterator[Piece]:
    """Yield the pieces of ``choices`` choices, ending after the last ``ChoiceDone``. Raises BackendError for
    an error event, for a stream that ends early (``crashed``) and for one that cannot be read."""
    counted = [0] * choices
    ended = [False] * choices
    likelihood: list[list[float]] = [[] for _ in range(choices)]
    prompt_seen, cached = False, 0
    async for event in _events(chunks):
        if event.error is not None:
            raise _error(event.error)
        if not 0 <= event.index < choices:
            raise BackendError("malformed", f"llama.cpp spoke of choice {event.index}", retry=False)
        if event.prompt_progress is not None:
            cached = event.prompt_progress.cache
            if event.prompt_progress.processed < event.prompt_progress.total:
                continue
        if not prompt_seen:
            prompt_seen = True
            yield PromptRead(event.tokens_evaluated, cached)
        likelihood[event.index] += [
            p.logprob for p in event.completion_probabilities if p.logprob is not None
        ]
        fresh = event.tokens_predicted - counted[event.index]
        if event.content or fresh > 0:
            counted[event.index] = event.tokens_predicted
            yield Delta(event.index, event.content, fresh)
        if event.stop:
            ended[event.index] = True
            said = likelihood[event.index]
            yield ChoiceDone(
                event.index,
                "length" if event.stop_type == "limit" else "stop",
                event.tokens_predicted,
                mean_logprob=sum(said) / len(said) if said else None,
            )
            if all(ended):
                return
    raise BackendError("crashed", "the model's process closed the stream", retry=True)


async def _events(chunks: AsyncIterator[bytes]) -> AsyncIterator[_Event]:
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            name, _, data = line.strip().partition(b": ")
            if name not in (b"data", b"error") or data == b"[DONE]":
                continue
            try:
                event = _decoder.decode(data)
            except (msgspec.DecodeError, UnicodeDecodeError):
                words = "llama.cpp sent an event that is no JSON"
                raise BackendError("malformed", words, retry=True) from None
            yield event

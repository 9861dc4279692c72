"""The seam between sampling and whatever does the sampling.

A backend is one model behind one connection. It streams *pieces* of the choices of one request, and keeps
four promises that the budget rests on:

* ``prompt_tokens_at_most`` is an upper bound, never an estimate;
* no choice yields more than ``max_tokens`` completion tokens;
* a request that is cancelled (its async generator is closed) stops being worked on where
  ``ModelInfo.stops_when_told`` is true, so that what was seen is what is owed;
* a fault is raised as a ``BackendError`` that says whether trying again can help.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import msgspec

Role = Literal["system", "user", "assistant"]


class Message(msgspec.Struct, frozen=True):
    role: Role
    content: str


class Prompt(msgspec.Struct, frozen=True):
    """What is sent: chat messages, or with ``text`` set one plain completion prompt (base models)."""

    messages: tuple[Message, ...] = ()
    text: str | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a sample is drawn. ``max_tokens`` is per sample, in the model's own tokens."""

    temperature: float = 0.6
    top_p: float | None = None
    max_tokens: int = 512
    stop: tuple[str, ...] = ()


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a run needs to know of a model before it spends anything on it.

    Sizes are in parameters, layers and hidden units, ``None`` where unknown (closed APIs): an unknown size
    is never counted as zero. ``context`` is in tokens. ``local`` models cost no dollars of their own.
    """

    name: str
    kind: Literal["embedded", "gguf", "vllm", "openai", "scripted", "litellm"]
    local: bool
    stops_when_told: bool
    parameters: int | None = None
    active_parameters: int | None = None
    layers: int | None = None
    hidden: int | None = None
    context: int | None = None
    concurrency: int = 8
    choices_per_request: int = 1
    """The most choices one request may ask for (``n``)."""
    server: str | None = None
    """The host that answers, without credentials; ``None`` on this machine's own cores."""
    needs_examples: bool = False
    """Small enough that worked examples in the prompt help it."""


@dataclass(frozen=True, slots=True)
class Request:
    """``choices`` samples of one prompt. Choice i is drawn with ``seed + i`` where the backend has seeds."""

    prompt: Prompt
    settings: Settings
    choices: int
    seed: int


@dataclass(frozen=True, slots=True)
class PromptRead:
    """The prompt was processed, once for all choices of the request. ``tokens`` is its length."""

    tokens: int
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """New text of one choice. ``tokens`` is how many completion tokens this piece brought (0 if unknown).

    Text is always whole Unicode characters; a character cut by a token border waits in the backend.
    """

    choice: int
    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class ChoiceDone:
    """One choice ended. ``completion_tokens`` is the final count, ``estimated`` if the backend had to count
    pieces itself. ``mean_logprob`` is in nats per token, ``None`` where it is not free.

    ``at_most`` is the most tokens the choice may be billed for, where the count is not the bill itself.
    ``reasoning_tokens`` are the hidden ones among ``completion_tokens``."""

    choice: int
    reason: Literal["stop", "length", "content_filter"]
    completion_tokens: int
    estimated: bool = False
    mean_logprob: float | None = None
    at_most: int | None = None
    reasoning_tokens: int = 0


Piece: TypeAlias = PromptRead | Delta | ChoiceDone


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a model is with getting ready. ``fraction`` is in 0..1, ``None`` where nobody knows."""

    step: str
    fraction: float | None = None


class BackendError(Exception):
    """A request failed. ``kind`` is a short stable word (``refused``, ``crashed``, ``timeout``, ``context``,
    ``auth``, ``rate-limit``, ``server``, ``malformed``), ``message`` one line for people."""

    def __init__(self, kind: str, message: str, *, retry: bool, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry = retry
        self.retry_after = retry_after


class Backend(Protocol):
    """One model. ``open`` makes it ready (weights, process, server); ``close`` leaves nothing behind.

    Both may be called once each; ``sample`` may be called many times at once.
    """

    @property
    def info(self) -> ModelInfo: ...

    async def open(self, report: Callable[[Progress], None]) -> None:
        """Get ready. Raises ``app.errors.MonkeysError`` with the fix when a needed part is missing."""
        ...

    def prompt_tokens_at_most(self, prompt: Prompt) -> int:
        """An upper bound on the tokens of ``prompt`` as the model will read it, template included."""
        ...

    def sample(self, request: Request) -> AsyncGenerator[Piece, None]:
        """Stream the pieces of a request. Closing the generator cancels it."""
        ...

    async def close(self) -> None: ...

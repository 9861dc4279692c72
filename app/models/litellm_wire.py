"""What is said between the program and the process that holds LiteLLM: one JSON object a line, both ways.

The program writes commands, the process answers with events that carry the command's number. An answer's
chunks are in OpenAI's own shape, so that one reader serves every way to a model.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from app.models.base import BackendError
from app.models.openai_faults import Refusal


class Account(msgspec.Struct, frozen=True):
    """Which model, and where and as whom it is asked. What is empty LiteLLM finds in the environment.

    ``server`` is the name of whoever answers, for people. ``key`` travels through the pipe alone: never on a
    command line, in a log or in a journal.
    """

    model: str
    server: str
    url: str = ""
    key: str = ""


class Look(msgspec.Struct, frozen=True, tag="look"):
    """Say what is known of a model. Costs nothing and asks nobody."""

    id: int
    account: Account


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """Send one request: chat messages, or with ``text`` a plain completion. ``fields`` are the others."""

    id: int
    account: Account
    fields: dict[str, Any]
    messages: list[dict[str, str]] = []
    text: str | None = None


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Give up the request with this number. Nothing is answered."""

    id: int


Command: TypeAlias = Look | Ask | Stop


class Looked(msgspec.Struct, frozen=True):
    """``fields`` are the request fields that the provider takes, ``missing`` the variables that it needs and
    that are not set. ``unknown`` says why LiteLLM does not know the model, empty where it does."""

    provider: str = ""
    fields: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()
    unknown: str = ""


class Fault(msgspec.Struct, frozen=True):
    """A ``BackendError`` in words."""

    kind: str
    message: str
    retry: bool

    @property
    def error(self) -> BackendError:
        return BackendError(self.kind, self.message, retry=self.retry)


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One answer to the command ``id`` (0: the process itself is ready). ``chunk`` is an event of the stream;
    ``end`` is its end, ``whole`` whether the provider itself had said that all was there."""

    id: int
    chunk: msgspec.Raw = msgspec.Raw()
    looked: Looked | None = None
    refusal: Refusal | None = None
    fault: Fault | None = None
    end: bool = False
    whole: bool = False

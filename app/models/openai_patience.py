"""How long a server may be silent, and reading a response no longer than that.

Silence is the absence of events, not of bytes: a server that drips half a line for ever is as dead as one
that sends nothing. Before the first text a whole line that says "still here" counts as life too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from app.models.base import BackendError
from app.models.openai_faults import fault_of_connection
from app.models.openai_stream import StreamReader
from app.models.openai_wire import LONGEST_LINE

if TYPE_CHECKING:
    from openai import AsyncStream
    from openai._response import AsyncAPIResponse

_LONGEST_START = 600.0
_LAST_WORDS = 0.25
"""Seconds for the end of a response after the end of its stream; with it the connection can be used again."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: from the request to its first text, and then between two events of the stream. A server that
    says that it is still there is given ten minutes for its first text."""

    first: float = 60.0
    between: float = 10.0


def silence(server: str, seconds: float) -> BackendError:
    return BackendError("timeout", f"{server} was silent for {seconds:g} seconds.", retry=True)


async def bytes_of(
    response: AsyncAPIResponse[AsyncStream[Any]], reader: StreamReader, patience: Patience, server: str
) -> AsyncGenerator[bytes, None]:
    """The bytes of a stream as they come; an answer in one piece is made an event of one.

    Raises ``BackendError`` for a stream that breaks or falls silent.
    """
    import httpx

    kind = str(response.headers.get("content-type", ""))
    if kind.startswith("text/html"):
        message = f"{server} answers with a web page; check the base URL."
        raise BackendError("refused", message, retry=False)
    streamed, whole = not kind.startswith("application/json"), bytearray()
    now = asyncio.get_running_loop().time
    first, between = patience.first, patience.between
    last = now() + max(first, _LONGEST_START)
    deadline, events, lines = now() + first, 0, 0
    source = cast("AsyncGenerator[bytes, None]", response.iter_bytes())
    try:
        while True:
            if reader.done:
                deadline = min(deadline, now() + _LAST_WORDS)
            try:
                async with asyncio.timeout_at(deadline):
                    data = await anext(source, None)
            except TimeoutError:
                if reader.done:
                    return
                raise silence(server, between if reader.any_text else first) from None
            except httpx.HTTPError as error:
                if reader.done:
                    return
                raise fault_of_connection(error, server, sent=True) from None
            if data is None:
                break
            if not streamed:
                whole += data
                if len(whole) > LONGEST_LINE:
                    raise BackendError("malformed", "The server's answer never ends.", retry=False)
                continue
            given = now()
            yield data
            deadline += now() - given  # time that the reader took is not the server's silence
            if reader.events > events:
                events = reader.events
                deadline = now() + (between if reader.any_text else first)
            elif reader.lines > lines and not reader.any_text:
                deadline = min(now() + first, last)
            lines = reader.lines
    finally:
        await source.aclose()
    if not streamed:
        yield b"data: " + whole.replace(b"\n", b" ") + b"\n"

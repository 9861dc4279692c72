"""Draws the choices of requests over one connection, and learns on the way what its server takes.

What carries a request is somebody else's: the openai client, or LiteLLM in a process of its own. Either
brings the same stream, and is asked the same way. A request asks for several choices at once where the server
can do that, so that their prompt is paid once. Nothing is retried in here but what was refused without cost
and can be asked differently: retries cost money, and the budget belongs to the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, suppress
from typing import Any, TypeAlias

from app.models.base import BackendError, Piece, Prompt, Request
from app.models.openai_faults import Refusal, fault_of
from app.models.openai_habits import Habits
from app.models.openai_patience import Patience, silence
from app.models.openai_stream import StreamReader

Source: TypeAlias = Callable[[StreamReader], AsyncGenerator[bytes, None]]
"""Gives the bytes of one answer, as server-sent events, to the reader that will read them."""
Post: TypeAlias = Callable[[Prompt, dict[str, Any]], AbstractAsyncContextManager[Source]]
"""Sends one request with these fields; leaving the context gives the request up."""

_MOST_LESSONS = 6
"""How often one request is written anew, each time for another field that the server refused."""
_PATIENCE_WITH_FIRST = 2.0
_EVENTS_OF_ONE_CHOICE = 16
"""After so many events about choice 0 alone, a server is taken to draw one choice per request."""


class RefusedError(Exception):
    """The server answered a request with a bad status."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.told.message)
        self.refusal = refusal


class Asker:
    """``server`` is its name for people; ``post`` raises ``RefusedError`` or ``BackendError``; ``bound`` is
    the most tokens that a prompt may have."""

    def __init__(
        self, server: str, post: Post, habits: Habits, patience: Patience, bound: Callable[[Prompt], int]
    ) -> None:
        self.server = server
        self._post = post
        self._habits = habits
        self._patience = patience
        self._bound = bound
        self._explored = asyncio.Event()
        self._explorer_out = habits.choices == 1 or habits.running_counts
        if self._explorer_out:
            self._explored.set()

    async def sample(self, request: Request) -> AsyncGenerator[Piece, None]:
        """Stream the choices of a request. Raises ``BackendError`` after all that came was yielded."""
        exploring = await self._explore_first(request.choices)
        choices = min(request.choices, self._habits.choices)
        reader: StreamReader | None = None
        try:
            async with AsyncExitStack() as stack:
                source, choices = await self._connect(request, choices, stack)
                reader = StreamReader(
                    choices,
                    request.settings.max_tokens,
                    prompt_at_most=self._bound(request.prompt),
                    counts_choices=self._habits.running_counts,
                )
                stream = await stack.enter_async_context(aclosing(source(reader)))
                async for data in stream:
                    for piece in reader.feed(data):
                        yield piece
                    if reader.done:
                        break
                    if exploring:
                        exploring = not self._learnt_from(reader)
                for piece in reader.end():
                    yield piece
                async for _ in stream:
                    pass  # what is left of the response frees its connection for the next request
        except BackendError:
            if reader is None:
                raise
            for piece in reader.settle():
                yield piece
            if reader.unfinished:
                raise
        finally:
            if exploring:
                self._explored.set()
        if fault := self._shortfall(reader, request.choices):
            raise fault

    async def _explore_first(self, choices: int) -> bool:
        """Let the first request of several choices find out alone whether the server takes them; the others
        wait for it a moment. True for the one that finds out."""
        if choices == 1 or self._explored.is_set():
            return False
        if not self._explorer_out:
            self._explorer_out = True
            return True
        with suppress(TimeoutError):
            await asyncio.wait_for(self._explored.wait(), _PATIENCE_WITH_FIRST)
        return False

    def _learnt_from(self, reader: StreamReader) -> bool:
        """Whether the stream so far shows how many choices a request draws; if so, tell those who wait."""
        if reader.most_index < 1 and reader.events < _EVENTS_OF_ONE_CHOICE:
            return False
        if reader.most_index < 1:
            self._habits.choices = 1
        self._explored.set()
        return True

    async def _connect(self, request: Request, choices: int, stack: AsyncExitStack) -> tuple[Source, int]:
        """The answer to a request, written anew for each field that the server refuses. The second value
        is the number of choices that were asked for in the end."""
        for _ in range(_MOST_LESSONS):
            fields = self._habits.fields(request, choices)
            try:
                async with asyncio.timeout(self._patience.first):
                    return await stack.enter_async_context(self._post(request.prompt, fields)), choices
            except TimeoutError:
                raise silence(self.server, self._patience.first) from None
            except RefusedError as error:
                if not self._habits.learn(error.refusal, fields):
                    raise fault_of(error.refusal, self.server) from None
                choices = min(choices, self._habits.choices)
        raise BackendError("refused", f"{self.server} refuses every form of request.", retry=False)

    def _shortfall(self, reader: StreamReader | None, wanted: int) -> BackendError | None:
        """What to say of choices that were asked for and did not come."""
        if reader is None or reader.finished == wanted:
            return None
        complete = reader.done or reader.counted
        if complete and reader.finished and reader.most_index == reader.finished - 1:
            self._habits.choices = 1
            message = f"{self.server} draws one sample per request; the others are asked for singly."
            return BackendError("refused", message, retry=True)
        if reader.finished or reader.any_text:
            return BackendError("crashed", f"{self.server} closed the stream too early.", retry=True)
        return BackendError("malformed", f"{self.server} answered without a single sample.", retry=True)


def messages_of(prompt: Prompt) -> list[dict[str, str]]:
    """Chat messages as the protocol writes them."""
    return [{"role": message.role, "content": sendable(message.content)} for message in prompt.messages]


def sendable(text: str) -> str:
    """``text`` as JSON can carry it: half a surrogate pair becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()

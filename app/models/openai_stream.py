"""Turns the bytes of one streamed answer into the pieces of the sampling seam, without any input or output.

A choice whose text has ended is held back until the server has said how many tokens it counted, which is the
last thing it says: only then is what the choice costs known exactly. Servers that count every choice as they
go (vLLM does, when asked) need no holding back.

Reasoning is counted and passed over: it is paid for, but it is not the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from app.models.base import BackendError, ChoiceDone, Delta, Piece, PromptRead
from app.models.openai_faults import fault_in_stream
from app.models.openai_usage import Count, Usage, read_usage, share_out
from app.models.openai_wire import Choice, Chunk, EventLines, Message, read_chunk

_ABSURD = 10
_RUNAWAY_BYTES = 16
"""Bytes per token that no model reaches on average; beyond both counts the limit is being ignored."""

Reason = Literal["stop", "length", "content_filter"]


class _State(Count):
    """One choice on its way. ``exact`` is the server's own running count, ``None`` where it keeps none."""

    index: int = 0
    reason: Reason | None = None
    told: bool = False
    exact: int | None = None
    shown: int = 0
    half: str = ""
    logprob_sum: float = 0.0
    logprob_count: int = 0

    @property
    def mean_logprob(self) -> float | None:
        return self.logprob_sum / self.logprob_count if self.logprob_count else None


class StreamReader:
    """Reads one response. ``counts_choices``: running usage is per choice, not for the whole request.

    ``feed`` it bytes as they come, then ``end`` it, whichever way the stream ended: what it holds back comes
    out. ``finished`` and ``unfinished`` count choices.
    """

    def __init__(
        self, choices: int, max_tokens: int, *, prompt_at_most: int, counts_choices: bool = False
    ) -> None:
        self._lines = EventLines()
        self._states = [_State(index=index) for index in range(choices)]
        self._order: list[_State] = []
        self._max_tokens = max_tokens
        self._prompt_at_most = prompt_at_most
        self._counts_choices = counts_choices
        self._usage = Usage()
        self._prompt_told = False
        self.done = False
        """The server has said that nothing more comes."""
        self.events = 0
        """How many events came; a server that sends bytes but no events is not alive."""
        self.most_index = -1

    @property
    def finished(self) -> int:
        return len(self._order)

    @property
    def unfinished(self) -> int:
        return len(self._states) - len(self._order)

    @property
    def any_text(self) -> bool:
        return any(state.pieces for state in self._states)

    @property
    def lines(self) -> int:
        """Whole lines so far, keep-alives included."""
        return self._lines.count

    @property
    def counted(self) -> bool:
        """Whether the server has said how many tokens it counted."""
        return self._usage.completion is not None

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The pieces that ``data`` completes. Raises ``BackendError`` for an error event and for what cannot
        be read; the pieces before it have been yielded by then."""
        return self._read(self._lines.feed(data))

    def end(self) -> Iterator[Piece]:
        """What is left once the stream has ended: a last line without its end, and what was held back."""
        if not self.done:
            yield from self._read(self._lines.flush())
        if self.done and self.counted:
            self._end_silent_choices()
        yield from self.settle()

    def settle(self) -> Iterator[Piece]:
        """The ends of all choices that have ended, with the best count there is."""
        yield from self._prompt()
        waiting = [state for state in self._order if not state.told]
        share_out(self._left_to_share(), waiting, self._max_tokens)
        reasoning = self._usage.reasoning
        for state in waiting:
            thought = min(reasoning, state.tokens)
            reasoning -= thought
            yield self._ended(state, thought)

    def _end_silent_choices(self) -> None:
        """Some servers end and count a stream without ever saying why a choice ended."""
        for state in self._states:
            if state.pieces and state.reason is None:
                state.reason = "stop"
                self._order.append(state)

    def _read(self, payloads: list[bytes]) -> Iterator[Piece]:
        for payload in payloads:
            if payload == b"[DONE]":
                self.done = True
                return
            if not payload:
                continue
            chunk = read_chunk(payload)
            self.events += 1
            if chunk.error is not None:
                raise fault_in_stream(chunk.error)
            if chunk.usage is not None:
                yield from self._count(chunk)
            for choice in chunk.choices or ():
                yield from self._choice(choice)

    def _choice(self, choice: Choice) -> Iterator[Piece]:
        index = choice.index
        if not 0 <= index < len(self._states):
            raise BackendError("malformed", f"The server spoke of choice {index}.", retry=False)
        state = self._states[index]
        self.most_index = max(self.most_index, index)
        if state.reason is not None:
            return
        text, thought = _words(choice)
        if choice.logprobs is not None:
            _add_logprobs(state, choice.logprobs)
        if text or thought:
            state.pieces += 1
            if state.half or not text.isascii():
                text = _whole(state, text)
            state.bytes += len(text) if text.isascii() else len(text.encode())
            if thought:
                state.bytes += len(thought.encode("utf-8", "replace"))
            if state.pieces > self._max_tokens and state.bytes > _RUNAWAY_BYTES * self._max_tokens:
                message = f"The server ignores the limit of {self._max_tokens} tokens; it was cut off."
                raise BackendError("malformed", message, retry=False)
            fresh = 1 if state.exact is None else max(0, state.exact - state.shown)
            state.shown += fresh
            yield Delta(index, text, fresh)
        if choice.finish_reason is not None:
            if choice.finish_reason == "error":
                raise fault_in_stream("The server gave up on a sample.")
            if state.half:
                state.half = ""
                yield Delta(index, "\ufffd", 0)
            state.reason = _REASONS.get(choice.finish_reason, "stop")
            self._order.append(state)
            if state.exact is not None:
                yield from self._prompt()
                state.tokens = state.exact
                yield self._ended(state, 0)

    def _ended(self, state: _State, reasoning: int) -> ChoiceDone:
        state.told = True
        return ChoiceDone(
            state.index,
            state.reason or "stop",
            state.tokens,
            estimated=state.estimated,
            mean_logprob=state.mean_logprob,
            at_most=state.at_most,
            reasoning_tokens=reasoning,
        )

    def _count(self, chunk: Chunk) -> Iterator[Piece]:
        usage = read_usage(chunk.usage)
        if usage.prompt is not None and usage.prompt > _ABSURD * self._prompt_at_most:
            usage = msgspec.structs.replace(usage, prompt=None, cached=0)
        if self._counts_choices and chunk.choices:
            choice = chunk.choices[0]
            if 0 <= choice.index < len(self._states) and usage.completion is not None:
                self._states[choice.index].exact = usage.completion
            self._usage = Usage(usage.prompt, usage.cached)
            yield from self._prompt()
        else:
            self._usage = usage

    def _left_to_share(self) -> int | None:
        total = self._usage.completion
        if total is None:
            return None
        return max(0, total - sum(state.tokens for state in self._order if state.told))

    def _prompt(self) -> Iterator[Piece]:
        if not self._prompt_told and self._usage.prompt is not None:
            self._prompt_told = True
            yield PromptRead(self._usage.prompt, self._usage.cached)


_REASONS: dict[str, Reason] = {
    "stop": "stop",
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}


def _words(choice: Choice) -> tuple[str, str]:
    """What an event adds to the answer, and to the thoughts before it."""
    message = choice.delta or choice.message
    if message is None:
        return choice.text or "", ""
    content = message.content
    if type(content) is str and content:
        return content, ""
    return _rare_words(message)


def _rare_words(message: Message) -> tuple[str, str]:
    thought = message.reasoning_content or message.reasoning or ""
    if isinstance(message.content, list):
        text = "".join(part.text or "" for part in message.content if part.type != "thinking")
        return text, thought or ("…" if not text else "")
    return message.refusal or "", thought


def _whole(state: _State, text: str) -> str:
    """``text`` as whole characters: half a character waits for its other half, a lost half is marked."""
    text = state.half + text
    state.half = ""
    if text and "\ud800" <= text[-1] < "\udc00":
        text, state.half = text[:-1], text[-1]
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _add_logprobs(state: _State, logprobs: object) -> None:
    """Sum up the log-probabilities of new tokens, in nats, as chat or plain completions report them."""
    if not isinstance(logprobs, dict):
        return
    content = logprobs.get("content")
    values = (
        [item.get("logprob") for item in content if isinstance(item, dict)]
        if isinstance(content, list)
        else logprobs.get("token_logprobs")
    )
    for value in values if isinstance(values, list) else ():
        if isinstance(value, (int, float)) and -1e4 < value <= 0:
            state.logprob_sum += value
            state.logprob_count += 1

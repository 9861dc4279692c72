"""A model that plays a script: the fake that stands beside the real ones.

Tests, benchmarks, demos and recordings all need samples that come again exactly as they came before. This
backend keeps every promise of the protocol (streams, a prompt bound, ``max_tokens``, cancellation) without a
model behind it, and can be told to misbehave where a real one would.

The sample with seed s plays line s modulo the number of lines, so a run repeats exactly, whatever the order
in which its requests are made. With ``loop`` false, a seed beyond the last line is refused instead.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

from app.clock import Clock, SystemClock
from app.errors import BadInput
from app.models.base import (
    BackendError,
    ChoiceDone,
    Delta,
    ModelInfo,
    Piece,
    Progress,
    Prompt,
    PromptRead,
    Request,
    Settings,
)
from app.models.script_file import Fault, FinishReason, Header, Line, read_script

TICK = 0.02
"""Seconds between two wake-ups at the least. At high speed several pieces share one, or waking would cost
more than sampling."""

_PIECE = re.compile(r"\s{0,12}\S{1,12}|\s{1,12}")
_ROLE_TOKENS = 8


class ScriptedBackend:
    """Plays ``lines``.

    ``price`` is what the script says a million tokens cost, in and out, in dollars. ``requests``,
    ``cancelled`` (closed early) and ``most_open`` (at once) count what was asked, for tests of whoever drives
    a backend.
    """

    def __init__(
        self,
        lines: Sequence[Line | str],
        header: Header | None = None,
        *,
        name: str = "scripted",
        clock: Clock | None = None,
        tick: float = TICK,
    ) -> None:
        if not lines:
            raise BadInput("The script holds no samples.", "Add at least one line with a text.")
        header = header or Header()
        self.lines = tuple(Line(text=line) if isinstance(line, str) else line for line in lines)
        self.price = header.price
        self.requests = 0
        self.cancelled = 0
        self.most_open = 0
        self._open = 0
        self._rate = header.tokens_per_second
        self._loop = header.loop
        self._clock: Clock = clock or SystemClock()
        self._tick = tick
        self._cuts: dict[int, list[tuple[str, int]]] = {}
        self._failed: Counter[int] = Counter()
        self._longest_prompt = max((line.prompt_tokens or 0 for line in self.lines), default=0)
        self._info = ModelInfo(
            name=header.model or name,
            kind="scripted",
            local=header.price is None,
            stops_when_told=header.stops_when_told,
            parameters=header.parameters,
            layers=header.layers,
            hidden=header.hidden,
            context=header.context,
            concurrency=header.concurrency,
            choices_per_request=header.choices_per_request,
            needs_examples=header.needs_examples,
        )

    @classmethod
    def from_file(
        cls, path: Path, *, problem: str | None = None, clock: Clock | None = None
    ) -> ScriptedBackend:
        """Read a script. ``problem`` keeps one problem's lines of a file of samples. Raises ``BadInput``."""
        header, lines = read_script(path, problem=problem)
        return cls(lines, header, name=f"scripted:{path}", clock=clock)

    @property
    def info(self) -> ModelInfo:
        return self._info

    async def open(self, report: Callable[[Progress], None]) -> None:
        report(Progress("ready", 1.0))

    async def close(self) -> None:
        self._cuts.clear()

    def prompt_tokens_at_most(self, prompt: Prompt) -> int:
        """No tokenizer makes more tokens of a text than it has bytes, but a script may claim more."""
        return max(self._longest_prompt, _prompt_bytes(prompt))

    async def sample(self, request: Request) -> AsyncGenerator[Piece, None]:
        """Stream lines ``seed``, ``seed + 1``, ... Raises ``BackendError`` where the script says so."""
        self.requests += 1
        self._open += 1
        self.most_open = max(self.most_open, self._open)
        finished = False
        try:
            streams = [self._stream(i, request.seed + i, request.settings) for i in range(request.choices)]
            yield PromptRead(streams[0].line.prompt_tokens or _count_prompt(request.prompt))
            clock = self._clock
            started = clock.now()
            while streams:
                elapsed = clock.now() - started
                wake: float | None = None
                still: list[_Stream] = []
                for stream in streams:
                    if (delta := stream.take(elapsed)) is not None:
                        yield delta
                    if stream.due < len(stream.pieces):
                        still.append(stream)
                        wake = stream.next_at if wake is None else min(wake, stream.next_at)
                    elif stream.fault is not None:
                        raise stream.fault.as_error()
                    elif stream.line.hang:
                        still.append(stream)
                    else:
                        yield stream.done()
                streams = still
                if wake is not None:
                    await clock.sleep(max(self._tick, wake - elapsed) if wake else 0.0)
                elif streams:
                    await asyncio.Event().wait()
            finished = True
        except BackendError:
            finished = True
            raise
        finally:
            self._open -= 1
            self.cancelled += not finished

    def _stream(self, choice: int, seed: int, settings: Settings) -> _Stream:
        count = len(self.lines)
        if not self._loop and not 0 <= seed < count:
            raise BackendError(
                "exhausted", f"The script has {count} samples and no number {seed + 1}.", retry=False
            )
        index = seed % count
        line = self.lines[index]
        text = line.words
        cut = min((at for stop in settings.stop if stop and (at := text.find(stop)) >= 0), default=None)
        if cut is None:
            pieces = self._cuts.get(index)
            if pieces is None:
                pieces = self._cuts[index] = cut_pieces(text, line.completion_tokens)
        else:
            pieces = cut_pieces(text[:cut], None)
        fault = line.fault
        if fault is not None and fault.times is not None:
            self._failed[index] += 1
            if self._failed[index] > fault.times:
                fault = None
        return _Stream(choice, line, pieces, settings.max_tokens, fault, self._rate, stopped=cut is not None)


class _Stream:
    """One choice on its way: the pieces it will yield, how far it is, and how it ends."""

    __slots__ = ("_pace", "choice", "due", "fault", "line", "pieces", "reason", "total")

    def __init__(
        self,
        choice: int,
        line: Line,
        pieces: list[tuple[str, int]],
        max_tokens: int,
        fault: Fault | None,
        rate: float | None,
        *,
        stopped: bool,
    ) -> None:
        self.choice = choice
        self.line = line
        self.fault = fault
        self.reason: FinishReason = line.finish_reason or "stop"
        claimed = line.completion_tokens
        whole = sum(tokens for _, tokens in pieces)
        self.total = whole if claimed is None or stopped else claimed
        self._pace = _pieces_per_second(line, len(pieces), whole, rate)
        if stopped:
            self.reason = "stop"
        if self.total > max_tokens:
            pieces = _first_tokens(pieces, max_tokens)
            self.total = max_tokens
            self.reason = "length"
        if fault is not None and fault.after is not None:
            pieces = pieces[: fault.after]
        self.pieces = pieces
        self.due = 0

    @property
    def next_at(self) -> float:
        """Seconds from the start at which the next piece is due; 0 when it is due at once."""
        return (self.due + 1) / self._pace if self._pace else 0.0

    def take(self, elapsed: float) -> Delta | None:
        """What has become due by ``elapsed``: one piece when there is no pace, else all that are late."""
        start = self.due
        if start >= len(self.pieces):
            return None
        if not self._pace:
            self.due = start + 1
            text, tokens = self.pieces[start]
            return Delta(self.choice, text, tokens)
        self.due = min(len(self.pieces), int(elapsed * self._pace + 1e-6))
        if self.due <= start:
            self.due = start
            return None
        late = self.pieces[start : self.due]
        return Delta(self.choice, "".join(text for text, _ in late), sum(tokens for _, tokens in late))

    def done(self) -> ChoiceDone:
        return ChoiceDone(
            self.choice,
            self.reason,
            self.total,
            estimated=self.line.completion_tokens is None,
            mean_logprob=self.line.mean_logprob,
        )


def _pieces_per_second(line: Line, pieces: int, tokens: int, rate: float | None) -> float | None:
    """The pace of one line: its own duration if it was recorded, else ``rate`` tokens a second."""
    if line.seconds is not None:
        return pieces / line.seconds if line.seconds > 0 else None
    if rate is None or not tokens:
        return None
    return rate * pieces / tokens


def cut_pieces(text: str, tokens: int | None) -> list[tuple[str, int]]:
    """Cut ``text`` into token-like pieces, each with the tokens it brings: one each, or ``tokens`` shared out
    evenly, so that the sum is what the recording says."""
    pieces: list[str] = _PIECE.findall(text)
    count = len(pieces)
    if tokens is None or tokens == count:
        return [(piece, 1) for piece in pieces]
    return [(piece, (i + 1) * tokens // count - i * tokens // count) for i, piece in enumerate(pieces)]


def _first_tokens(pieces: list[tuple[str, int]], limit: int) -> list[tuple[str, int]]:
    kept: list[tuple[str, int]] = []
    left = limit
    for piece, tokens in pieces:
        if tokens > left:
            break
        left -= tokens
        kept.append((piece, tokens))
    return kept


def _prompt_bytes(prompt: Prompt) -> int:
    if prompt.text is not None:
        return len(prompt.text.encode("utf-8", "surrogatepass")) + _ROLE_TOKENS
    size = sum(len(message.content.encode("utf-8", "surrogatepass")) for message in prompt.messages)
    return size + _ROLE_TOKENS * (len(prompt.messages) + 1)


def _count_prompt(prompt: Prompt) -> int:
    if prompt.text is not None:
        return len(_PIECE.findall(prompt.text)) + 1
    return sum(len(_PIECE.findall(message.content)) + _ROLE_TOKENS // 2 for message in prompt.messages)

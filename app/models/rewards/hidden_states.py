"""What a middle layer of the embedded model makes of a solution, token by token.

One llama.cpp process serves the model cut after that layer (``gguf_cut``). It reads the problem and the
solution as a conversation, the solution as the assistant's turn, and hands out its states at the solution's
tokens alone. Problem and solution are tokenised as plain characters, so that no text in them can act as a
control token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from app.errors import PartMissing
from app.locations import weights_folder
from app.models.base import BackendError, Progress
from app.models.finding import find_in_thread
from app.models.gguf_header import NotGgufError
from app.models.llama_process import READ_AT_ONCE
from app.models.llama_server import LlamaServer
from app.models.machine import threads_for_model
from app.models.rewards.gguf_cut import cut_gguf

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST = READ_AT_ONCE - 8
"""Tokens of problem and solution together; of a longer solution the end is read."""
TOGETHER = 16
"""The most solutions in one request; it also holds no more tokens than the server has cells."""
TEMPLATE_TOKENS = 16
"""At least as many as stand around problem and solution."""
_LEAST_OF_SOLUTION = 256  # tokens that a long problem leaves to its solution
_CELLS = 2 * READ_AT_ONCE
_BEFORE, _BETWEEN = "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """``at`` has one row a token of the solution. ``read``: all tokens read for it, the problem's too."""

    at: NDArray[np.float32]
    read: int
    truncated: bool


class _Read(msgspec.Struct):
    index: int
    embedding: list[list[float]]


class StateReader:
    """The embedded model cut after ``layers`` layers. ``open`` and ``close`` once each; ``read`` often.
    ``longest`` is the most tokens that are read of problem and solution together."""

    def __init__(self, layers: int, longest: int = LONGEST) -> None:
        self._layers, self._longest = layers, longest
        self._server: LlamaServer | None = None
        self._starting = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._before: list[int] = []
        self._between: list[int] = []
        self._closed = False

    async def open(self, report: Callable[[Progress], None]) -> None:
        """Find or fetch the weights, cut them once, and start the process. Raises ``PartMissing``."""
        self._path = await find_in_thread(self._find, report)
        report(Progress("starting the reward model"))
        await self._running()

    async def read(self, problem: str, solutions: Sequence[str]) -> list[States]:
        """The states of each solution, in order; an empty one has no rows. Raises ``BackendError``."""
        import aiohttp

        server = await self._running()
        try:
            asked = await self._tokenised(server, problem)
            around = len(self._before) + len(self._between)
            asked = asked[: max(self._longest - around - _LEAST_OF_SOLUTION, self._longest // 2)]
            head = [*self._before, *asked, *self._between]
            texts = [await self._tokenised(server, text) for text in solutions]
            room = max(self._longest - len(head), 1)
            whole = [[*head, *text[-room:]] for text in texts]
            found: list[list[list[float]]] = []
            for batch in _batches(whole):
                async with self._reading:
                    found += await _states(server, batch)
        except (aiohttp.ClientError, OSError) as error:
            ended = await server.crashed()
            words = f": {server.last_words() or error}" if ended else ""
            raise BackendError("crashed", f"The reward model's process ended{words}.", retry=True) from None
        return [
            _at_solution(rows, len(head), len(tokens), truncated=len(text) > room)
            for rows, tokens, text in zip(found, whole, texts, strict=True)
        ]

    async def close(self) -> None:
        self._closed = True
        async with self._starting:
            if self._server is not None:
                await self._server.stop()

    async def _running(self) -> LlamaServer:
        async with self._starting:
            if self._closed:
                raise BackendError("refused", "The reward model is closed.", retry=False)
            if self._server is not None and self._server.alive:
                return self._server
            if self._server is not None:
                await self._server.stop()
            self._server = LlamaServer(
                model=self._path,
                slots=TOGETHER,
                threads=threads_for_model(),
                context=_CELLS,
                reads_only=True,
            )
            await self._server.start()
            self._before = await self._tokenised(self._server, _BEFORE, control=True)
            self._between = await self._tokenised(self._server, _BETWEEN, control=True)
            return self._server

    async def _tokenised(self, server: LlamaServer, text: str, *, control: bool = False) -> list[int]:
        body = {
            "content": text.encode("utf-8", "replace").decode(),
            "parse_special": control,
            "add_special": False,
        }
        async with server.session.post("/tokenize", json=body) as response:
            return [int(token) for token in (await response.json())["tokens"]]

    def _find(self, report: Callable[[Progress], None]) -> Path:
        from app.models.weights import GGUF_NAME, find_smollm2

        whole = find_smollm2(report)
        target = weights_folder() / "cut" / f"{Path(GGUF_NAME).stem}-{self._layers}-layers.gguf"
        try:
            if not target.exists() or target.stat().st_mtime_ns < whole.stat().st_mtime_ns:
                report(Progress("cutting the reward model out of smollm2"))
                target.parent.mkdir(parents=True, exist_ok=True)
                cut_gguf(whole, target, self._layers)
        except NotGgufError as error:
            raise PartMissing(
                f"The reward model cannot be cut: {error}.", "Fetch the weights anew."
            ) from None
        except OSError as error:
            raise PartMissing(
                f"The reward model cannot be kept in {target.parent}: {error.strerror}.",
                "Set MONKEYS_HOME to a folder with 80 MB free.",
            ) from None
        return target


def _batches(texts: list[list[int]]) -> list[list[list[int]]]:
    """``texts`` in order, cut where the cells of the server are full."""
    batches: list[list[list[int]]] = []
    left = 0
    for text in texts:
        if len(text) > left or len(batches[-1]) == TOGETHER:
            batches.append([])
            left = _CELLS
        batches[-1].append(text)
        left -= len(text)
    return batches


async def _states(server: LlamaServer, texts: list[list[int]]) -> list[list[list[float]]]:
    body = {"content": texts, "embd_normalize": -1}
    async with server.session.post("/embeddings", json=body) as response:
        answer = await response.read()
    if response.status != 200:
        raise BackendError("server", f"The reward model failed ({response.status}).", retry=True)
    try:
        read = msgspec.json.decode(answer, type=list[_Read])
    except msgspec.DecodeError:
        raise BackendError("malformed", "The reward model's answer cannot be read.", retry=True) from None
    rows = [one.embedding for one in sorted(read, key=lambda one: one.index)]
    if [len(row) for row in rows] != [len(text) for text in texts]:
        raise BackendError("malformed", "The reward model read another number of tokens.", retry=True)
    return rows


def _at_solution(rows: list[list[float]], before: int, read: int, *, truncated: bool) -> States:
    import numpy as np

    width = len(rows[0])
    return States(np.asarray(rows[before:], dtype=np.float32).reshape(-1, width), read, truncated)

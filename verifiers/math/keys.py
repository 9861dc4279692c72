"""The keys that answers vote under in one run: ``normal_form``'s, and math-verify's for what that leaves.

Most answers never get here: strings, numbers and school algebra are decided where they stand. For the rest
``prepare`` asks math-verify beforehand and remembers what it said, so that afterwards ``key`` and ``same``
are look-ups. An answer has one key for as long as the object lives, even if that is only its text because
math-verify was too slow: an answer must not change its group in the middle of a run.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Iterable
from concurrent.futures import Future, wait
from functools import lru_cache
from typing import Final

from verifiers.math.reading import is_beyond_reach
from verifiers.math.values import load
from verifiers.math.workers import MathVerify, Says
from verifiers.normal import is_algebra, normal_form
from verifiers.verdicts import Kind

WAIT_SECONDS: Final = 1.0
"""How long a sample waits for math-verify before it goes on without."""
FIRST_WAIT_SECONDS: Final = 8.0
"""The same while the first process is still starting."""
MOST_KEPT: Final = 50_000


@lru_cache(maxsize=1)
def shared_math_verify() -> MathVerify:
    """The processes that all runs of this program share. They start when something is asked, and end with
    the program."""
    workers = MathVerify()
    atexit.register(workers.close)
    return workers


@lru_cache(maxsize=1)
def _load_numbers() -> None:
    """Import what formulas need now and beside us: 40 ms that nobody should feel in the middle of a run."""
    threading.Thread(target=load, name="load-numbers", daemon=True).start()


class AnswerKeys:
    """Keys of answers of one ``kind``. ``math_verify`` is who is asked; ``None``: nobody is."""

    def __init__(self, kind: Kind, math_verify: MathVerify | None) -> None:
        self._kind = kind
        self._workers = math_verify
        self._keys: dict[str, str] = {}
        self._same: dict[tuple[str, str], bool | None] = {}
        if kind == "math":
            _load_numbers()

    @property
    def trouble(self) -> str:
        """Why math-verify cannot be asked, empty where it can or was not needed."""
        return self._workers.trouble if self._workers is not None else ""

    def key(self, answer: str) -> str:
        """The key of ``answer``: equal for two answers exactly where they count as the same."""
        return self._keys.get(answer) or normal_form(answer, self._kind)

    def keep(self, answer: str, key: str) -> None:
        """Go on with a key that was given earlier."""
        if key != normal_form(answer, self._kind):
            self._keys[answer] = key

    def same(self, known: str, answer: str) -> bool | None:
        """What math-verify says of two answers of which one has no key; ``None`` where it said nothing."""
        return self._same.get((known, answer))

    def needs(self, answer: str) -> bool:
        """Whether ``prepare`` could say more about ``answer`` than its normal form does."""
        return (
            self._kind == "math"
            and self._workers is not None
            and answer not in self._keys
            and len(self._keys) < MOST_KEPT
            and is_algebra(normal_form(answer, self._kind))
            and not is_beyond_reach(answer)
        )

    async def prepare(self, answer: str, known: str | None = None) -> None:
        """Ask math-verify, if that is needed, about ``answer`` and how it stands to the ``known`` one. Waits
        a second at the most, and never holds up the event loop."""
        asked = self._ask_keys([answer] if known is None else [answer, known])
        if asked:
            futures = [asyncio.wrap_future(future) for _, future in asked]
            await asyncio.wait(futures, timeout=self._patience())
            self._learn_keys(asked)
        if known is not None and (question := self._ask_same(known, answer)) is not None:
            await asyncio.wait([asyncio.wrap_future(question)], timeout=self._patience())
            self._learn_same(known, answer, question)

    def prepare_all(self, pairs: Iterable[tuple[str, str | None]], *, seconds: float = 120.0) -> None:
        """The same for many answers, each with the known one it is compared with, while the caller waits."""
        pairs = list(pairs)
        asked = self._ask_keys([text for pair in pairs for text in pair if text is not None])
        wait([future for _, future in asked], timeout=seconds)
        self._learn_keys(asked)
        questions = []
        for answer, known in pairs:
            if known is not None and (question := self._ask_same(known, answer)) is not None:
                questions.append((known, answer, question))
        wait([future for _, _, future in questions], timeout=seconds)
        for known, answer, future in questions:
            self._learn_same(known, answer, future)

    def _patience(self) -> float:
        return WAIT_SECONDS if self._workers is None or self._workers.warm else FIRST_WAIT_SECONDS

    def _ask_keys(self, answers: Iterable[str]) -> list[tuple[str, Future[Says]]]:
        if self._workers is None:
            return []
        return [(each, self._workers.key(each)) for each in dict.fromkeys(answers) if self.needs(each)]

    def _learn_keys(self, asked: list[tuple[str, Future[Says]]]) -> None:
        for answer, future in asked:
            says = _said(future)
            self._keys.setdefault(answer, says if isinstance(says, str) else normal_form(answer, self._kind))

    def _ask_same(self, known: str, answer: str) -> Future[Says] | None:
        if self._workers is None or self._kind != "math" or (known, answer) in self._same:
            return None
        keys = (self.key(known), self.key(answer))
        if keys[0] == keys[1] or not any(map(is_algebra, keys)) or len(self._same) >= MOST_KEPT:
            return None
        if is_beyond_reach(known) or is_beyond_reach(answer):
            return None
        return self._workers.same(known, answer)

    def _learn_same(self, known: str, answer: str, future: Future[Says]) -> None:
        says = _said(future)
        self._same[known, answer] = says if isinstance(says, bool) else None


def _said(future: Future[Says]) -> Says:
    """What was answered in time. What was not is asked no more."""
    if future.done() and not future.cancelled():
        return future.result()
    future.cancel()
    return None

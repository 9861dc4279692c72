"""A chat model that verifiers may ask: every reply is reserved, streamed, charged and, after a fault, tried
again. This is the ``Writer`` that ``verifiers.ports`` speaks of."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from app.clock import Clock
from app.models.base import (
    Backend,
    BackendError,
    ChoiceDone,
    Delta,
    Message,
    Prompt,
    PromptRead,
    Request,
    Settings,
)
from app.runs.costs import Meter
from app.runs.flight import NEVER_ARRIVED
from app.runs.paying import NOTHING, Paid, Payer
from app.runs.places import Places
from budgets.amounts import Amounts
from budgets.flops import prompt_flops
from budgets.rates import Price
from verifiers.ports import Turn, WriterFailed, Written

ATTEMPTS: Final = 4
_LONGEST_WAIT: Final = 30.0


class MeteredWriter:
    """``backend`` at ``price``, ``None`` where it costs no dollars. ``payer`` lets calls through, ``places``
    says how many at once."""

    def __init__(
        self, backend: Backend, price: Price | None, payer: Payer, places: Places, clock: Clock, seed: int
    ) -> None:
        self._backend = backend
        self._price = price
        self._payer = payer
        self._places = places
        self._clock = clock
        self._jitter = random.Random(seed)  # noqa: S311 - spreads retries, guards nothing

    @property
    def name(self) -> str:
        return self._backend.info.name

    def worst(self, prompt_tokens: int, max_tokens: int, choices: int = 1) -> Amounts:
        """The most that a call can cost. Every prompt is another, so that each is read in full."""
        meter = Meter(self._backend.info, self._price)
        each = meter.hold_choice(prompt_tokens, max_tokens).without_samples()
        return meter.hold_prompt(prompt_tokens) + each.times(choices)

    async def write(
        self,
        conversation: Sequence[Turn],
        *,
        about: int,
        max_tokens: int,
        temperature: float = 0.0,
        choices: int = 1,
        seed: int = 0,
        stop: Sequence[str] = (),
        on_text: Callable[[str], None] | None = None,
    ) -> list[Written]:
        prompt = Prompt(messages=tuple(Message(turn.role, turn.text) for turn in conversation))
        settings = Settings(temperature=temperature, max_tokens=max_tokens, stop=tuple(stop))
        most = max(1, self._backend.info.choices_per_request)
        parts = [
            self._asked(
                Request(prompt, settings, min(most, choices - first), seed + first),
                about,
                None if first else on_text,
            )
            for first in range(0, choices, most)
        ]
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            return [written for replies in await asyncio.gather(*tasks) for written in replies]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _asked(
        self, request: Request, about: int, on_text: Callable[[str], None] | None
    ) -> list[Written]:
        """One request, tried again while that may help. Raises ``WriterFailed``, ``CannotAfford``."""
        attempt = 0
        while True:
            async with self._places.one():
                at_most = self._backend.prompt_tokens_at_most(request.prompt)
                held = self.worst(at_most, request.settings.max_tokens, request.choices)
                paid = await self._payer.reserve(self.name, held, (about,))
                try:
                    return await _Reply(self._backend, self._price, request, paid, on_text).read()
                except BackendError as error:
                    attempt += 1
                    if not error.retry or attempt >= ATTEMPTS:
                        raise WriterFailed(error.message) from None
                    wait = max(error.retry_after or 0.0, min(_LONGEST_WAIT, 0.25 * 2.0**attempt))
            await self._clock.sleep(wait * self._jitter.uniform(0.75, 1.25))


class _Reply:
    """One request in the air: what of it has come, and what that costs."""

    def __init__(
        self,
        backend: Backend,
        price: Price | None,
        request: Request,
        paid: Paid,
        on_text: Callable[[str], None] | None,
    ) -> None:
        self._backend, self._request, self._paid, self._on_text = backend, request, paid, on_text
        self._meter = Meter(backend.info, price)
        self._parts: list[list[str]] = [[] for _ in range(request.choices)]
        self._seen = [0] * request.choices
        self._done: dict[int, ChoiceDone] = {}
        self._prompt_tokens: int | None = None
        self._prompt_cost = NOTHING

    async def read(self) -> list[Written]:
        """Stream to the end, and charge, whichever way it ends. Raises ``BackendError``."""
        try:
            async with aclosing(self._backend.sample(self._request)) as pieces:
                async for piece in pieces:
                    self._take(piece)
            if len(self._done) < self._request.choices:
                raise BackendError("malformed", "The stream ended before the reply did.", retry=True)
        except BackendError as error:
            self._settle(arrived=error.kind not in NEVER_ARRIVED)
            raise
        except BaseException:
            self._settle(arrived=True)
            raise
        self._settle(arrived=True)
        return [
            Written("".join(parts), self._done[place].reason == "length", self._done[place].completion_tokens)
            for place, parts in enumerate(self._parts)
        ]

    def _take(self, piece: PromptRead | Delta | ChoiceDone) -> None:
        if isinstance(piece, Delta):
            self._parts[piece.choice].append(piece.text)
            self._seen[piece.choice] += piece.tokens
            if piece.choice == 0 and self._on_text is not None and piece.text:
                self._on_text(piece.text)
        elif isinstance(piece, ChoiceDone):
            self._done[piece.choice] = piece
        elif self._prompt_tokens is None:
            self._prompt_tokens = piece.tokens
            self._prompt_cost = self._read(piece)

    def _read(self, piece: PromptRead) -> Amounts:
        """What reading the prompt cost. Our instructions are the same each time, and what a local model still
        holds of them is not worked out again."""
        cost, size = self._meter.prompt(piece.tokens, piece.cached), self._meter.size
        if size is None or cost.flops is None or not self._meter.info.local:
            return cost
        return replace(cost, flops=cost.flops - prompt_flops(size, min(piece.cached, piece.tokens)))

    def _settle(self, *, arrived: bool) -> None:
        """Owe what came. What was cut short on a server that works on, or whose prompt nobody counted, may
        cost all that was held."""
        if not arrived:
            self._paid.charge(NOTHING)
            return
        prompt = self._prompt_tokens or 0
        known = self._prompt_cost
        at_most = self._prompt_cost
        uncertain = self._prompt_tokens is None
        for place, seen in enumerate(self._seen):
            done = self._done.get(place)
            tokens = seen if done is None else done.completion_tokens
            tokens = min(tokens, self._request.settings.max_tokens) if done is None else tokens
            reasoning = 0 if done is None else done.reasoning_tokens
            cost = self._meter.choice(prompt, tokens, sample=0, reasoning=reasoning)
            known = known + cost
            most = None if done is None else done.at_most
            at_most = at_most + (cost if most is None else self._meter.choice(prompt, most, sample=0))
            uncertain |= done is None and not self._meter.info.stops_when_told
        self._paid.charge(known, self._paid.held if uncertain else at_most, read=self._prompt_cost.tokens)

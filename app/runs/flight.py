"""One request in the air: its samples as they stream, and what each of them owes.

A ``Flight`` only keeps count. It turns pieces into events and settles every hold of its ledger call exactly
once, whichever way the request ends: finished, cut short by us, or lost to a fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from app.models.base import BackendError, ChoiceDone, Delta, PromptRead
from app.runs import events as ev
from app.runs.costs import Meter
from app.runs.judging import Judge
from app.runs.offers import Offer
from budgets.amounts import Amounts
from budgets.ledger import Call

_TRACK_STEP = 0.1
"""Seconds between two points of a sample's track: finer than an eye needs, coarse enough to stay small."""

NOTHING = Amounts()

NEVER_ARRIVED = frozenset({"refused", "rate-limit", "auth", "context"})
"""Kinds of fault that say that no model worked on the request."""


@dataclass(slots=True)
class _Choice:
    """One sample of the request while it streams."""

    index: int
    parts: list[str] = field(default_factory=list)
    characters: int = 0
    tokens: int = 0
    track: list[int] = field(default_factory=list)
    tracked_at: float = -1.0
    done: bool = False

    @property
    def text(self) -> str:
        return "".join(self.parts)


class Flight:
    """``offer`` says what the ledger reserved: for the prompt, and for each choice."""

    def __init__(
        self,
        number: int,
        indices: tuple[int, ...],
        call: Call,
        meter: Meter,
        judge: Judge,
        *,
        offer: Offer,
        started: float,
    ) -> None:
        self.number = number
        self.indices = indices
        self.model = meter.info.name
        self._call = call
        self._meter = meter
        self._judge = judge
        self._held_prompt = offer.prompt
        self._held_choice = offer.each
        self.started = started
        self._choices = [_Choice(index) for index in indices]
        self._prompt_tokens: int | None = None

    @property
    def unfinished(self) -> list[int]:
        return [choice.index for choice in self._choices if not choice.done]

    def delta(self, piece: Delta, at: float) -> ev.TextDelta:
        choice = self._choices[piece.choice]
        choice.parts.append(piece.text)
        choice.characters += len(piece.text)
        choice.tokens += piece.tokens
        if at - choice.tracked_at >= _TRACK_STEP:
            choice.tracked_at = at
            choice.track += (round((at - self.started) * 1000), choice.characters)
        else:
            choice.track[-1] = choice.characters
        return ev.TextDelta(at=at, sample=choice.index, text=piece.text, tokens=piece.tokens)

    def prompt_read(self, piece: PromptRead, at: float) -> list[ev.Event]:
        if self._prompt_tokens is not None:
            return []
        self._prompt_tokens = piece.tokens
        cost = self._meter.prompt(piece.tokens, piece.cached)
        self._call.settle_prompt(cost)
        return [self._charged(at, None, cost, cost, self._held_prompt)]

    async def prepare(self, piece: ChoiceDone) -> str:
        """What may take a moment before ``choice_done``. Returns what a user should know, once."""
        return await self._judge.prepare(self._choices[piece.choice].text, piece.reason)

    def choice_done(self, piece: ChoiceDone, at: float) -> list[ev.Event]:
        """The sample's end, its charge, and all that follows from it, as one transaction's events."""
        choice = self._choices[piece.choice]
        choice.done = True
        text = choice.text
        extraction = self._judge.extract(text, piece.reason)
        group = self._judge.vote(choice.index, self.model, extraction.answer)
        cost = self._meter.choice(
            self._prompt_tokens or 0, piece.completion_tokens, reasoning=piece.reasoning_tokens
        )
        at_most = (
            cost if piece.at_most is None else self._meter.choice(self._prompt_tokens or 0, piece.at_most)
        )
        self._call.settle_choice(piece.choice, cost, at_most)
        span = None
        if extraction.start is not None and extraction.end is not None:
            span = (extraction.start, extraction.end)
        finished = ev.SampleFinished(
            at=at,
            sample=choice.index,
            call=self.number,
            model=self.model,
            text=text,
            finish_reason=piece.reason,
            prompt_tokens=self._prompt_tokens,
            completion_tokens=piece.completion_tokens,
            estimated=piece.estimated,
            seconds=at - self.started,
            answer=extraction.answer,
            group=group,
            how=extraction.how,
            span=span,
            mean_logprob=piece.mean_logprob,
            track=tuple(choice.track),
        )
        return [
            finished,
            self._charged(at, choice.index, cost, at_most, self._held_choice),
            *self._judge.consequences(at, choice.index, self.model, extraction),
        ]

    def ended(self, at: float) -> list[ev.Event]:
        """All samples are in. A prompt whose length nobody told is owed at its worst."""
        return self._close(at, reached=True)

    def cancelled(self, at: float) -> list[ev.Event]:
        """We cut the request short: keep what came, and owe it."""
        found: list[ev.Event] = []
        for place, choice in self._open():
            found.append(
                ev.SampleFinished(
                    at=at,
                    sample=choice.index,
                    call=self.number,
                    model=self.model,
                    text=choice.text,
                    finish_reason="cancelled",
                    prompt_tokens=self._prompt_tokens,
                    completion_tokens=choice.tokens,
                    estimated=True,
                    seconds=at - self.started,
                    track=tuple(choice.track),
                )
            )
            found.append(self._cut_short(place, choice, at))
        return found + self._close(at, reached=True)

    def failed(self, error: BackendError, at: float, *, retry: bool) -> list[ev.Event]:
        """The request was lost to a fault. One that never reached the model owes nothing."""
        reached = error.kind not in NEVER_ARRIVED
        found: list[ev.Event] = []
        for place, choice in self._open():
            found.append(
                ev.SampleFailed(
                    at=at,
                    sample=choice.index,
                    call=self.number,
                    model=self.model,
                    kind=error.kind,
                    message=error.message,
                    retry=retry,
                    text=choice.text,
                    completion_tokens=choice.tokens,
                )
            )
            if reached:
                found.append(self._cut_short(place, choice, at))
            else:
                self._call.release_choice(place)
                found.append(self._charged(at, choice.index, NOTHING, NOTHING, self._held_choice))
        return found + self._close(at, reached=reached)

    def withdrawn(self, at: float) -> list[ev.Event]:
        """The request never left: nothing is owed."""
        found: list[ev.Event] = self.failed(
            BackendError("refused", "It was not sent: the run is ending.", retry=False), at, retry=True
        )
        return found

    def _open(self) -> list[tuple[int, _Choice]]:
        found = [(place, choice) for place, choice in enumerate(self._choices) if not choice.done]
        for _, choice in found:
            choice.done = True
        return found

    def _cut_short(self, place: int, choice: _Choice, at: float) -> ev.Charged:
        """Owe what was seen. A server that works on regardless may bill all that was held."""
        # Where a server sends less than a token at a time, pieces are more than the tokens in them.
        seen = min(choice.tokens, self._held_choice.tokens)
        known = self._meter.choice(self._prompt_tokens or 0, seen, sample=0)
        at_most = known if self._meter.info.stops_when_told else self._held_choice.without_samples()
        self._call.settle_choice(place, known, at_most)
        return self._charged(at, choice.index, known, at_most, self._held_choice)

    def _close(self, at: float, *, reached: bool) -> list[ev.Event]:
        """Settle the prompt if nobody told us it was read."""
        if self._prompt_tokens is not None:
            return []
        at_most = self._held_prompt if reached else NOTHING
        self._call.settle_prompt(NOTHING, at_most)
        return [self._charged(at, None, NOTHING, at_most, self._held_prompt)]

    def _charged(
        self, at: float, sample: int | None, known: Amounts, at_most: Amounts, released: Amounts
    ) -> ev.Charged:
        return ev.Charged(
            at=at,
            call=self.number,
            model=self.model,
            sample=sample,
            known=known,
            at_most=at_most,
            released=released,
        )

"""Rewards for samples while sampling goes on, in batches, each paid for before it is asked.

A reward model may be a server that answers NaN, too little, or nothing. What has no number has a reason;
after several calls that failed in a row no more are made, with a notice, and the run goes on without.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from app.clock import Clock
from app.errors import MonkeysError
from app.models.base import BackendError
from app.models.rewards.base import RewardModel, WritingReward
from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.costs import Meter
from app.runs.flight import NEVER_ARRIVED
from app.runs.paying import NOTHING, Payer
from app.runs.places import Places
from app.runs.state import Sample
from app.runs.telling import Telling
from budgets.amounts import Amounts
from budgets.rates import Price
from verifiers.cotnpot.describe import with_description
from verifiers.ports import CannotAfford, Score, Solution, Writer, WriterFailed

FAILURES_IN_A_ROW: Final = 3
_WAIT: Final = 0.25
"""Seconds before a failed call is made again, doubled with each that failed."""
_AT_ONCE: Final = 2
"""Batches in the air: the next is ready when one comes back."""

_Key = tuple[str, float | None]


class Scorer(Protocol):
    """Scores a batch, at most ``batch`` solutions."""

    name: str
    batch: int

    async def score(self, solutions: Sequence[Solution]) -> list[Score]: ...


class ModelScorer:
    """A reward model, paid by what it reads; one without an ``info`` costs nothing."""

    def __init__(
        self, model: RewardModel, problem: Problem, price: Price | None, payer: Payer, places: Places
    ) -> None:
        self.name = model.name
        self.batch = max(1, model.batch)
        self._model = model
        self._problem = problem
        self._price = price
        self._payer = payer
        self._places = places

    async def score(self, solutions: Sequence[Solution]) -> list[Score]:
        info = self._model.info
        if info is None:
            return await self._model.score(self._problem, solutions)
        meter = Meter(info, self._price)
        async with self._places.one():
            held = meter.hold_prompt(self._model.tokens_at_most(self._problem, solutions))
            about = tuple(solution.sample for solution in solutions)
            paid = await self._payer.reserve(info.name, held, about)
            try:
                scores = await self._model.score(self._problem, solutions)
            except BaseException as error:
                never_asked = isinstance(error, BackendError) and error.kind in NEVER_ARRIVED
                paid.charge(NOTHING, NOTHING if never_asked else held)
                raise
            cost = sum((Meter(info, self._price).prompt(each.tokens, 0) for each in scores), NOTHING)
            paid.charge(cost, read=cost.tokens)
            return scores


class AskingScorer:
    """A reward found by asking a chat model; its replies are paid by the writer."""

    batch = 1

    def __init__(self, reward: WritingReward, problem: Problem, writer: Writer) -> None:
        self.name = reward.name
        self._reward = reward
        self._problem = problem
        self._writer = writer

    async def score(self, solutions: Sequence[Solution]) -> list[Score]:
        return await self._reward.score(self._writer, self._problem, solutions)


class Rewarding:
    """The rewards of one run. ``described``: code is read with the words for it, where there are any.
    ``rewarded`` is told each sample that was scored, ``changed`` that something ended."""

    def __init__(
        self,
        telling: Telling,
        scorer: Scorer,
        clock: Clock,
        *,
        at_once: int = _AT_ONCE,
        described: bool = False,
        rewarded: Callable[[Sample], None],
        changed: Callable[[], None],
    ) -> None:
        self._telling = telling
        self._scorer = scorer
        self._clock = clock
        self._at_once = at_once
        self._described = described
        self._rewarded = rewarded
        self._changed = changed
        self._known: dict[_Key, Score] = {}
        self._waiting: dict[_Key, list[int]] = {}
        self._queue: deque[_Key] = deque()
        self._work: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._truncated = False
        self.ready = False
        self.off = ""

    @property
    def behind(self) -> int:
        """Samples that wait for their reward."""
        return 0 if self.off else sum(map(len, self._waiting.values()))

    def remember(self, sample: Sample) -> None:
        """Take over what an earlier part of the run paid for."""
        if sample.reward is not None:
            self._known.setdefault(
                self._key(sample), Score(sample.reward, sample.reward_why, sample.reward_truncated)
            )

    def submit(self, sample: Sample) -> None:
        """Queue one sample. Texts that are equal to the letter are scored once."""
        key = self._key(sample)
        if key in self._known:
            self._tell(sample.index, self._known[key])
        elif key in self._waiting:
            if sample.index not in self._waiting[key]:  # a run that goes on hands over all it has again
                self._waiting[key].append(sample.index)
        else:
            self._waiting[key] = [sample.index]
            self._queue.append(key)

    def turn(self) -> None:
        """Start what can be started."""
        while self.ready and not self.off and self._queue and len(self._work) < self._at_once:
            keys = [self._queue.popleft() for _ in range(min(self._scorer.batch, len(self._queue)))]
            work = asyncio.create_task(self._batch(keys))
            self._work.add(work)
            work.add_done_callback(self._ended)

    def again(self) -> None:
        """There may be money again, or the reward model may be well again."""
        self.off, self._failures = "", 0

    async def cancel(self) -> None:
        """End what is going on; what came of it is charged, and queued for another time."""
        work = list(self._work)
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        self._queue = deque(self._waiting)  # also what had been taken from it and never began

    def set_off(self, why: str) -> None:
        if not self.off:
            self.off = why
            left = sum(map(len, self._waiting.values()))
            self._telling.warn(f"No more rewards are given: {why}. Samples without one: {left:,}.")
            self._changed()

    async def _batch(self, keys: list[_Key]) -> None:
        solutions = [self._solution(key) for key in keys]
        try:
            scores = await self._scorer.score(solutions)
            if len(scores) != len(solutions):
                raise BackendError(
                    "malformed", f"It gave {len(scores)} rewards for {len(solutions)} samples.", retry=True
                )
        except CannotAfford as error:
            self._queue.extendleft(reversed(keys))
            self.set_off(str(error))
        except (BackendError, WriterFailed, MonkeysError) as error:
            self._failures += 1
            gone = isinstance(error, MonkeysError) or (isinstance(error, BackendError) and not error.retry)
            if gone or self._failures >= FAILURES_IN_A_ROW:
                self.set_off(f"{self._scorer.name} failed ({str(error).rstrip('.')})")
            else:
                await self._clock.sleep(_WAIT * 2**self._failures)
            self._queue.extendleft(reversed(keys))
        else:
            self._failures = 0
            for key, score in zip(keys, scores, strict=True):
                if score.reward is not None and not math.isfinite(score.reward):
                    score = Score(None, "the reward is no finite number", score.truncated, score.tokens)
                self._known[key] = score
                for index in self._waiting.pop(key):
                    self._tell(index, score)

    def _solution(self, key: _Key) -> Solution:
        index = self._waiting[key][0]
        sample = self._telling.state.samples[index]
        answer = sample.answer if sample is not None else None
        return Solution(index, key[0], answer, key[1])

    def _tell(self, index: int, score: Score) -> None:
        if score.truncated and not self._truncated:
            self._truncated = True
            self._telling.warn(
                f"Some samples are too long for {self._scorer.name}: it reads them without their beginning."
            )
        self._telling.emit(
            ev.Rewarded(
                at=self._telling.at(),
                sample=index,
                reward=score.reward,
                model=self._scorer.name,
                truncated=score.truncated,
                why=score.why,
            )
        )
        sample = self._telling.state.samples[index]
        if sample is not None:
            self._rewarded(sample)

    def _key(self, sample: Sample) -> _Key:
        """What a reward is a function of."""
        text = with_description(sample.text, sample.program) if self._described else sample.text
        return text, sample.mean_logprob

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.set_off(f"a fault of the program, {type(error).__name__}: {error}")
        self._changed()


def worst_score(model: RewardModel, problem: Problem, price: Price | None, longest: int) -> Amounts:
    """The most that scoring one sample of ``longest`` characters can cost."""
    if model.info is None:
        return NOTHING
    sample = Solution(0, "x" * longest, None)
    return Meter(model.info, price).hold_prompt(model.tokens_at_most(problem, [sample]))

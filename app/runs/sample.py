"""What a run's state is made of: its samples, and the sums over them and over what they cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from app.runs import events as ev
from budgets.amounts import Amounts
from verifiers.candidates import ProgramStatus

SampleStatus = Literal["live", "finished", "cancelled", "failed"]

NOTHING: Final = Amounts()


@dataclass(slots=True, eq=False)
class Sample:
    """One generation. ``parts`` is the text as it came; ``text`` joins it once and keeps it joined."""

    index: int
    model: str
    call: int
    started: float
    seed: int
    status: SampleStatus = "live"
    parts: list[str] = field(default_factory=list)
    tokens: int = 0
    seconds: float = 0.0
    answer: str | None = None
    group: str | None = None
    how: str = ""
    span: tuple[int, int] | None = None
    finish_reason: str | None = None
    estimated: bool = False
    mean_logprob: float | None = None
    verdict: ev.Verdict | None = None
    reason: str = ""
    checker: str = ""
    prompt_tokens: int | None = None
    known: Amounts = NOTHING
    at_most: Amounts = NOTHING
    error: str | None = None
    will_retry: bool = False
    reward: float | None = None
    reward_model: str | None = None
    reward_truncated: bool = False
    reward_why: str = ""
    """Why there is no reward, where one was looked for; told by ``reward_model`` being set."""
    program_status: ProgramStatus | None = None
    """``None`` until the sample's program was looked at."""
    program_answer: str | None = None
    program_reason: str = ""
    translator: str | None = None
    shared_with: int | None = None
    program_cost: Amounts = NOTHING
    """What asking for its program cost; nothing where another sample's served."""
    translation: list[str] = field(default_factory=list)
    """The program as it comes, in pieces; whole, in one, once it was checked."""
    rewarded: int = 0
    checked: int = 0
    judged: int = 0
    """The state's revision when the reward, the program's result and the verdict came: their order."""
    revision: int = 0
    """The state's revision when this sample last changed."""

    @property
    def text(self) -> str:
        if len(self.parts) > 1:
            self.parts[:] = ["".join(self.parts)]
        return self.parts[0] if self.parts else ""

    def finish(self, event: ev.SampleFinished) -> None:
        """It came to its end, or was cut short."""
        self.parts = [event.text]
        self.tokens, self.seconds = event.completion_tokens, event.seconds
        self.prompt_tokens, self.estimated = event.prompt_tokens, event.estimated
        self.answer, self.group, self.how, self.span = event.answer, event.group, event.how, event.span
        self.finish_reason, self.mean_logprob = event.finish_reason, event.mean_logprob
        self.status = "cancelled" if event.finish_reason == "cancelled" else "finished"

    def take_reward(self, event: ev.Rewarded, revision: int) -> None:
        self.reward, self.reward_model = event.reward, event.model
        self.reward_truncated, self.reward_why = event.truncated, event.why
        self.revision = self.rewarded = revision

    def take_program(self, event: ev.ProgramChecked, shared: Sample | None, revision: int) -> None:
        """``shared``: the sample whose program this is too."""
        self.program_status, self.program_answer = event.status, event.answer
        self.program_reason, self.translator = event.reason, event.translator
        self.shared_with = event.shared_with
        self.translation = [event.program] if shared is None else shared.translation
        self.revision = self.checked = revision

    @property
    def program(self) -> str:
        """What the translator has written so far."""
        return "".join(self.translation)

    def tail(self, characters: int) -> str:
        """The last characters, without joining the whole text (rows show only these)."""
        taken: list[str] = []
        left = characters
        for part in reversed(self.parts):
            taken.append(part[-left:])
            left -= len(taken[-1])
            if left <= 0:
                break
        return "".join(reversed(taken))


@dataclass(slots=True)
class Tally:
    """What coverage is computed from, for one model."""

    n: int = 0
    correct: int = 0
    undecided: int = 0
    answers: int = 0
    once: int = 0
    distinct: int = 0


@dataclass(slots=True)
class FilterTally:
    """What became of the samples whose program was looked at. ``kept`` agree with it, ``dropped`` differ.

    ``right`` and ``wrong`` count those of them whose truth is known, and the same among the kept.
    """

    kept: int = 0
    dropped: int = 0
    failed: int = 0
    not_run: int = 0
    right: int = 0
    right_kept: int = 0
    wrong_kept: int = 0

    @property
    def looked_at(self) -> int:
        return self.kept + self.dropped + self.failed + self.not_run

    @property
    def precision(self) -> float | None:
        """The share of the kept that are right; ``None`` where nothing is known of them."""
        decided = self.right_kept + self.wrong_kept
        return self.right_kept / decided if decided else None

    @property
    def recall(self) -> float | None:
        """The share of the right that are kept."""
        return self.right_kept / self.right if self.right else None

    def count(self, sample: Sample, by: int) -> None:
        status = sample.program_status
        if status is None:
            return
        if status == "agrees":
            self.kept += by
        elif status == "differs":
            self.dropped += by
        elif status == "failed":
            self.failed += by
        else:
            self.not_run += by
        if sample.verdict == "right":
            self.right += by
        if status == "agrees":
            self.right_kept += by * (sample.verdict == "right")
            self.wrong_kept += by * (sample.verdict == "wrong")


@dataclass(slots=True)
class Books:
    """What was spent: for certain, at the worst, and held for calls in flight."""

    known: Amounts = NOTHING
    at_most: Amounts = NOTHING
    held: Amounts = NOTHING
    prompt_tokens: int = 0
    completion_tokens: int = 0

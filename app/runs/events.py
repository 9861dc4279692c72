"""Everything that can happen in a run, as typed, frozen values. The one language between the engine and
all who watch it: the TUI, the plain printer, the JSONL stream, the journal and replay read nothing else.

``at`` is in seconds from the start of the run. An event is written once and never changed; folding all of
a run's events with ``RunState.apply`` gives the run. Text deltas (``PASSING``) are all that the
journal leaves out: ``SampleFinished`` carries the whole text and a *track* from which replay makes them
again, and ``ProgramChecked`` the whole program.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from app.models.base import ModelInfo
from app.problems.problem import Problem
from app.runs.plan import Plan
from budgets.allocation import Allocation
from budgets.amounts import Amounts, Budget, Usd
from verifiers.candidates import ProgramStatus

SCHEMA = 1

Status = Literal["completed", "stopped", "budget", "failed", "interrupted"]
Verdict = Literal["right", "wrong", "undecided"]
Purpose = Literal["samples", "time", "translation", "reward"]
"""What a call was made for: samples, time on a machine that is paid by the hour, a sample's program, or a
reward."""


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", gc=False):
    at: float


class RunStarted(_Event, frozen=True, tag="run-started"):
    """First event of every run."""

    run_id: str
    created: str
    """ISO 8601, UTC."""
    problem: Problem
    plan: Plan
    models: tuple[ModelInfo, ...]
    schema: int = SCHEMA
    recorded: bool = False
    """True where this is a recording being played, never where something is being sampled."""
    gpu_usd_per_hour: Usd | None = None
    """What the machine was said to cost while a local model works: a resumed run goes on at this rate."""
    helpers: tuple[ModelInfo, ...] = ()
    """The models that draw no samples: the translator and the reward model, as far as they are any."""


class ComparisonStarted(_Event, frozen=True, tag="comparison-started"):
    """First event of every comparison, in place of ``RunStarted``. ``plan.budget`` is that of each model;
    ``samples_each`` the most samples of one problem by one model. ``name`` is the set's."""

    run_id: str
    created: str
    name: str
    problems: tuple[Problem, ...]
    plan: Plan
    models: tuple[ModelInfo, ...]
    samples_each: int | None = None
    allocation: Allocation = "uniform"
    schema: int = SCHEMA
    recorded: bool = False


class ModelStatus(_Event, frozen=True, tag="model-status"):
    """A model, or one of the helpers, is being made ready, is ready, failed or was set aside. ``fraction`` is
    in 0..1. ``role`` tells a helper from a model that samples under the same name."""

    model: str
    state: Literal["preparing", "ready", "failed", "restarted", "set-aside"]
    detail: str = ""
    fraction: float | None = None
    info: ModelInfo | None = None
    """With ``ready``: what the model says of itself."""
    role: Literal["samples", "translation", "reward"] = "samples"


class CallStarted(_Event, frozen=True, omit_defaults=True, tag="call-started"):
    """A request left, after ``held`` was reserved for it: the worst it can cost.

    ``samples`` are the run-wide indices it draws; choice i has seed ``seed + i``. A call with another
    ``purpose`` draws none: it is ``about`` samples that are there. ``purpose_of`` tells it in older journals
    too, where time bought ahead has only its number.
    """

    call: int
    model: str
    samples: tuple[int, ...]
    seed: int
    held: Amounts
    purpose: Purpose = "samples"
    about: tuple[int, ...] = ()
    problem: int = 0
    """The place of the problem in a comparison's set."""


class TextDelta(_Event, frozen=True, tag="text-delta"):
    sample: int
    text: str
    tokens: int


class SampleFinished(_Event, frozen=True, tag="sample-finished"):
    """A sample came to its end and takes part in everything, unless ``finish_reason`` is ``cancelled``: then
    what came is kept and charged, and it neither votes nor counts.

    ``group`` is the key under which equal answers vote together. ``track`` is a flat sequence of
    (milliseconds since the sample's start, characters so far) pairs. ``how`` says how the answer was found.
    ``span`` is where in ``text`` it stands, in characters.
    """

    sample: int
    call: int
    model: str
    text: str
    finish_reason: Literal["stop", "length", "content_filter", "cancelled"]
    prompt_tokens: int | None
    completion_tokens: int
    estimated: bool
    seconds: float
    answer: str | None = None
    group: str | None = None
    how: str = ""
    span: tuple[int, int] | None = None
    mean_logprob: float | None = None
    track: tuple[int, ...] = ()


class SampleFailed(_Event, frozen=True, tag="sample-failed"):
    """A sample was lost to a fault; what had arrived is kept in ``text``. ``retry``: it is tried again."""

    sample: int
    call: int
    model: str
    kind: str
    message: str
    retry: bool
    text: str = ""
    completion_tokens: int = 0


AS_KNOWN = Amounts(samples=-1)
"""Stands for "the same as what is known" where an event is read."""


class Charged(_Event, frozen=True, omit_defaults=True, tag="charged"):
    """Money, tokens and FLOPs left the budget: ``known`` for certain, ``at_most`` (never less) at the worst.

    ``released`` closes the hold of this part of the call: one sample's, or with ``sample`` None the prompt's
    or that of time bought ahead. A translation or a reward is charged at once, as a whole: ``read`` of its
    tokens were read, the others written.
    """

    call: int
    model: str
    sample: int | None
    known: Amounts
    released: Amounts
    at_most: Amounts = AS_KNOWN
    purpose: Purpose = "samples"
    read: int = 0

    def __post_init__(self) -> None:
        if self.at_most is AS_KNOWN:
            msgspec.structs.force_setattr(self, "at_most", self.known)


class _Exact(_Event, frozen=True, omit_defaults=True, tag="charged"):
    """A charge whose cost is known to the last token, as the journal has it: without saying it twice."""

    call: int
    model: str
    sample: int | None
    known: Amounts
    released: Amounts
    purpose: Purpose = "samples"
    read: int = 0


class Judged(_Event, frozen=True, tag="judged"):
    sample: int
    verdict: Verdict
    reason: str
    checker: str


class Rewarded(_Event, frozen=True, tag="rewarded"):
    """A sample's reward by ``model``, higher is better; ``None`` where there is none, and ``why`` says so.

    ``truncated``: the solution was too long for the reward model and lost its beginning.
    """

    sample: int
    reward: float | None
    model: str
    truncated: bool = False
    why: str = ""


class TranslationDelta(_Event, frozen=True, tag="translation-delta"):
    """The translator wrote on at the sample's program."""

    sample: int
    text: str


class ProgramChecked(_Event, frozen=True, tag="program-checked"):
    """What became of re-writing a sample as a program and running it (CoTnPoT).

    ``answer`` is the program's, ``program`` what the translator wrote. ``shared_with``: the same translation
    served an earlier sample, which gave the same answer by the same steps.
    """

    sample: int
    status: ProgramStatus
    answer: str | None
    reason: str
    program: str
    translator: str
    shared_with: int | None = None


class PickChanged(_Event, frozen=True, omit_defaults=True, tag="pick-changed"):
    """One rule now chooses this answer. ``share`` is of the votes cast, in 0..1; ``sample`` stands for it.

    ``probability``: for the majority, the chance that its leader stays the leader. The last five are those of
    a rule that looks only at samples whose program agrees with them: how many it kept, dropped, could not run
    or has not run, and whether it fell back to all samples, because it kept none. ``None`` for other rules.
    """

    rule: str
    answer: str | None
    sample: int | None
    support: int
    share: float
    score: float | None = None
    probability: float | None = None
    kept: int | None = None
    dropped: int | None = None
    failed: int | None = None
    not_run: int | None = None
    fallback: bool | None = None


class CoverageChanged(_Event, frozen=True, tag="coverage-changed"):
    """The tallies coverage is computed from, per model: ``n`` decided samples, ``correct`` of them right,
    ``undecided`` beside them. ``answers`` samples gave an answer, of ``distinct`` kinds, ``once`` of which
    were given exactly once."""

    model: str
    n: int
    correct: int
    undecided: int
    answers: int
    once: int
    distinct: int


class BudgetChanged(_Event, frozen=True, tag="budget-changed"):
    budget: Budget


class Paused(_Event, frozen=True, tag="paused"):
    pass


class Resumed(_Event, frozen=True, tag="resumed"):
    """Goes on after a pause, after an end ("n more"), or after an interruption. ``translator`` and ``reward``
    are helpers that were asked for only now."""

    reason: str = ""
    translator: str | None = None
    reward: str | None = None


class Notice(_Event, frozen=True, tag="notice"):
    """One line for people that belongs to no sample."""

    text: str
    level: Literal["info", "warning"] = "info"


class RunEnded(_Event, frozen=True, tag="run-ended"):
    status: Status
    reason: str


Event: TypeAlias = (
    RunStarted
    | ComparisonStarted
    | ModelStatus
    | CallStarted
    | TextDelta
    | SampleFinished
    | SampleFailed
    | Charged
    | Judged
    | Rewarded
    | TranslationDelta
    | ProgramChecked
    | PickChanged
    | CoverageChanged
    | BudgetChanged
    | Paused
    | Resumed
    | Notice
    | RunEnded
)

PASSING: Final = (TextDelta, TranslationDelta)
"""Events that nobody keeps: what they told comes again, whole, with a later one."""
RENT: Final = -2
"""The number that time bought ahead has in place of a request's."""


def purpose_of(event: CallStarted | Charged) -> Purpose:
    return "time" if event.call == RENT else event.purpose


_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def to_json(event: Event) -> bytes:
    """One line of JSON without its newline. ``type`` comes first."""
    return _encoder.encode(event)


def to_journal(event: Event) -> bytes:
    """The same with less in it; ``from_json`` reads it back as the same event."""
    if type(event) is Charged and event.at_most == event.known:
        return _encoder.encode(
            _Exact(
                at=event.at,
                call=event.call,
                model=event.model,
                sample=event.sample,
                known=event.known,
                released=event.released,
                purpose=event.purpose,
                read=event.read,
            )
        )
    return _encoder.encode(event)


def from_json(line: bytes | str) -> Event:
    """Read one event back. Raises ``msgspec.ValidationError`` or ``msgspec.DecodeError``."""
    return _decoder.decode(line)

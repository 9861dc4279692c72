"""What the shell asks of the rest of the program, and nothing more.

The app is handed these as functions, so that tests hand in scripted ones and the first paint waits for none
of them: the real ones import what they need when they are first called.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.models.names import short_name as short_name

if TYPE_CHECKING:
    from app.problems.problem import Kind, Problem
    from app.runs.compare.engine import Comparison
    from app.runs.compare.replay import ComparisonPlayer
    from app.runs.plan import Plan
    from app.runs.source import LiveRun, RunSource


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model as the picker shows it. ``missing`` says what it still needs and how to get it, ``""`` when
    it is ready; ``cost`` is what a sample of it costs, in words."""

    name: str
    detail: str = ""
    ready: bool = True
    missing: str = ""
    cost: str = ""
    upgrade: bool = False
    """The one to suggest to somebody who has only the embedded model."""
    group: str = ""
    """The heading that it stands under."""
    parameters: int | None = None
    context: int | None = None
    """In tokens."""


@dataclass(frozen=True, slots=True)
class PriceLine:
    """What a model costs, in words short enough for a column: dollars per million tokens in and out, what one
    sample costs, and how many the budget buys (``""`` where dollars limit nothing). ``source`` says where the
    price is from. With it come the model's size in parameters and its context in tokens, where known."""

    rates: str = ""
    each: str = ""
    buys: str = ""
    source: str = ""
    parameters: int | None = None
    context: int | None = None


def verdicts_pending(source: RunSource) -> int:
    """How many finished samples of a run wait for their checker: as its engine says, or, in a recording of a
    run that something was checked in, as the samples show."""
    told = getattr(source, "verdicts_pending", None)
    if isinstance(told, int):
        return told
    state = source.state
    judged = state.right + state.wrong + state.undecided
    return max(0, state.finished - judged) if judged and state.phase != "ended" else 0


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run of the journal, as the list shows it. ``created`` is ISO 8601, UTC."""

    run_id: str
    created: str
    title: str
    models: tuple[str, ...]
    samples: int
    status: str
    pick: str | None = None
    share: float | None = None
    spent: str = ""


def server_load(source: RunSource) -> str:
    """What the servers of a run's models say of themselves now, in words; empty where they say nothing."""
    told = getattr(source, "server_load", "")
    return told if isinstance(told, str) else ""


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison, live or kept, and where the texts of its samples are: those of a problem (its place in
    the set) by a model, as rows of the sample format."""

    source: Comparison | ComparisonPlayer
    texts: Callable[[int, str], Sequence[dict[str, Any]]]


async def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Ports:
    """Each raises ``MonkeysError`` with a message and a fix where it cannot do what it is asked."""

    launch: Callable[[Problem, Plan], LiveRun]
    models: Callable[[], Sequence[ModelChoice]]
    detect: Callable[[str], tuple[Kind, str]]
    estimate: Callable[[Problem, Plan], str]
    """One sentence on what the plan buys."""
    confirm: Callable[[Problem, Plan], str] = lambda *_: ""
    """What to ask before a plan that may cost much, ``""`` where nothing needs asking."""
    catalog: Callable[[], Sequence[ModelChoice]] = lambda: ()
    """The models of all providers, some thousands; may take a moment, and is called in a thread."""
    price_line: Callable[[str, str, Plan | None], PriceLine] = lambda *_: PriceLine()
    """What a model by this name costs, for a problem's text and a plan."""
    favourites: Callable[[], tuple[str, ...]] = lambda: ()
    toggle_favourite: Callable[[str], tuple[str, ...]] = lambda _: ()
    """Returns the favourites there are then."""
    rewards: Callable[[], Sequence[str]] = lambda: ()
    """What can score samples, each by its name, or with a placeholder as it is written."""
    starters: Callable[[], Sequence[Problem]] = lambda: ()
    recent: Callable[[], Sequence[Problem]] = lambda: ()
    runs: Callable[[], Sequence[PastRun]] = lambda: ()
    compare: Callable[[str, Plan], Compared] | None = None
    """Begins a comparison of the plan's models on a set, by its name or path."""
    compared: Callable[[str], Compared | None] = lambda _: None
    """A kept comparison by its run's id; ``None`` where the run is none."""
    replay: Callable[[str], RunSource] | None = None
    """A kept run by its id, or an exported file by its path."""
    export: Callable[[RunSource], str] | None = None
    """Writes a run to files and says where."""
    close: Callable[[], Awaitable[None]] = _nothing
    """Called once, before the program leaves."""
    now: Callable[[], float] = field(default=time.monotonic)
    """Seconds on a clock that only goes forward."""

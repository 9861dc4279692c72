"""What the shell asks of the rest of the program, and nothing more.

The app is handed these as functions, so that tests hand in scripted ones and the first paint waits for none
of them: the real ones import what they need when they are first called.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.problems.problem import Kind, Problem
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


def short_name(name: str, width: int = 36) -> str:
    """A model's name in at most ``width`` characters: of a path, the end says most."""
    if len(name) <= width:
        return name
    prefix, colon, rest = name.partition(":")
    last = (rest or prefix).rsplit("/", 1)[-1].removesuffix(".gguf")
    head = f"{prefix}:…/" if colon else "…/"
    room = max(4, width - len(head))
    return head + (last if len(last) <= room else last[: room - 1] + "…")


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
    starters: Callable[[], Sequence[Problem]] = lambda: ()
    recent: Callable[[], Sequence[Problem]] = lambda: ()
    runs: Callable[[], Sequence[PastRun]] = lambda: ()
    replay: Callable[[str], RunSource] | None = None
    """A kept run by its id, or an exported file by its path."""
    export: Callable[[RunSource], str] | None = None
    """Writes a run to files and says where."""
    close: Callable[[], Awaitable[None]] = _nothing
    """Called once, before the program leaves."""
    now: Callable[[], float] = field(default=time.monotonic)
    """Seconds on a clock that only goes forward."""

"""What the panes of the comparison screen share: a comparison to look at, and the scores worked out of it."""

from __future__ import annotations

from typing import Protocol

from app.runs.compare.state import ComparisonState
from app.tui.text.scores import Scores
from app.tui.widgets.panel import LinePane


class Watched(Protocol):
    """What is shown: the state as it is now, and the scores as of a moment ago."""

    @property
    def state(self) -> ComparisonState: ...

    @property
    def scores(self) -> Scores: ...


class ComparePane(LinePane):
    """A pane of the comparison screen. Subclasses answer ``looks_at`` and ``draw``."""

    def __init__(self, watched: Watched, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.watched = watched

    def looks_at(self) -> object:
        raise NotImplementedError

    def pull(self) -> None:
        self.see(self.looks_at())

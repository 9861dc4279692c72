"""What a run's helpers may do with the run: read its state, and tell what happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from app.models.base import ModelInfo
from app.runs import events as ev
from app.runs.state import RunState

Role = Literal["samples", "translation", "reward"]
ModelState = Literal["preparing", "ready", "failed", "restarted", "set-aside"]


class Emit(Protocol):
    def __call__(self, *events: ev.Event) -> None: ...


@dataclass(frozen=True, slots=True)
class Telling:
    """``at`` is the run's time in seconds; ``emit`` keeps events, applies them, and hands them on."""

    state: RunState
    at: Callable[[], float]
    emit: Emit

    def warn(self, text: str) -> None:
        self.emit(ev.Notice(at=self.at(), text=text, level="warning"))

    def status(
        self,
        model: str,
        state: ModelState,
        detail: str = "",
        fraction: float | None = None,
        *,
        info: ModelInfo | None = None,
        role: Role = "samples",
    ) -> None:
        self.emit(
            ev.ModelStatus(
                at=self.at(), model=model, state=state, detail=detail, fraction=fraction, info=info, role=role
            )
        )

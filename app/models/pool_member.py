"""One server among several for the same model: what it has in flight, what it bears, and when it rests.

A sick server rests, longer each time, and is then tried with one request; the first sample that ends well
makes it a server like the others.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Protocol

from app.models.base import Backend, BackendError
from app.models.pace import Pace

LONGEST_REST = 30.0
_FIRST_REST = 0.25


class ServerBackend(Backend, Protocol):
    """A backend whose samples come from a server. ``notes`` are lines for the user."""

    @property
    def notes(self) -> list[str]: ...

    @property
    def price_name(self) -> str | None: ...


@dataclass(slots=True, eq=False)
class Member:
    """``rests_until`` is in seconds of the event loop's clock. ``gone`` says why it is asked no more."""

    backend: ServerBackend
    server: str
    is_open: bool = False
    gone: str = ""
    in_flight: int = 0
    failures: int = 0
    """Since its last sample that ended well."""
    rests_until: float = 0.0
    pace: Pace = field(default_factory=Pace)
    _crowded_at: float = 0.0

    def has_room(self, now: float) -> bool:
        if not self.is_open or self.gone or now < self.rests_until:
            return False
        most = 1 if self.failures else self.pace.width(self.in_flight + 1)
        return self.in_flight < most

    def served(self) -> None:
        self.failures = 0
        self.pace.served()

    def failed(self, error: BackendError, *, sent_at: float, now: float, jitter: random.Random) -> None:
        """Take note of a request that this server did not answer, and that is no longer among those in
        flight. ``sent_at`` is when it was sent."""
        if not error.retry:
            self.gone = error.message
            return
        anew = sent_at >= self._crowded_at  # what was sent before the last failure shares its cause
        if anew:
            self._crowded_at = now
        if error.kind == "rate-limit":
            self.pace.crowded(self.in_flight, self.in_flight + 1, anew=anew)
        wait = 0.0
        if error.kind != "rate-limit" or not self.in_flight:  # else what it works on keeps others away
            self.failures += anew
            wait = min(LONGEST_REST, _FIRST_REST * 2.0**self.failures) * jitter.uniform(0.5, 1.0)
        self.rests_until = max(self.rests_until, now + max(error.retry_after or 0.0, wait))

"""What a verifier that needs a model is handed: a way to have something written, and a way to have solutions
scored. Whoever hands it over meters every call and charges it to the run's budget; a verifier opens no
connection of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation with a model."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Written:
    """What a model wrote. ``cut_off``: it ended at its token limit. ``tokens`` are completion tokens."""

    text: str
    cut_off: bool
    tokens: int


class WriterFailed(Exception):
    """A model did not write what it was asked for; the message is one line for people."""


class CannotAfford(WriterFailed):
    """The budget, or this verifier's part of it, does not pay for the call; none was made."""


class Writer(Protocol):
    """A chat model, metered and charged by whoever handed it over."""

    @property
    def name(self) -> str: ...

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
        """``choices`` replies to ``conversation``, which concerns sample ``about``. ``on_text`` is handed the
        pieces of the first reply as they come.

        Raises ``CannotAfford`` where nothing was asked, ``WriterFailed`` where the model failed for good.
        """
        ...


@dataclass(frozen=True, slots=True)
class Solution:
    """One finished sample as a reward model sees it. ``mean_logprob`` is the sampling model's own, in nats a
    token, ``None`` where it is not known."""

    sample: int
    text: str
    answer: str | None
    mean_logprob: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A reward: higher is better, of any scale; ``None`` where there is none, and ``why`` says so.

    ``truncated``: the solution did not fit and lost its beginning. ``tokens`` were read to find the score.
    """

    reward: float | None
    why: str = ""
    truncated: bool = False
    tokens: int = 0

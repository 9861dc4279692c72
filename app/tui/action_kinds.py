"""What an action is: what it is called, where it may be done, and by which key or word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Place = Literal["compose", "run", "replay", "compare", "list"]
Offer = Literal["", "models", "rewards", "themes", "limits", "runs"]

ANYWHERE: Final[frozenset[Place]] = frozenset({"compose", "run", "replay", "compare", "list"})
MAIN: Final[frozenset[Place]] = frozenset({"compose", "run", "replay", "compare"})
RUNS: Final[frozenset[Place]] = frozenset({"run", "replay"})
WATCHED: Final[frozenset[Place]] = frozenset({"run", "replay", "compare"})
RUN: Final[frozenset[Place]] = frozenset({"run"})
COMPOSE: Final[frozenset[Place]] = frozenset({"compose"})


@dataclass(frozen=True, slots=True)
class Action:
    id: str
    title: str
    """What it does, in two or three words, as the palette shows it."""
    help: str
    """One line that needs no other line."""
    where: frozenset[Place] = ANYWHERE
    keys: tuple[str, ...] = ()
    """Textual's names. The first is the one shown."""
    command: str | None = None
    """The word after the slash."""
    argument: str = ""
    """The argument as the help shows it."""
    optional: bool = False
    """Whether the command stands without its argument."""
    offer: Offer = ""
    """Where completions of the argument come from."""
    hint: str = ""
    """The word beside the key in the line of hints; without one it is left out there."""
    rank: int = 50
    """Hints stand in this order, and the last fall away first when the terminal is narrow."""
    aliases: tuple[str, ...] = ()
    """Other words for the command, and words to find it by in the palette."""
    live: bool = False
    """Hinted at only while something comes."""
    prefill: bool = False
    """Its key writes the command into the prompt line, where the argument is then typed."""

    @property
    def usage(self) -> str:
        """The command as one types it, ``""`` where there is none."""
        if self.command is None:
            return ""
        shown = f"[{self.argument}]" if self.argument and self.optional else self.argument
        return f"/{self.command} {shown}".rstrip()

    @property
    def needs_argument(self) -> bool:
        return bool(self.argument) and not self.optional

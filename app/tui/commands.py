"""Reading what is typed on the prompt line, and offering how it could go on.

A line that begins with a slash is a command; any other line is a new problem. Nothing here knows a widget.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

from app.errors import BadInput
from app.tui.action_kinds import Action, Place
from app.tui.actions import ACTIONS, BY_COMMAND

Offers: TypeAlias = Mapping[str, Callable[[], Iterable[str]]]
"""For each kind of argument, where its possible values come from; asked only when needed."""

MOST_COMPLETIONS = 8
_PLACEHOLDER = re.compile(r"\b(?:NAME|MODEL|PATH|FILE|REPO)\b")


@dataclass(frozen=True, slots=True)
class Command:
    action: Action
    argument: str


@dataclass(frozen=True, slots=True)
class NewProblem:
    text: str


@dataclass(frozen=True, slots=True)
class Completion:
    """``line`` is what the prompt line holds once this is taken. ``more`` says that an argument follows."""

    line: str
    shown: str
    help: str
    more: bool


def read_line(line: str, place: Place | None = None) -> Command | NewProblem | None:
    """What a line asks for; ``None`` for an empty one.

    Raises ``BadInput`` for an unknown command (with the nearest one), for an argument too many or too few,
    and, where ``place`` is given, for a command that does nothing there.
    """
    if not line.strip():
        return None
    if not line.startswith("/"):
        return NewProblem(line.strip())
    word, _, argument = line[1:].strip().partition(" ")
    argument = argument.strip()
    action = BY_COMMAND.get(word.lower())
    if action is None:
        raise BadInput(f"There is no command /{word}.", _nearest(word))
    if place is not None and place not in action.where:
        raise BadInput(f"{action.usage} does nothing here.", "Press F1 for what can be done here.")
    if action.needs_argument and not argument:
        raise BadInput(f"/{action.command} needs {action.argument}.", action.help)
    if argument and not action.argument:
        raise BadInput(f"/{action.command} takes no argument.", f"Type /{action.command} alone.")
    return Command(action, argument)


def complete(line: str, place: Place, offers: Offers) -> list[Completion]:
    """How ``line`` could go on, best first; nothing where it is no command."""
    if not line.startswith("/"):
        return []
    word, space, rest = line[1:].partition(" ")
    if not space:
        return _commands(word.lower(), place)
    action = BY_COMMAND.get(word.lower())
    if action is None or not action.offer or action.offer not in offers:
        return []
    return _values(action, rest.strip(), list(offers[action.offer]()))


def _commands(start: str, place: Place) -> list[Completion]:
    ranked: list[tuple[int, int, Action]] = []
    for order, action in enumerate(ACTIONS):
        if action.command is None or place not in action.where:
            continue
        if action.command.startswith(start):
            ranked.append((0, order, action))
        elif any(alias.startswith(start) for alias in action.aliases):
            ranked.append((1, order, action))
    ranked.sort(key=lambda entry: entry[:2])
    return [
        Completion(
            f"/{action.command} " if action.argument else f"/{action.command}",
            action.usage,
            action.help,
            action.needs_argument,
        )
        for _, _, action in ranked[: MOST_COMPLETIONS * 2]
    ]


def _values(action: Action, start: str, values: Sequence[str]) -> list[Completion]:
    small = start.lower()
    first = [value for value in values if value.lower().startswith(small)]
    then = [value for value in values if value not in first and small in value.lower()]
    return [
        Completion(f"/{action.command} {value}", value, "", False)
        for value in (first + then)[:MOST_COMPLETIONS]
        if value != start
    ]


def is_a_name(name: str) -> bool:
    """Whether a known name can be taken as it is: ``vllm:NAME`` only shows how one is written."""
    return not _PLACEHOLDER.search(name)


def _nearest(word: str) -> str:
    close = get_close_matches(word.lower(), list(BY_COMMAND), n=1, cutoff=0.5)
    if close:
        return f"Did you mean {BY_COMMAND[close[0]].usage}?"
    return "Type / for the list; begin with a space to ask a problem that starts with a slash."

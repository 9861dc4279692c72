"""Everything a user can do, once.

Key bindings, slash commands and their completion, the command palette, the line of hints at the bottom and
the help screen are all made from this table, so none of them can promise what another does not keep. An
action is carried out by ``do_<id>`` (dashes as underscores) on the screen that is shown, or, where it has
none, on the app.

Keys are chosen to arrive everywhere: no ctrl+b and ctrl+a alone (tmux and screen keep them), no ctrl+s and
ctrl+q alone (flow control), no ctrl+enter or ctrl+j alone (terminals send plain enter). What can be typed as
text works only where nothing is being typed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "start",
        "Start sampling",
        "Sample the problem as the form says.",
        COMPOSE,
        ("ctrl+r", "f5"),
        hint="start",
        rank=1,
        aliases=("run", "go"),
    ),
    Action(
        "problems",
        "Choose a problem",
        "Fill in a recent problem or one of the starter set.",
        COMPOSE,
        ("ctrl+o", "f3"),
        hint="problems",
        rank=2,
        aliases=("starter", "recent", "examples"),
    ),
    Action(
        "models",
        "Choose models",
        "Choose one or several models, and see what each still needs.",
        COMPOSE,
        ("ctrl+l", "f2"),
        hint="models",
        rank=3,
    ),
    Action(
        "pause",
        "Pause or go on",
        "Start nothing new until you go on; what is in flight ends.",
        WATCHED,
        ("space",),
        "pause",
        hint="pause",
        rank=10,
        live=True,
    ),
    Action(
        "resume", "Go on", "Go on after a pause.", WATCHED, command="resume", aliases=("continue", "play")
    ),
    Action(
        "stop",
        "Stop",
        "Stop sampling; keep and pay what came.",
        WATCHED,
        ("escape",),
        "stop",
        hint="stop",
        rank=11,
        live=True,
        aliases=("cancel",),
    ),
    Action(
        "more",
        "More samples",
        "Draw N more samples of the same problem; as many again without N.",
        RUN,
        ("m",),
        "more",
        "N",
        optional=True,
        hint="more",
        rank=12,
        prefill=True,
    ),
    Action(
        "budget",
        "Set a limit",
        "Set one limit: $2, 500 samples, 10 min, 20k tokens or 1e15 FLOP.",
        RUN,
        ("b",),
        "budget",
        "LIMIT",
        offer="limits",
        hint="budget",
        rank=16,
        aliases=("limit", "spend", "cost"),
        prefill=True,
    ),
    Action(
        "samples",
        "Set the number of samples",
        "Set how many samples the run may draw in all.",
        RUN,
        command="samples",
        argument="N",
    ),
    Action(
        "temperature",
        "Another temperature",
        "Sample the same problem again at temperature T, as a new run.",
        RUN,
        ("t",),
        "temperature",
        "T",
        rank=17,
        aliases=("temp", "again"),
        prefill=True,
    ),
    Action(
        "model",
        "Another model",
        "Sample the same problem again with another model, as a new run.",
        RUN,
        command="model",
        argument="NAME",
        offer="models",
        prefill=True,
    ),
    Action(
        "reward",
        "Score by a reward model",
        "Score the next run by the reward model NAME, or by none.",
        RUNS,
        command="reward",
        argument="NAME",
        offer="rewards",
    ),
    Action(
        "translator",
        "Re-write as programs",
        "Let MODEL re-write the next run as programs (CoTnPoT), or none.",
        RUNS,
        command="translator",
        argument="MODEL",
        offer="models",
        aliases=("cotnpot", "programs"),
    ),
    Action(
        "tests",
        "Attach tests",
        "Judge programs by the tests in FILE, or by pasted ones.",
        frozenset({"compose", "run"}),
        ("f6",),
        "tests",
        "FILE",
        optional=True,
        rank=4,
        aliases=("verify", "check"),
    ),
    Action(
        "problem",
        "Another problem",
        "Back to the form, to ask something else or the same differently.",
        WATCHED,
        ("n",),
        "problem",
        "TEXT",
        optional=True,
        hint="new problem",
        rank=14,
        aliases=("new", "compose", "edit"),
    ),
    Action(
        "copy",
        "Copy",
        "Copy the focused sample's answer, or the pick.",
        RUNS,
        ("y",),
        "copy",
        hint="copy",
        rank=13,
        aliases=("yank",),
    ),
    Action(
        "export",
        "Export the run",
        "Write the run to a JSONL file that can be replayed.",
        WATCHED,
        ("e",),
        "export",
        rank=30,
        aliases=("save", "json"),
    ),
    Action(
        "command",
        "Type a command",
        "Go to the prompt line and begin a command.",
        WATCHED,
        (":",),
        hint="command",
        rank=18,
    ),
    Action(
        "runs",
        "Earlier runs",
        "List the runs kept in the journal; enter replays one.",
        MAIN,
        ("f4",),
        "runs",
        hint="earlier runs",
        rank=40,
        aliases=("history",),
    ),
    Action(
        "compare",
        "Compare models",
        "Compare the chosen models on a problem set: FILE, or starter.",
        MAIN,
        ("f7",),
        "compare",
        "FILE",
        optional=True,
        hint="compare",
        rank=19,
        aliases=("set", "benchmark"),
    ),
    Action(
        "replay",
        "Replay a run",
        "Play a kept run, by its id or from an exported file.",
        MAIN,
        command="replay",
        argument="FILE|RUN",
        offer="runs",
        aliases=("open",),
    ),
    Action(
        "theme",
        "Change the theme",
        "Switch between dark and light, or to the theme NAME.",
        MAIN,
        ("f8",),
        "theme",
        "NAME",
        optional=True,
        offer="themes",
        rank=60,
        aliases=("dark", "light", "colours"),
    ),
    Action(
        "screenshot",
        "Take a picture",
        "Write the screen as it is to an SVG file.",
        MAIN,
        ("f12",),
        "screenshot",
        rank=61,
        aliases=("svg",),
    ),
    Action(
        "palette",
        "Find a command",
        "Search everything that can be done here.",
        MAIN,
        ("ctrl+p",),
        hint="commands",
        rank=20,
    ),
    Action(
        "help",
        "Help",
        "What can be done here, and with which key.",
        ANYWHERE,
        ("f1", "?"),
        "help",
        hint="help",
        rank=22,
    ),
    Action(
        "quit",
        "Quit",
        "Leave; a live run is stopped first and keeps what came.",
        ANYWHERE,
        ("ctrl+q", "ctrl+c"),
        "quit",
        hint="quit",
        rank=21,
        aliases=("exit",),
    ),
)

BY_ID: Final = {action.id: action for action in ACTIONS}
BY_COMMAND: Final = {
    word: action for action in ACTIONS if action.command for word in (action.command, *action.aliases)
}

_SHOWN = {
    "escape": "esc",
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "pageup": "pgup",
    "pagedown": "pgdn",
}


def at(place: Place) -> Iterator[Action]:
    """The actions of a place, in the order in which hints show them."""
    return iter(sorted((action for action in ACTIONS if place in action.where), key=lambda a: a.rank))


def show_key(key: str) -> str:
    """A key as the hints name it: ``ctrl+r`` is ``^r``, ``escape`` is ``esc``."""
    if key.startswith("ctrl+"):
        return f"^{key.removeprefix('ctrl+')}"
    return _SHOWN.get(key, key)


GAP: Final = 2
"""Cells between two hints."""


@dataclass(frozen=True, slots=True)
class Hint:
    action: Action
    key: str
    word: str

    @property
    def cells(self) -> int:
        return len(self.key) + 1 + len(self.word)


def first_key(action: Action, own_keys: Mapping[str, str]) -> str:
    """The key to show for an action: the user's own where there is one, ``""`` where there is none."""
    keys = own_keys[action.id].split(",") if action.id in own_keys else action.keys
    return show_key(keys[0].strip()) if keys else ""


def hints(
    place: Place, width: int, *, live: bool = True, own_keys: Mapping[str, str] | None = None
) -> list[Hint]:
    """The hints of a place that fit into ``width`` cells; help always has its place."""
    wished = [
        Hint(action, first_key(action, own_keys or {}), action.hint)
        for action in at(place)
        if action.hint and action.keys and (live or not action.live)
    ]
    wished.sort(key=lambda hint: hint.action.id != "help")
    kept: list[Hint] = []
    for hint in wished:
        if sum(other.cells + GAP for other in kept) + hint.cells > width and kept:
            break
        kept.append(hint)
    kept.sort(key=lambda hint: hint.action.rank)
    return kept

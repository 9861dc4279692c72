"""A run that happened, read back from the journal or from the JSONL that ``solve`` printed, and checked.

A file may come from anywhere: it is folded once while it is read, so that whoever plays it can rely on it,
and a fault is named by its line. The writer of a file may have been killed: a last line that was cut off is
forgiven, and a recording that has no end is given one that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.errors import BadInput
from app.problems.jsonl import decode_text, explain, numbered_lines, read_bytes
from app.runs import events as ev
from app.runs.state import RunState

_MOST_SKIPPED = 1000
"""How far a sample's index may lie beyond the samples before it: indices are drawn in order, and one of ten
trillion would fill the memory with nothing."""


@dataclass(frozen=True, slots=True)
class Recording:
    """``events`` begin with a ``RunStarted`` that says ``recorded`` and end with a ``RunEnded``; their times
    never go back. ``duration`` is in seconds. ``marks`` are (seconds, what happened)."""

    events: tuple[ev.Event, ...]
    duration: float
    marks: tuple[tuple[float, str], ...]


def read_recording(path: Path) -> Recording:
    """Read a JSONL file. Raises ``BadInput`` that names the file and the line."""
    return parse_recording(read_bytes(path), str(path))


def parse_recording(data: bytes, source: str) -> Recording:
    """The same for a file's content, ``source`` being what to call it in messages."""
    whole, newline, rest = data.rpartition(b"\n")
    if data.startswith(
        (b"\xff\xfe", b"\xfe\xff")
    ):  # UTF-16, as some shells redirect; cut only by its decoder
        whole, newline, rest = data, b"", b""
    found: list[tuple[int, ev.Event]] = []
    for number, line in numbered_lines(decode_text(whole, source)):
        event = _event(line, f"{source}, line {number}")
        if event is not None:
            found.append((number, event))
    cut_off = False
    if rest.strip():
        number = whole.count(b"\n") + 1 + len(newline)
        try:
            event = _event(decode_text(rest, source).strip(), f"{source}, line {number}")
        except BadInput:
            if not found:
                raise
            cut_off = True
        else:
            if event is not None:
                found.append((number, event))
    if not found:
        raise BadInput(f"{source} is empty.", "Record a run with: monkeys solve … --output jsonl > run.jsonl")
    places = [f"{source}, line {number}" for number, _ in found]
    notes = ["The last line of this recording was cut off; it is left out."] if cut_off else []
    return _checked([event for _, event in found], places, notes)


def recording_of(events: Sequence[ev.Event], source: str = "The run") -> Recording:
    """A recording of events that are at hand. Raises ``BadInput`` if they make no run."""
    return _checked(events, [f"{source}, event {number}" for number in range(1, len(events) + 1)], [])


def _event(line: str, where: str) -> ev.Event | None:
    """``None`` for the result that ``solve`` prints last, and the error before it: the events imply both."""
    try:
        return ev.from_json(line)
    except (msgspec.DecodeError, RecursionError, UnicodeError, ValueError, ArithmeticError) as error:
        try:
            if msgspec.json.decode(line, type=_Typed).type in ("result", "error"):
                return None
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            pass
        raise BadInput(
            f"{where}: {explain(error)}.", "Replay plays what solve --output jsonl printed, unchanged."
        ) from None


class _Typed(msgspec.Struct):
    type: str


def _checked(events: Iterable[ev.Event], places: Sequence[str], notes: Sequence[str]) -> Recording:
    state = RunState()
    kept: list[ev.Event] = []
    marks: list[tuple[float, str]] = []
    at = 0.0
    for event, place in zip(events, places, strict=True):
        if isinstance(event, ev.RunStarted) == bool(kept):
            what = "a second run begins here" if kept else "a recording begins with its run-started event"
            raise BadInput(f"{place}: {what}.", "Give one run, whole.")
        if isinstance(event, ev.RunStarted):
            if event.schema > ev.SCHEMA:
                raise BadInput(
                    f"{place}: this was recorded by a newer monkeys (schema {event.schema}).",
                    "Upgrade monkeys.",
                )
            event = msgspec.structs.replace(event, recorded=True)
        at = max(at, event.at)
        if event.at < at:
            event = msgspec.structs.replace(event, at=at)
        had_right, leader = state.first_right_at, _leader(state)
        _apply(state, event, place)
        if had_right is None and state.first_right_at is not None and isinstance(event, ev.Judged):
            marks.append((at, f"first right sample, #{event.sample}"))
        if _leader(state) != leader:
            marks.append((at, f"the majority says {_leader(state)}"))
        kept.append(event)
    kept += [ev.Notice(at=at, text=note, level="warning") for note in notes]
    if state.phase != "ended":
        kept.append(
            ev.RunEnded(at=at, status="interrupted", reason="The recording ends here, before its run.")
        )
    return Recording(tuple(kept), at, tuple(marks))


_OF_A_SAMPLE = (
    ev.TextDelta,
    ev.SampleFinished,
    ev.SampleFailed,
    ev.Judged,
    ev.Charged,
    ev.Rewarded,
    ev.TranslationDelta,
    ev.ProgramChecked,
)


def _apply(state: RunState, event: ev.Event, place: str) -> None:
    if isinstance(event, ev.CallStarted):
        farthest = len(state.samples) + len(event.samples) + _MOST_SKIPPED
        if not all(0 <= index < farthest for index in event.samples):
            raise BadInput(f"{place}: the samples of this call are not the next ones.", "Give the run whole.")
    elif isinstance(event, _OF_A_SAMPLE):
        others = (event.shared_with,) if isinstance(event, ev.ProgramChecked) else ()
        for index in (event.sample, *others):
            if index is not None and not 0 <= index < len(state.samples):
                raise BadInput(f"{place}: sample {index} has not been started.", "Give the run whole.")
    try:
        state.apply(event)
    except KeyError as error:
        raise BadInput(f"{place}: there is no model {error} in this run.", "Give the run whole.") from None
    except (ValueError, IndexError, ArithmeticError) as error:
        raise BadInput(f"{place}: {error}.", "Give the run whole.") from None


def _leader(state: RunState) -> str | None:
    pick = state.picks.get("majority")
    return pick.answer if pick is not None else None

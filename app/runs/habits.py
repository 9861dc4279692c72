"""What samples of a model usually are like on this machine: how long, and how fast they come.

Learnt from the runs made here, so that "about 9,000 tokens, some 70 seconds" is this user's model on this
user's machine. It is advice for the eye before a run, never part of a budget; losing the file costs nothing.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from app.runs.state import RunState

_WEIGHT = 0.3
"""Of the newest run in the running mean: a few runs are enough to follow a new prompt or machine."""
_ENOUGH = 8
"""Finished samples below which a run teaches nothing."""


class Habit(msgspec.Struct, frozen=True):
    """Completion tokens of one sample; completion tokens a second of all samples in flight together."""

    tokens_per_sample: float
    tokens_per_second: float | None = None


SHIPPED = {
    "smollm2/math": Habit(75.0, 90.0),
    "smollm2/open": Habit(75.0, 90.0),
    "smollm2/code": Habit(130.0, 90.0),
}
"""For a first run: the embedded model on two cores of a server."""


class Habits:
    """The habits kept in one small file. A file that is missing or broken is an empty one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, model: str, kind: str) -> Habit | None:
        key = f"{model}/{kind}"
        return self._read().get(key) or SHIPPED.get(key)

    def learn(self, state: RunState) -> None:
        """Take a run that has ended into account."""
        if state.problem is None or state.finished < _ENOUGH or len(state.models) != 1:
            return
        model = next(iter(state.models))
        tokens = [sample.tokens for sample in state.every_sample() if sample.status == "finished"]
        seen = Habit(sum(tokens) / len(tokens), _speed(state))
        habits = self._read()
        key = f"{model}/{state.problem.kind}"
        habits[key] = _mixed(habits.get(key), seen)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            aside = self._path.with_suffix(".new")
            aside.write_bytes(msgspec.json.encode(habits))
            aside.replace(self._path)
        except OSError:
            return  # advice that cannot be kept is not worth a word

    def _read(self) -> dict[str, Habit]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, Habit])
        except (OSError, msgspec.MsgspecError):
            return {}


def _speed(state: RunState) -> float | None:
    samples = [sample for sample in state.every_sample() if sample.seconds > 0]
    if not samples:
        return None
    span = state.at - min(sample.started for sample in samples)
    return sum(sample.tokens for sample in samples) / span if span > 0 else None


def _mixed(before: Habit | None, seen: Habit) -> Habit:
    if before is None:
        return seen
    speed = seen.tokens_per_second
    if speed is not None and before.tokens_per_second is not None:
        speed = (1 - _WEIGHT) * before.tokens_per_second + _WEIGHT * speed
    tokens = (1 - _WEIGHT) * before.tokens_per_sample + _WEIGHT * seen.tokens_per_sample
    return Habit(tokens, speed or before.tokens_per_second)

"""What a run's agreement says where nothing can be checked: estimates, for every front end from one place."""

from __future__ import annotations

from dataclasses import dataclass

from app.runs.state import RunState, Tally
from budgets.confidence import confidence
from budgets.coverage import next_is_new


@dataclass(frozen=True, slots=True)
class Unverified:
    """Estimated chances, in 0..1, ``None`` where there is nothing to go on: that a right answer is among one
    model's samples, that its own most frequent answer is right, and that its next answer is a new one."""

    covered: float | None
    pick_right: float | None
    next_is_new: float | None


def unverified(state: RunState, model: str) -> Unverified:
    """One model's. Reads all its samples' groups: for a summary or twice a second, not for each sample."""
    tally = state.tallies.get(model, Tally())
    new = next_is_new(tally.once, tally.answers) if tally.answers else None
    votes, samples = _votes(state, model)
    if state.problem is None or not votes:
        return Unverified(None, None, new)
    said = confidence(votes, samples, state.problem.kind)
    if said is None:
        return Unverified(None, None, new)
    return Unverified(said.covered, said.pick_right, new)


def _votes(state: RunState, model: str) -> tuple[list[int], int]:
    """How often each of the model's answers was given, and among how many finished samples."""
    if len(state.models) == 1:
        return [len(samples) for samples in state.groups.values()], state.finished
    counts: dict[str, int] = {}
    finished = 0
    for sample in state.every_sample():
        if sample.model == model and sample.status == "finished":
            finished += 1
            if sample.group is not None:
                counts[sample.group] = counts.get(sample.group, 0) + 1
    return list(counts.values()), finished

"""Which samples began, ended or were judged since we last looked, found without hearing a single event.

The screen may come late, be covered for a while, or watch a recording that jumps; the state is always whole.
So changes are read off the state: from what is live, from how many samples there are, and, only when the
number of verdicts has moved, from the samples that had none.
"""

from __future__ import annotations

from app.runs.state import RunState


class Changes:
    def __init__(self) -> None:
        self._started = 0
        self._live: set[int] = set()
        self._unjudged: set[int] = set()
        self._judged = 0

    def take(self, state: RunState) -> set[int]:
        """The indices that changed since the last call. Text deltas are no change."""
        changed = set(range(self._started, len(state.samples)))
        self._started = len(state.samples)
        live = set(state.live)
        changed |= live ^ self._live
        self._live = live
        self._unjudged |= changed - live
        judged = state.right + state.wrong + state.undecided
        if judged != self._judged:
            self._judged = judged
            found = {index for index in self._unjudged if self._has_verdict(state, index)}
            self._unjudged -= found
            changed |= found
        return changed

    @staticmethod
    def _has_verdict(state: RunState, index: int) -> bool:
        sample = state.samples[index]
        return sample is not None and sample.verdict is not None

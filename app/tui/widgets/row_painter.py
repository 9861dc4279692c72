"""The rows of the list as strips: columns that only widen, and no row painted twice for the same sample."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from app.runs.state import RunState, Sample
from app.tui.text import fit
from app.tui.text.marks import SIGNS, standing
from app.tui.widgets.colours import Palette
from app.tui.widgets.order import NO_ANSWER, GroupRow
from app.tui.widgets.sample_row import Columns, columns_for, group_strip, sample_strip

WIDEST_ANSWER: Final = 24
_MOST_CACHED = 4096
_MOST_MEASURED = 2000
_UNLAID: Final = Columns(0, 2, 0, 4, 0, 0, 0, 0, 0)


class RowPainter:
    def __init__(self) -> None:
        self.columns = _UNLAID
        self._answer_width = 4
        self._strips: dict[tuple[int | str, int, bool, bool], Strip] = {}
        self._picked: frozenset[str] = frozenset()

    def forget(self) -> None:
        """Paint every row anew: the styles are others now."""
        self._strips.clear()

    def look_at(self, state: RunState, changed: Iterable[int]) -> None:
        """Learn which answers are picked, and let the answer column grow with the answers: it never shrinks,
        so rows do not jump about."""
        samples = state.samples
        self._picked = frozenset(
            sample.group
            for pick in state.picks.values()
            if pick.sample is not None
            and pick.sample < len(samples)
            and (sample := samples[pick.sample]) is not None
            and sample.group is not None
        )
        if self._answer_width >= WIDEST_ANSWER:
            return
        for index in islice(changed, _MOST_MEASURED):
            sample = samples[index]
            if sample is not None and sample.answer:
                self._answer_width = max(self._answer_width, cell_len(fit.head(sample.answer, WIDEST_ANSWER)))

    def lay(self, width: int, state: RunState) -> bool:
        """Lay out the columns. Returns whether they are others than before."""
        laid = columns_for(width, state, self._answer_width)
        if laid == self.columns:
            return False
        self.columns = laid
        self._strips.clear()
        return True

    def is_picked(self, sample: Sample | None) -> bool:
        return sample is not None and sample.group is not None and sample.group in self._picked

    def sample(self, index: int, state: RunState, colours: Palette, base: Style, *, focused: bool) -> Strip:
        sample = state.samples[index]
        picked = self.is_picked(sample)
        key = (index, 0 if sample is None else sample.revision, focused, picked)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) > _MOST_CACHED:
                self._strips.clear()
            strip = sample_strip(sample, self.columns, colours, base, focused=focused, picked=picked)
            if sample is None or sample.status != "live":
                self._strips[key] = strip
        return strip

    def heading(
        self, group: GroupRow, state: RunState, colours: Palette, base: Style, *, focused: bool
    ) -> Strip:
        first = state.samples[group.first]
        # Those without an answer may still be written, or have failed: they are no share of those that voted.
        answer, total = "no answer", 0
        mark, style = " ", colours.dim
        if group.key != NO_ANSWER and first is not None and first.answer is not None:
            answer, total = fit.head(first.answer, max(12, self.columns.width - 40)), state.finished
            how = standing(first)
            mark, style = SIGNS[how], colours.of(how)
        return group_strip(group, answer, mark, style, total, self.columns, colours, base, focused=focused)


def empty_strip(line: str, width: int, style: Style, dim: Style) -> Strip:
    """A row without a sample; ``line`` says why there is none."""
    if not line:
        return Strip.blank(width, style)
    return Strip([Segment(fit.left(" " + fit.head(line, width - 2), width), style + dim)], width)

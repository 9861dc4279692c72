"""What is the answer, who says so, can I believe it: one line for each rule that has chosen."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nlargest
from time import monotonic
from typing import Final

from rich.text import Text

from app.runs.agreement import unverified
from app.runs.events import PickChanged
from app.runs.source import RunSource
from app.runs.state import RunState
from app.tui.text import bars, fit
from app.tui.text.marks import SIGNS, Standing, standing
from app.tui.text.sentences import RULE_NAMES, agreement_sentence, is_checked, pick_sentence, support
from app.tui.widgets.panel import Panel

MOST_RIVALS: Final = 6
EVERY: Final = 0.5
"""Seconds between two estimates from agreement, which read every group of answers."""


class PicksPanel(Panel, can_focus=True):
    BORDER_TITLE = "Picks"

    def __init__(self, source: RunSource, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(source, id=id)
        self._estimates: tuple[str, ...] = ()
        self._estimated: object = None
        self._estimated_at = -EVERY
        self._lines = 0

    def pull(self) -> bool:
        estimated = self._estimate()
        changed = super().pull()
        if estimated:
            self.repaint()
        if changed or estimated:
            self._keep_height()
        return changed or estimated

    def _keep_height(self) -> None:
        """Where the pane is as high as its lines, make room for one more."""
        lines = len(self.draw(self.content_size.width, 0))
        if lines != self._lines:
            self._lines = lines
            self.refresh(layout=True)

    def _estimate(self) -> bool:
        """Estimate anew if there is reason to, and it is time. Returns whether the estimates changed."""
        state = self.state
        basis = (state.finished, len(state.groups), is_checked(state))
        if basis == self._estimated or monotonic() - self._estimated_at < EVERY:
            return False
        before, self._estimates = self._estimates, self._from_agreement(state)
        self._estimated, self._estimated_at = basis, monotonic()
        return self._estimates != before

    @staticmethod
    def _from_agreement(state: RunState) -> tuple[str, ...]:
        """A sentence for one model, one each for several, none where samples are checked."""
        if is_checked(state) or state.finished < 2:
            return ()
        several = len(state.models) > 1
        said = (
            agreement_sentence(unverified(state, model), model if several else None) for model in state.models
        )
        return tuple(filter(None, said))

    def looks_at(self, state: RunState) -> object:
        return (
            tuple(state.picks.values()), tuple(state.pick_since.values()), state.finished, state.phase,
            tuple(self._verdict(pick, state) for pick in state.picks.values()), state.verified,
        )  # fmt: skip

    def _verdict(self, pick: PickChanged, state: RunState) -> Standing | None:
        """What is known of the picked answer: that of the sample that stands for it."""
        if pick.sample is None or pick.sample >= len(state.samples):
            return None
        return self._standing_of(pick.sample, state)

    @staticmethod
    def _standing_of(index: int, state: RunState) -> Standing | None:
        sample = state.samples[index]
        return None if sample is None or sample.verdict is None else standing(sample)

    def draw(self, width: int, height: int) -> Sequence[Text]:
        state = self.state
        lines = [self._line(pick, width) for pick in state.picks.values() if pick.answer is not None]
        sentence = Text(pick_sentence(state), style=self.palette.text if lines else self.palette.dim)
        wrapped = list(sentence.wrap(self.app.console, max(1, width)))
        for estimate in self._estimates:
            wrapped += Text(estimate, style=self.palette.text).wrap(self.app.console, max(1, width))
        room = height - len(lines) - len(wrapped)
        if height and room < 1:
            return [*lines, *wrapped]
        rivals = self._rivals(width, min(room - 2, MOST_RIVALS))
        return [*lines, *([Text()] if lines else []), *wrapped, *([Text(), *rivals] if rivals else [])]

    def _rivals(self, width: int, most: int) -> list[Text]:
        """The answers that were not picked, best supported first. Unverified, the chart shows them."""
        state = self.state
        if most < 1 or not state.picks or not is_checked(state):
            return []
        picked = {pick.answer for pick in state.picks.values()}
        leading = nlargest(most + len(picked), state.groups.values(), key=len)
        firsts = ((samples, state.samples[samples[0]]) for samples in leading)
        rivals = [
            (samples, first.answer)
            for samples, first in firsts
            if first is not None and first.answer and first.answer not in picked
        ]
        return [
            self._row(
                "" if place else "also given", answer, len(samples) / state.finished,
                f"{len(samples):,} of {state.finished:,}", self._standing_of(samples[0], state), width, False,
            )
            for place, (samples, answer) in enumerate(rivals[:most])
        ]  # fmt: skip

    def _line(self, pick: PickChanged, width: int) -> Text:
        name = RULE_NAMES.get(pick.rule, pick.rule)
        figures, how = support(pick, self.state), self._verdict(pick, self.state)
        return self._row(name, pick.answer or "", pick.share, figures, how, width, True)

    def _row(
        self,
        name: str,
        answer: str,
        share: float,
        figures: str,
        how: Standing | None,
        width: int,
        picked: bool,
    ) -> Text:
        """Rule, answer, bar, support, verdict: the bar takes what the others leave."""
        colours = self.palette
        name_width = 17 if width >= 60 else 12
        figures_width = max(len(support(pick, self.state)) for pick in self.state.picks.values())
        note = "unverified" if how is None and width >= 56 and picked else ""
        last = max(len(note), 2)
        wanted = max(6, min(max(len(pick.answer or "") for pick in self.state.picks.values()), 40))
        bar_width = min(28, width - name_width - wanted - figures_width - last - 6)
        if bar_width < 6:
            bar_width = 0
        answer_width = width - name_width - figures_width - last - 4 - (bar_width + 2 if bar_width else 0)
        answer_width = max(1, min(answer_width, wanted) if bar_width else answer_width)
        line = Text(no_wrap=True, end="")
        line.append(fit.left(name, name_width), colours.dim)
        shown = fit.left(fit.head(answer, answer_width), answer_width)
        line.append(shown, colours.pick + colours.strong if picked else colours.text)
        line.append("  ")
        if bar_width:
            full, empty = bars.split(bar_width, share)
            line.append(bars.FULL * full, colours.pick if picked else colours.dim)
            line.append(bars.EMPTY * empty, colours.faint)
            line.append("  ")
        line.append(fit.right(figures, figures_width))
        line.append("  ")
        if how is not None:
            line.append(SIGNS[how], colours.of(how) + colours.strong)
        else:
            line.append(note, colours.dim)
        return line

"""What is the answer, who says so, can I believe it: where the rules agree, and one line for each of them.

Under them stands what keeps the other rules from running, and how to turn them on. With the focus here the
arrows walk through the rules and enter opens the sample that one has chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nlargest
from time import monotonic
from typing import ClassVar, Final

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message

from app.runs.agreement import unverified
from app.runs.pick_words import filter_sentence, picks_sentence, shown_picks
from app.runs.source import RunSource
from app.runs.state import RunState
from app.tui.text import fit
from app.tui.text.sentences import agreement_sentence, is_checked, pick_sentence
from app.tui.text.turning_on import turning_on
from app.tui.widgets.panel import Panel
from app.tui.widgets.pick_rows import PickRow, pick_row, row_lines, standing_of

MOST_RIVALS: Final = 6
EVERY: Final = 0.5
"""Seconds between two estimates from agreement, which read every group of answers."""


class PicksPanel(Panel, can_focus=True):
    """Sends ``Opened`` when the sample that a rule has chosen is to be shown whole."""

    BORDER_TITLE = "Picks"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Next rule", id="picks.next"),
        Binding("k,up", "move(-1)", "Previous rule", id="picks.previous"),
        Binding("enter", "open", "Open its sample", id="picks.open"),
    ]

    class Opened(Message):
        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, source: RunSource, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(source, id=id)
        self._estimates: tuple[str, ...] = ()
        self._estimated: object = None
        self._estimated_at = -EVERY
        self._lines = 0
        self._cursor = "majority"

    # -- the tick ------------------------------------------------------------------------------------------

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
        tally = state.filter
        return (
            tuple(state.picks.values()), tuple(state.pick_since.values()), state.finished, state.phase,
            tuple(standing_of(pick.sample, state) for pick in state.picks.values()), state.verified,
            (tally.looked_at, tally.kept, tally.right_kept, tally.right), state.rewarded,
            tuple(state.helper_status.values()), self._cursor,
        )  # fmt: skip

    # -- the cursor ----------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        rules = [pick.rule for pick in shown_picks(self.state)]
        if rules:
            at = rules.index(self._cursor) + by if self._cursor in rules else 0
            self._cursor = rules[at % len(rules)]
            self.pull()

    def action_open(self) -> None:
        pick = self.state.picks.get(self._cursor)
        if pick is not None and pick.sample is not None:
            self.post_message(self.Opened(pick.sample))

    def on_focus(self) -> None:
        self.repaint()

    def on_blur(self) -> None:
        self.repaint()

    # -- painting ------------------------------------------------------------------------------------------

    def draw(self, width: int, height: int) -> Sequence[Text]:
        """The rules first; of the sentences as many as there is room for, the most telling ones."""
        state, colours = self.state, self.palette
        rows = [pick_row(pick, state) for pick in shown_picks(state)]
        cursor = self._cursor if self.has_focus else None
        camps = self._wrapped(picks_sentence(state), width, colours.text)
        held = self._wrapped(pick_sentence(state), width, colours.text if rows else colours.dim)
        facts = [
            self._wrapped(filter_sentence(state), width, colours.text),
            *(self._wrapped(estimate, width, colours.text) for estimate in self._estimates),
            *(self._wrapped(hint, width, colours.dim) for hint in turning_on(state)),
        ]
        if len(rows) > 1:
            lines = [*camps, *row_lines(rows, width, colours, cursor=cursor)]
            facts.insert(1, held)
        else:
            lines = [*row_lines(rows, width, colours, cursor=cursor), *([Text()] if rows else []), *held]
        for fact in facts:
            if not height or len(lines) + len(fact) <= height:
                lines += fact
        room = height - len(lines)
        rivals = self._rivals(min(room - 1, MOST_RIVALS)) if len(rows) == 1 else []
        if rivals:
            # Drawn together with the rule's line, so that their columns are the same.
            drawn = row_lines([*rows, *rivals], width, colours, cursor=cursor)
            lines = [drawn[0], *lines[1:], Text(), *drawn[1:]]
        return lines

    def _wrapped(self, text: str, width: int, style: Style) -> list[Text]:
        return list(Text(text, style=style).wrap(self.app.console, max(1, width))) if text else []

    def _rivals(self, most: int) -> list[PickRow]:
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
            PickRow(
                "", "" if place else "also given", fit.head(answer, 40), len(samples) / state.finished,
                f"{len(samples):,} of {state.finished:,}", standing_of(samples[0], state), "",
            )
            for place, (samples, answer) in enumerate(rivals[:most])
        ]  # fmt: skip

"""What is the answer, who says so, can I believe it: one line for each rule that has chosen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from app.runs.events import PickChanged
from app.runs.state import RunState
from app.tui.text import bars, fit
from app.tui.text.marks import SIGNS, Standing, standing
from app.tui.text.sentences import RULE_NAMES, pick_sentence, support
from app.tui.widgets.panel import Panel


class PicksPanel(Panel, can_focus=True):
    BORDER_TITLE = "Picks"

    def looks_at(self, state: RunState) -> object:
        return (
            tuple(state.picks.values()), tuple(state.pick_since.values()), state.finished, state.phase,
            tuple(self._verdict(pick, state) for pick in state.picks.values()), state.verified,
        )  # fmt: skip

    def _verdict(self, pick: PickChanged, state: RunState) -> Standing | None:
        """What is known of the picked answer: that of the sample that stands for it."""
        if pick.sample is None or pick.sample >= len(state.samples):
            return None
        sample = state.samples[pick.sample]
        return None if sample is None or sample.verdict is None else standing(sample)

    def draw(self, width: int, height: int) -> Sequence[Text]:
        state = self.state
        lines = [self._line(pick, width) for pick in state.picks.values() if pick.answer is not None]
        sentence = Text(pick_sentence(state), style=self.palette.text if lines else self.palette.dim)
        wrapped = list(sentence.wrap(self.app.console, max(1, width)))
        room = height - len(lines) - len(wrapped)
        if height == 0 or room > 0:
            lines.append(Text())
        return [*lines, *wrapped]

    def _line(self, pick: PickChanged, width: int) -> Text:
        """Rule, answer, bar, support, verdict: the bar takes what the others leave."""
        state, colours = self.state, self.palette
        name_width = 17 if width >= 60 else 10
        figures = support(pick, state)
        figures_width = max(9, len(figures))
        how = self._verdict(pick, state)
        mark = "" if how is None else SIGNS[how]
        note = "unverified" if how is None and width >= 60 else ""
        last = max(len(note), 2)
        wanted = max(6, min(len(pick.answer or ""), 40))
        bar_width = min(28, width - name_width - wanted - figures_width - last - 6)
        if bar_width < 6:
            bar_width = 0
        answer_width = width - name_width - figures_width - last - 4 - (bar_width + 2 if bar_width else 0)
        answer_width = max(1, min(answer_width, wanted) if bar_width else answer_width)
        line = Text(no_wrap=True, end="")
        line.append(fit.left(RULE_NAMES.get(pick.rule, pick.rule), name_width), colours.dim)
        line.append(
            fit.left(fit.head(pick.answer or "", answer_width), answer_width), colours.pick + colours.strong
        )
        line.append("  ")
        if bar_width:
            full, empty = bars.split(bar_width, pick.share)
            line.append(bars.FULL * full, colours.pick)
            line.append(bars.EMPTY * empty, colours.faint)
            line.append("  ")
        line.append(fit.left(figures, figures_width))
        line.append("  ")
        if how is not None:
            line.append(mark, colours.of(how) + colours.strong)
        else:
            line.append(note, colours.dim)
        return line

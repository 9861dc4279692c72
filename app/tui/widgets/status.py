"""What is happening now, in one line, with the speed at its end and a bar while a model is made ready."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from app.runs.state import RunState
from app.tui.ports import server_load, verdicts_pending
from app.tui.text import bars, fit
from app.tui.text.sentences import helpers_pending, now_sentence, speed
from app.tui.widgets.panel import Panel

_SIGN = {"waiting": "●", "preparing": "●", "sampling": "●", "paused": "‖", "ended": "■"}


class StatusLine(Panel):
    def looks_at(self, state: RunState) -> object:
        return (self._sentence(state), speed(state), self._fraction(state), state.phase)

    def _sentence(self, state: RunState) -> str:
        pending = verdicts_pending(self.source)
        load = server_load(self.source) if state.phase == "sampling" else ""
        if load and not pending:
            return f"{now_sentence(state)} · {load}"
        if state.phase != "sampling":
            return now_sentence(state)
        words = [f"{pending:,} verdict{'s' if pending != 1 else ''} pending"] if pending else []
        if not state.live and not state.recorded:
            words += helpers_pending(state)
        if not words:
            return now_sentence(state)
        return "; ".join([now_sentence(state) if state.live else "Waiting", *words])

    def _fraction(self, state: RunState) -> float | None:
        if state.phase != "preparing":
            return None
        known = [status.fraction for status in state.model_status.values() if status.fraction is not None]
        return min(known) if known else None

    def draw(self, width: int, height: int) -> Sequence[Text]:
        state, colours = self.state, self.palette
        figures = speed(state)
        style = {"sampling": colours.live, "preparing": colours.live, "ended": colours.text}.get(
            state.phase, colours.undecided
        )
        if state.status == "failed":
            style = colours.wrong
        fraction = self._fraction(state)
        bar = 0 if fraction is None else min(24, width // 4)
        room = width - 2 - len(figures) - 2 - (bar + 6 if bar else 0)
        if room < 12:
            figures, room = "", width - 2 - (bar + 6 if bar else 0)
        line = Text(no_wrap=True, end="")
        line.append(f"{_SIGN[state.phase]} ", style)
        sentence = fit.head(self._sentence(state), room)
        line.append(sentence)
        if bar and fraction is not None:
            full, empty = bars.split(bar, fraction)
            line.append(" ")
            line.append(bars.FULL * full, colours.live)
            line.append(bars.EMPTY * empty, colours.faint)
            line.append(f"{fraction:>5.0%}")
        line.append(" " * max(1, width - cell_len(line.plain) - len(figures)))
        line.append(figures, colours.dim)
        return [line]

"""What is happening now, in one line: how it stands, and how far each budget is used."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from app.tui.text import fit
from app.tui.widgets.compare.pane import ComparePane
from budgets.amounts import show_count, show_flops, show_seconds, show_usd
from verifiers.safe_text import one_line

_SIGN = {"waiting": "●", "preparing": "●", "sampling": "●", "paused": "‖", "ended": "■"}


class CompareStatus(ComparePane):
    def looks_at(self) -> object:
        state = self.watched.state
        return (state.revision if state.phase != "sampling" else state.finished, int(state.at * 2))

    def draw(self, width: int, height: int) -> Sequence[Text]:
        state, colours = self.watched.state, self.palette
        moving = state.phase in ("preparing", "sampling")
        line = Text(no_wrap=True, end="")
        style = colours.live if moving else colours.wrong if state.status == "failed" else colours.text
        line.append(f"{_SIGN[state.phase]} ", style)
        words = {
            "waiting": "Waiting.",
            "preparing": "Getting the models ready.",
            "paused": "Paused: press space to go on.",
            "ended": one_line(state.end_reason or "Ended.", 300),
        }.get(state.phase, f"{len(state.live)} in flight.")
        figures = [f"{state.finished:,} samples", self._budget(), show_seconds(state.at)]
        shown = " · ".join(part for part in figures if part)
        room = max(8, width - len(shown) - 4)
        line.append(fit.left(fit.head(words, room), room))
        line.append(f"  {shown}", colours.dim)
        return [line]

    def _budget(self) -> str:
        """Of the model that has used most."""
        state = self.watched.state
        budget, books = state.budget, state.books_by_model.values()
        if budget.usd is not None:
            most = max((each.at_most.usd for each in books if each.at_most.usd is not None), default=None)
            return f"{show_usd(most)} of {show_usd(budget.usd)} each"
        if budget.flops is not None:
            flops = max((each.at_most.flops or 0 for each in books), default=0)
            return f"{show_flops(flops)} of {show_flops(budget.flops)} each"
        if state.samples_each is not None:
            return f"up to {show_count(state.samples_each)} of each problem"
        return ""

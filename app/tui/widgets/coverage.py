"""Is the answer likely to be in the pile at all, and what would more samples buy?

With a known answer: coverage over samples, FLOPs or dollars, and its forecast beyond the samples. Without one
nothing of the kind can be known, so the pane shows what can: how the samples' answers are spread. Curves are
computed off the screen's thread, at most twice a second, because their interval needs scipy and the forecast
a table of numbers, which take most of a second the first time.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from decimal import Decimal
from heapq import nlargest
from time import monotonic
from typing import Final, Literal

from rich.cells import cell_len
from rich.text import Text

from app.runs.source import RunSource
from app.runs.state import RunState
from app.tui.text import bars, fit
from app.tui.text.curves import Counts, Curve, curves_of
from app.tui.text.marks import SIGNS, standing
from app.tui.text.sentences import (
    coverage_phrase,
    coverage_sentence,
    is_checked,
    unverified_phrase,
    unverified_sentence,
)
from app.tui.widgets.chart import Axis, chart_lines, layer_style
from app.tui.widgets.panel import Panel
from budgets.amounts import Usd, show_flops, show_usd

Showing = Literal["samples", "flops", "usd", "answers"]
EVERY: Final = 0.5
"""Seconds between two computations of the curves."""
_REST: Final = 12
"""Times as long as a computation took, until the next."""
_LONGEST_REST: Final = 3.0
_TITLES: dict[Showing, str] = {
    "samples": "Coverage",
    "flops": "Coverage by FLOPs",
    "usd": "Coverage by dollars",
    "answers": "Answers",
}
_LEAST_K = 16


class CoverageChart(Panel, can_focus=True):
    def __init__(self, source: RunSource, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(source, id=id)
        self._wish: Showing = "samples"
        self._curves: list[Curve] = []
        self._computed: object = None
        self._computed_at = -EVERY
        self._rest = EVERY
        self._computing = False
        self._title_text = ""

    # -- what is shown -------------------------------------------------------------------------------------

    def choices(self) -> tuple[Showing, ...]:
        """The pictures there are something to show for."""
        state = self.state
        if not is_checked(state):
            return ("answers",)
        found: list[Showing] = ["samples"]
        if state.books.known.flops:
            found.append("flops")
        if state.books.known.usd:
            found.append("usd")
        return (*found, "answers")

    @property
    def showing(self) -> Showing:
        choices = self.choices()
        return self._wish if self._wish in choices else choices[0]

    def cycle(self) -> Showing:
        """The next picture."""
        choices = self.choices()
        self._wish = choices[(choices.index(self.showing) + 1) % len(choices)]
        self._computed = None
        self.pull()
        self.repaint()
        return self.showing

    # -- the tick ------------------------------------------------------------------------------------------

    def looks_at(self, state: RunState) -> object:
        tallies = tuple(
            (model, tally.n, tally.correct, tally.answers, tally.once, tally.distinct)
            for model, tally in state.tallies.items()
        )
        return (tallies, state.finished, state.budget.samples, self.showing)

    def pull(self) -> bool:
        changed = super().pull()
        title = _TITLES[self.showing]
        if title != self._title_text:
            self._title_text = title
            self.border_title = title
        if self.showing != "answers":
            self._ask_for_curves()
        return changed

    def _ask_for_curves(self) -> None:
        counts = self._counts()
        if self._computing or counts == self._computed or monotonic() - self._computed_at < self._rest:
            return
        self._computing = True
        self.run_worker(self._compute(counts), group="curves", exit_on_error=False)

    async def _compute(self, counts: tuple[Counts, ...]) -> None:
        began = monotonic()
        try:
            self._curves = await asyncio.to_thread(curves_of, counts, max(64, 2 * self.size.width))
            self._computed = counts
        finally:
            self._computed_at = monotonic()
            # Thousands of samples take longer to reckon with and move the curve less: rest in proportion.
            self._rest = min(_LONGEST_REST, max(EVERY, _REST * (self._computed_at - began)))
            self._computing = False
        self.repaint()

    def _counts(self) -> tuple[Counts, ...]:
        showing = self.showing
        return tuple(
            Counts(model, tally.n, tally.correct, unit, layer)
            for layer, (model, tally) in enumerate(self.state.tallies.items())
            if tally.n > 0 and (unit := self._unit(model, showing)) > 0
        )

    def _unit(self, model: str, showing: Showing) -> float:
        """What one sample of this model has cost on average, in the axis' unit; 0 where nobody knows."""
        known = self.state.books_by_model[model].known
        samples = known.samples or self.state.tallies[model].n
        if showing == "flops":
            return (known.flops or 0) / samples
        if showing == "usd":
            return float(known.usd or 0) / samples
        return 1.0

    # -- painting ------------------------------------------------------------------------------------------

    def draw(self, width: int, height: int) -> Sequence[Text]:
        sentences = self._sentences(width)
        room = height - len(sentences)
        picture = self._answers(width, room) if self.showing == "answers" else self._chart(width, room)
        if height and len(picture) < room:
            picture = [*picture, *(Text() for _ in range(room - len(picture)))]
        return [*picture, *sentences]

    def _sentences(self, width: int) -> list[Text]:
        """One sentence for one model; one short line each, in the colour of its curve, for several."""
        state, colours = self.state, self.palette
        bands = {curve.counts.model: (curve.low, curve.high) for curve in self._curves}
        ahead = self._curves[0].ahead if self._curves else None
        checked = is_checked(state)
        if len(state.tallies) == 1:
            model, tally = next(iter(state.tallies.items()))
            told = coverage_sentence(tally, bands.get(model), ahead)
            text = told if checked else unverified_sentence(tally)
            style = colours.text if tally.n or tally.answers else colours.dim
            return list(Text(text, style=style).wrap(self.app.console, max(1, width)))
        lines = []
        for layer, (model, tally) in enumerate(state.tallies.items()):
            phrase = coverage_phrase(tally, bands.get(model)) if checked else unverified_phrase(tally)
            name = fit.head(model, max(8, min(24, width // 3)))
            rest = fit.head(phrase, max(0, width - cell_len(name) - 2))
            style = layer_style(layer, colours) if checked else colours.strong
            lines.append(Text.assemble((name, style), f"  {rest}", end="", no_wrap=True))
        return lines

    def _chart(self, width: int, height: int) -> list[Text]:
        if not self._curves:
            return []
        return chart_lines(self._curves, self._axis(), width, height, self.palette)

    def _axis(self) -> Axis:
        showing, limit = self.showing, self.state.budget.samples or 0
        units = [curve.counts.unit for curve in self._curves]
        most = max(
            max(curve.counts.n, limit if len(units) == 1 else 0, _reach(curve), _LEAST_K) * curve.counts.unit
            for curve in self._curves
        )
        low = math.log2(min(units))
        high = max(low + 1, math.log2(most))
        if showing == "samples":
            return Axis(0.0, math.ceil(high - 1e-9), lambda value: f"{value:,.0f}")
        if showing == "flops":
            return Axis(low, high, lambda value: show_flops(round(value)))
        return Axis(low, high, lambda value: show_usd(_dollars(value)))

    def _answers(self, width: int, height: int) -> list[Text]:
        """The most given answers, best supported first."""
        state, colours = self.state, self.palette
        if not state.groups or height < 1:
            return []
        shown = nlargest(height, state.groups.items(), key=lambda group: len(group[1]))
        hidden = len(state.groups) - len(shown)
        if hidden:
            shown = shown[: height - 1]
            hidden = len(state.groups) - len(shown)
        labels = [self._answer_label(samples[0], max(6, width // 3)) for _, samples in shown]
        label_width = max(map(cell_len, labels), default=0)
        most = len(shown[0][1]) if shown else 1
        count_width = len(f"{most:,}")
        bar_width = max(4, width - label_width - count_width - 6)
        lines = []
        for place, ((_, samples), label) in enumerate(zip(shown, labels, strict=True)):
            first = state.samples[samples[0]]
            full, empty = bars.split(bar_width, len(samples) / most)
            line = Text(no_wrap=True, end="")
            line.append(
                fit.left(label, label_width), colours.pick + colours.strong if not place else colours.text
            )
            line.append("  ")
            line.append(bars.FULL * full, colours.pick if not place else colours.dim)
            line.append(" " * empty)
            line.append(f" {len(samples):>{count_width},} ")
            if first is not None and first.verdict is not None:
                line.append(SIGNS[standing(first)], colours.of(standing(first)))
            lines.append(line)
        if hidden:
            more = f"{hidden:,} more answer{'s' if hidden != 1 else ''}"
            lines.append(Text(fit.head(more, width), style=colours.dim, no_wrap=True, end=""))
        return lines

    def _answer_label(self, index: int, width: int) -> str:
        sample = self.state.samples[index]
        return fit.head((sample.answer if sample is not None else None) or "", width)


def _reach(curve: Curve) -> int:
    return curve.ahead.reach if curve.ahead is not None else 0


def _dollars(value: float) -> Usd:
    return Decimal(repr(value))

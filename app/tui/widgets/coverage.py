"""Is the answer likely to be in the pile at all, and what would more samples buy?

With a known answer: coverage over samples, FLOPs or dollars, its forecast beyond the samples, and how often
the majority picks right. Without one nothing of the kind can be known, so the pane shows what can: how the
samples' answers are spread. Curves are computed off the screen's thread, at most twice a second, and what
they are computed with is loaded there as soon as the pane is mounted: it takes most of a second.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from decimal import Decimal
from time import monotonic
from typing import Final, Literal

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from app.runs.source import RunSource
from app.runs.state import RunState, Sample, Tally
from app.tui.text import fit
from app.tui.text.coverage_words import (
    coverage_parts,
    coverage_phrase,
    unverified_phrase,
    unverified_sentence,
    worth_sentence,
)
from app.tui.text.curves import MORE, Counts, Curve, curves_of, warm_up
from app.tui.text.precision import Precision, precision_of
from app.tui.text.sentences import is_checked
from app.tui.text.worth import price_words
from app.tui.widgets.answers import answer_lines
from app.tui.widgets.chart import PICK_MARK, Axis, Marks, chart_lines, layer_style
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
_LEAST_CHART = 5
"""Lines of the chart that sentences do not take away."""


class CoverageChart(Panel, can_focus=True):
    def __init__(self, source: RunSource, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(source, id=id)
        self._wish: Showing = "samples"
        self._curves: list[Curve] = []
        self._precision: Precision | None = None
        self._computed: object = None
        self._computed_at = -EVERY
        self._rest = EVERY
        self._computing = False
        self._title_text = ""

    def on_mount(self) -> None:
        self.run_worker(asyncio.to_thread(warm_up), group="warm-up", exit_on_error=False)

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
        legend = self._legend()
        if legend != self.border_subtitle:
            self.border_subtitle = legend
        if self.showing != "answers":
            self._ask_for_curves()
        return changed

    def _legend(self) -> str:
        return f"{PICK_MARK} the majority's pick" if self._precision is not None and self._curves else ""

    def _ask_for_curves(self) -> None:
        counts = self._counts()
        if self._computing or counts == self._computed or monotonic() - self._computed_at < self._rest:
            return
        self._computing = True
        # Where several models sample, the pick is of them all, and belongs to no model's curve.
        samples = tuple(self.state.samples) if len(self.state.models) == 1 else ()
        self.run_worker(self._compute(counts, samples), group="curves", exit_on_error=False)

    async def _compute(self, counts: tuple[Counts, ...], samples: tuple[Sample | None, ...]) -> None:
        began = monotonic()
        try:
            self._curves, self._precision = await asyncio.to_thread(
                lambda: (curves_of(counts, max(64, 2 * self.size.width)), precision_of(samples))
            )
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
        sentences = self._sentences(width, max(2, height - _LEAST_CHART))
        room = height - len(sentences)
        if self.showing == "answers":
            picture = answer_lines(self.state, width, room, self.palette)
        else:
            picture = self._chart(width, room)
        if height and len(picture) < room:
            picture = [*picture, *(Text() for _ in range(room - len(picture)))]
        return [*picture, *sentences]

    def _sentences(self, width: int, most: int) -> list[Text]:
        """As many sentences for one model as ``most`` lines hold; one short line each, in the colour of its
        curve, for several, and one that compares them."""
        state, colours = self.state, self.palette
        bands = {curve.counts.model: (curve.low, curve.high) for curve in self._curves}
        aheads = {curve.counts.model: curve.ahead for curve in self._curves if curve.ahead is not None}
        checked = is_checked(state)
        if len(state.tallies) == 1:
            model, tally = next(iter(state.tallies.items()))
            style = colours.text if tally.n or tally.answers else colours.dim
            if not checked:
                return self._wrapped(unverified_sentence(tally), width, style)
            parts = coverage_parts(
                tally, bands.get(model), aheads.get(model), self._precision, self._price(model, tally)
            )
            lines = self._wrapped(parts[0], width, style)
            for count in range(2, len(parts) + 1):
                longer = self._wrapped(" ".join(parts[:count]), width, style)
                if len(longer) > most:
                    break
                lines = longer
            return lines
        lines = []
        for layer, (model, tally) in enumerate(state.tallies.items()):
            phrase = unverified_phrase(tally)
            if checked:
                phrase = coverage_phrase(tally, bands.get(model), aheads.get(model))
            name = fit.head(model, max(8, min(24, width // 3)))
            rest = fit.head(phrase, max(0, width - cell_len(name) - 2))
            style = layer_style(layer, colours) if checked else colours.strong
            lines.append(Text.assemble((name, style), f"  {rest}", end="", no_wrap=True))
        if checked and (worth := worth_sentence(state, aheads)):
            lines += self._wrapped(worth, width, colours.text)
        return lines

    def _wrapped(self, text: str, width: int, style: Style) -> list[Text]:
        return list(Text(text, style=style).wrap(self.app.console, max(1, width)))

    def _price(self, model: str, tally: Tally) -> str:
        return price_words(self.state, model, MORE) if tally.n else ""

    def _chart(self, width: int, height: int) -> list[Text]:
        if not self._curves:
            return []
        marks: Marks = ()
        if self._precision is not None:
            unit = self._curves[0].counts.unit
            marks = tuple((math.log2(k * unit), share) for k, share in self._precision.points)
        return chart_lines(self._curves, self._axis(), width, height, self.palette, marks)

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


def _reach(curve: Curve) -> int:
    return curve.ahead.reach if curve.ahead is not None else 0


def _dollars(value: float) -> Usd:
    return Decimal(repr(value))

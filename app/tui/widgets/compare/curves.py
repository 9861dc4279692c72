"""Coverage of every model over samples, dollars or FLOPs, the better model's band behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

from rich.text import Text

from app.runs.compare.standings import Unit
from app.tui.widgets.chart import Axis, chart_lines
from app.tui.widgets.compare.pane import ComparePane
from budgets.amounts import show_count, show_flops, show_usd

AXES: dict[Unit, str] = {
    "samples": "samples of each problem",
    "usd": "dollars a problem",
    "flops": "FLOPs a problem",
}


class CompareCurves(ComparePane):
    def looks_at(self) -> object:
        return self.watched.scores

    def draw(self, width: int, height: int) -> Sequence[Text]:
        scores, colours = self.watched.scores, self.palette
        self.border_title = f"Coverage by {AXES[scores.axis]}"
        points = [x for curve in scores.curves for x, _ in curve.points]
        ahead = [curve.ahead.xs[-1] for curve in scores.curves if curve.ahead is not None]
        if not points:
            return [Text("No sample was judged yet.", style=colours.dim, no_wrap=True, end="")]
        low, high = min(points), max([*points, *ahead])
        if high - low < 1:
            high = low + 1
        axis = Axis(low, high, lambda value: _label(scores.axis, value))
        return chart_lines(scores.curves, axis, width, height, colours)


def _label(axis: Unit, value: float) -> str:
    if axis == "usd":
        return show_usd(Decimal(f"{value:.1g}"))
    if axis == "flops":
        return show_flops(int(float(f"{value:.2g}")))
    return show_count(round(value)) if math.isfinite(value) else ""

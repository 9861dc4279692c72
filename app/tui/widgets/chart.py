"""Drawing a coverage chart: axes, band, curves and the picks' line as text. Knows no run and no clock."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from app.tui.text.braille import Canvas
from app.tui.text.curves import Curve
from app.tui.widgets.colours import Palette

_LABEL = 5
_BAND = "░"
_LEAST_HEIGHT = 3
PICK_MARK: Final = "◆"
_PICK_LAYER = -1

Marks: TypeAlias = Sequence[tuple[float, float]]
"""Points of the picks' line: (log2 of the axis, share in 0..1)."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The range of the horizontal axis in log2 of its unit, and how a value on it is written."""

    low: float
    high: float
    label: Callable[[float], str]

    def place(self, x: float, cells: int) -> float:
        """Where ``x`` lies among ``cells`` positions, 0 to cells - 1."""
        return (x - self.low) / (self.high - self.low) * (cells - 1)

    def value(self, place: float, cells: int) -> float:
        return self.low + place / max(1, cells - 1) * (self.high - self.low)


def chart_lines(
    curves: Sequence[Curve], axis: Axis, width: int, height: int, colours: Palette, marks: Marks = ()
) -> list[Text]:
    """A chart of ``width`` x ``height`` cells, its axis labels included; no lines where it would not fit."""
    plot_width, plot_height = width - _LABEL, height - 1
    if plot_width < 10 or plot_height < _LEAST_HEIGHT:
        return []
    canvas = Canvas(plot_width, plot_height)
    for curve in reversed(curves):
        _draw_ahead(canvas, curve, axis)
        _draw(canvas, curve, axis, curve.counts.layer)
    marked = _draw_picks(canvas, marks, axis)
    band = curves[0] if curves else None
    lines = []
    for row in range(plot_height):
        line = Text(no_wrap=True, end="")
        line.append(_height_label(row, plot_height), colours.dim)
        for column in range(plot_width):
            character, layer_found = canvas.cell(column, row)
            if (column, row) in marked:
                line.append(PICK_MARK, colours.pick)
            elif layer_found is not None:
                line.append(character, layer_style(layer_found, colours))
            else:
                shade = _shade(band, axis, column, row, plot_width, plot_height) if band is not None else " "
                line.append(shade, colours.faint if shade == _BAND else None)
        lines.append(line)
    lines.append(Text(" " * _LABEL + _ticks(axis, plot_width), style=colours.dim, no_wrap=True, end=""))
    return lines


def layer_style(layer: int, colours: Palette) -> Style:
    """The colour of a curve, and of the name that belongs to it. The accent is the picks'."""
    if layer == _PICK_LAYER:
        return colours.pick
    styles = (colours.text, colours.live, colours.undecided, colours.dim)
    return styles[layer % len(styles)]


def _draw(canvas: Canvas, curve: Curve, axis: Axis, layer: int) -> None:
    """A line through the curve's points. Curves after the first are broken, so that they differ without
    colour: the second has gaps of one dot, the third of two, and so on."""
    bottom = canvas.dots_down - 1
    places = [(axis.place(x, canvas.dots_across), bottom * (1 - y)) for x, y in curve.points]
    if len(places) == 1:
        canvas.dot(round(places[0][0]), round(places[0][1]), layer)
    for (x0, y0), (x1, y1) in pairwise(places):
        if layer and round(x0) % (2 + 2 * layer) >= 2 + layer:
            continue
        canvas.line(x0, y0, x1, y1, layer)


def _draw_ahead(canvas: Canvas, curve: Curve, axis: Axis) -> None:
    """The forecast, dashed: two dots of every four, of every six for the second curve, and so on."""
    if curve.ahead is None:
        return
    for x in range(canvas.dots_across):
        found = curve.ahead.at(axis.value(x, canvas.dots_across))
        if found is not None and x % (4 + 2 * curve.counts.layer) < 2:
            canvas.dot(x, round((canvas.dots_down - 1) * (1 - found[0])), curve.counts.layer)


def _draw_picks(canvas: Canvas, marks: Marks, axis: Axis) -> set[tuple[int, int]]:
    """A dotted line through the points; returns the cells of the points themselves, which get a mark."""
    bottom = canvas.dots_down - 1
    places = [(axis.place(x, canvas.dots_across), bottom * (1 - y)) for x, y in marks]
    for (x0, y0), (x1, y1) in pairwise(places):
        for x in range(math.ceil(x0), math.floor(x1) + 1):
            if x % 3 == 0:
                canvas.dot(x, round(y0 + (y1 - y0) * (x - x0) / (x1 - x0)), _PICK_LAYER)
    return {(round(x) // 2, round(y) // 4) for x, y in places}


def _shade(curve: Curve, axis: Axis, column: int, row: int, width: int, height: int) -> str:
    """The band's character where the cell lies in it. The forecast's band is lighter: every other cell."""
    x = axis.value(column, width)
    low, high = curve.band(x)
    if curve.ahead is not None and x > curve.points[-1][0]:
        found = curve.ahead.at(x)
        if found is None or (column + row) % 2:
            return " "
        _, low, high = found
    middle = 1 - (row + 0.5) / height
    half = 0.5 / height
    return _BAND if low - half <= middle <= high + half and high - low > 0.004 else " "


def _height_label(row: int, height: int) -> str:
    if row == 0:
        return "100% "
    if row == height - 1:
        return "  0% "
    if height >= 5 and row == (height - 1) // 2 and height % 2:
        return " 50% "
    return " " * _LABEL


def _ticks(axis: Axis, width: int) -> str:
    """Labels under the powers of two, as many as fit."""
    whole = [float(x) for x in range(math.ceil(axis.low - 1e-9), math.floor(axis.high + 1e-9) + 1)]
    if axis.low % 1 > 1e-9 or len(whole) < 2:
        whole = [axis.low + (axis.high - axis.low) * step / 5 for step in range(6)]
    cells = [" "] * width
    free = 0
    for x in whole:
        label = axis.label(2.0**x)
        size = cell_len(label)
        at = round(axis.place(x, width)) - size // 2
        at = max(0, min(at, width - size))
        if at >= free:
            cells[at : at + size] = label
            free = at + size + 2
    return "".join(cells)

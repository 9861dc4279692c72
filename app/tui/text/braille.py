"""A canvas of braille dots: eight to a cell, two across and four down, drawn in layers."""

from __future__ import annotations

_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


class Canvas:
    """``width`` x ``height`` cells, so twice as many dots across and four times as many down; (0, 0) is the
    upper left dot. A dot off the canvas is not drawn."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.dots_across, self.dots_down = 2 * width, 4 * height
        self._dots = [[0] * width for _ in range(height)]
        self._layers: list[list[int | None]] = [[None] * width for _ in range(height)]

    def dot(self, x: int, y: int, layer: int = 0) -> None:
        if 0 <= x < self.dots_across and 0 <= y < self.dots_down:
            self._dots[y // 4][x // 2] |= _BITS[y % 4][x % 2]
            self._layers[y // 4][x // 2] = layer

    def line(self, x0: float, y0: float, x1: float, y1: float, layer: int = 0) -> None:
        """Every dot between two points, ends included."""
        steps = max(1, round(max(abs(x1 - x0), abs(y1 - y0))))
        for step in range(steps + 1):
            share = step / steps
            self.dot(round(x0 + (x1 - x0) * share), round(y0 + (y1 - y0) * share), layer)

    def cell(self, column: int, row: int) -> tuple[str, int | None]:
        """The character of a cell and the layer drawn there last; a blank and ``None`` where nothing was."""
        dots = self._dots[row][column]
        return (chr(0x2800 + dots), self._layers[row][column]) if dots else (" ", None)

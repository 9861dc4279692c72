"""Bars of whole cells. Full, held and empty cells differ in shape, so they read without colour."""

from __future__ import annotations

FULL = "▇"
HELD = "▒"
EMPTY = "░"


def split(width: int, *shares: float) -> tuple[int, ...]:
    """Cells for each share of the whole, and last those left over.

    Shares are of 1. What is not nothing gets a cell, what is not all leaves one: a bar never says 0 or 1 by
    rounding.
    """
    cells: list[int] = []
    left = width
    total = 0.0
    for share in shares:
        share = min(max(share, 0.0), 1.0 - total)
        total += share
        count = min(left, round(share * width))
        if share > 0 and count == 0 and left > 1:
            count = 1
        cells.append(count)
        left -= count
    if left == 0 and total < 1 - 1e-9 and cells and cells[-1] > 1:
        cells[-1] -= 1
        left = 1
    return (*cells, left)

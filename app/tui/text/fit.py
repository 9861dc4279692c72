"""Text made to fill an exact number of terminal cells.

A row whose text is one cell too long pushes every column behind it out of place, so nothing is placed in a
row but through here. Widths are Textual's own (``rich.cells``), because it is Textual that lays cells out;
what is measured is cleaned first, so that model text can neither act nor hide.
"""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from verifiers.safe_text import clean

ELLIPSIS = "…"


def one_line(text: str) -> str:
    """Cleaned text with all white space, line ends too, as single blanks."""
    return " ".join(clean(text).split())


def head(text: str, width: int) -> str:
    """The beginning of ``text`` in at most ``width`` cells, cut with an ellipsis.

    Costs the same for any length of text: only as much is read as could be shown.
    """
    if width <= 0:
        return ""
    part = text[: _reach(width)]
    line = one_line(part)
    if len(part) == len(text) and cell_len(line) <= width:
        return line
    return set_cell_size(line, min(width - 1, cell_len(line))).rstrip() + ELLIPSIS


def tail(text: str, width: int) -> str:
    """The end of ``text`` in at most ``width`` cells: what is being written just now."""
    if width <= 0:
        return ""
    part = text[-_reach(width) :]
    line = one_line(part)
    size = cell_len(line)
    if len(part) == len(text) and size <= width:
        return line
    start = max(0, len(line) - width + 1)
    while start < len(line) and cell_len(line[start:]) > width - 1:
        start += 1
    return ELLIPSIS + line[start:].lstrip()


def left(text: str, width: int) -> str:
    """``text``, one line already, cut or padded on the right to exactly ``width`` cells."""
    if cell_len(text) > width:
        text = head(text, width)
    return text + " " * (width - cell_len(text))


def right(text: str, width: int) -> str:
    """``text`` set against the right of exactly ``width`` cells."""
    if cell_len(text) > width:
        text = head(text, width)
    return " " * (width - cell_len(text)) + text


def _reach(width: int) -> int:
    """Characters that can matter for ``width`` cells: escape sequences and blanks take some and show none."""
    return 8 * width + 64

"""What the checker said of an open sample, above its text: its name, and the case that failed."""

from __future__ import annotations

from rich.segment import Segment

from app.runs.state import Sample
from app.tui.text import fit
from app.tui.text.markdown import Lines, wrap
from app.tui.text.marks import MEANINGS, SIGNS, standing
from app.tui.text.verdict_words import reason_facts
from app.tui.widgets.colours import Palette

_LABEL = 10
_MOST_LINES = 4
"""Lines of one fact: the rest of a long value is in the checker's own report."""


def verdict_lines(sample: Sample, width: int, colours: Palette) -> Lines:
    """The verdict's lines, a blank one behind them; none for a sample without a verdict."""
    if sample.verdict is None or sample.status != "finished":
        return []
    how = standing(sample)
    style = colours.of(how) + colours.strong
    head = f"{SIGNS[how]} {MEANINGS[how]}"
    by = f" · {fit.one_line(sample.checker)}" if sample.checker else ""
    facts = reason_facts(sample.reason) if sample.verdict != "right" else ()
    lines: Lines = [[Segment(head, style), Segment(by, colours.dim)]]
    if not facts and sample.reason:
        lines += [[Segment(line)] for line in wrap(fit.one_line(sample.reason), max(8, width))[:_MOST_LINES]]
    for name, value in facts:
        wrapped = wrap(fit.one_line(value), max(8, width - _LABEL))[:_MOST_LINES]
        for place, line in enumerate(wrapped):
            strong = colours.wrong if name in ("got", "raised") else colours.text
            label = fit.left("" if place else name, _LABEL)
            lines.append([Segment(label, colours.dim), Segment(line, strong)])
    return [*lines, []]

"""How the samples' answers are spread: one bar for each answer, the most given first."""

from __future__ import annotations

from heapq import nlargest

from rich.cells import cell_len
from rich.text import Text

from app.runs.state import RunState
from app.tui.text import bars, fit
from app.tui.text.marks import SIGNS, standing
from app.tui.widgets.colours import Palette


def answer_lines(state: RunState, width: int, height: int, colours: Palette) -> list[Text]:
    """The most given answers, best supported first, in at most ``height`` lines."""
    if not state.groups or height < 1:
        return []
    shown = nlargest(height, state.groups.items(), key=lambda group: len(group[1]))
    hidden = len(state.groups) - len(shown)
    if hidden:
        shown = shown[: height - 1]
        hidden = len(state.groups) - len(shown)
    labels = [_label(state, samples[0], max(6, width // 3)) for _, samples in shown]
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


def _label(state: RunState, index: int, width: int) -> str:
    sample = state.samples[index]
    return fit.head((sample.answer if sample is not None else None) or "", width)

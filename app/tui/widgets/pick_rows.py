"""One rule that chooses, on one line: its answer, how strongly it is chosen, if it is right, since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from app.runs.events import PickChanged
from app.runs.pick_words import pick_label
from app.runs.state import RunState
from app.tui.text import bars, fit
from app.tui.text.marks import SIGNS, Standing, number, standing
from app.tui.text.sentences import is_checked
from app.tui.widgets.colours import Palette
from verifiers.candidates import logistic
from verifiers.rules import RULES

TITLES: dict[str, str] = {rule.name: rule.title for rule in RULES}
CURSOR = "▌"
_BY_SCORE = ("reward", "cotnpot")


@dataclass(frozen=True, slots=True)
class PickRow:
    """``share`` fills the bar, in 0..1. ``how`` is ``None`` where nobody knows whether the answer is right.
    ``note`` stands at the end. ``rule`` is empty for an answer that no rule picks."""

    rule: str
    title: str
    answer: str
    share: float
    figures: str
    how: Standing | None
    note: str
    sample: int | None = None
    fresh: bool = False


def pick_row(pick: PickChanged, state: RunState) -> PickRow:
    since = state.pick_since.get(pick.rule, 0)
    fresh = since >= state.finished and state.finished > 1 and state.phase != "ended"
    return PickRow(
        pick.rule,
        TITLES.get(pick.rule, pick.rule),
        pick_label(pick, state),
        _strength(pick),
        _figures(pick, state),
        standing_of(pick.sample, state),
        "changed" if fresh else f"since {max(1, since)}" if is_checked(state) else "unverified",
        pick.sample,
        fresh,
    )


def standing_of(index: int | None, state: RunState) -> Standing | None:
    """What is known of an answer: that of the sample that stands for it."""
    sample = state.samples[index] if index is not None and index < len(state.samples) else None
    return None if sample is None or sample.verdict is None else standing(sample)


def _strength(pick: PickChanged) -> float:
    """What the bar shows: the reward as a chance, the part of all weight, or the share of the votes."""
    if pick.score is None:
        return pick.share
    return pick.score if 0 <= pick.score <= 1 else logistic(pick.score)


def _figures(pick: PickChanged, state: RunState) -> str:
    """``21 of 64`` for a vote, ``0.81 of #40`` for a score, ``0.41`` for a part of all weight."""
    if pick.score is not None:
        of = f" of #{number(pick.sample)}" if pick.rule in _BY_SCORE and pick.sample is not None else ""
        return f"{pick.score:.2f}{of}"
    voters = round(pick.support / pick.share) if pick.share else state.finished
    return f"{pick.support:,} of {voters:,}"


def row_lines(rows: Sequence[PickRow], width: int, colours: Palette, *, cursor: str | None) -> list[Text]:
    """The rows in columns of their own. ``cursor`` is the rule under the cursor, where the pane has it."""
    if not rows:
        return []
    title = min(18, max(cell_len(row.title) for row in rows)) + 2
    figures = max(len(row.figures) for row in rows)
    sign = 2 if any(row.how is not None for row in rows) else 0
    note = max(len(row.note) for row in rows) if width >= 56 else 0
    wanted = max(6, min(max(cell_len(row.answer) for row in rows), 40))
    fixed = 1 + title + figures + sign + note + 2 * (2 + bool(note))
    bar = min(24, width - fixed - wanted - 2)
    if bar < 5:
        bar = 0
    answer = max(1, min(wanted, width - fixed - (bar + 2 if bar else 0)))
    return [
        _line(row, (title, answer, bar, figures, sign, note), colours, row.rule == cursor) for row in rows
    ]


def _line(row: PickRow, columns: tuple[int, ...], colours: Palette, focused: bool) -> Text:
    title, answer, bar, figures, sign, note = columns
    picked = bool(row.rule)
    line = Text(no_wrap=True, end="")
    line.append(CURSOR if focused and picked else " ", colours.pick)
    line.append(fit.left(row.title, title), colours.text if focused and picked else colours.dim)
    line.append(
        fit.left(fit.head(row.answer, answer), answer),
        colours.pick + colours.strong if picked else colours.text,
    )
    line.append("  ")
    if bar:
        full, empty = bars.split(bar, row.share)
        line.append(bars.FULL * full, colours.pick if picked else colours.dim)
        line.append(bars.EMPTY * empty, colours.faint)
        line.append("  ")
    line.append(fit.right(row.figures, figures))
    if sign:
        style = Style() if row.how is None else colours.of(row.how) + colours.strong
        line.append(fit.right("" if row.how is None else SIGNS[row.how], sign), style)
    if note:
        line.append("  ")
        line.append(fit.left(row.note, note), colours.live if row.fresh else colours.dim)
    return line

"""One sample on one line, in columns that stay where they are.

Columns are laid out once for all rows, from the width and from what the run needs (the model only when there
are several, money only when some is spent); a row then fills them to the cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from app.runs.state import RunState, Sample
from app.tui.text import fit
from app.tui.text.marks import SIGNS, number, standing
from app.tui.text.verdict_words import short_reason
from app.tui.widgets.colours import Palette
from app.tui.widgets.order import GroupRow
from budgets.amounts import show_usd

CURSOR = "▌"
WAITING = "waiting for its first token"
_GAP = 2
_IN_WORDS = 96
"""Cells of a row from which a reward and a program are named in full."""
_LEAST_SHOWN = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths in cells, 0 for a column that is not shown. ``rest`` is the flexible one: text."""

    width: int
    number: int
    model: int
    answer: int
    rest: int
    reward: int
    program: int
    tokens: int
    cost: int


def columns_for(width: int, state: RunState, answer: int) -> Columns:
    """``answer`` is the widest answer seen so far, in cells."""
    digits = max(2, len(str(len(state.samples))))
    model = min(18, max(map(len, state.models))) if len(state.models) > 1 and width >= 60 else 0
    tokens = 9 if width >= 40 else 0
    cost = 8 if width >= 56 and _has_cost(state) else 0
    in_words = width >= _IN_WORDS
    reward = (13 if in_words else 8) if width >= 56 and _has_rewards(state) else 0
    program = (18 if in_words else 9) if width >= 64 and _has_programs(state) else 0
    columns = (model, reward, program, tokens, cost)
    left = width - (1 + digits + 3) - sum(column + _GAP for column in columns if column)
    answer = max(4, min(answer, 24, left // 3))
    rest = max(0, left - answer - _GAP)
    return Columns(width, digits, model, answer, rest, reward, program, tokens, cost)


def _has_rewards(state: RunState) -> bool:
    return bool(state.rewarded) or (state.plan is not None and state.plan.reward is not None)


def _has_programs(state: RunState) -> bool:
    return bool(state.filter.looked_at) or (state.plan is not None and state.plan.translator is not None)


def _has_cost(state: RunState) -> bool:
    return state.books.known.usd != 0 or state.books.at_most.usd != 0


def sample_strip(
    sample: Sample | None, columns: Columns, colours: Palette, base: Style, *, focused: bool, picked: bool
) -> Strip:
    """The row of one sample, exactly ``columns.width`` cells wide."""
    if sample is None:
        return Strip.blank(columns.width, base)
    how = standing(sample)
    style = colours.of(how)
    plain, dim, gap = base, base + colours.dim, Segment(" " * _GAP, base)
    segments = [
        Segment(CURSOR if focused else " ", base + colours.pick),
        Segment(fit.right(str(number(sample.index)), columns.number), dim),
        Segment(f" {SIGNS[how]} ", base + style),
    ]
    if columns.model:
        segments += [Segment(fit.left(fit.one_line(sample.model), columns.model), dim), gap]
    if sample.status == "live" and not sample.parts:
        segments.append(Segment(fit.left(WAITING, columns.answer + _GAP + columns.rest), dim))
    elif sample.status == "live":
        text = fit.tail(sample.tail(8 * columns.width + 64), columns.answer + _GAP + columns.rest - 1) + "▏"
        segments.append(Segment(fit.left(text, columns.answer + _GAP + columns.rest), plain))
    else:
        answer = fit.left(fit.head(sample.answer, columns.answer) if sample.answer else "—", columns.answer)
        bold = colours.strong + (colours.pick if picked else colours.text)
        segments += [Segment(answer, base + (bold if sample.answer else colours.dim)), gap]
        segments.append(Segment(fit.left(_remark(sample, columns.rest), columns.rest), dim))
    in_words = columns.width >= _IN_WORDS
    if columns.reward:
        segments += [gap, Segment(fit.left(_reward(sample, in_words), columns.reward), dim)]
    if columns.program:
        kept = colours.text if sample.program_status == "agrees" else colours.dim
        segments += [gap, Segment(fit.left(_program(sample, in_words), columns.program), base + kept)]
    if columns.tokens:
        segments += [gap, Segment(fit.right(_tokens(sample), columns.tokens), dim)]
    if columns.cost:
        segments += [gap, Segment(fit.right(_cost(sample), columns.cost), dim)]
    return Strip(segments).adjust_cell_length(columns.width, base)


def group_strip(
    group: GroupRow, answer: str, mark: str, style: Style, total: int, columns: Columns, colours: Palette,
    base: Style, *, focused: bool,
) -> Strip:  # fmt: skip
    """The heading of a group: its answer, how many gave it, what part of ``total`` that is (none of 0)."""
    arrow = "▾" if group.open else "▸"
    share = f"{group.count / total:>4.0%}" if total else ""
    count = f"{group.count:,} sample{'s' if group.count != 1 else ''}"
    segments = [
        Segment(CURSOR if focused else " ", base + colours.pick),
        Segment(fit.right(arrow, columns.number), base + colours.dim),
        Segment(f" {mark} ", base + style),
        Segment(fit.left(answer, max(columns.answer, 12)), base + colours.strong),
        Segment("  ", base),
        Segment(f"{fit.right(count, 16)}  {share}", base + colours.dim),
    ]
    return Strip(segments).adjust_cell_length(columns.width, base)


def _remark(sample: Sample, width: int) -> str:
    """Why there is no answer, or why it is not right; then the end of the text, where the samples differ."""
    remark = ""
    if sample.status == "failed":
        return fit.head(sample.error or "failed", width)
    if sample.status == "cancelled":
        remark = "cancelled"
    elif sample.finish_reason == "length":
        remark = f"cut off at {sample.tokens:,} tokens"
    elif sample.finish_reason == "content_filter":
        remark = "withheld by the provider"
    elif sample.answer is None:
        remark = "no answer found"
    else:
        remark = short_reason(sample)
    if not remark:
        return fit.tail(sample.text, width)
    room = width - len(remark) - 3
    if not sample.text.strip():
        return fit.head(remark, width)
    return f"{remark} · {fit.tail(sample.text, room)}" if room > 12 else fit.head(remark, width)


def _reward(sample: Sample, in_words: bool) -> str:
    """``reward 0.44``, or ``r 0.44`` where there is less room."""
    if sample.reward_model is None:
        return ""
    score = "none" if sample.reward is None else f"{sample.reward:.2f}"
    return f"reward {score}" if in_words else f"r {score}"


def _program(sample: Sample, in_words: bool) -> str:
    """``program says 96``, or ``p differs`` where there is less room."""
    if sample.program_status is None:
        return "writing a program" if sample.translation and in_words else "p …" if sample.translation else ""
    if not in_words:
        return f"p {sample.program_status}"
    if sample.program_status == "differs" and sample.program_answer:
        return f"program says {fit.head(sample.program_answer, 5)}"
    return f"program {sample.program_status}"


def _tokens(sample: Sample) -> str:
    count = f"~{sample.tokens:,}" if sample.estimated else f"{sample.tokens:,}"
    return f"{count} tok"


def _cost(sample: Sample) -> str:
    if sample.status == "live":
        return ""
    if sample.known.usd is None:
        return "?"
    if 0 < sample.known.usd < _LEAST_SHOWN:
        return f"<${_LEAST_SHOWN}"  # its digits would not fit the column
    return "$0" if sample.known.usd == 0 else show_usd(sample.known.usd)

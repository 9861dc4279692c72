"""The leaderboard: every model on a line, best first, under the verdict in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from app.runs.compare.standings import Estimate
from app.runs.compare.state import ComparisonState
from app.tui.ports import short_name
from app.tui.text import fit
from app.tui.text.scores import Score
from app.tui.widgets.chart import layer_style
from app.tui.widgets.compare.pane import ComparePane
from budgets.amounts import show_count, show_flops, show_usd
from verifiers.safe_text import one_line

_GAP = 2
_MARKS = "━╍┅┉╌"


@dataclass(frozen=True, slots=True)
class _Column:
    """``rank`` orders what is given up first where there is little room: the highest."""

    head: str
    cells: tuple[str, ...]
    rank: int

    @property
    def width(self) -> int:
        return max(cell_len(self.head), *(cell_len(cell) for cell in self.cells))


class CompareBoard(ComparePane):
    def looks_at(self) -> object:
        state = self.watched.state
        return (self.watched.scores, state.finished, len(state.live), state.phase, int(state.at))

    def draw(self, width: int, height: int) -> Sequence[Text]:
        state, scores, colours = self.watched.state, self.watched.scores, self.palette
        rows = scores.scores
        if not rows:
            return [Text(_waiting(state), style=colours.dim, no_wrap=True, end="")]
        names = [short_name(row.standing.model, 30) for row in rows]
        longest = max(map(cell_len, names))
        columns = _fitting(_columns(state, rows), width - longest - 4)
        head = Text(" " * (longest + 4), style=colours.dim, no_wrap=True, end="")
        for column in columns:
            head.append(" " * _GAP + column.head.rjust(column.width))
        lines = [head]
        for place, (name, row) in enumerate(zip(names, rows, strict=True)):
            lines.append(self._row(place, name, longest, row, columns))
        lines.append(Text("", end=""))
        room = max(20, width)
        lines += [Text(part, no_wrap=True, end="") for part in wrap(scores.verdict, room)[:5]]
        return lines

    def _row(self, place: int, name: str, longest: int, row: Score, columns: Sequence[_Column]) -> Text:
        colours = self.palette
        line = Text(no_wrap=True, end="")
        line.append(_MARKS[min(place, len(_MARKS) - 1)] * 2 + "  ", layer_style(place, colours))
        line.append(name + " " * (longest - cell_len(name)), colours.strong if place == 0 else Style())
        status = self.watched.state.model_status.get(row.standing.model)
        if status is not None and status.state in ("failed", "set-aside", "preparing"):
            said = f"  {one_line(status.detail or status.state, 200)}"
            width = sum(column.width + _GAP for column in columns)
            style = colours.live if status.state == "preparing" else colours.wrong
            if not row.standing.samples:
                line.append(fit.head(said, max(10, width)), style)
                return line
        for column in columns:
            line.append(" " * _GAP + column.cells[place].rjust(column.width))
        return line


def _columns(state: ComparisonState, rows: Sequence[Score]) -> list[_Column]:
    of = len(state.problems)
    ks = {row.standing.deepest for row in rows if row.deepest}
    head = f"coverage @{ks.pop()}" if len(ks) == 1 else "coverage @k"
    alike = head != "coverage @k"
    standing = [row.standing for row in rows]
    return [
        _Column("solved", tuple(f"{one.solved} of {of}" for one in standing), 1),
        _Column(head, tuple(_at(row.deepest, 0 if alike else row.standing.deepest) for row in rows), 0),
        _Column("one try", tuple(_at(row.first) for row in rows), 3),
        _Column("majority right", tuple(_at(one.majority) for one in standing), 4),
        _Column("spent", tuple(_spent(row) for row in rows), 2),
        _Column("per solved", tuple(_per_solved(row) for row in rows), 5),
        _Column("samples", tuple(f"{one.samples:,}" for one in standing), 6),
        _Column("tok/s", tuple(show_count(round(state.tokens_per_second(one.model))) for one in standing), 7),
    ]


def _fitting(columns: list[_Column], room: int) -> list[_Column]:
    kept = list(columns)
    while kept and sum(column.width + _GAP for column in kept) > room:
        kept.remove(max(kept, key=lambda column: column.rank))
    return kept


def _at(estimate: Estimate | None, k: int = 0) -> str:
    if estimate is None:
        return "—"
    shown = f"{100 * estimate.value:.0f}% [{100 * estimate.low:.0f}-{100 * estimate.high:.0f}]"
    return f"@{k} {shown}" if k else shown


def _spent(row: Score) -> str:
    books = row.standing.books.known
    if books.usd:
        return show_usd(books.usd)
    return show_flops(books.flops) if books.flops else f"{show_count(books.tokens)} tok"


def _per_solved(row: Score) -> str:
    books, solved = row.standing.books.known, row.standing.solved
    if not solved:
        return "—"
    if books.usd:
        return show_usd(books.usd / solved)
    return show_flops(books.flops // solved) if books.flops else f"{show_count(books.tokens // solved)} tok"


def _waiting(state: ComparisonState) -> str:
    for name, status in state.model_status.items():
        if status.state in ("preparing", "failed"):
            return fit.head(f"{short_name(name)}: {one_line(status.detail, 200)}", 100)
    return "Waiting for the first samples."

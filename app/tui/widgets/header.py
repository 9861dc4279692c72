"""The question on one line, its kind and the known answer beside it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from app.runs.state import RunState
from app.tui.text import fit
from app.tui.widgets.panel import Panel


class ProblemHeader(Panel):
    def looks_at(self, state: RunState) -> object:
        return (state.problem, state.recorded)

    def draw(self, width: int, height: int) -> Sequence[Text]:
        problem, colours = self.state.problem, self.palette
        if problem is None:
            return [Text("monkeys", style=colours.strong)]
        known = f"= {fit.head(problem.answer, max(8, width // 5))}" if problem.answer is not None else ""
        if not known and problem.tests:
            known = "tests"
        facts = "  ".join(part for part in (problem.kind, known) if part)
        name = "recording" if self.state.recorded else "monkeys"
        room = width - len(name) - 2 - cell_len(facts) - 3
        question = fit.head(problem.title or problem.prompt, room) if room >= 8 else ""
        line = Text(no_wrap=True, end="")
        line.append(name, colours.pick + colours.strong if not self.state.recorded else colours.undecided)
        line.append(f"  {fit.left(question, max(room, 0))}   ")
        line.append(facts, colours.dim)
        return [line]

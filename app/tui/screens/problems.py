"""Problems to begin with: those asked lately, then the starter set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from app.tui.screens.picker import Picker, Row, one_line

if TYPE_CHECKING:
    from app.problems.problem import Problem


class ProblemPicker(Picker["Problem"]):
    TITLE: ClassVar[str | None] = "Problems"
    SEARCH: ClassVar[str] = "type to search problems"
    KEYS: ClassVar[str] = "enter fill in · esc close"

    def __init__(
        self, starters: Callable[[], Sequence[Problem]], recent: Callable[[], Sequence[Problem]]
    ) -> None:
        super().__init__()
        self._starters = starters
        self._recent = recent
        self._rows: list[Row[Problem]] | None = None

    def rows(self) -> Sequence[Row[Problem]]:
        if self._rows is None:
            recent = list(self._recent())
            seen = {problem.prompt for problem in recent}
            starters = [problem for problem in self._starters() if problem.prompt not in seen]
            self._rows = [*_part("Asked lately", recent), *_part("Starter set", starters)]
        return self._rows


def _part(title: str, problems: Sequence[Problem]) -> list[Row[Problem]]:
    if not problems:
        return []
    heading: Row[Problem] = Row(Content.styled(title, "bold $foreground-muted"), "", None)
    return [heading, *(_row(problem) for problem in problems)]


def _row(problem: Problem) -> Row[Problem]:
    name = problem.title or one_line(problem.prompt, 90)
    end = f"  = {one_line(problem.answer, 16)}" if problem.answer else ("  tests" if problem.tests else "")
    shown = Content.assemble((f"{problem.kind:<6}", "$foreground-muted"), name, (end, "$foreground-muted"))
    return Row(shown, f"{problem.kind} {problem.id} {name} {problem.prompt[:400]}", problem)

"""The models one can ask: what each is, whether it is ready, and what is missing where it is not.

Several may be chosen; they then share one budget. The suggestion for somebody who has only the embedded model
stands one key away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList

from app.tui.ports import ModelChoice, short_name
from app.tui.screens.picker import Picker, Row


class ModelPicker(Picker[tuple[str, ...]]):
    TITLE: ClassVar[str | None] = "Models"
    SEARCH: ClassVar[str] = "type to search, or the name of any model"
    KEYS: ClassVar[str] = "enter choose · space mark several · f2 the suggested one · esc close"
    NOTHING: ClassVar[str] = "No model is known. Type the name of one, such as gguf:PATH."
    MARKS: ClassVar[bool] = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark", priority=True, show=False),
        Binding("f2", "suggested", "The suggested model", priority=True, show=False),
    ]

    def __init__(self, models: Sequence[ModelChoice], chosen: tuple[str, ...]) -> None:
        super().__init__()
        self._models = list(models)
        known = {model.name for model in models}
        self._models += [ModelChoice(name, "typed by hand") for name in chosen if name not in known]
        self._marked = list(chosen)

    def rows(self) -> Sequence[Row[tuple[str, ...]]]:
        width = max((len(short_name(model.name)) for model in self._models), default=0) + 2
        return [self._row(model, width) for model in self._models]

    def action_mark(self) -> None:
        row = self.highlighted
        if row is None or row.value is None:
            return
        (name,) = row.value
        if name in self._marked:
            self._marked.remove(name)
        else:
            self._marked.append(name)
        self.refill(keep=self.query_one(OptionList).highlighted or 0)

    def action_suggested(self) -> None:
        better = next((model.name for model in self._models if model.upgrade), None)
        if better is not None:
            self.dismiss((better,))

    def choose(self) -> None:
        """The marked ones where marks were made, else the one the cursor is on, else the name as typed."""
        row = self.highlighted
        typed = self.query_one(Input).value.strip()
        if len(self._marked) > 1:
            self.dismiss(tuple(self._marked))
        elif row is not None and row.value is not None:
            self.dismiss(row.value)
        elif typed:
            self.dismiss((typed,))

    def _row(self, model: ModelChoice, width: int) -> Row[tuple[str, ...]]:
        marked = model.name in self._marked
        readiness = ("ready", "$foreground-muted") if model.ready else (model.missing, "$undecided")
        notes = "".join(f" · {part}" for part in (model.cost, model.detail) if part)
        shown = Content.assemble(
            ("• " if marked else "  ", "$primary"),
            (short_name(model.name).ljust(width), "bold" if marked else ""),
            readiness,
            (notes, "$foreground-muted"),
            ("  suggested" if model.upgrade else "", "$primary"),
        )
        return Row(shown, f"{model.name} {model.detail}", (model.name,))

"""The models one can ask, in one list: those of this machine, running servers, and every provider's.

One searches by typing; the columns say what a sample costs and how many the budget buys, the line at the
bottom what is missing and how to get it. Several may be chosen; they then share one budget. Favourites stand
first. The thousands of API models are looked up behind the first frame, and only the lines that are shown are
priced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static

from app.tui.ports import ModelChoice, PriceLine, short_name
from app.tui.screens.picker import Picker, Row

_MOST_SHOWN = 60
"""Lines; whoever wants one of the others types a letter of it."""
_WIDE = 100
"""Columns of the terminal from which sizes and contexts have a place."""
_FAVOURITES = "Favourites"
_PLACE = "NAME"
"""Where a name is still to be written: ``vllm:NAME``."""

Prices = Callable[[str], PriceLine]


class ModelPicker(Picker[tuple[str, ...]]):
    TITLE: ClassVar[str | None] = "Models"
    SEARCH: ClassVar[str] = "type to search, or the name of any model"
    KEYS: ClassVar[str] = "enter choose · space mark several · f8 favourite · f2 suggested · esc close"
    NOTHING: ClassVar[str] = "No model is known. Type the name of one, such as gguf:PATH."
    MARKS: ClassVar[bool] = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark", priority=True, show=False),
        Binding("f2", "suggested", "The suggested model", priority=True, show=False),
        Binding("f8", "favourite", "Keep as a favourite", priority=True, show=False),
    ]
    DEFAULT_CSS = """
    ModelPicker {
        & > .dialog { height: 88%; }
        OptionList { height: 1fr; }
        #columns { height: 1; color: $foreground-muted; text-wrap: nowrap; text-overflow: ellipsis; }
        #more { height: auto; max-height: 3; color: $foreground-muted; margin: 1 0 0 0; }
    }
    """

    def __init__(
        self,
        models: Sequence[ModelChoice],
        chosen: tuple[str, ...],
        *,
        catalog: Callable[[], Sequence[ModelChoice]] = lambda: (),
        prices: Prices = lambda _: PriceLine(),
        favourites: Callable[[], tuple[str, ...]] = lambda: (),
        toggle: Callable[[str], tuple[str, ...]] = lambda _: (),
    ) -> None:
        super().__init__()
        self._models = list(models)
        self._catalog = catalog
        self._prices = cache(prices)
        self._favourites = favourites()
        self._toggle = toggle
        self._marked = list(chosen)
        self._adopt(chosen)
        self._left = 0
        self._bought = False
        """Whether dollars limit the samples of any line."""

    def on_mount(self) -> None:
        dialog = self.query_one(".dialog")
        dialog.mount(Static("", id="columns", markup=False), before="#rows")
        dialog.mount(Static("", id="more", markup=False))
        super().on_mount()
        self._load()

    def on_resize(self) -> None:
        self.refill(keep=self.query_one(OptionList).highlighted or 0)

    @work(thread=True, exit_on_error=False)
    def _load(self) -> None:
        found = self._catalog()
        if found:
            self.app.call_from_thread(self._take, found)

    def _take(self, found: Sequence[ModelChoice]) -> None:
        known = {model.name for model in found}
        self._models = [model for model in self._models if model.name not in known] + list(found)
        self.refill(keep=self.query_one(OptionList).highlighted or 0)

    def _adopt(self, names: Sequence[str]) -> None:
        """Names that were typed once and stand in no list."""
        known = {model.name for model in self._models}
        self._models += [ModelChoice(name, "typed by hand") for name in names if name not in known]

    # -- the lines -------------------------------------------------------------------------------------

    def matching(self, words: Sequence[str]) -> Sequence[Row[tuple[str, ...]]]:
        """The first lines that match, under their headings."""
        found = [
            model
            for model in self._models
            if all(word in f"{model.name} {model.detail}".lower() for word in words)
        ]
        first = [model for model in found if model.name in self._favourites]
        found = first + [model for model in found if model.name not in self._favourites]
        shown = found[:_MOST_SHOWN]
        self._left = len(found) - len(shown)
        wide = self.app.size.width >= _WIDE
        self._bought = wide and any(self._prices(model.name).buys for model in shown)
        longest = max((len(short_name(model.name)) for model in shown), default=0) + 2
        names = max(12, min(longest, 38 if wide else 30))
        self.query_one("#columns", Static).update(
            _heads(names, wide=wide, bought=self._bought) if shown else ""
        )
        return list(self._rows_of(shown, names, wide, headed=not words))

    def _rows_of(
        self, models: Sequence[ModelChoice], names: int, wide: bool, *, headed: bool
    ) -> Iterator[Row[tuple[str, ...]]]:
        heading = ""
        for model in models:
            group = _FAVOURITES if model.name in self._favourites else model.group
            if headed and group and group != heading:
                heading = group
                yield Row(Content.styled(group, "$foreground-muted"), "", None)
            yield self._row(model, names, wide)
        if self._left:
            line = f"{self._left:,} more: type to search"
            yield Row(Content.styled(line, "$foreground-muted"), "", None)

    def _row(self, model: ModelChoice, names: int, wide: bool) -> Row[tuple[str, ...]]:
        marked, favourite = model.name in self._marked, model.name in self._favourites
        price = self._prices(model.name)
        cells = f"{_column(price.rates, 13)}{_column(price.each or model.cost, 12)}"
        if wide:
            size, context = model.parameters or price.parameters, model.context or price.context
            cells = f"{_column(_count(size), 7)}{_column(_count(context), 8)}{cells}"
        if self._bought:
            cells += _column(price.buys, 8)
        notes = model.missing or model.detail
        if "/" in price.rates:  # what its provider needs is too long for a line, and said at the bottom
            notes = model.detail if wide else ""
        shown = Content.assemble(
            ("• " if marked else "  ", "$primary"),
            ("★ " if favourite else "  ", "$primary"),
            ("✓ " if model.ready else "✗ ", "$foreground-muted" if model.ready else "$undecided"),
            (short_name(model.name, names - 2).ljust(names), "bold" if marked else ""),
            (cells, "$foreground-muted"),
            ("  suggested" if model.upgrade else "", "$primary"),
            (f"  {notes}", "$foreground-muted" if model.ready else "$undecided"),
        )
        return Row(shown, f"{model.name} {model.detail}", (model.name,))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        row = self.highlighted
        model = None
        if row is not None and row.value is not None:
            (name,) = row.value
            model = next((model for model in self._models if model.name == name), None)
        self.query_one("#more", Static).update("" if model is None else self._sentence(model))

    def _sentence(self, model: ModelChoice) -> Content:
        """All that is known of one model, in words."""
        price = self._prices(model.name)
        tokens = model.context or price.context
        context = "" if tokens is None else f"context of {_count(tokens)} tokens"
        rates = ""
        if "/" in price.rates:
            into, _, out = price.rates.partition(" / ")
            rates = f"${into} in, ${out} out per million tokens ({price.source})"
        elif price.rates:
            rates = {"free": "free", "unknown": "no price known: --price IN,OUT gives one"}[price.rates]
        parts = [part for part in (model.detail, context, rates) if part]
        state = ("ready", "$foreground-muted") if model.ready else (f"missing: {model.missing}", "$undecided")
        return Content.assemble((model.name, "bold"), "  ", state, "".join(f" · {part}" for part in parts))

    # -- what a user does ------------------------------------------------------------------------------

    def action_mark(self) -> None:
        name = self._at_cursor()
        if name is None or name.endswith(_PLACE):
            return
        if name in self._marked:
            self._marked.remove(name)
        else:
            self._marked.append(name)
        self.refill(keep=self.query_one(OptionList).highlighted or 0)

    def action_favourite(self) -> None:
        name = self._at_cursor()
        if name is not None:
            self._favourites = self._toggle(name)
            self._adopt(self._favourites)
            self.refill()
            self._go_to(name)

    def action_suggested(self) -> None:
        better = next((model.name for model in self._models if model.upgrade), None)
        if better is not None:
            self.dismiss((better,))

    def choose(self) -> None:
        """The marked ones where marks were made, else the one the cursor is on, else the name as typed."""
        name = self._at_cursor()
        typed = self.query_one(Input).value.strip()
        if name is not None and name.endswith(_PLACE):  # a form to fill in, and not a name
            field = self.query_one(Input)
            field.value = name.removesuffix(_PLACE)
            field.cursor_position = len(field.value)
            self.query_one("#more", Static).update(f"Type the rest of the name: {name}")
        elif len(self._marked) > 1:
            self.dismiss(tuple(self._marked))
        elif name is not None:
            self.dismiss((name,))
        elif typed:
            self.dismiss((typed,))

    def _at_cursor(self) -> str | None:
        row = self.highlighted
        return row.value[0] if row is not None and row.value is not None else None

    def _go_to(self, name: str) -> None:
        place = next((at for at, row in enumerate(self._shown) if row.value == (name,)), None)
        if place is not None:
            self.query_one(OptionList).highlighted = place


def _heads(names: int, *, wide: bool, bought: bool) -> str:
    cells = f"{_column('$/M in / out', 13)}{_column('a sample', 12)}"
    if wide:
        cells = f"{_column('size', 7)}{_column('context', 8)}{cells}"
    if bought:
        cells += _column("buys", 8)
    return " " * (6 + names) + cells


def _column(text: str, width: int) -> str:
    return text.rjust(width) if len(text) < width else f" {text[: width - 2]}…"


def _count(number: int | None) -> str:
    from budgets.amounts import show_count

    return "" if number is None else show_count(number)

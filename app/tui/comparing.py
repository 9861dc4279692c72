"""Comparisons in the shell: begun from a problem set, opened from the journal, stopped and exported.

One method per action of the registry, ``do_<id>(argument)``; each raises ``MonkeysError`` when it cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from app.errors import BadInput
from app.tui.ports import short_name

if TYPE_CHECKING:
    from app.runs.plan import Plan
    from app.runs.source import RunSource
    from app.tui.app import MonkeysApp
    from app.tui.ports import Compared


def _about(plan: Plan) -> str:
    """What would be compared, in words."""
    from budgets.amounts import show_flops, show_usd

    models = ", ".join(short_name(name, 30) for name in plan.models)
    budget = plan.budget
    limits = [
        f"{budget.samples:,} samples of every problem" if budget.samples else "",
        show_usd(budget.usd) if budget.usd is not None else "",
        show_flops(budget.flops) if budget.flops is not None else "",
    ]
    said = " and ".join(limit for limit in limits if limit) or "64 samples of every problem"
    more = " Choose another with F2 to compare with." if len(plan.models) == 1 else ""
    return f"{models}: {said} for each model.{more}"


class Comparing:
    """Mixed into the app."""

    @property
    def _comparer(self) -> MonkeysApp:
        return cast("MonkeysApp", self)

    def do_compare(self, argument: str) -> None:
        """Compare the chosen models on a set. A run or comparison that still samples has to be stopped."""
        app = self._comparer
        compare, plan = app.session.ports.compare, app.plan_in_front()
        if compare is None:
            raise BadInput("Nothing here can compare models.")
        if app.session.live:
            raise BadInput("A run is still sampling.", "Stop it with esc, or let it end, and ask again.")
        if argument.strip():
            self.open_comparison(compare(argument.strip(), plan))
            return
        from app.tui.screens.set_dialog import SetDialog

        def chosen(name: str | None) -> None:
            if name is not None:
                app.act("compare", name)

        app.push_screen(SetDialog(_about(plan)), chosen)

    def open_comparison(self, found: Compared) -> None:
        """Show a comparison, live or kept, and take its events."""
        from app.tui.screens.compare import CompareScreen

        app = self._comparer
        app.session.show(cast("RunSource", found.source))
        while len(app.screen_stack) > 1:
            app.pop_screen()
        source: Any = found.source
        app.push_screen(CompareScreen(source, found.texts, foot=app.make_prompt("compare")))
        app.go_on()

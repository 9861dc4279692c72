"""Where a problem is put: the problem itself, large, and under it one line each for what else matters.

Every field has a value that works, so that typing a problem and pressing one key is enough. What the form
would buy is said before anything is spent. The first frame is on the screen before detection, prices or
models are looked at; they fill in behind it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Static, TextArea

from app.errors import MonkeysError
from app.tui.action_kinds import Place
from app.tui.draft import Draft, FieldFault, read_plan, read_problem
from app.tui.fields import Choice, ModelChips
from app.tui.hint_line import HintLine
from app.tui.ports import short_name
from app.tui.screens.base import ShellScreen

if TYPE_CHECKING:
    from app.problems.problem import Kind, Problem
    from app.tui.ports import ModelChoice

INVITATION = """\
Type or paste a problem: mathematics, code, anything that has an answer.

A model is asked it many times. Every answer is checked, and the one to believe is picked.

ctrl+o  take a starter problem
ctrl+r  start sampling"""

_LIMITS = (
    ("samples", "samples", "none"),
    ("usd", "$", "none"),
    ("flops", "FLOP", "none"),
    ("tokens", "tokens", "none"),
    ("seconds", "time", "none"),
)
_TYPED = (
    "answer", "tests", "samples", "usd", "flops", "tokens", "seconds", "temperature", "max_tokens", "reward",
    "translator",
)  # fmt: skip
"""The fields of ``Draft`` that are typed into one line each."""
_KINDS = ("auto", "math", "code", "proof", "patch", "open")
_PAUSE = 0.12
"""Seconds without a keystroke after which the form is looked at."""


class ComposeScreen(ShellScreen):
    PLACE: ClassVar[Place] = "compose"
    AUTO_FOCUS = "#text"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self._draft = draft
        self._pending: Timer | None = None
        self._complained_of: Draft | None = None
        self._agreed_to: Draft | None = None
        """What was asked about, and is started when it is started again unchanged."""
        self.looked_at: Draft | None = None
        """What the lines about kind, checks and cost speak of now."""

    def compose(self) -> ComposeResult:
        draft = self._draft
        with Horizontal(id="masthead"):
            yield Label("monkeys", id="name")
            yield Label("ask once, sample many times, keep the answer to believe", id="motto")
        text = TextArea(
            draft.text,
            id="text",
            placeholder=INVITATION,
            highlight_cursor_line=False,
            tab_behavior="focus",
        )
        text.border_title = "Problem"
        yield text
        with Vertical(id="form"):
            with _row("Kind"):
                yield Choice(_KINDS, draft.kind or "auto", id="kind")
                yield Label("", id="why", markup=False)
            with _row("Answer"):
                yield _field("answer", draft.answer, "if you know it")
                yield Label("", id="checks", markup=False)
            with _row("Tests"):
                yield _field("tests", draft.tests, "file, or F6")
                yield Label("", id="tested", markup=False)
            with _row("Models"):
                yield ModelChips(draft.models, id="models")
            with _row("Budget"):
                for name, label, nothing in _LIMITS:
                    yield Label(label, classes="unit")
                    yield _field(name, getattr(draft, name), nothing)
            with _row("Each sample"):
                yield Label("temperature", classes="unit")
                yield _field("temperature", draft.temperature, "0.6")
                yield Label("at most tokens", classes="unit")
                yield _field("max_tokens", draft.max_tokens, "512")
            with _row("Picks by"):
                yield Label("reward", classes="unit")
                yield _field("reward", draft.reward, "no model")
                yield Label("programs from", classes="unit")
                yield _field("translator", draft.translator, "no model")
        with Horizontal(id="verdict"):
            yield Button("Start", id="start", compact=True)
            yield Static("", id="estimate", markup=False)
        yield HintLine("compose")

    def on_mount(self) -> None:
        text = self.query_one("#text", TextArea)
        text.move_cursor(text.document.end)
        self.set_timer(0.02, self._look)

    # -- the draft -----------------------------------------------------------------------------------

    @property
    def draft(self) -> Draft:
        """The form as it stands."""
        typed: dict[str, Any] = {name: self.query_one(f"#{name}", Input).value for name in _TYPED}
        kind = self.query_one("#kind", Choice).value
        return replace(
            self._draft,
            text=self.query_one("#text", TextArea).text,
            kind=None if kind == "auto" else cast("Kind", kind),
            models=self.query_one(ModelChips).names,
            **typed,
        )

    def fill(self, draft: Draft) -> None:
        """Put another draft into the form."""
        self._draft = draft
        text = self.query_one("#text", TextArea)
        text.text = draft.text
        text.move_cursor(text.document.end)
        self.query_one("#kind", Choice).value = draft.kind or "auto"
        self.query_one(ModelChips).names = draft.models
        for name in _TYPED:
            self.query_one(f"#{name}", Input).value = getattr(draft, name)
        text.focus()
        self._look()

    # -- what a user does ------------------------------------------------------------------------------

    def do_start(self, _: str = "") -> None:
        draft = self.draft
        try:
            problem, plan = read_problem(draft), read_plan(draft)
            question = self.shell.session.ports.confirm(problem, plan)
            if question and self._agreed_to != draft:
                self._agreed_to = self._complained_of = draft
                self._say(question)
            else:
                self.shell.start(problem, plan)
        except MonkeysError as fault:
            self.complain(fault)

    def complain(self, fault: MonkeysError) -> None:
        """Say what cannot be used and go there. It stands until the form is changed."""
        if isinstance(fault, FieldFault):
            self.query_one(f"#{fault.field}", Widget).focus()
        self._complained_of = self.draft
        self._say(fault)

    def do_tests(self, argument: str = "") -> None:
        """Attach a file of tests by its name, or paste some."""
        from app.tui.screens.tests import TestsDialog

        if argument:
            self.query_one("#tests", Input).value = argument
            return

        def given(text: str | None) -> None:
            if text is not None:
                self._draft = replace(self._draft, pasted=text)
                self.query_one("#tests", Input).value = ""
                self._look()

        self.app.push_screen(TestsDialog(self._draft.pasted), given)

    def do_problems(self, _: str = "") -> None:
        from app.tui.screens.problems import ProblemPicker

        def chosen(problem: Problem | None) -> None:
            if problem is not None:
                self.fill(self.draft.of(problem))

        ports = self.shell.session.ports
        self.app.push_screen(ProblemPicker(ports.starters, ports.recent), chosen)

    def do_models(self, _: str = "") -> None:
        from app.tui.screens.models import ModelPicker

        ports, models, draft = self.shell.session.ports, self.shell.models(), self.draft
        try:
            plan = read_plan(draft)
        except MonkeysError:
            plan = None

        def chosen(names: tuple[str, ...] | None) -> None:
            if names is not None:
                self.query_one(ModelChips).names = names
                self._look()

        self.app.push_screen(
            ModelPicker(
                models,
                draft.models,
                catalog=ports.catalog,
                prices=lambda name: ports.price_line(name, draft.text, plan),
                favourites=ports.favourites,
                toggle=ports.toggle_favourite,
            ),
            chosen,
        )

    # -- looking at the form ---------------------------------------------------------------------------

    def on_text_area_changed(self) -> None:
        self._look_soon()

    def on_input_changed(self) -> None:
        self._look_soon()

    def on_choice_changed(self) -> None:
        self._look_soon()

    def on_input_submitted(self) -> None:
        self.focus_next()

    def on_button_pressed(self) -> None:
        self.do_start()

    def _look_soon(self) -> None:
        if self._pending is not None:
            self._pending.stop()
        self._pending = self.set_timer(_PAUSE, self._look)

    def _look(self) -> None:
        draft = self.draft
        self._show_kind(draft)
        models = self.shell.models()
        self.query_one(ModelChips).know(models)
        self.query_one("#checks", Label).update(_checks(draft))
        self.query_one("#tested", Label).update(_tested(draft))
        if draft != self._complained_of:
            self._say(self._outlook(draft, models))
        self.looked_at = draft

    def _outlook(self, draft: Draft, models: tuple[ModelChoice, ...]) -> str | MonkeysError:
        """What would be spent, or what stands against it."""
        try:
            plan = read_plan(draft)
            if not draft.text.strip():
                return _upgrade(models, draft.models)
            return self.shell.session.ports.estimate(read_problem(draft), plan)
        except MonkeysError as fault:
            return fault

    def _show_kind(self, draft: Draft) -> None:
        choice, why = self.query_one("#kind", Choice), self.query_one("#why", Label)
        if draft.kind is not None:
            choice.rename("auto", "auto")
            why.update("as you chose" if draft.base is None else "")
            return
        if not draft.text.strip():
            choice.rename("auto", "auto")
            why.update("found from what you type")
            return
        kind, reason = self.shell.session.ports.detect(draft.text)
        choice.rename("auto", f"auto: {kind}")
        why.update(reason)

    def _say(self, what: str | MonkeysError) -> None:
        line = self.query_one("#estimate", Static)
        if isinstance(what, MonkeysError):
            line.update(Content.assemble((what.message, "$wrong"), f" {what.fix or ''}"))
        else:
            line.update(Content(what))


def _row(name: str) -> Horizontal:
    row = Horizontal(classes="row")
    row.compose_add_child(Label(name, classes="caption"))
    return row


def _field(name: str, value: str, placeholder: str) -> Input:
    return Input(value, placeholder=placeholder, id=name, compact=True, select_on_focus=True)


def _checks(draft: Draft) -> str:
    if draft.answer.strip():
        return "every sample is judged against it"
    if draft.tests.strip() or draft.pasted.strip() or _brings_tests(draft):
        return "not needed: there are tests"
    return "without it or tests nothing is verified"


def _tested(draft: Draft) -> str:
    """What the tests are, once they can be read."""
    if not draft.text.strip():
        return "asserts, a check function, cases as JSON"
    try:
        tests = read_problem(draft).tests
    except MonkeysError:
        return ""
    if tests is None:
        return ""
    from app.problems.tests_file import count_of

    count = count_of(tests)
    whose = "" if draft.tests.strip() else ", pasted" if draft.pasted.strip() else ", the problem's own"
    return f"checked by: tests{f' ({count})' if count else ''}{whose}"


def _brings_tests(draft: Draft) -> bool:
    base = draft.base
    return base is not None and base.tests is not None and draft.text.strip() == base.prompt.strip()


def _upgrade(models: tuple[ModelChoice, ...], chosen: tuple[str, ...]) -> str:
    better = next((model for model in models if model.upgrade and model.name not in chosen), None)
    if better is None:
        return ""
    name = short_name(better.name, 48)
    return f"{name} answers better ({better.missing or better.detail}). Press F2 twice to choose it."

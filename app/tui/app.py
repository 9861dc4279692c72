"""The shell: which screen is shown, what a key or a command does there, and how it all ends.

It is handed everything else through ``Ports`` and holds no engine, no journal and no model. Runs belong to
the ``Session``; a screen is only a view of one, so it can be closed, or fail, while samples still come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen

from app import locations
from app.errors import BadInput, MonkeysError
from app.tui.action_kinds import Place
from app.tui.actions import ACTIONS, BY_ID
from app.tui.commands import NewProblem, is_a_name, read_line
from app.tui.comparing import Comparing
from app.tui.draft import Draft
from app.tui.follow_ups import FollowUps
from app.tui.household import Household
from app.tui.leaving import Leaving
from app.tui.palette import ActionsProvider
from app.tui.prompt_history import PromptHistory
from app.tui.prompt_line import PromptLine
from app.tui.screens.compose import ComposeScreen
from app.tui.screens.too_small import TooSmall, fits
from app.tui.session import Session
from app.tui.theme import DARK, LIGHT, meanings

if TYPE_CHECKING:
    from app.problems.problem import Problem
    from app.runs.plan import Plan
    from app.runs.source import RunSource
    from app.tui.ports import Compared, ModelChoice, Ports

LIMIT_EXAMPLES = ("$1", "500 samples", "10 min", "50k tokens", "1 PFLOP")


def _bindings() -> list[BindingType]:
    return [
        Binding(
            ",".join(action.keys),
            f"act('{action.id}')",
            action.title,
            show=False,
            id=action.id,
            priority=action.id == "quit" or any(key.startswith("f") and len(key) < 4 for key in action.keys),
        )
        for action in ACTIONS
        if action.keys
    ]


class MonkeysApp(FollowUps, Comparing, Household, Leaving, App[None]):
    TITLE = "monkeys"
    BINDINGS: ClassVar[list[BindingType]] = _bindings()
    COMMANDS: ClassVar[set[Any]] = {ActionsProvider}
    CSS_PATH = ["app.tcss", "screens/compose.tcss"]  # noqa: RUF012
    """The form is the default screen, whose own stylesheet Textual does not load."""

    def __init__(
        self,
        ports: Ports,
        *,
        draft: Draft | None = None,
        recording: RunSource | None = None,
        comparison: Compared | None = None,
        run_screen: Callable[[RunSource, PromptLine], Screen[Any]] | None = None,
        history: PromptHistory | None = None,
        theme: str = DARK.name,
        keys: Mapping[str, str] | None = None,
    ) -> None:
        """``recording`` or ``comparison`` is played at once. ``run_screen`` makes the view of a run over its
        prompt line. ``keys`` replaces the keys of actions, by id, separated by commas."""
        super().__init__()
        self.session = Session(ports)
        self._draft = draft or Draft(models=("smollm2",))
        self._recording = recording
        self._comparison = comparison
        self._run_screen = run_screen or _run_screen
        self._history = history or PromptHistory(locations.history_file())
        self._models: tuple[ModelChoice, ...] | None = None
        self._replaced: RunSource | None = None
        self._watched: asyncio.Task[None] | None = None
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.own_keys = dict(keys or {})
        self._wished_theme = theme
        self.theme = theme if theme in self.available_themes else DARK.name
        self.set_keymap(self.own_keys)

    # -- looks ----------------------------------------------------------------------------------------

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return meanings(self.current_theme)

    # -- screens --------------------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[Any]:
        return ComposeScreen(self._draft)

    def on_mount(self) -> None:
        if self.theme != self._wished_theme:
            self.tell(f"There is no theme {self._wished_theme}; press F8, or type /theme.", warning=True)
        if unknown := sorted(set(self.own_keys) - set(BY_ID)):
            self.tell(f"Keys are set for {', '.join(unknown)}, which no action is called.", warning=True)
        if self._recording is not None:
            self.open_recording(self._recording)
        if self._comparison is not None:
            self.open_comparison(self._comparison)

    def on_resize(self, event: events.Resize) -> None:
        covered = isinstance(self.screen, TooSmall)
        if fits(event.size) and covered:
            self.pop_screen()
        elif not fits(event.size) and not covered:
            self.push_screen(TooSmall())

    def place_of(self, screen: Screen[Any]) -> Place:
        """Where a screen stands in the registry of actions. A screen over a run belongs to the run."""
        place: Place | None = getattr(screen, "PLACE", None)
        if place is not None and place != "run":
            return place
        if isinstance(screen, TooSmall) or self.session.source is None:
            return "list"
        return "run" if self.session.spends else "replay"

    def show_form(self, draft: Draft | None = None) -> None:
        """Back to the form. A run that is live goes on."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        form = self.screen_stack[0]
        if draft is not None and isinstance(form, ComposeScreen):
            form.fill(draft)

    def show_run(self, source: RunSource) -> None:
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.push_screen(self._run_screen(source, self.make_prompt()))

    def make_prompt(self, place: Place | None = None) -> PromptLine:
        """A prompt line for the run in front, or for the ``place`` given."""
        return PromptLine(
            place or ("run" if self.session.spends else "replay"),
            self._history,
            {
                "models": lambda: [model.name for model in self.models() if is_a_name(model.name)],
                "rewards": lambda: [name for name in self.session.ports.rewards() if is_a_name(name)],
                "themes": self.themes,
                "limits": lambda: LIMIT_EXAMPLES,
                "runs": lambda: [run.run_id for run in self.session.ports.runs()],
            },
        )

    # -- runs ------------------------------------------------------------------------------------------

    def start(self, problem: Problem, plan: Plan) -> None:
        """Begin a run and show it. A run still live is stopped, on the second asking."""
        if self.session.live and self._replaced is not self.session.source:
            self._replaced = self.session.source
            raise BadInput(
                "The run before is still sampling.", "Start once more to stop it and begin this one."
            )
        source = self.session.begin(problem, plan)
        self.show_run(source)
        self.go_on()

    def open_recording(self, source: RunSource) -> None:
        self.session.show(source)
        self.show_run(source)
        self.go_on()

    def plan_in_front(self) -> Plan:
        """How the form, or the run that is shown, samples. Raises ``BadInput``."""
        from app.tui.draft import read_plan

        form = self.screen_stack[0]
        state: object = self.session.source.state if self.session.source is not None else None
        plan: Plan | None = getattr(state, "plan", None) if self.screen is not form else None
        if plan is None and isinstance(form, ComposeScreen):
            plan = read_plan(form.draft)
        if plan is None:
            raise BadInput("Nothing says how to sample.", "Go back to the form with n, and choose models.")
        return plan

    def running(self) -> RunSource:
        """The run in front. Raises ``BadInput`` where there is none."""
        if self.session.source is None:
            raise BadInput("Nothing has been run yet.", "Type a problem and press F5.")
        return self.session.source

    def go_on(self) -> None:
        """Take the run's events, if nobody does yet; what ends it badly is said once."""
        self._stopped = None
        task = self.session.drive()
        if task is not self._watched:
            self._watched = task
            task.add_done_callback(self._run_is_over)
        self._hint_at(True)

    def _run_is_over(self, task: asyncio.Task[None]) -> None:
        if task is self._watched:
            self._hint_at(False)
        if task.cancelled() or (fault := task.exception()) is None:
            return
        if isinstance(fault, MonkeysError):
            self.tell(_sentence(fault), warning=True)
        elif isinstance(fault, Exception):
            self._handle_exception(fault)

    def _hint_at(self, live: bool) -> None:
        for screen in self.screen_stack:
            for line in screen.query(PromptLine):
                line.live = live

    def models(self) -> tuple[ModelChoice, ...]:
        """The known models, asked for once."""
        if self._models is None:
            self._models = tuple(self.session.ports.models())
        return self._models

    # -- doing things ----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "act" and parameters:
            return self.place_of(self.screen) in BY_ID[str(parameters[0])].where
        return super().check_action(action, parameters)

    def action_act(self, action_id: str) -> None:
        self.press(action_id)

    def press(self, action_id: str) -> None:
        """An action's key, or its line in the palette: what needs an argument is begun on the prompt line."""
        action = BY_ID[action_id]
        if action.argument and (action.prefill or action.needs_argument) and self.screen.query(PromptLine):
            self.screen.query_one(PromptLine).begin(f"/{action.command} ")
        elif action.needs_argument and action.offer == "runs":
            self.act("runs")
        elif action.needs_argument:
            self.tell(f"Type {action.usage} on the prompt line of a run.")
        else:
            self.act(action_id)

    def act(self, action_id: str, argument: str = "") -> bool:
        """Carry out an action; a refusal is told in one line. Returns whether it was carried out."""
        try:
            self._do(action_id, argument)
        except MonkeysError as fault:
            self._refuse(fault)
            return False
        for prompt in self.screen.query(PromptLine):
            prompt.clear_fault()
        return True

    def _do(self, action_id: str, argument: str) -> None:
        name = f"do_{action_id.replace('-', '_')}"
        handler = getattr(self.screen, name, None) or getattr(self, name)
        handler(argument)

    def _refuse(self, fault: MonkeysError) -> None:
        prompt = self.screen.query(PromptLine)
        if prompt:
            prompt.first().fault(_sentence(fault))
        elif isinstance(self.screen, ComposeScreen):
            self.screen.complain(fault)
        else:
            self.tell(_sentence(fault), warning=True)

    def on_prompt_line_entered(self, event: PromptLine.Entered) -> None:
        try:
            asked = read_line(event.line, event.prompt.place)
        except MonkeysError as fault:
            event.prompt.fault(_sentence(fault))
            return
        if asked is None:
            return
        if isinstance(asked, NewProblem):
            carried_out = self.act("problem", asked.text)
        else:
            carried_out = self.act(asked.action.id, asked.argument)
        if carried_out:
            event.prompt.accept()

    def on_prompt_line_left(self) -> None:
        """Back to what the screen is about."""
        self.screen.set_focus(None)
        self.screen.focus_next(self.screen.AUTO_FOCUS or "*")

    def tell(self, line: str, *, warning: bool = False) -> None:
        self.notify(line, severity="warning" if warning else "information", markup=False)


def _run_screen(source: RunSource, prompt: PromptLine) -> Screen[Any]:
    from app.tui.screens.run import RunScreen

    return RunScreen(source, foot=prompt)


def _sentence(fault: MonkeysError) -> str:
    return f"{fault.message} {fault.fix}" if fault.fix else fault.message

"""What can be asked of the run in front: more of it, otherwise, elsewhere.

One method per action of the registry, ``do_<id>(argument)``; each raises ``MonkeysError`` when it cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from app.errors import BadInput
from app.tui.draft import Draft, draft_of, read_temperature
from app.tui.ports import verdicts_pending
from app.tui.prompt_line import PromptLine
from app.tui.screens.compose import ComposeScreen

if TYPE_CHECKING:
    from app.runs.source import RunSource
    from app.tui.app import MonkeysApp


class FollowUps:
    """Mixed into the app, whose session it speaks for."""

    _stopped: RunSource | None = None
    """The run that was told to stop and has not ended yet."""

    @property
    def _shell(self) -> MonkeysApp:
        return cast("MonkeysApp", self)

    def do_pause(self, _: str = "") -> None:
        source = self._shell.running()
        if source.state.phase == "ended":
            self._shell.tell("The run has ended. Press m for more samples.")
        elif source.state.phase == "paused" or getattr(source, "paused", False):
            source.resume()
        else:
            source.pause()

    def do_resume(self, _: str = "") -> None:
        self._shell.running().resume()

    def do_stop(self, _: str = "") -> None:
        source = self._shell.running()
        if source.state.phase == "ended":
            self._stopped = None
            self._shell.tell("Nothing is being sampled. Press n for a new problem, m for more samples.")
        else:
            again, self._stopped = self._stopped is source, source
            source.stop()
            if (pending := verdicts_pending(source)) and not again:
                words = f"{pending:,} verdict{'s' if pending != 1 else ''}"
                self._shell.tell(f"Stopping: it waits for {words}. Stop once more to end without them.")

    def do_more(self, argument: str = "") -> None:
        count = _count(argument) if argument else None
        added = self._shell.session.more(count)
        self._shell.go_on()
        self._shell.tell(f"{added:,} more sample{'s' if added != 1 else ''}.")

    def do_samples(self, argument: str) -> None:
        self._shell.session.set_limit("samples", _count(argument))
        self._shell.go_on()

    def do_budget(self, argument: str) -> None:
        from budgets.amounts import parse_limit

        try:
            field, value = parse_limit(argument)
        except ValueError as fault:
            raise BadInput(str(fault)) from fault
        if value <= 0:
            raise BadInput(f"A limit of {argument} buys nothing.", "Write for example $2 or 500 samples.")
        self._shell.session.set_limit(field, value)
        self._shell.go_on()

    def do_temperature(self, argument: str) -> None:
        problem, plan = self._shell.session.again(temperature=read_temperature(argument))
        self._shell.start(problem, plan)

    def do_model(self, argument: str) -> None:
        problem, plan = self._shell.session.again(model=argument)
        self._shell.start(problem, plan)

    def do_problem(self, argument: str = "") -> None:
        """Back to the form, as this run was asked; with ``argument`` typed in as the problem."""
        state = self._shell.running().state
        draft = Draft()
        if state.problem is not None and state.plan is not None:
            draft = draft_of(state.problem, self._shell.session.with_helpers(state.plan))
        self._shell.show_form(draft.asking(argument) if argument else draft)

    def do_reward(self, argument: str) -> None:
        name = self._shell.session.set_helper("reward", argument)
        told = f"The next run is scored by {name}." if name else "The next run has no reward model."
        self._shell.tell(f"{told} Press n for the form, or t to sample again.")

    def do_translator(self, argument: str) -> None:
        name = self._shell.session.set_helper("translator", argument)
        told = f"{name} re-writes the next run as programs." if name else "The next run has no translator."
        self._shell.tell(f"{told} Press n for the form, or t to sample again.")

    def do_tests(self, argument: str = "") -> None:
        """Back to the form, as this run was asked, with other tests attached."""
        self.do_problem()
        form = self._shell.screen
        if isinstance(form, ComposeScreen):
            form.do_tests(argument)

    def do_copy(self, _: str = "") -> None:
        """What the screen would copy at its key; the pick, where it has no such thing."""
        copy = getattr(self._shell.screen, "action_copy", None)
        if copy is not None:
            copy()
            return
        state = self._shell.running().state
        pick = state.picks.get("majority") or next(iter(state.picks.values()), None)
        if pick is None or pick.answer is None:
            raise BadInput("There is no pick to copy yet.", "Wait for the first sample with an answer.")
        self._shell.copy_text(pick.answer, f"the pick of {pick.rule}")

    def do_export(self, _: str = "") -> None:
        export = self._shell.session.ports.export
        if export is None:
            raise BadInput("Nothing here can write a run to a file.")
        self._shell.tell(export(self._shell.running()))

    def do_command(self, _: str = "") -> None:
        self._prompt_begin("/")

    def _prompt_begin(self, text: str) -> None:
        self._shell.screen.query_one(PromptLine).begin(text)


def _count(argument: str) -> int:
    from budgets.amounts import parse_count

    try:
        count = parse_count(argument)
    except ValueError as fault:
        raise BadInput(str(fault)) from fault
    if count < 1:
        raise BadInput(f"{argument} samples are none.", "Write a number above 0, such as 100.")
    return count

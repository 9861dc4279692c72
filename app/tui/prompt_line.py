"""The line at the bottom of a run where commands and new problems are typed.

It completes slash commands as they are typed, walks through earlier lines, and says in one line beneath what
was wrong with the last one. It decides nothing: what is entered goes up as ``Entered``.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from app.tui.action_kinds import Place
from app.tui.commands import Completion, Offers, complete
from app.tui.hint_line import HintLine
from app.tui.prompt_history import PromptHistory


class PromptInput(Input):
    """The field itself. Its keys belong to the prompt line around it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "prompt('up')", show=False),
        Binding("down", "prompt('down')", show=False),
        Binding("tab", "prompt('take')", show=False),
        Binding("escape", "prompt('leave')", show=False),
    ]

    def action_prompt(self, key: str) -> None:
        for node in self.ancestors:
            if isinstance(node, PromptLine):
                node.press(key)


class PromptLine(Vertical):
    DEFAULT_CSS = """
    PromptLine {
        dock: bottom; height: auto;
        #prompt-row { height: 1; background: $surface; }
        #prompt-mark { width: 3; padding: 0 1; color: $foreground-muted; }
        PromptInput { width: 1fr; height: 1; padding: 0; border: none; background: $surface; }
        PromptInput:focus { border: none; background: $surface; }
        HintLine { width: auto; padding: 0 1; }
        &:focus-within #prompt-mark { color: $primary; text-style: bold; }
        &:focus-within HintLine { display: none; }
        #prompt-fault { height: auto; max-height: 3; padding: 0 1; color: $wrong; display: none; }
        &.-fault #prompt-fault { display: block; }
        #prompt-offers {
            display: none; height: auto; max-height: 9; border: none; padding: 0 1;
            background: $panel; scrollbar-size-vertical: 1;
        }
        &.-offers #prompt-offers { display: block; }
    }
    """

    live: reactive[bool] = reactive(True)
    """Whether something still comes: the hints beside the line speak of it."""

    class Entered(Message):
        """A line was entered."""

        def __init__(self, prompt: PromptLine, line: str) -> None:
            super().__init__()
            self.prompt = prompt
            self.line = line

        @property
        def control(self) -> PromptLine:
            return self.prompt

    class Left(Message):
        """Escape was pressed on the line: whoever shows it gives the focus elsewhere."""

    def __init__(self, place: Place, history: PromptHistory, offers: Offers) -> None:
        super().__init__(id="prompt")
        self.place: Place = place
        self._history = history
        self._offers = offers
        self._completions: list[Completion] = []
        self._quiet: str | None = None
        """A value set by us rather than typed: it opens no completions."""

    def compose(self) -> ComposeResult:
        offers = OptionList(id="prompt-offers", markup=False)
        offers.can_focus = False
        yield offers
        with Horizontal(id="prompt-row"):
            yield Label("›", id="prompt-mark")
            yield PromptInput(
                compact=True,
                placeholder="ask, or / for commands",
                select_on_focus=False,
                id="prompt-input",
            )
            yield HintLine(self.place, share=0.66)
        yield Static("", id="prompt-fault", markup=False)

    def watch_live(self, live: bool) -> None:
        if self.is_mounted:
            self.query_one(HintLine).live = live

    # -- from outside -------------------------------------------------------------------------------

    @property
    def value(self) -> str:
        return self.query_one(PromptInput).value

    def begin(self, text: str = "") -> None:
        """Take the focus, with ``text`` typed already."""
        field = self.query_one(PromptInput)
        if text:
            field.value = text
        field.focus()
        field.cursor_position = len(field.value)

    def accept(self) -> None:
        """What was entered was carried out: empty the line."""
        self._set("")
        self.clear_fault()

    def fault(self, message: str) -> None:
        """Say in one line what was wrong. The line keeps what was typed."""
        self.query_one("#prompt-fault", Static).update(Content(message))
        self.add_class("-fault")

    def clear_fault(self) -> None:
        self.remove_class("-fault")

    # -- keys ----------------------------------------------------------------------------------------

    def press(self, key: str) -> None:
        open_list = self.has_class("-offers")
        offers = self.query_one("#prompt-offers", OptionList)
        match key:
            case "up" if open_list:
                offers.action_cursor_up()
            case "down" if open_list:
                offers.action_cursor_down()
            case "up":
                if (line := self._history.earlier(self.value)) is not None:
                    self._set(line)
            case "down":
                if (line := self._history.later()) is not None:
                    self._set(line)
            case "take" if open_list:
                self._take(offers.highlighted or 0)
            case "take":
                self.screen.focus_next()
            case "leave" if open_list:
                self._close()
            case _:
                self.clear_fault()
                self.post_message(self.Left())

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value == self._quiet:
            self._quiet = None
            self._close()
            return
        self._quiet = None
        self.clear_fault()
        self._completions = complete(event.value, self.place, self._offers)
        self._show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        chosen = self.query_one("#prompt-offers", OptionList).highlighted
        if self.has_class("-offers") and chosen is not None:
            completion = self._completions[chosen]
            if completion.line.strip() != event.value.strip():
                self._take(chosen)
                if completion.more:
                    return
        line = self.value.strip() if self.value.startswith("/") else self.value
        self._close()
        if line.strip():
            self._history.add(line)
            self.post_message(self.Entered(self, line))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._take(event.option_index)
        self.query_one(PromptInput).focus()

    def on_descendant_blur(self, _: events.DescendantBlur) -> None:
        self._close()

    def _take(self, index: int) -> None:
        """Put a completion on the line; where an argument follows, offer its values next."""
        completion = self._completions[index]
        field = self.query_one(PromptInput)
        if not completion.line.endswith(" "):
            self._quiet = completion.line
        field.value = completion.line
        field.cursor_position = len(field.value)

    def _set(self, line: str) -> None:
        field = self.query_one(PromptInput)
        if field.value != line:
            self._quiet = line
            field.value = line
        field.cursor_position = len(line)

    def _show(self) -> None:
        offers = self.query_one("#prompt-offers", OptionList)
        offers.clear_options()
        if not self._completions:
            self._close()
            return
        width = max(len(completion.shown) for completion in self._completions) + 2
        offers.add_options(
            [
                Option(
                    Content.assemble(
                        (completion.shown.ljust(width), "$foreground"), (completion.help, "$foreground-muted")
                    )
                )
                for completion in self._completions
            ]
        )
        offers.highlighted = 0
        self.add_class("-offers")

    def _close(self) -> None:
        self.remove_class("-offers")

"""One sample, whole: its text, how its answer was found, what the checker said, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from app.runs.source import RunSource
from app.runs.state import RunState, Sample
from app.tui.action_kinds import Place
from app.tui.screens.base import ShellScreen
from app.tui.text import fit
from app.tui.text.marks import MEANINGS, SIGNS, number, standing
from app.tui.text.verdict_words import reason_facts
from app.tui.widgets.header import ProblemHeader
from app.tui.widgets.panel import Panel
from app.tui.widgets.program_lines import program_result
from app.tui.widgets.sample_list import SampleList
from app.tui.widgets.sample_view import SampleView
from budgets.amounts import show_flops, show_seconds, show_usd

LABEL: Final = 10
"""Cells of a fact's name."""


class SampleFacts(Panel):
    """What is known of a sample beside its text, one fact a line or two."""

    def __init__(self, source: RunSource, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(source, id=id)
        self.index: int | None = None

    @property
    def sample(self) -> Sample | None:
        samples = self.state.samples
        return samples[self.index] if self.index is not None and self.index < len(samples) else None

    def looks_at(self, state: RunState) -> object:
        sample = self.sample
        return (self.index, None if sample is None else sample.revision)

    def draw(self, width: int, height: int) -> Sequence[Text]:
        sample, colours = self.sample, self.palette
        if sample is None:
            return [Text("This sample has not begun.", style=colours.dim)]
        lines: list[Text] = []
        for name, value, style in self._facts(sample):
            text = Text(fit.one_line(value), style=style)
            for place, line in enumerate(text.wrap(self.app.console, max(8, width - LABEL))):
                label = fit.left("" if place else name, LABEL)
                lines.append(Text.assemble((label, colours.dim), line))
        return lines

    def _facts(self, sample: Sample) -> list[tuple[str, str, Style]]:
        colours = self.palette
        how = standing(sample)
        plain = colours.text
        facts: list[tuple[str, str, Style]] = [
            ("verdict", f"{SIGNS[how]} {MEANINGS[how]}", colours.of(how) + colours.strong)
        ]
        if sample.checker:
            facts.append(("checker", sample.checker, plain))
        case = reason_facts(sample.reason) if sample.verdict != "right" else ()
        if not case and sample.reason:
            facts.append(("because", sample.reason, plain))
        facts += [
            (name, value, colours.wrong if name in ("got", "raised") else plain) for name, value in case
        ]
        if sample.error:
            facts.append(("fault", sample.error, colours.wrong))
        if sample.status == "finished":
            facts.append(
                (
                    "answer",
                    sample.answer or "none",
                    colours.pick + colours.strong if sample.answer else colours.dim,
                )
            )
            if sample.how:
                facts.append(("found", sample.how, plain))
            same = len(self.state.groups.get(sample.group, ())) if sample.group is not None else 0
            if same:
                facts.append(
                    ("agrees", f"{same - 1:,} other{'s' if same != 2 else ''} gave this answer", plain)
                )
        if sample.reward_model is not None:
            cut = ", of its end only" if sample.reward_truncated else ""
            score = sample.reward_why or "none" if sample.reward is None else f"{sample.reward:.3f}{cut}"
            facts.append(("reward", f"{score} ({sample.reward_model})", plain))
        if sample.program_status is not None:
            facts.append(("program", program_result(sample), plain))
        if sample.finish_reason:
            facts.append(("ended", _ENDS.get(sample.finish_reason, sample.finish_reason), plain))
        facts.append(("tokens", self._tokens(sample), plain))
        if sample.status != "live":
            facts.append(("cost", self._cost(sample), plain))
            if sample.seconds:
                facts.append(("time", show_seconds(sample.seconds), plain))
        facts += [("model", sample.model, plain), ("seed", str(sample.seed), plain)]
        if sample.mean_logprob is not None:
            facts.append(("log-prob", f"{sample.mean_logprob:.3f} nats a token", plain))
        return facts

    def _tokens(self, sample: Sample) -> str:
        about = "about " if sample.estimated else ""
        prompt = f", after {sample.prompt_tokens:,} of the prompt" if sample.prompt_tokens is not None else ""
        return f"{about}{sample.tokens:,}{prompt}"

    def _cost(self, sample: Sample) -> str:
        known, most = sample.known, sample.at_most
        dollars = "$0" if known.usd == 0 else show_usd(known.usd)
        if most.usd is not None and known.usd is not None and most.usd > known.usd:
            dollars += f", at most {show_usd(most.usd)}"
        return f"{dollars} · {show_flops(known.flops)}" if known.flops else dollars


_ENDS = {
    "stop": "by itself",
    "length": "cut off at its token limit",
    "content_filter": "withheld by the provider",
    "cancelled": "cancelled",
}


class DetailScreen(ShellScreen):
    """Moves along the list it was opened from, so that next and previous mean what they mean there."""

    PLACE: ClassVar[Place] = "list"
    CSS_PATH = "detail.tcss"
    AUTO_FOCUS = "#text"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (90, "-normal")]  # noqa: RUF012

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Back", id="detail.close"),
        Binding("n,right", "next(1)", "Next sample", id="detail.next"),
        Binding("p,left", "next(-1)", "Previous sample", id="detail.previous"),
        Binding("y", "copy", "Copy the whole text", id="detail.copy"),
        Binding("a", "copy_answer", "Copy the answer", id="detail.copy-answer"),
    ]

    def __init__(self, source: RunSource, samples: SampleList) -> None:
        super().__init__()
        self.source = source
        self._samples = samples

    def compose(self) -> ComposeResult:
        yield ProblemHeader(self.source, id="problem")
        with Horizontal(id="whole"):
            yield SampleView(self.source, id="text", explains=False)
            yield SampleFacts(self.source, id="facts")
        yield DetailHints(self.source, id="hints")

    def on_mount(self) -> None:
        self.call_after_refresh(self._open)

    def _open(self) -> None:
        index = self._samples.cursor
        self.query_one(SampleFacts).index = index
        view = self.query_one(SampleView)
        view.show(index)
        self.pull()

    def pull(self) -> None:
        """Follow the sample while it is still being written. Called by the run screen's tick."""
        if self.is_mounted and self.query(SampleFacts):
            self.query_one(SampleView).pull()
            self.query_one(SampleFacts).pull()
            self.query_one(ProblemHeader).pull()

    def action_close(self) -> None:
        self.dismiss(None)

    def action_next(self, by: int) -> None:
        """The sample one row down in the list, or up."""
        self._samples.pull()
        before = self._samples.cursor
        self._samples.action_move(by)
        if self._samples.cursor is None:
            self._samples.action_move(by)
        if self._samples.cursor is not None and self._samples.cursor != before:
            self._open()

    def action_copy(self, _: str = "") -> None:
        sample = self.query_one(SampleFacts).sample
        if sample is not None:
            self.shell.copy_text(sample.text, f"the text of sample {number(sample.index)}")

    def action_copy_answer(self) -> None:
        sample = self.query_one(SampleFacts).sample
        if sample is None or not sample.answer:
            self.notify("This sample has no answer.", severity="warning")
        else:
            self.shell.copy_text(sample.answer, f"the answer of sample {number(sample.index)}")


class DetailHints(Panel):
    """The keys of this screen."""

    def looks_at(self, state: RunState) -> object:
        return None

    def draw(self, width: int, height: int) -> Sequence[Text]:
        line = Text(no_wrap=True, end="", overflow="ellipsis")
        for key, word in (
            ("esc", "back"), ("n", "next"), ("p", "previous"), ("y", "copy text"), ("a", "copy answer"),
            ("r", "raw"),
        ):  # fmt: skip
            line.append(f"{key} ", self.palette.strong)
            line.append(f"{word}   ", self.palette.dim)
        return [line]

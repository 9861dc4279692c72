"""The pure helpers: text cut to cells, bars, braille, curves, sentences, Markdown."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from app.runs import events as ev
from app.runs.agreement import Unverified
from app.runs.state import RunState
from app.tui.text import bars, fit, sentences
from app.tui.text.braille import Canvas
from app.tui.text.curves import MORE, Counts, ahead_of, curve_of, curves_of, spaced
from app.tui.text.markdown import Look, lines_of, plain_lines
from app.tui.widgets.chart import PICK_MARK, Axis, chart_lines
from app.tui.widgets.colours import Palette
from budgets.amounts import Budget
from budgets.forecast import forecast
from tests.tui.fixtures.made_up import HOSTILE, made_up

LOOK = Look(Style(bold=True), Style(italic=True), Style(dim=True), Style(reverse=True), "ansi_dark")
WILD = st.text(st.characters(codec=None), max_size=80) | st.sampled_from(HOSTILE)


# -- text in cells -----------------------------------------------------------------------------------------


@given(WILD, st.integers(0, 60))
def test_cut_text_never_exceeds_its_cells_and_holds_nothing_that_acts(text: str, width: int) -> None:
    for cut in (fit.head(text, width), fit.tail(text, width)):
        assert cell_len(cut) <= width
        assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in cut)


@given(WILD, st.integers(1, 60))
def test_padded_text_fills_its_cells_exactly(text: str, width: int) -> None:
    line = fit.one_line(text)
    assert cell_len(fit.left(line, width)) == width
    assert cell_len(fit.right(line, width)) == width


@pytest.mark.parametrize(
    ("text", "width", "head", "tail"),
    [
        ("short", 10, "short", "short"),
        ("a longer line", 8, "a longe…", "…er line"),
        ("two\n\nlines", 20, "two lines", "two lines"),
        ("答えは72です", 7, "答えは…", "…72です"),
        ("答えは", 4, "答…", "…は"),
        ("\x1b[31mred\x1b[0m", 10, "red", "red"),
        ("anything", 0, "", ""),
        ("anything", 1, "…", "…"),
    ],
)
def test_text_is_cut_at_either_end(text: str, width: int, head: str, tail: str) -> None:
    assert fit.head(text, width) == head
    assert fit.tail(text, width) == tail


# -- bars and dots -----------------------------------------------------------------------------------------


@given(st.integers(0, 60), st.lists(st.floats(0, 1), min_size=1, max_size=3))
def test_bars_fill_their_width(width: int, shares: list[float]) -> None:
    cells = bars.split(width, *shares)
    assert sum(cells) == width
    assert all(count >= 0 for count in cells)


def test_bars_never_round_to_nothing_or_to_all() -> None:
    assert bars.split(20, 0.001) == (1, 19)
    assert bars.split(20, 0.999) == (19, 1)
    assert bars.split(20, 0.0) == (0, 20)
    assert bars.split(20, 1.0) == (20, 0)


def test_braille_dots_land_in_their_cells() -> None:
    canvas = Canvas(2, 1)
    canvas.dot(0, 0)
    canvas.dot(3, 3, layer=1)
    canvas.dot(99, 99)
    assert canvas.cell(0, 0) == ("\u2801", 0)
    assert canvas.cell(1, 0) == ("\u2880", 1)


def test_a_line_of_dots_has_no_gap() -> None:
    canvas = Canvas(10, 5)
    canvas.line(0, 19, 19, 0)
    assert all(canvas.cell(column, 4 - column // 2)[1] == 0 for column in range(10))


# -- coverage ----------------------------------------------------------------------------------------------


@given(st.integers(1, 5000), st.integers(2, 200))
def test_spaced_goes_from_one_to_n_in_growing_steps(n: int, count: int) -> None:
    ks = spaced(n, count)
    assert ks[0] == 1
    assert ks[-1] == n
    assert ks == sorted(set(ks))
    assert len(ks) <= count


def test_a_curve_is_the_unbiased_estimate_inside_its_band() -> None:
    curve = curve_of(Counts("m", 64, 21), 40)
    ks = [round(2**x) for x, _ in curve.points]
    assert ks[0] == 1
    assert ks[-1] == 64
    assert curve.points[0][1] == pytest.approx(21 / 64)
    assert dict(zip(ks, [y for _, y in curve.points], strict=True))[2] == pytest.approx(
        1 - math.comb(43, 2) / math.comb(64, 2)
    )
    low, high = curve.band(0.0)
    assert low < 21 / 64 < high
    assert curve.band(3.0)[0] > low


def test_a_curve_over_money_is_shifted_by_the_price_of_a_sample() -> None:
    cheap, dear = curve_of(Counts("a", 16, 4, 0.001), 20), curve_of(Counts("b", 16, 4, 0.01), 20)
    assert dear.points[0][0] - cheap.points[0][0] == pytest.approx(math.log2(10))
    assert dear.band(math.log2(0.01)) == pytest.approx(cheap.band(math.log2(0.001)))


@pytest.mark.parametrize(("n", "reach"), [(1, 4), (3, 8), (60, 128), (64, 256)])
def test_the_forecast_goes_on_from_n_to_the_second_power_of_two(n: int, reach: int) -> None:
    ahead = ahead_of(Counts("m", n, 0))
    assert ahead.reach == reach
    assert 2 ** ahead.xs[0] == pytest.approx(n)
    assert 2 ** ahead.xs[-1] == pytest.approx(reach)
    assert ahead.at(ahead.xs[0] - 0.01) is None
    assert ahead.at(ahead.xs[-1] + 0.01) is None


@pytest.mark.parametrize("correct", [0, 3])
def test_the_forecast_drawn_is_that_of_this_one_problem(correct: int) -> None:
    counts = Counts("m", 64, correct, unit=0.5)
    (curve,) = curves_of([counts], 40)
    assert curve.ahead is not None
    expected = forecast([(64, correct)], [64, 128, 256, MORE])
    for point in expected.points[:3]:
        found = curve.ahead.at(math.log2(point.k * 0.5))
        assert found == pytest.approx((point.value, point.low, point.high))
    assert curve.ahead.more == (expected.points[3].low, expected.points[3].high)
    assert curve.ahead.prior in expected.prior
    assert "Pythia" in curve.ahead.prior


def test_each_of_several_curves_has_a_forecast_of_its_own() -> None:
    first, second = curves_of([Counts("a", 16, 4), Counts("b", 64, 1, layer=1)], 20)
    assert first.ahead is not None
    assert second.ahead is not None
    assert (first.ahead.reach, second.ahead.reach) == (64, 256)


def test_the_picks_line_is_dotted_and_marked_at_its_points() -> None:
    axis = Axis(0.0, 6.0, lambda value: f"{value:,.0f}")
    curves = curves_of([Counts("a", 64, 20)], 96)
    colours = plain_palette()
    bare = [line.plain for line in chart_lines(curves, axis, 53, 13, colours)]
    marks = [(0.0, 0.25), (2.0, 0.5), (6.0, 0.25)]
    lines = [line.plain for line in chart_lines(curves, axis, 53, 13, colours, marks)]
    assert sum(line.count(PICK_MARK) for line in lines) == len(marks)
    assert lines[6][5 + 16] == PICK_MARK, "k = 4 at a half"
    assert "".join(lines) != "".join(bare).replace(" ", PICK_MARK, 3), "dots between the marks"


def plain_palette() -> Palette:
    text, style = Style(), {name: Style() for name in ("faint", "strong", "right", "wrong", "undecided")}
    return Palette(
        dark=True, text=text, dim=text, live=text, pick=text, cursor=text, cursor_blurred=text, **style
    )


def drawn(counts: Counts) -> list[str]:
    axis = Axis(0.0, 8.0, lambda value: f"{value:,.0f}")
    colours = plain_palette()
    return [line.plain[5:] for line in chart_lines(curves_of([counts], 96), axis, 53, 13, colours)[:-1]]


def test_beyond_the_samples_the_curve_is_dashed_and_its_band_lighter() -> None:
    n_at = round(6 / 8 * 47)
    measured = [row[:n_at] for row in drawn(Counts("m", 64, 0))]
    beyond = [row[n_at + 1 :] for row in drawn(Counts("m", 64, 0))]
    assert any("░░" in row for row in measured)
    assert any("░ ░" in row for row in beyond)
    assert not any("░░" in row for row in beyond)
    dots = [any("\u2800" < row[column] <= "\u28ff" for row in beyond) for column in range(len(beyond[0]))]
    assert any(dots)
    assert not all(dots)


# -- sentences ---------------------------------------------------------------------------------------------


def state_of(samples: int, answer: str | None = "72", live: int = 0) -> RunState:
    state = RunState()
    for event in made_up(samples, answer=answer, live=live):
        state.apply(event)
    return state


def test_the_pick_sentence_tells_since_when_and_how_sure() -> None:
    assert sentences.pick_sentence(state_of(64)) == "The majority has held since sample 14 (97% it stays)."


def test_the_pick_sentence_before_there_is_a_majority() -> None:
    assert sentences.pick_sentence(RunState()) == "The first answer appears here when a sample ends."
    assert sentences.pick_sentence(state_of(1)) == "One sample has answered. A majority needs more."


def test_estimates_from_agreement_are_called_estimates() -> None:
    said = Unverified(covered=0.62, pick_right=0.004, next_is_new=0.1)
    assert sentences.agreement_sentence(said) == (
        "Estimated from agreement: under 1% that the pick is right, "
        "62% that a right answer is among the samples, 10% that the next answer is new."
    )
    assert sentences.agreement_sentence(said, "qwen").startswith(
        "qwen, estimated: under 1% that its leading answer is right, "
    )


def test_where_agreement_says_nothing_neither_does_the_sentence() -> None:
    assert sentences.agreement_sentence(Unverified(None, None, 0.1)) == ""


@pytest.mark.parametrize(
    ("share", "words"), [(0.0, "0%"), (0.001, "under 1%"), (0.5, "50%"), (0.999, "over 99%"), (1.0, "100%")]
)
def test_per_cents_never_round_to_none_or_to_all(share: float, words: str) -> None:
    assert sentences.percent(share) == words


def test_now_says_what_happens() -> None:
    state = state_of(4, live=2)
    assert sentences.now_sentence(state) == "Sampling"
    state.apply(ev.Paused(at=9))
    assert sentences.now_sentence(state) == "Paused; 2 in flight end first"
    state.apply(ev.RunEnded(at=10, status="budget", reason="$0.50 are spent"))
    assert sentences.now_sentence(state) == "The budget is used up after 10 s: $0.50 are spent"


def test_now_says_how_much_is_left_once_a_limit_tells() -> None:
    state = state_of(64, live=2)
    state.apply(ev.BudgetChanged(at=state.at, budget=Budget(samples=100)))
    assert sentences.now_sentence(state).startswith("Sampling; 36 more samples, about ")


def test_now_says_what_a_model_is_waiting_for() -> None:
    state = RunState()
    for event in list(made_up(0))[:1]:
        state.apply(event)
    state.apply(
        ev.ModelStatus(at=0, model="smollm2", state="preparing", detail="fetching 98 MB", fraction=0.4)
    )
    assert sentences.now_sentence(state) == "fetching 98 MB"


# -- Markdown ----------------------------------------------------------------------------------------------


def shown(text: str, span: tuple[int, int] | None = None, width: int = 60) -> str:
    """The lines, what is marked as the answer in «guillemets»."""
    lines = []
    for line in lines_of(text, span, width, LOOK):
        marked = (
            f"«{segment.text}»" if segment.style is not None and segment.style.reverse else segment.text
            for segment in line
        )  # fmt: skip
        lines.append("".join(marked).rstrip())
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "picture"),
    [
        ("so a*b*c = 72", "so a*b*c = 72"),
        ("**bold** and `code`", "bold and code"),
        ("line one\nline two", "line one\nline two"),
        ("\\(48/2\\) and \\boxed{72}", "\\(48/2\\) and \\boxed{72}"),
        ("[text](http://evil.example) <b>tag</b>", "[text](http://evil.example) <b>tag</b>"),
        ("[/red] [bold]x[/]", "[/red] [bold]x[/]"),
        ("\x1b]8;;http://evil.example\x07link\x1b]8;;\x07", "link"),
    ],
)
def test_markdown_shows_what_the_model_wrote(text: str, picture: str) -> None:
    assert shown(text) == picture


@pytest.mark.parametrize(
    "text", ["the answer is **72**.", "so \\boxed{72}", "```\nprint(72)\n```", "1. it is 72"]
)
def test_the_answer_is_marked_wherever_it_stands(text: str) -> None:
    start = text.index("72")
    assert "«72»" in shown(text, (start, start + 2))


def test_a_marked_answer_may_be_broken_over_two_lines() -> None:
    text = "word " * 6 + "an answer of words"
    first, second = shown(text, (30, len(text)), width=36).split("\n")
    assert first == "word " * 6 + "«an»"
    assert second == "«answer of words»"


@given(WILD, st.integers(8, 60))
def test_no_line_is_wider_than_asked(text: str, width: int) -> None:
    for line in (*lines_of(text, (0, 5), width, LOOK), *plain_lines(text, width)):
        assert sum(cell_len(segment.text) for segment in line) <= width


def test_an_endless_line_is_wrapped_in_time() -> None:
    lines = lines_of("endless" * 40_000, None, 50, LOOK)
    assert len(lines) == math.ceil(7 * 40_000 / 50)

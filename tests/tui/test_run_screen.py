"""The run screen, driven as a user drives it: what is chosen, what is open, what the run is told."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from app.runs import events as ev
from app.runs.agreement import unverified
from app.tui.app import MonkeysApp
from app.tui.prompt_history import PromptHistory
from app.tui.screens.detail import DetailScreen, SampleFacts
from app.tui.screens.run import RunScreen
from app.tui.text import sentences
from app.tui.widgets.coverage import EVERY as COMPUTED_EVERY
from app.tui.widgets.coverage import CoverageChart
from app.tui.widgets.gauges import gauges
from app.tui.widgets.picks import EVERY, PicksPanel
from app.tui.widgets.sample_list import SampleList
from app.tui.widgets.sample_view import SampleView
from app.tui.widgets.status import StatusLine
from tests.tui.fixtures.made_up import HOSTILE, MadeUpRun, made_up
from tests.tui.shell_ports import Scripted


@asynccontextmanager
async def opened(
    run: MadeUpRun, size: tuple[int, int] = (120, 40)
) -> AsyncGenerator[tuple[Pilot[None], RunScreen], None]:
    app = MonkeysApp(Scripted().ports, recording=run, history=PromptHistory(None))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await shown(pilot, screen)
        yield pilot, screen


async def shown(pilot: Pilot[None], screen: RunScreen) -> None:
    """Until everything of the state as it stands is on the screen."""
    screen.pull()
    await pilot.app.workers.wait_for_complete()
    screen.pull()
    await pilot.pause()


def picture(widget: Widget) -> str:
    return "\n".join(widget.render_line(y).text.rstrip() for y in range(widget.size.height)).rstrip()


def started(samples: int, **how: Any) -> MadeUpRun:
    return MadeUpRun(made_up(samples, **how)).play()


# -- the list ----------------------------------------------------------------------------------------------


async def test_the_newest_sample_is_on_top_and_the_totals_in_the_title() -> None:
    async with opened(started(64, live=3)) as (_, screen):
        lines = picture(screen.samples).split("\n")
        assert lines[0].startswith("▌67 ● ")
        assert lines[3].startswith(" 64 ✓ 72 ")
        assert str(screen.samples.border_title) == "Samples  64 of 200 · 23 ✓ 37 ✗ 4 ?"


async def test_keys_move_the_cursor_and_the_open_sample_follows() -> None:
    async with opened(started(64)) as (pilot, screen):
        await pilot.press("home", "j", "down", "k")
        assert screen.samples.cursor == 62
        await pilot.press("end")
        assert screen.samples.cursor == 0
        await pilot.press("pageup")
        assert screen.samples.cursor == screen.samples.size.height - 1
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, DetailScreen)


async def test_the_cursor_stays_on_its_sample_while_rows_arrive_above_it() -> None:
    run = MadeUpRun(made_up(64))
    run.play(300)
    async with opened(run) as (pilot, screen):
        await pilot.press("j", "j", "j", "j", "j", "j")
        chosen, place = screen.samples.cursor, screen.samples._cursor_row - screen.samples.scroll_offset.y
        before = run.state.started
        run.play(300)
        await shown(pilot, screen)
        assert run.state.started > before
        assert screen.samples.cursor == chosen
        assert screen.samples._cursor_row - screen.samples.scroll_offset.y == place
        assert f"▌{(chosen or 0) + 1:>2}" in picture(screen.samples)


async def test_left_alone_the_cursor_stays_with_a_sample_to_its_end_and_goes_on_to_a_live_one() -> None:
    run = MadeUpRun(made_up(64, at_once=4))
    run.play(12)
    async with opened(run) as (pilot, screen):
        followed = screen.samples.cursor
        assert followed in run.state.live
        while followed in run.state.live:
            run.play(1)
        await shown(pilot, screen)
        assert screen.samples.cursor == followed
        run.play(500)
        await shown(pilot, screen)
        assert screen.samples.cursor != followed
        assert screen.samples.cursor in run.state.live


async def test_at_the_end_the_picked_answer_is_under_the_cursor() -> None:
    async with opened(started(64)) as (_, screen):
        assert screen.samples.cursor is not None
        sample = screen.state.samples[screen.samples.cursor]
        assert sample is not None
        assert sample.answer == screen.state.picks["majority"].answer


async def test_filters_sorts_and_groups_are_a_key_each() -> None:
    async with opened(started(64, live=3)) as (pilot, screen):
        await pilot.press("f")
        assert {line[4] for line in picture(screen.samples).split("\n")} == {"✓"}
        assert "right only: 23" in str(screen.samples.border_subtitle)
        await pilot.press("f", "f", "f", "f")
        assert screen.samples.order.filter == "all"
        await pilot.press("s")
        assert "by answer" in str(screen.samples.border_subtitle)
        await pilot.press("s", "s", "s", "g")
        assert picture(screen.samples).split("\n")[0].split() == ["▌", "▸", "✓", "72", "23", "samples", "36%"]
        last = [line for line in picture(screen.samples).split("\n") if line][-1]
        assert " ".join(last.split()).startswith("▸ no answer")
        assert "%" not in last, "those still being written are no share of those that voted"
        await pilot.press("enter", "j")
        assert screen.samples.cursor == max(screen.state.groups["72"])


async def test_a_search_narrows_the_list_and_escape_ends_it_before_it_stops_the_run() -> None:
    run = started(64, live=3)
    async with opened(run) as (pilot, screen):
        await pilot.press("slash", "b", "o", "x", "e", "d", "enter")
        assert "with “boxed”" in str(screen.samples.border_subtitle)
        assert 0 < len(screen.samples.order) < 64
        await pilot.press("escape")
        assert len(screen.samples.order) == 67
        assert run.calls == []
        await pilot.press("escape")
        assert run.calls == ["stop"]


async def test_a_click_chooses_and_a_second_opens() -> None:
    async with opened(started(64)) as (pilot, screen):
        await pilot.press("home")
        await pilot.click(SampleList, offset=(10, 5))
        assert screen.samples.cursor == 59
        await pilot.click(SampleList, offset=(10, 5), times=2)
        await pilot.pause()
        assert isinstance(pilot.app.screen, DetailScreen)


async def test_the_wheel_scrolls_and_ends_following() -> None:
    async with opened(started(64, live=3)) as (pilot, screen):
        assert screen.samples.scroll_offset.y == 0
        screen.samples.scroll_to(y=10, animate=False)
        await pilot.pause()
        assert not screen.samples.follow
        assert picture(screen.samples).split("\n")[0].startswith(" 57")


async def test_nothing_is_painted_while_nothing_happens() -> None:
    async with opened(started(64, live=3)) as (pilot, screen):
        painted: list[int] = []
        render = screen.samples.render_line
        screen.samples.render_line = lambda y: painted.append(y) or render(y)  # type: ignore[method-assign,func-returns-value]
        screen.pull()
        await pilot.pause()
        assert painted == []
        index = next(iter(screen.state.live))
        screen.source.state.apply(ev.TextDelta(at=9.0, sample=index, text=" more", tokens=1))
        screen.pull()
        await pilot.pause()
        assert len(set(painted)) == 1


# -- hostile text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_hostile_text_stays_in_its_cells_and_does_nothing(size: tuple[int, int]) -> None:
    async with opened(started(40, hostile=True, live=4), size) as (pilot, screen):
        width = screen.samples.scrollable_content_region.width
        for place in range(len(screen.samples.order)):
            screen.samples.go_to(place)
            await pilot.pause()
            for y in range(screen.samples.size.height - 2):
                strip = screen.samples.render_line(y)
                assert strip.cell_length == width
                assert not any(character in strip.text for character in "\x1b\x07\x08\u202e\u200b")
            if size[0] > 100:
                screen.view._formatted = 0
                screen.view.pull()
                assert "\x1b" not in picture(screen.view)
        assert pilot.app.is_running


async def test_markup_is_shown_as_it_was_written() -> None:
    async with opened(started(40, hostile=True)) as (pilot, screen):
        screen.samples.show_sample(HOSTILE.index(HOSTILE[0]) + 9)
        await pilot.pause()
        assert "[/red] [bold]not markup[/] [@click=app.quit]press[/] $x[0]" in " ".join(
            picture(screen.view).split()
        )


# -- panes -------------------------------------------------------------------------------------------------


async def test_the_pick_its_support_and_why_to_believe_it() -> None:
    async with opened(started(64)) as (_, screen):
        lines = picture(screen.query_one(PicksPanel)).split("\n")
        assert lines[0].split()[:2] == ["Majority", "72"]
        assert lines[0].endswith("23 of 64 ✓  since 14")
        assert lines[2] == "The majority has held since sample 14 (97% it stays)."
        rivals = next(line for line in lines if line.lstrip().startswith("also given"))
        assert rivals.split()[:3] == ["also", "given", "96"]


async def test_without_a_known_answer_everything_says_unverified() -> None:
    async with opened(started(64, answer=None)) as (pilot, screen):
        assert picture(screen.query_one(PicksPanel)).split("\n")[0].endswith("unverified")
        chart = screen.query_one(CoverageChart)
        assert str(chart.border_title) == "Answers"
        assert "Unverified: 10 different answers in 60; the next" in picture(chart)
        assert picture(chart).split("\n")[0].split()[0] == "72"
        await pilot.press("c")
        assert str(chart.border_title) == "Answers"


async def test_the_picks_tell_what_agreement_lets_one_estimate() -> None:
    async with opened(started(64, answer=None)) as (_, screen):
        said = unverified(screen.source.state, "smollm2")
        told = " ".join(picture(screen.query_one(PicksPanel)).split())
        assert sentences.agreement_sentence(said) in told
        assert "Estimated from agreement: " in told
    async with opened(started(64, answer=None, models=("smollm2", "qwen"))) as (_, screen):
        told = picture(screen.query_one(PicksPanel))
        assert "smollm2, estimated: " in told
        assert "qwen, estimated: " in told


async def test_nothing_is_estimated_of_checked_samples_nor_of_code() -> None:
    async with opened(started(64)) as (_, screen):
        assert "stimated" not in picture(screen.query_one(PicksPanel))
    run = MadeUpRun(made_up(64, answer=None)).play()
    assert run.state.problem is not None
    run.state.problem = msgspec.structs.replace(run.state.problem, kind="code")
    async with opened(run) as (_, screen):
        told = picture(screen.query_one(PicksPanel))
        assert "The majority has held" in told
        assert "stimated" not in told


async def test_on_a_small_screen_the_picks_make_room_for_what_comes_to_be_known() -> None:
    async with opened(MadeUpRun(made_up(64, answer=None)).play(1), (80, 24)) as (pilot, screen):
        picks, run = screen.query_one(PicksPanel), screen.source
        assert isinstance(run, MadeUpRun)
        before = picks.size.height
        picks._estimated_at = -EVERY
        run.play()
        await shown(pilot, screen)
        assert picks.size.height > before
        assert " is new." in " ".join(picture(picks).split())


async def test_coverage_is_drawn_with_its_band_and_told() -> None:
    async with opened(started(64)) as (pilot, screen):
        chart = picture(screen.chart)
        assert "60 checked samples: covered. One try finds it 38% [29–49] of the time." in " ".join(
            chart.split()
        )
        assert any("\u2800" < character <= "\u28ff" for character in chart)
        assert "░" in chart
        assert "◆" in chart, "the majority's line"
        assert "the majority's pick" in str(screen.chart.border_subtitle)
        told = " ".join(chart.split())
        assert "Of 16, coverage is over 99%, the majority right " in told
        assert "100 more bring 25–52 right ones, for about 890 GFLOP and " in told
        assert ["1", "2", "4", "8", "16", "32", "64", "128", "256"] in [
            line.split() for line in chart.split("\n")
        ]
        await pilot.press("c")
        assert str(screen.chart.border_title) == "Coverage by FLOPs"
        await pilot.press("c")
        assert str(screen.chart.border_title) == "Answers"
        await pilot.press("c")
        assert str(screen.chart.border_title) == "Coverage"


async def test_with_nothing_right_the_forecast_is_an_interval_and_names_its_prior() -> None:
    async with opened(started(64, answer="9999")) as (_, screen):
        lines = picture(screen.chart).split("\n")
        told = " ".join(" ".join(lines).split())
        assert "Nothing right in 60. 100 more would find it in 0–39% of cases like this, for about " in told
        assert " Prior: " in told
        assert "◆" not in told
        assert "Pythia models on MATH and GSM8K" in told
        axis = next(place for place, line in enumerate(lines) if line.lstrip().startswith("1 "))
        beyond = "".join(line[len("  0% ") + 38 :] for line in lines[:axis])
        assert "░" in beyond, "the forecast's band"
        assert any("\u2800" < character <= "\u28ff" for character in beyond), "its dashes"


async def test_a_forecast_goes_on_in_flops_too() -> None:
    async with opened(started(64)) as (pilot, screen):
        await pilot.press("c")
        screen.chart._computed_at = -COMPUTED_EVERY
        await shown(pilot, screen)
        (curve,) = screen.chart._curves
        assert curve.counts.unit > 1
        assert curve.ahead is not None
        assert curve.ahead.xs[0] == pytest.approx(curve.points[-1][0])


async def test_several_models_have_a_curve_and_a_sentence_each() -> None:
    async with opened(started(64, models=("smollm2", "qwen"))) as (_, screen):
        chart = picture(screen.chart)
        assert "smollm2  covered, " in chart
        assert "qwen  covered, " in chart
        assert "Most right samples per FLOP: " in chart
        assert all(curve.ahead is not None for curve in screen.chart._curves)
        assert "◆" not in chart, "the pick is of both, and belongs to neither curve"
        assert "qwen" in picture(screen.samples)


def test_gauges_are_there_for_the_limits_that_are_set() -> None:
    run = started(64, live=3)
    figures = [gauge.figures for gauge in gauges(run.state)]
    assert figures == ["$0 of $0.50", "568 GFLOP of 10 TFLOP", "64 of 200", "0:07 of 5:00"]
    samples = gauges(run.state)[2]
    assert (samples.spent, samples.held) == (64 / 200, 3 / 200)


async def test_the_status_line_tells_how_a_model_is_made_ready() -> None:
    run = MadeUpRun(islice(made_up(0), 1)).play()
    run.apply(ev.ModelStatus(at=1, model="smollm2", state="preparing", detail="Fetching 98 MB", fraction=0.5))
    async with opened(run) as (pilot, screen):
        line = picture(screen.query_one(StatusLine))
        assert line.startswith("● Fetching 98 MB ▇")
        assert "50%" in line
        run.apply(ev.RunEnded(at=2, status="failed", reason="the weights are damaged"))
        await shown(pilot, screen)
        line = picture(screen.query_one(StatusLine))
        assert line.startswith("■ Failed after 2 s: the weights are damaged")


# -- what the run is told ----------------------------------------------------------------------------------


async def test_space_pauses_and_goes_on() -> None:
    run = started(64, live=3)
    async with opened(run) as (pilot, screen):
        await pilot.press("space")
        await pilot.pause()
        assert run.calls == ["pause"]
        await shown(pilot, screen)
        assert picture(screen.query_one(StatusLine)).startswith("‖ Paused; 3 in flight end first")
        await pilot.press("space")
        assert run.calls == ["pause", "resume"]
        assert screen.is_current


async def test_y_copies_the_answer_under_the_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(MonkeysApp, "copy_text", lambda _, text, what: copied.append(f"{what}: {text}"))
    async with opened(started(64)) as (pilot, screen):
        screen.samples.show_sample(62)
        await pilot.press("y")
        await pilot.press("Y")
        assert copied[0] == "the answer of sample 63: 96"
        assert copied[1].startswith("the text of sample 63: Natalia sold")


async def test_z_gives_a_pane_the_whole_screen_and_escape_takes_it_back() -> None:
    run = started(64, live=3)
    async with opened(run) as (pilot, screen):
        await pilot.press("z")
        await pilot.pause()
        assert screen.samples.size.height > 30
        await pilot.press("escape")
        await pilot.pause()
        assert screen.samples.size.height < 30
        assert run.calls == []


# -- one sample --------------------------------------------------------------------------------------------


async def test_the_detail_tells_how_the_answer_was_found_and_walks_along_the_list() -> None:
    async with opened(started(64)) as (pilot, screen):
        screen.samples.show_sample(62)
        await pilot.press("enter")
        await pilot.pause()
        detail = pilot.app.screen
        facts = picture(detail.query_one(SampleFacts))
        for part in (
            "✗ wrong",
            "96 is not the known answer 72",
            "stated at the end",
            "18 others",
            "6.75 GFLOP",
        ):
            assert part in facts
        assert "The answer is 96." in picture(detail.query_one(SampleView))
        await pilot.press("n")
        assert detail.query_one(SampleView).index == 61
        await pilot.press("p", "p")
        assert detail.query_one(SampleView).index == 63
        await pilot.press("escape")
        assert pilot.app.screen is screen
        assert screen.samples.cursor == 63


async def test_a_live_sample_is_followed_in_the_detail() -> None:
    run = started(20, live=2)
    async with opened(run) as (pilot, screen):
        await pilot.press("enter")
        await pilot.pause()
        index = screen.samples.cursor
        assert index is not None
        run.apply(ev.TextDelta(at=9.0, sample=index, text=" and then something new", tokens=4))
        view = pilot.app.screen.query_one(SampleView)
        view._formatted = 0
        screen.pull_rows()
        assert "something new" in picture(view)


# -- room --------------------------------------------------------------------------------------------------


async def test_at_80_columns_the_list_stays_and_the_chart_takes_turns_with_the_picks() -> None:
    async with opened(started(64), (80, 24)) as (pilot, screen):
        assert seen(screen) == {"samples", "picks"}
        assert screen.samples.size.height >= 10
        await pilot.press("c")
        await pilot.pause()
        assert seen(screen) == {"samples", "chart"}
        await pilot.press("c", "c", "c")
        await pilot.pause()
        assert seen(screen) == {"samples", "picks"}


def seen(screen: RunScreen) -> set[str | None]:
    """The ids of the panes that are shown."""
    return {
        pane.id
        for pane in (screen.samples, screen.view, screen.chart, screen.query_one(PicksPanel))
        if pane.display
    }


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (60, 16), (200, 60), (400, 9)])
async def test_any_size_is_survived_and_come_back_from(size: tuple[int, int]) -> None:
    async with opened(started(64, live=3, hostile=True)) as (pilot, screen):
        await pilot.resize_terminal(*size)
        await pilot.pause()
        screen.pull()
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        screen.pull()
        await pilot.pause()
        assert "67 ●" in picture(screen.samples)

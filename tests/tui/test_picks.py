"""The panel of rules that choose: the sentence, a line each, what turns the others on, and their samples."""

from __future__ import annotations

from typing import Any

import pytest

from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.pick_words import camps, filter_sentence, missing_needs, picks_sentence
from app.runs.state import RunState
from app.tui.screens.compose import ComposeScreen
from app.tui.screens.detail import DetailScreen
from app.tui.text import sentences
from app.tui.text.turning_on import turning_on
from app.tui.widgets.pick_rows import pick_row
from app.tui.widgets.picks import PicksPanel
from app.tui.widgets.sample_list import SampleList
from app.tui.widgets.sample_view import SampleView
from tests.tui.fixtures.made_up import made_up
from tests.tui.shell_ports import CLIPS, Scripted
from tests.tui.test_run_screen import opened, picture, shown, started


def state_of(samples: int = 64, **how: Any) -> RunState:
    state = RunState()
    for event in made_up(samples, **how):
        state.apply(event)
    return state


def chosen(*picks: tuple[str, int]) -> RunState:
    """A run in which each rule chose the sample with that index, and nothing else was chosen."""
    state = state_of()
    state.picks.clear()
    for rule, index in picks:
        sample = state.samples[index]
        assert sample is not None
        state.apply(ev.PickChanged(at=9, rule=rule, answer=sample.answer, sample=index, support=1, share=0.1))
    return state


def of_answer(answer: str) -> int:
    return state_of().groups[answer][0]


RIGHT, WRONG, OTHER = of_answer("72"), of_answer("96"), of_answer("24")


# -- the sentence ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("picks", "told"),
    [
        ([("majority", RIGHT)], ""),
        ([("majority", RIGHT), ("reward", RIGHT)], "Both rules agree on 72 (23 of 64)."),
        (
            [("majority", RIGHT), ("cotnpot", RIGHT), ("reward", WRONG)],
            "The majority and CoTnPoT agree on 72 (23 of 64); the reward model prefers 96.",
        ),
        (
            [("majority", WRONG), ("cotnpot", RIGHT)],
            "CoTnPoT chooses 72 (23 of 64); the majority prefers 96.",
        ),
        (
            [("majority", RIGHT), ("cotnpot", RIGHT), ("cotnpot_vote", RIGHT), ("reward", WRONG),
             ("reward_weighted", WRONG)],
            "Three rules of five say 72 (23 of 64); the reward model and the reward-weighted vote prefer 96.",
        ),
    ],
)  # fmt: skip
def test_where_the_rules_agree_is_said_in_one_sentence(picks: list[tuple[str, int]], told: str) -> None:
    assert picks_sentence(chosen(*picks)) == told


def test_all_rules_may_agree() -> None:
    picks = [(rule, RIGHT) for rule in ("majority", "reward", "cotnpot")]
    assert picks_sentence(chosen(*picks)) == "All three rules agree on 72 (23 of 64)."


def test_equal_answers_are_one_camp_however_they_are_spelled() -> None:
    state = chosen(("majority", RIGHT), ("reward", RIGHT))
    state.picks["reward"] = ev.PickChanged(
        at=9, rule="reward", answer="72.0", sample=state.groups["72"][1], support=1, share=0.1
    )
    (camp,) = camps(state)
    assert camp.rules == ("majority", "reward")


def test_where_the_answer_is_known_the_checker_is_no_rule() -> None:
    known = chosen(("majority", WRONG), ("first_verified", RIGHT))
    assert picks_sentence(known) == ""
    known.problem = Problem(id="p", kind="code", prompt="Write f.", tests={"type": "python"})
    assert picks_sentence(known).startswith("The checker confirms #")


def test_programs_are_called_by_their_sample() -> None:
    state = chosen(("majority", RIGHT), ("first_verified", RIGHT))
    state.problem = Problem(id="p", kind="code", prompt="Write f.", tests={"type": "python"})
    assert picks_sentence(state) == f"Both rules agree on #{RIGHT + 1} (23 of 64)."


def test_the_filter_tells_what_it_kept_and_how_good_that_is() -> None:
    state = state_of(helpers=True)
    tally = state.filter
    assert tally.looked_at == 64
    told = filter_sentence(state)
    assert told.startswith(f"CoTnPoT: kept {tally.kept} · dropped {tally.dropped} · failed {tally.failed}")
    kept = [sample for sample in state.every_sample() if sample.program_status == "agrees"]
    right = [sample for sample in kept if sample.verdict == "right"]
    assert f"precision {len(right) / len(kept):.0%}, recall {len(right) / state.right:.0%}" in told
    assert filter_sentence(state_of()) == ""


def test_with_nothing_right_there_is_a_precision_and_no_recall() -> None:
    state = state_of(helpers=True, answer="9999")
    told = filter_sentence(state)
    assert told.endswith("; precision 0%.")
    assert "recall" not in told


def test_without_a_known_answer_the_filter_claims_no_precision() -> None:
    assert "precision" not in filter_sentence(state_of(helpers=True, answer=None))


# -- what turns rules on -----------------------------------------------------------------------------------


def test_rules_that_cannot_run_say_what_turns_them_on() -> None:
    state = state_of()
    assert missing_needs(state) == ["rewards", "programs"]
    assert turning_on(state) == [
        "Reward rules need a reward model: /reward embedded; CoTnPoT needs /translator MODEL."
    ]
    assert turning_on(state_of(helpers=True)) == []


def test_a_helper_that_failed_says_why() -> None:
    state = state_of(3, helpers=True)
    state.apply(ev.ModelStatus(at=9, model="hf:x", state="failed", detail="torch is missing", role="reward"))
    assert turning_on(state) == ["The reward model hf:x is left out: torch is missing"]


# -- the rows ----------------------------------------------------------------------------------------------


def test_bars_and_figures_say_what_each_rule_goes_by() -> None:
    state = state_of(helpers=True)
    majority, best, weighted = (
        pick_row(state.picks[rule], state) for rule in ("majority", "reward", "reward_weighted")
    )
    assert majority.figures == "23 of 64"
    assert majority.share == pytest.approx(23 / 64)
    score, sample = state.picks["reward"].score, state.picks["reward"].sample
    assert score is not None
    assert sample is not None
    assert best.figures == f"{score:.2f} of #{sample + 1}"
    assert best.share == score
    assert "of" not in weighted.figures


def test_a_logit_fills_the_bar_as_a_chance() -> None:
    state = chosen(("majority", RIGHT))
    pick = ev.PickChanged(at=9, rule="reward", answer="72", sample=RIGHT, support=1, share=0.1, score=-3.0)
    assert 0 < pick_row(pick, state).share < 0.1


async def test_every_rule_has_its_line_under_the_sentence() -> None:
    for size in ((120, 40), (80, 24)):
        async with opened(started(64, helpers=True), size) as (_, screen):
            lines = picture(screen.query_one(PicksPanel)).split("\n")
            assert lines[0].startswith(picks_sentence(screen.state)[:40])
            titles = [line[:20].strip() for line in lines]
            for title in ("Majority", "Reward best", "Reward-weighted", "CoTnPoT + reward", "CoTnPoT + vote"):
                assert title in titles, size
            assert any(line.startswith("CoTnPoT: kept ") for line in lines), size


async def test_enter_opens_the_sample_that_a_rule_has_chosen() -> None:
    async with opened(started(64, helpers=True)) as (pilot, screen):
        screen.query_one(PicksPanel).focus()
        await pilot.press("down", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, DetailScreen)
        best = screen.state.picks["reward"].sample
        assert pilot.app.screen.query_one(SampleView).index == best


async def test_a_change_of_the_pick_is_marked_while_it_is_new() -> None:
    run = started(20, helpers=True, live=2)
    async with opened(run) as (pilot, screen):
        sample = run.state.groups["96"][0]
        run.apply(ev.PickChanged(at=9, rule="majority", answer="96", sample=sample, support=9, share=0.4))
        await shown(pilot, screen)
        told = picture(screen.query_one(PicksPanel))
        assert any(
            line.lstrip().startswith("Majority") and line.endswith("changed") for line in told.split("\n")
        )


async def test_rewards_and_programs_stand_in_the_rows() -> None:
    async with opened(started(64, helpers=True)) as (_, screen):
        first = picture(screen.query_one(SampleList)).split("\n")[0]
        assert " r 0." in first
        assert " p " in first
    async with opened(started(64, helpers=True), (200, 60)) as (_, screen):
        first = picture(screen.query_one(SampleList)).split("\n")[0]
        assert "reward 0." in first
        assert "program " in first
    async with opened(started(64)) as (_, screen):
        assert " r 0." not in picture(screen.query_one(SampleList))


async def test_a_program_is_shown_as_it_is_written_and_then_with_its_result() -> None:
    run = started(3, helpers=True, end=None)
    sample = run.state.samples[2]
    assert sample is not None
    sample.program_status, sample.translation = None, []
    async with opened(run, (120, 60)) as (pilot, screen):
        screen.samples.show_sample(2)
        run.apply(ev.TranslationDelta(at=9, sample=2, text="```python\nprint(48 + "))
        told = ""
        while "As a program" not in told:  # what grows is painted a few times a second only
            await pilot.pause(0.02)
            await shown(pilot, screen)
            told = picture(screen.query_one(SampleView))
        assert "print(48 +" in told
        assert "```python\nprint" not in told
        run.apply(
            ev.ProgramChecked(
                at=9, sample=2, status="differs", answer="73", reason="", program="print(48 + 25)",
                translator="coder",
            )
        )  # fmt: skip
        await shown(pilot, screen)
        told = " ".join(picture(screen.query_one(SampleView)).split())
        assert "As a program, by coder print(48 + 25)" in told
        assert "It answers 73, the sample does not: dropped." in told


# -- turning them on ---------------------------------------------------------------------------------------


async def test_slash_commands_set_the_helpers_of_the_next_run() -> None:
    from app.tui.draft import Draft
    from app.tui.prompt_line import PromptLine

    scripted = Scripted()
    app = scripted.app(Draft(text=CLIPS, models=("smollm2",)))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("f5")
        await pilot.pause()
        app.act("reward", "likelihood")
        app.act("translator", "qwen2.5-coder")
        scripted.runs[0].end()
        await pilot.pause()
        app.act("temperature", "1")
        await pilot.pause()
        plan = scripted.asked[-1][1]
        assert (plan.reward, plan.translator) == ("likelihood", "qwen2.5-coder")
        app.act("translator", "none")
        assert app.screen.query(PromptLine)
        app.act("problem", "")
        await pilot.pause()
        form = app.screen
        assert isinstance(form, ComposeScreen)
        assert (form.draft.reward, form.draft.translator) == ("likelihood", "")


def test_of_many_answers_only_the_first_are_named() -> None:
    state = state_of()
    answers = [group[0] for group in state.groups.values()][:5]
    rules = ("majority", "reward", "reward_weighted", "cotnpot", "cotnpot_vote")
    told = picks_sentence(chosen(*zip(rules, answers, strict=True)))
    assert told.count(" prefers ") == 2
    assert told.endswith("; two more differ.")


def test_what_helpers_have_left_to_do_is_said() -> None:
    state = state_of(10, helpers=True, end=None)
    state.apply(ev.ModelStatus(at=9, model="m", state="ready", role="translation"))
    assert sentences.helpers_pending(state) == []
    state.filter.failed -= 2
    state.filter.not_run -= 1
    assert sentences.helpers_pending(state) == ["3 programs pending"]
    state.apply(ev.ModelStatus(at=9, model="m", state="failed", role="translation"))
    assert sentences.helpers_pending(state) == []

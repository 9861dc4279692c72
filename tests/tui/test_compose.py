"""The form: what stands in it, what it means, and what it says before anything is spent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Label, Static, TextArea

from app.errors import BadInput
from app.problems.problem import Problem
from app.runs.plan import Plan
from app.settings import Settings
from app.tui.app import MonkeysApp
from app.tui.draft import Draft, FieldFault, draft_from, draft_of, read_plan, read_problem
from app.tui.fields import Choice, ModelChips
from app.tui.ports import short_name
from app.tui.screens.compose import ComposeScreen
from app.tui.screens.models import ModelPicker
from app.tui.screens.problems import ProblemPicker
from budgets.amounts import Budget
from tests.tui.shell_ports import CLIPS, MODELS, STARTERS, Scripted

DRAFT = Draft(text="What is 17 + 26?", models=("smollm2",))


# -- the draft ---------------------------------------------------------------------------------------------


def test_a_draft_is_a_problem_and_a_plan() -> None:
    draft = replace(
        DRAFT, answer=" 43 ", usd="$0.50", flops="1.5 PFLOP", tokens="20k", seconds="10 min", temperature="1"
    )
    problem, plan = read_problem(draft), read_plan(draft)
    assert (problem.kind, problem.prompt, problem.answer) == ("math", "What is 17 + 26?", "43")
    assert plan.budget == Budget(
        usd=Decimal("0.50"), flops=1_500_000_000_000_000, tokens=20_000, samples=64, seconds=600.0
    )
    assert plan.settings.temperature == 1.0
    assert plan.settings.max_tokens == 512


def test_no_limit_at_all_means_the_default() -> None:
    assert read_plan(replace(DRAFT, samples="")).budget == Budget(samples=64)


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("samples", "0", "buys nothing"),
        ("samples", "-3", "below zero"),
        ("samples", "many", "not a whole number"),
        ("usd", "0", "buys nothing"),
        ("usd", "0.5 EUR", "'EUR'"),
        ("flops", "1 petaflop/s", "speed"),
        ("tokens", "1.5", "whole number"),
        ("seconds", "soon", "not a length of time"),
        ("temperature", "hot", "not a temperature"),
        ("temperature", "2.5", "not a temperature"),
        ("temperature", "nan", "not a temperature"),
        ("max_tokens", "0", "buys nothing"),
    ],
)
def test_bad_fields_are_named(field: str, value: str, part: str) -> None:
    with pytest.raises(FieldFault) as fault:
        read_plan(replace(DRAFT, **{field: value}))  # type: ignore[arg-type]
    assert fault.value.field == field
    assert part in fault.value.message
    assert "\n" not in fault.value.message


@pytest.mark.parametrize("text", ["", "  \n\t ", "\u200b"])
def test_an_empty_problem_is_refused(text: str) -> None:
    with pytest.raises(FieldFault) as fault:
        read_problem(Draft(text=text, models=("smollm2",)))
    assert fault.value.field == "text"


def test_no_model_is_refused() -> None:
    with pytest.raises(FieldFault) as fault:
        read_plan(Draft(text="x"))
    assert fault.value.field == "models"


def test_pasted_escape_sequences_do_not_reach_the_problem() -> None:
    problem = read_problem(replace(DRAFT, text="What is \x1b[31m2 + 2\x1b[0m?\x07"))
    assert "\x1b" not in problem.prompt
    assert "\x07" not in problem.prompt


def test_a_starter_keeps_its_name_until_its_text_changes() -> None:
    clips = STARTERS[1]
    draft = DRAFT.of(clips)
    assert read_problem(draft) is clips
    assert read_problem(replace(draft, answer="")).answer is None
    assert read_problem(replace(draft, answer="")).id == clips.id
    assert read_problem(replace(draft, text="Something else, what is 1 + 1?")).id != clips.id


def test_tests_of_a_code_problem_go_with_its_text() -> None:
    code = Problem(id="c/1", kind="code", prompt="Write f.", tests={"type": "python", "code": "assert f()"})
    draft = DRAFT.of(code)
    assert read_problem(draft).tests == code.tests
    assert read_problem(replace(draft, text="Write g.")).tests is None


def test_a_run_can_be_put_back_into_the_form() -> None:
    problem = STARTERS[0]
    plan = Plan(models=("smollm2",), budget=Budget(usd=Decimal("1E+1"), samples=7, seconds=90.0))
    draft = draft_of(problem, plan)
    assert read_problem(draft) == problem
    assert read_plan(draft) == plan


def test_the_form_begins_as_the_settings_say() -> None:
    draft = draft_from(
        Settings(model="m", samples=8, max_cost=Decimal("1.5"), max_tokens=64, temperature=1.0)
    )
    plan = read_plan(draft)
    assert plan.models == ("m",)
    assert plan.budget == Budget(samples=8, usd=Decimal("1.5"))
    assert (plan.settings.max_tokens, plan.settings.temperature) == (64, 1.0)


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("smollm2", "smollm2"),
        ("gguf:Qwen/Qwen2.5-Coder/qwen2.5-coder-q4.gguf-and-more", "gguf:…/qwen2.5-coder-q4.gguf-and-mo…"),
        ("gguf:/a/very/long/folder/with/a/model/x.gguf", "gguf:…/x"),
        ("openrouter/meta-llama/llama-3.1-405b-instruct-long-name", "…/llama-3.1-405b-instruct-long-name"),
    ],
)
def test_a_long_name_of_a_model_is_shortened_from_its_front(name: str, short: str) -> None:
    assert short_name(name) == short
    assert len(short) <= 36


# -- the screen --------------------------------------------------------------------------------------------


def form(app: MonkeysApp) -> ComposeScreen:
    screen = app.screen_stack[0]
    assert isinstance(screen, ComposeScreen)
    return screen


def said(app: MonkeysApp) -> str:
    return str(form(app).query_one("#estimate", Static).render())


async def looked(pilot: Pilot[None]) -> None:
    """Wait until the form has been looked at, without trusting a clock."""
    app = pilot.app
    assert isinstance(app, MonkeysApp)
    screen = form(app)
    for _ in range(100):
        await pilot.pause(0.02)
        if screen.looked_at == screen.draft:
            return
    raise AssertionError("the form was never looked at")


async def test_the_first_look_says_what_to_do() -> None:
    scripted = Scripted()
    app = scripted.app(Draft(models=("smollm2",)))
    async with app.run_test(size=(120, 40)) as pilot:
        await looked(pilot)
        text = form(app).query_one("#text", TextArea)
        assert app.focused is text
        assert "ctrl+r  start sampling" in str(text.placeholder)
        assert text.size.height > app.size.height // 3, "the problem is the largest thing"
        assert said(app).startswith("qwen2.5-coder answers better")


async def test_the_price_is_told_before_anything_is_spent() -> None:
    scripted = Scripted()
    app = scripted.app(Draft(models=("smollm2",)))
    async with app.run_test() as pilot:
        await pilot.press(*"2+2", "question_mark")
        await looked(pilot)
        assert said(app) == "64 samples of smollm2: about 9,000 tokens, 2.4 TFLOP, $0, some 70 seconds."
        assert scripted.asked == []


@pytest.mark.parametrize("key", ["ctrl+r", "f5"])
async def test_keys_start_a_run(key: str) -> None:
    scripted = Scripted()
    async with scripted.app(DRAFT).run_test() as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert [problem.prompt for problem, _ in scripted.asked] == ["What is 17 + 26?"]


async def test_the_button_starts_a_run() -> None:
    scripted = Scripted()
    app = scripted.app(DRAFT)
    async with app.run_test() as pilot:
        form(app).query_one(Button).focus()
        await pilot.press("enter")
        await pilot.pause()
        assert len(scripted.asked) == 1


async def test_a_run_that_may_cost_much_is_asked_about_once() -> None:
    scripted = Scripted(confirm=lambda problem, plan: "This may cost up to $3.00. Start again to go on.")
    app = scripted.app(DRAFT)
    async with app.run_test() as pilot:
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert said(app).startswith("This may cost up to $3.00.")
        assert scripted.asked == []
        form(app).query_one("#samples", Input).value = "900"
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert scripted.asked == [], "another plan is asked about anew"
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert len(scripted.asked) == 1


async def test_an_empty_problem_is_told_in_place() -> None:
    scripted = Scripted()
    app = scripted.app(Draft(models=("smollm2",)))
    async with app.run_test() as pilot:
        form(app).query_one("#samples").focus()
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert said(app).startswith("The problem is empty.")
        assert app.focused is form(app).query_one("#text")
        assert scripted.asked == []


async def test_a_bad_limit_is_told_and_gone_to() -> None:
    scripted = Scripted()
    app = scripted.app(replace(DRAFT, usd="a lot"))
    async with app.run_test() as pilot:
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert "'a lot' is not a number of dollars" in said(app)
        assert app.focused is form(app).query_one("#usd")


async def test_a_refusal_of_the_launch_is_told_in_place() -> None:
    scripted = Scripted()
    scripted.refuse = BadInput("There is no model smolm2.", "Did you mean smollm2?")
    app = scripted.app(DRAFT)
    async with app.run_test() as pilot:
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert said(app) == "There is no model smolm2. Did you mean smollm2?"
        assert app.screen is form(app)


async def test_the_kind_is_found_and_can_be_corrected() -> None:
    scripted = Scripted()
    app = scripted.app(Draft(models=("smollm2",)))
    async with app.run_test() as pilot:
        form(app).query_one("#text", TextArea).text = "def f(x): what does it give?"
        await looked(pilot)
        assert str(form(app).query_one("#why", Label).render()) == "holds a function"
        choice = form(app).query_one(Choice)
        choice.focus()
        await pilot.press("right")
        await looked(pilot)
        assert choice.value == "math"
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert scripted.asked[0][0].kind == "math"


async def test_the_kind_can_be_clicked() -> None:
    app = Scripted().app(DRAFT)
    async with app.run_test() as pilot:
        await looked(pilot)
        choice = form(app).query_one(Choice)
        await pilot.click(choice, offset=(choice.size.width - 2, 0))
        assert choice.value == "open"


async def test_what_an_answer_changes_is_said() -> None:
    app = Scripted().app(DRAFT)
    async with app.run_test() as pilot:
        await looked(pilot)
        checks = form(app).query_one("#checks", Label)
        assert "nothing is verified" in str(checks.render())
        form(app).query_one("#answer", Input).value = "43"
        await looked(pilot)
        assert str(checks.render()) == "every sample is judged against it"


async def test_a_starter_problem_is_two_keys_away() -> None:
    scripted = Scripted()
    app = scripted.app(Draft(models=("smollm2",)))
    async with app.run_test() as pilot:
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert isinstance(app.screen, ProblemPicker)
        await pilot.press(*"clips", "enter")
        await pilot.pause()
        assert form(app).draft.text == CLIPS
        assert form(app).query_one("#answer", Input).value == "72"


async def test_recent_problems_stand_first_and_once() -> None:
    scripted = Scripted(recent=lambda: (STARTERS[1],))
    app = scripted.app(Draft(models=("smollm2",)))
    async with app.run_test() as pilot:
        await pilot.press("f3")
        await pilot.pause()
        picker = app.screen
        assert isinstance(picker, ProblemPicker)
        names = [row.value.id if row.value else str(row.shown) for row in picker.rows()]
        assert names == ["Asked lately", "starter/clips", "Starter set", "starter/sum"]


async def test_a_search_without_a_match_says_so_and_chooses_nothing() -> None:
    app = Scripted().app(Draft(models=("smollm2",)))
    async with app.run_test() as pilot:
        await pilot.press("f3")
        await pilot.pause()
        await pilot.press(*"zzz")
        assert str(app.screen.query_one("#nothing", Static).render()) == "Nothing matches 'zzz'."
        await pilot.press("enter", "escape")
        await pilot.pause()
        assert form(app).draft.text == ""


async def test_several_models_can_be_chosen() -> None:
    scripted = Scripted()
    app = scripted.app(DRAFT)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("f2")
        await pilot.pause()
        assert isinstance(app.screen, ModelPicker)
        await pilot.press("down", "down", "space", "enter")
        await pilot.pause()
        assert form(app).query_one(ModelChips).names == ("smollm2", "gpt-4o-mini")
        assert "needs OPENAI_API_KEY" in str(form(app).query_one(ModelChips).render())


async def test_the_suggested_model_is_one_key_away_in_the_picker() -> None:
    app = Scripted().app(DRAFT)
    async with app.run_test() as pilot:
        await pilot.press("f2")
        await pilot.pause()
        await pilot.press("f2")
        await pilot.pause()
        assert form(app).query_one(ModelChips).names == ("qwen2.5-coder",)


async def test_a_model_unknown_to_the_list_can_be_typed() -> None:
    app = Scripted().app(DRAFT)
    async with app.run_test() as pilot:
        await pilot.press("f2")
        await pilot.pause()
        await pilot.press(*"gguf:/x.gguf", "enter")
        await pilot.pause()
        assert form(app).query_one(ModelChips).names == ("gguf:/x.gguf",)


async def test_no_model_known_says_what_to_type() -> None:
    app = Scripted(models=lambda: ()).app(Draft())
    async with app.run_test() as pilot:
        await pilot.press("f2")
        await pilot.pause()
        assert "Type the name of one" in str(app.screen.query_one("#nothing", Static).render())


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (200, 60)])
async def test_every_field_is_on_the_screen(size: tuple[int, int]) -> None:
    app = Scripted().app(DRAFT)
    async with app.run_test(size=size) as pilot:
        await looked(pilot)
        screen = form(app)
        for name in (
            "text",
            "kind",
            "answer",
            "models",
            "samples",
            "usd",
            "temperature",
            "start",
            "estimate",
        ):
            region = screen.query_one(f"#{name}").region
            assert screen.region.contains_region(region), name
            assert region.area > 0, name


def test_model_notes_are_told_apart_without_colour() -> None:
    chips = ModelChips(("smollm2", "gpt-4o-mini"), id="models")
    chips._known = {model.name: model for model in MODELS}
    assert str(chips.render()) == " smollm2  ready · 0.04 TFLOP a sample    gpt-4o-mini  needs OPENAI_API_KEY"


# -- tests that a user brings ------------------------------------------------------------------------------

ADD = Draft(text="Write a Python function add(a, b).", models=("smollm2",))
ASSERTS = "assert add(1, 2) == 3\nassert add(-1, 1) == 0\nassert add(0, 0) == 0\n"


def test_tests_make_a_problem_one_of_code(tmp_path: Path) -> None:
    path = tmp_path / "tests.py"
    path.write_text(ASSERTS)
    for draft in (replace(ADD, tests=str(path)), replace(ADD, pasted=ASSERTS)):
        problem = read_problem(draft)
        assert (problem.kind, problem.entry_point, problem.answer) == ("code", "add", None)
        assert problem.tests is not None
        assert problem.tests["type"] == "python"


def test_cases_as_json_are_taken_too() -> None:
    cases = '{"type": "stdio", "cases": [{"input": "1 2", "output": "3"}]}'
    tests = read_problem(replace(ADD, text="Read two numbers, print their sum.", pasted=cases)).tests
    assert tests is not None
    assert tests["cases"][0]["output"] == "3"


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"pasted": "assert (("}, "What was pasted, line 1 is not Python."),
        ({"tests": "/nowhere/at/all.py"}, "/nowhere/at/all.py"),
        ({"pasted": ASSERTS, "answer": "3"}, "Both an answer and tests"),
        ({"pasted": "x = 1"}, "does not say which function"),
    ],
)
def test_tests_that_cannot_be_used_are_named(changes: dict[str, str], part: str) -> None:
    with pytest.raises(FieldFault) as fault:
        read_problem(replace(ADD, text="Do something.", **changes))  # type: ignore[arg-type]
    assert fault.value.field == "tests"
    assert part in fault.value.message
    assert "--entry-point" not in (fault.value.fix or "")


async def test_pasted_tests_are_attached_counted_and_taken_away() -> None:
    scripted = Scripted()
    app = scripted.app(ADD)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("f6")
        await pilot.pause()
        app.screen.query_one(TextArea).text = ASSERTS
        await pilot.press("ctrl+r")
        await pilot.pause()
        form = app.screen
        assert isinstance(form, ComposeScreen)
        assert str(form.query_one("#tested", Label).render()) == "checked by: tests (3 asserts), pasted"
        await pilot.press("f5")
        problem, _ = scripted.asked[-1]
        assert problem.tests is not None
        assert problem.kind == "code"


async def test_rewards_and_translators_of_the_form_are_in_the_plan() -> None:
    plan = read_plan(replace(DRAFT, reward=" embedded ", translator="smollm2"))
    assert (plan.reward, plan.translator) == ("embedded", "smollm2")
    assert (read_plan(DRAFT).reward, read_plan(DRAFT).translator) == (None, None)
    again = draft_of(STARTERS[0], plan)
    assert (again.reward, again.translator) == ("embedded", "smollm2")

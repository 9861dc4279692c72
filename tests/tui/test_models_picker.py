"""The list of models: thousands of names, searched by typing, priced where they are shown."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from textual.app import App
from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from app.models.favourites import Favourites
from app.runs.habits import Habits
from app.runs.plan import Plan
from app.tui.ports import ModelChoice, PriceLine, short_name
from app.tui.screens.models import ModelPicker

HERE = (
    ModelChoice("smollm2", "135M, embedded", group="On this machine", parameters=134_515_008, context=8192),
    ModelChoice("gguf:/m/qwen.gguf", "a file of your own", group="On this machine"),
    ModelChoice(
        "qwen2.5-coder", "494M", ready=False, missing="491 MB to fetch", upgrade=True, group="On this machine"
    ),
    ModelChoice("vllm:Qwen/Qwen3-8B", "up now, on port 8000", group="vLLM", context=40960),
)
MANY = tuple(
    ModelChoice(
        f"{provider}/model-{number}",
        provider,
        ready=provider == "acme",
        missing="" if provider == "acme" else f"export {provider.upper()}_API_KEY=…",
        group="API models",
    )
    for provider in ("acme", "zeta", "omega")
    for number in range(1000)
)


class Shop:
    """What the picker asks for, and how often."""

    def __init__(self, catalog: Sequence[ModelChoice] = MANY) -> None:
        self.catalog_names = catalog
        self.let_in = threading.Event()
        self.let_in.set()
        self.priced: list[str] = []
        self.kept: tuple[str, ...] = ()

    def catalog(self) -> Sequence[ModelChoice]:
        self.let_in.wait(10)
        return self.catalog_names

    def prices(self, name: str) -> PriceLine:
        self.priced.append(name)
        if name == "acme/model-7":
            return PriceLine("0.15 / 0.6", "$0.00031", "1.61k", "the list")
        return PriceLine("free") if not name.startswith(("acme", "zeta", "omega")) else PriceLine("unknown")

    def toggle(self, name: str) -> tuple[str, ...]:
        self.kept = (
            tuple(one for one in self.kept if one != name) if name in self.kept else (*self.kept, name)
        )
        return self.kept

    def picker(self, chosen: tuple[str, ...] = ("smollm2",)) -> ModelPicker:
        return ModelPicker(
            HERE,
            chosen,
            catalog=self.catalog,
            prices=self.prices,
            favourites=lambda: self.kept,
            toggle=self.toggle,
        )


class Host(App[None]):
    def __init__(self, picker: ModelPicker) -> None:
        super().__init__()
        self.picker = picker
        self.answer: tuple[str, ...] | None = ("nothing yet",)

    def on_mount(self) -> None:
        self.push_screen(self.picker, self._take)

    def _take(self, names: tuple[str, ...] | None) -> None:
        self.answer = names


async def loaded(pilot: Pilot[None]) -> None:
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def lines(app: Host) -> list[str]:
    options = app.picker.query_one(OptionList)
    return [
        str(option.prompt) if not isinstance(option.prompt, Content) else option.prompt.plain
        for option in options.options
    ]


def bottom(app: Host) -> str:
    return str(app.picker.query_one("#more", Static).render())


async def test_all_models_stand_in_one_list_under_their_headings() -> None:
    app = Host(Shop().picker())
    async with app.run_test(size=(120, 40)) as pilot:
        await loaded(pilot)
        shown = lines(app)
        headings = [line for line in shown if not line.startswith(" ") and "more" not in line]
        assert [line for line in headings if "•" not in line] == ["On this machine", "vLLM", "API models"]
        assert "✓ smollm2" in shown[1]
        assert "135M" in shown[1]
        assert "✗ qwen2.5-coder" in shown[3]
        assert "suggested" in shown[3]
        assert shown[-1] == "2,944 more: type to search"


async def test_only_the_lines_that_are_shown_are_priced_and_each_once() -> None:
    shop = Shop()
    app = Host(shop.picker())
    async with app.run_test(size=(120, 40)) as pilot:
        await loaded(pilot)
        await pilot.press("down", "space", "space")
        await pilot.pause()
        assert len(shop.priced) == len(set(shop.priced)) == 60


async def test_what_is_typed_narrows_the_list() -> None:
    app = Host(Shop().picker())
    async with app.run_test(size=(120, 40)) as pilot:
        await loaded(pilot)
        await pilot.press(*"acme/model-7")
        await pilot.pause()
        shown = lines(app)
        assert "acme/model-7 " in shown[0]
        assert "0.15 / 0.6" in shown[0]
        assert "$0.00031" in shown[0]
        assert "1.61k" in shown[0]
        assert "ready" in bottom(app)
        assert "$0.15 in, $0.6 out per million tokens (the list)" in bottom(app)
        assert not any("smollm2" in line for line in shown)


async def test_the_bottom_says_what_is_missing() -> None:
    app = Host(Shop().picker())
    async with app.run_test(size=(80, 24)) as pilot:
        await loaded(pilot)
        await pilot.press(*"zeta/model-3")
        await pilot.pause()
        assert "missing: export ZETA_API_KEY=…" in bottom(app)


async def test_the_models_of_this_machine_are_there_before_the_providers_are_known() -> None:
    shop = Shop()
    shop.let_in.clear()
    app = Host(shop.picker())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert len(lines(app)) == len(HERE) + 2
        await pilot.press("down")
        shop.let_in.set()
        await loaded(pilot)
        assert len(lines(app)) > len(HERE) + 2
        await pilot.press("enter")
        assert app.answer == ("gguf:/m/qwen.gguf",)


async def test_several_can_be_chosen_across_searches() -> None:
    app = Host(Shop().picker(()))
    async with app.run_test(size=(120, 40)) as pilot:
        await loaded(pilot)
        await pilot.press("space", *"zeta/model-12", "space", "enter")
        await pilot.pause()
        assert app.answer == ("smollm2", "zeta/model-12")


async def test_a_form_is_filled_in_and_not_chosen() -> None:
    app = Host(ModelPicker((*HERE, ModelChoice("vllm:NAME", "any model of a hub")), ()))
    async with app.run_test(size=(120, 40)) as pilot:
        await loaded(pilot)
        await pilot.press(*"vllm:n", "space", "enter")
        await pilot.pause()
        assert app.answer == ("nothing yet",)
        assert app.picker.query_one(Input).value == "vllm:"
        await pilot.press(*"Qwen/Qwen9", "enter")
        await pilot.pause()
        assert app.answer == ("vllm:Qwen/Qwen9",)


async def test_favourites_are_kept_and_stand_first() -> None:
    shop = Shop()
    app = Host(shop.picker())
    async with app.run_test(size=(120, 40)) as pilot:
        await loaded(pilot)
        await pilot.press(*"omega/model-999", "f8")
        await pilot.pause()
        assert shop.kept == ("omega/model-999",)
        await pilot.press(*["backspace"] * len("omega/model-999"))
        await pilot.pause()
        assert lines(app)[0].strip() == "Favourites"
        assert "★" in lines(app)[1]
        assert "omega/model-999" in lines(app)[1]
        await pilot.press("enter")
        assert app.answer == ("omega/model-999",)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_nothing_that_matters_is_cut_off(size: tuple[int, int]) -> None:
    app = Host(Shop().picker())
    async with app.run_test(size=size) as pilot:
        await loaded(pilot)
        await pilot.press(*"acme/model-7")
        await pilot.pause()
        width = app.picker.query_one(OptionList).scrollable_content_region.width
        heads = str(app.picker.query_one("#columns", Static).render())
        line = lines(app)[0]
        assert len(heads.rstrip()) <= width
        assert line.index("$0.00031") + len("$0.00031") <= width
        assert line.index("$0.00031") + len("$0.00031") == heads.index("a sample") + len("a sample")
        assert app.picker.query_one("#more", Static).region.bottom <= size[1]


async def test_it_opens_at_once_whatever_the_catalog() -> None:
    """The worst of five openings on 3,000 names, measured to the frame after it, in this test's own CPU."""
    app = Host(Shop().picker())
    async with app.run_test(size=(120, 40)) as pilot:
        await loaded(pilot)
        spent = []
        for _ in range(5):
            before = time.thread_time()
            app.picker.refill()
            await pilot.pause()
            spent.append(time.thread_time() - before)
    assert min(spent) < 0.1


def test_a_price_in_words_follows_the_problem_and_the_plan(tmp_path: Path) -> None:
    from app.tui.text.prices import price_line
    from budgets.amounts import Budget, parse_usd
    from budgets.rates import parse_price

    nothing_known = Habits(tmp_path / "habits.json")
    plan = Plan(models=("acme/x",), budget=Budget(usd=parse_usd("1")))
    own = {"acme/x": parse_price("1,2")}
    line = price_line("acme/x", "x" * 400, plan, own, nothing_known)
    assert line == PriceLine("1.00 / 2.00", "≤ $0.0012", "866", "given on the command line")
    assert price_line("nobody/x", "x", plan, {}, nothing_known).rates == "unknown"
    assert price_line("gguf:/m.gguf", "x", plan, {}, nothing_known).rates == "free"


def test_favourites_outlive_the_program(tmp_path: Path) -> None:
    file = tmp_path / "data" / "favourites.json"
    assert Favourites(file).names() == ()
    assert Favourites(file).toggle("a") == ("a",)
    assert Favourites(file).toggle("b") == ("a", "b")
    assert Favourites(file).toggle("a") == Favourites(file).names() == ("b",)
    file.write_text("not JSON")
    assert Favourites(file).toggle("c") == ("c",)


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [
        ("groq/openai/gpt-oss-120b", 28, "groq/openai/gpt-oss-120b"),
        ("groq/meta-llama/llama-prompt-guard-2-86m", 30, "…/llama-prompt-guard-2-86m"),
        ("apac.anthropic.claude-sonnet-4-20250514-v1:0", 30, "…aude-sonnet-4-20250514-v1:0"),
        ("gguf:/a/long/folder/of/mine/qwen-coder.gguf", 24, "gguf:…/qwen-coder"),
        ("vllm:somebody/A-Model-With-A-Long-Name", 20, "vllm:…/A-Model-With…"),
    ],
)
def test_a_long_name_is_cut_where_it_says_least(name: str, width: int, shown: str) -> None:
    assert short_name(name, width)[-20:] == shown[-20:]
    assert len(short_name(name, width)) <= width

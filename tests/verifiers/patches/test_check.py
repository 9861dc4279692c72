"""Verdicts on changes to a small repository, its tests really run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from tests.verifiers.patches.shop import (
    BASKET,
    NEW,
    OLD,
    PYTEST,
    RIGHT,
    RIGHT_AS_DIFF,
    WRONG,
    block,
    listing,
    make_shop,
)
from verifiers.patches import PatchChecker, PatchTask, PatchVerdict
from verifiers.sandbox import CommandBox, NoSandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")
ASSERTS = "    assert basket.total() == 6"
SKIP = "import pytest\npytest.skip('no', allow_module_level=True)\nclass Basket:"
UNITTESTS = """\
import unittest

from shop.basket import Basket


class BasketTest(unittest.TestCase):
    def test_one_thing(self):
        basket = Basket()
        basket.add("pen", 2)
        self.assertEqual(basket.total(), 2)

    def test_several_of_a_thing(self):
        basket = Basket()
        basket.add("pen", 2, count=3)
        self.assertEqual(basket.total(), 6)
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def box() -> AsyncIterator[CommandBox]:
    async with CommandBox(2) as made:
        try:
            await made.probe()
        except NoSandbox as missing:
            pytest.skip(f"NOT CHECKED: {missing.message} {missing.fix}")
        yield made


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shop(tmp_path_factory.mktemp("shop"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def checker(box: CommandBox, shop: Path) -> AsyncIterator[PatchChecker]:
    made = PatchChecker(box, PatchTask(shop, PYTEST, seconds=60))
    yield made
    await made.close()


async def judge(box: CommandBox, task: PatchTask, reply: str) -> PatchVerdict:
    checker = PatchChecker(box, task)
    try:
        return await checker.judge(reply)
    finally:
        await checker.close()


@pytest.mark.parametrize(
    ("reply", "verdict", "words"),
    [
        (RIGHT, "right", "2 tests pass, and the command failed before"),
        (WRONG, "wrong", "test_one_thing fails, which passed before: assert 3 == 2 (and 1 more)"),
        ("I do not know.", "wrong", "the reply holds no change to a file"),
        (block("shop/basket.py", "no such line", "x"), "wrong", "the SEARCH block for shop/basket.py"),
        (block("../x.py", "", "x"), "wrong", "leads out of the repository"),
        (block("shop/basket.py", "class Basket:", "class Basket"), "wrong", "tests/test_basket.py fails"),
        (
            block("tests/test_basket.py", ASSERTS, ""),
            "wrong", "it edits only what judges it (tests/test_basket.py)",
        ),
        (
            block("conftest.py", "", "import os\nos._exit(0)") + block("pytest.py", "", "print('1 passed')"),
            "wrong", "it edits only what judges it (conftest.py, pytest.py)",
        ),
        (
            RIGHT + block("tests/test_basket.py", ASSERTS, ""),
            "right", "and the command failed before (its edits to tests/test_basket.py set aside)",
        ),
        (
            block("shop/__init__.py", "", "import os\nprint('2 passed in 0.01s', flush=True)\nos._exit(0)"),
            "wrong", "the test run was ended before its end",
        ),
        (
            block("shop/basket.py", "class Basket:", SKIP),
            "wrong", "the test command ends with status 5",
        ),
    ],
)  # fmt: skip
async def test_verdicts_and_their_reasons(
    checker: PatchChecker, shop: Path, reply: str, verdict: str, words: str
) -> None:
    before = listing(shop)
    found = await checker.judge(reply)

    assert (found.judgement.verdict, words in found.judgement.reason) == (verdict, True), found
    assert listing(shop) == before, "the user's own folder is only read"


async def test_equal_changes_are_judged_once(checker: PatchChecker) -> None:
    assert await checker.judge(RIGHT_AS_DIFF) is await checker.judge(RIGHT)


async def test_what_a_run_took_is_recorded(checker: PatchChecker) -> None:
    found = await checker.judge(RIGHT)
    assert "2 passed" in found.stdout
    assert found.seconds > 0
    assert found.memory_mb > 5
    assert found.box.startswith("bubblewrap")
    assert found.diff.startswith("diff --git a/shop/basket.py b/shop/basket.py\n")


async def test_lists_decide_where_there_are_any(box: CommandBox, shop: Path) -> None:
    name = "tests/test_basket.py::test_several_of_a_thing"
    task = PatchTask(shop, PYTEST, fail_to_pass=(name,))
    kept = PatchTask(shop, PYTEST, (name,), ("tests/test_basket.py::test_one_thing",))
    fixed = block("shop/basket.py", OLD, "        return 6")

    assert (await judge(box, task, fixed)).judgement.verdict == "right"
    found = await judge(box, kept, fixed)
    assert found.judgement.verdict == "wrong"
    assert "test_one_thing failed: assert 6 == 2" in found.judgement.reason
    absent = await judge(box, replace(task, fail_to_pass=("tests/test_basket.py::test_absent",)), fixed)
    assert "test_absent is not run" in absent.judgement.reason


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("nosuchprogram -q", "“nosuchprogram -q” is not found here (nosuchprogram)"),
        ("true", "the tests pass without any change, so they show nothing"),
        (f"{PYTEST}::test_one_thing", "the tests pass without any change, so they show nothing"),
        (PYTEST.replace("test_basket", "test_absent"), "finds no such tests"),
    ],
)
async def test_a_command_that_shows_nothing_leaves_all_undecided(
    box: CommandBox, shop: Path, command: str, words: str
) -> None:
    found = await judge(box, PatchTask(shop, command), RIGHT)
    assert (found.judgement.verdict, words in found.judgement.reason) == ("undecided", True), found


@pytest.mark.parametrize(
    ("line", "words"),
    [("sleep 60", "ran out of its 1 s"), ("yes", "printed more than 8 MB")],
)
async def test_a_command_that_goes_wrong_after_the_change(
    box: CommandBox, shop: Path, line: str, words: str
) -> None:
    command = f"grep -q count.for shop/basket.py || exit 1; {line}"
    found = await judge(box, PatchTask(shop, command, seconds=1.0), RIGHT)
    assert (found.judgement.verdict, words in found.judgement.reason) == ("wrong", True), found


async def test_a_command_without_known_tests_goes_by_its_status(box: CommandBox, shop: Path) -> None:
    found = await judge(box, PatchTask(shop, "grep -q 'price . count' shop/basket.py"), RIGHT)
    assert found.judgement.reason == "the test command succeeds, and failed before (it names no tests)"


async def test_the_tree_counts_as_it_stands_with_its_built_modules_and_without_its_secrets(
    box: CommandBox, tmp_path: Path
) -> None:
    shop = make_shop(tmp_path)
    for path in ("secret.env", "built.so", "new.txt"):
        (shop / path).write_text("x\n")
    (shop / "shop/basket.py").write_text(BASKET.replace("A basket", "The basket"))
    line = "test ! -e secret.env && test -e built.so && test -e new.txt && grep -q The.basket shop/basket.py"
    found = await judge(box, PatchTask(shop, f"{line} && grep -q 'price . count' shop/basket.py"), RIGHT)

    assert found.judgement.verdict == "right", found
    assert not (shop / ".git/worktrees").exists()


async def test_flaky_tests_are_decided_by_the_majority(box: CommandBox, tmp_path: Path) -> None:
    shop = make_shop(tmp_path)
    command = "grep -q 'price . count' shop/basket.py && test $(( $(date +%N | sed 's/^0*//') % 2 )) = 0"
    found = await judge(box, PatchTask(shop, command, repeat=25), RIGHT)

    assert found.flaky
    assert "flaky: right in " in found.judgement.reason
    assert " of 25 runs" in found.judgement.reason


async def test_it_starts_from_a_commit_with_the_problems_own_tests(box: CommandBox, tmp_path: Path) -> None:
    shop = make_shop(tmp_path)
    (shop / "shop/basket.py").write_text("raise SystemExit  # a later state\n")
    patch = (
        "diff --git a/tests/test_more.py b/tests/test_more.py\nnew file mode 100644\n--- /dev/null\n"
        "+++ b/tests/test_more.py\n@@ -0,0 +1,4 @@\n+from shop.basket import Basket\n+def test_more():\n"
        "+    basket = Basket(); basket.add('pen', 2, 3)\n+    assert basket.total() == 6\n"
    )
    task = PatchTask(
        shop,
        PYTEST.replace("test_basket", "test_more"),
        fail_to_pass=("tests/test_more.py::test_more",),
        commit="HEAD",
        test_patch=patch,
    )
    assert (await judge(box, task, RIGHT)).judgement.verdict == "right"
    cheat = block("tests/test_more.py", "", "def test_more():\n    pass")
    assert (await judge(box, task, cheat)).judgement.verdict == "wrong"
    assert not (shop / "tests/test_more.py").exists()


async def test_unittest_is_read_from_what_it_prints(box: CommandBox, tmp_path: Path) -> None:
    shop = make_shop(tmp_path, git=False)
    (shop / "tests/test_basket.py").write_text(UNITTESTS)
    (shop / "tests/__init__.py").write_text("")
    found = await judge(box, PatchTask(shop, "python3 -m unittest -v tests.test_basket"), RIGHT)

    assert found.judgement.reason == "2 tests pass, as unittest printed, and the command failed before"


@pytest.mark.parametrize("place", ["nowhere", "a.txt"])
async def test_what_is_no_repository_is_undecided(box: CommandBox, tmp_path: Path, place: str) -> None:
    (tmp_path / "a.txt").write_text("x")
    found = await judge(box, PatchTask(tmp_path / place, "true"), RIGHT)
    assert found.judgement.verdict == "undecided"
    assert str(tmp_path / place) in found.judgement.reason


async def test_no_copy_is_left(box: CommandBox, shop: Path) -> None:
    checker = PatchChecker(box, PatchTask(shop, "true"))
    folder = checker.snapshot().folder
    assert (folder / "shop/basket.py").read_text() == BASKET
    await checker.close()
    assert not folder.exists()
    assert NEW not in (shop / "shop/basket.py").read_text()


async def test_a_package_of_theirs_called_app_is_theirs(box: CommandBox, tmp_path: Path) -> None:
    shop = make_shop(tmp_path)
    (shop / "app").mkdir()
    (shop / "app/__init__.py").write_text("VALUE = 1\n")
    (shop / "tests/test_app.py").write_text("import app\n\n\ndef test_value():\n    assert app.VALUE == 2\n")
    task = PatchTask(shop, PYTEST.replace("test_basket", "test_app"))

    found = await judge(box, task, block("app/__init__.py", "VALUE = 1", "VALUE = 2"))
    assert found.judgement.verdict == "right"
    gone = "import verifiers, budgets\nVALUE = 2"
    found = await judge(box, task, block("app/__init__.py", "VALUE = 1", gone))
    assert "No module named 'verifiers'" in found.judgement.reason, "and ours are nowhere"

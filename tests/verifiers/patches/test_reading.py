"""Changes as models write them, and the files that they bring about."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.verifiers.patches.shop import BASKET, NEW, OLD, RIGHT_AS_DIFF, block, make_shop
from verifiers.patches import BadChange, Files, apply_change, read_change

FIXED = BASKET.replace(OLD, NEW)
FIX = block("shop/basket.py", OLD, NEW)
HUNK = f"     def total(self):\n-{OLD}\n+{NEW}\n"
METHODS = FIXED.partition("class Basket:\n")[2]
METHOD = f"    def total(self):\n{NEW}\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shop(tmp_path_factory.mktemp("shop"))


def outcome(
    shop: Path, reply: str, *, likely: tuple[str, ...] = (), cut_off: bool = False
) -> dict[str, str | None]:
    change = read_change(reply, cut_off=cut_off)
    assert change is not None, "no change was found"
    return dict(apply_change(change, Files(shop), likely=likely).files)


@pytest.mark.parametrize(
    "reply",
    [
        FIX,
        f"```\n{FIX}```",
        f"Here is the fix.\n\n```python\n{FIX}```\nIt multiplies.",
        f"**shop/basket.py**\n\n```python\n{FIX.partition(chr(10))[2]}```",
        f"### `shop/basket.py`\n{FIX.partition(chr(10))[2]}",
        f"File: shop/basket.py\n{FIX.partition(chr(10))[2]}",
        FIX.replace("shop/basket.py", "a/shop/basket.py"),
        FIX.replace("shop/basket.py", "./shop/basket.py"),
        FIX.replace("shop/basket.py", "basket.py"),
        FIX.replace("<<<<<<<", "<<<<<<").replace(">>>>>>> REPLACE", ">>>>>> UPDATED"),
        FIX.replace("        return", "    return"),
        FIX.replace(OLD, f"{OLD}   "),
        FIX.replace("\n", "\r\n"),
        f"```\n{FIX.replace('>>>>>>> REPLACE' + chr(10), '')}```",
        f"<think>{block('shop/basket.py', 'nothing', 'x')}</think>{FIX}",
        RIGHT_AS_DIFF,
        RIGHT_AS_DIFF.replace("@@ -10,3 +10,3 @@ class Basket:", "@@ -1,99 +200,7 @@"),
        RIGHT_AS_DIFF.replace("@@ -10,3 +10,3 @@ class Basket:", "@@"),
        RIGHT_AS_DIFF.replace("     def total", "def total"),
        RIGHT_AS_DIFF.replace("     def total(self):", "     def totals(self, tax):"),
        RIGHT_AS_DIFF.replace("a/shop", "shop").replace("b/shop", "shop"),
        f"diff --git a/shop/basket.py b/shop/basket.py\nindex 1..2 100644\n--- a/shop/basket.py\n"
        f"+++ b/shop/basket.py\n@@ -10,2 +10,2 @@\n{HUNK}",
        f"I see.\n\n--- shop/basket.py\n+++ shop/basket.py\n@@ -11,2 +11,2 @@\n{HUNK}\nThat is all.",
        f"shop/basket.py\n```python\n{FIXED}```",
        f"```python shop/basket.py\n{FIXED}```",
        f"```python\n# shop/basket.py\n{FIXED}```",
    ],
)
def test_one_change_in_many_formats(shop: Path, reply: str) -> None:
    assert outcome(shop, reply) == {"shop/basket.py": FIXED}


@pytest.mark.parametrize(
    ("reply", "cut_off"),
    [
        (f"```python\n{METHOD}```", False),
        (
            f"The method:\n```python\nclass Basket:\n{METHODS}```\nSo",
            True,
        ),
        (f"shop/basket.py\n```python\n{METHOD}```", False),
        (FIX.partition("\n")[2], False),
        (FIX.replace("shop/basket.py", "shapes.py"), False),
    ],
)
def test_a_change_without_a_name_belongs_to_the_file_that_has_its_lines(
    shop: Path, reply: str, cut_off: bool
) -> None:
    likely = ("shop/names.py", "shop/basket.py", "tests/test_basket.py")
    assert list(outcome(shop, reply, likely=likely, cut_off=cut_off)) == ["shop/basket.py"]


@pytest.mark.parametrize(
    ("reply", "files"),
    [
        (block("shop/new.py", "", "X = 1"), {"shop/new.py": "X = 1\n"}),
        (
            "--- /dev/null\n+++ b/shop/new.py\n@@ -0,0 +1,2 @@\n+X = 1\n+Y = 2\n",
            {"shop/new.py": "X = 1\nY = 2\n"},
        ),
        (
            "diff --git a/shop/names.py b/shop/names.py\ndeleted file mode 100644\n--- a/shop/names.py\n"
            "+++ /dev/null\n@@ -1 +0,0 @@\n-GREETING = 'Welcome'\n",
            {"shop/names.py": None},
        ),
        (
            "diff --git a/shop/names.py b/shop/words.py\nsimilarity index 100%\n"
            "rename from shop/names.py\nrename to shop/words.py\n",
            {"shop/names.py": None, "shop/words.py": "GREETING = 'Welcome'\n"},
        ),
        (
            block("shop/names.py", "GREETING = 'Welcome'", "GREETING = 'Hi'") + FIX,
            {"shop/names.py": "GREETING = 'Hi'\n", "shop/basket.py": FIXED},
        ),
    ],
)
def test_new_files_old_files_and_several(shop: Path, reply: str, files: dict[str, str | None]) -> None:
    assert outcome(shop, reply) == files


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (block("../outside.py", "", "x"), "leads out of the repository"),
        (block("/etc/passwd", "root", "x"), "leads out of the repository"),
        (block("shop/../../x.py", "", "x"), "leads out of the repository"),
        (block(".git/config", "", "x"), "git's own folder"),
        (block("shop/.GIT/hooks/pre-commit.sh", "", "x"), "git's own folder"),
        ("--- a/../../x.py\n+++ b/../../x.py\n@@ -1 +1 @@\n-a\n+b\n", "leads out of the repository"),
        ("--- /dev/null\n+++ b/../x.py\n@@ -0,0 +1 @@\n+b\n", "leads out of the repository"),
        (block("link/x.py", "", "x"), "link is a link"),
        (block("shop/absent.py", "a", "b"), "there is no file shop/absent.py"),
        (block("shop/basket.py", "not there", "b"), "the SEARCH block for shop/basket.py"),
        (block("shop/basket.py", "", "b"), "an empty SEARCH block would overwrite"),
        (block("shop/basket.py", OLD, OLD), "leaves every file as it is"),
        (
            "--- a/shop/basket.py\n+++ b/shop/basket.py\n@@ -1 +1 @@\n-wrong\n+b\n",
            "hunk 1 of 1 of shop/basket.py",
        ),
        ("diff --git a/x.png b/x.png\nBinary files a/x.png and b/x.png differ\n", "binary file"),
        (f"```python\n{METHOD}```", "it names no file"),
        (FIX.partition("\n")[2], "names no file"),
    ],
)
def test_a_change_that_cannot_be_made_says_why(shop: Path, reply: str, words: str) -> None:
    link = shop / "link"
    if not link.is_symlink():
        link.symlink_to("/tmp")
    with pytest.raises(BadChange, match=words):
        outcome(shop, reply)


@pytest.mark.parametrize(
    ("reply", "cut_off"),
    [
        ("", False),
        ("I would multiply.", False),
        ("```python\nprint(1)\n```", False),
        (f"```python\n{FIX.partition('=======')[0]}", True),
        (f"```diff\n{RIGHT_AS_DIFF.partition(chr(10))[2].partition('+' + NEW)[0]}", True),
        ("shop/basket.py\n```python\nclass Basket:\n    # ... existing code ...\n```", False),
    ],
)
def test_no_change(reply: str, cut_off: bool) -> None:
    assert read_change(reply, cut_off=cut_off) is None


def test_the_diff_is_one_that_git_applies(tmp_path: Path) -> None:
    shop = make_shop(tmp_path)
    (shop / "crlf.py").write_bytes(b"a = 1\r\nb = 2\r\n")
    (shop / "open.py").write_bytes(b"a = 1\nb = 2")
    reply = (
        FIX + block("crlf.py", "b = 2", "b = 3") + block("open.py", "b = 2", "b = 3")
        + block("new.py", "", "x = 1")
    )  # fmt: skip
    change = read_change(reply)
    assert change is not None
    applied = apply_change(change, Files(shop))
    subprocess.run(["git", "apply", "-"], cwd=shop, input=applied.diff.encode(), check=True)

    assert {path: (shop / path).read_bytes().decode() for path in applied.files} == applied.files
    assert (shop / "crlf.py").read_bytes() == b"a = 1\r\nb = 3\r\n"
    assert (shop / "open.py").read_bytes() == b"a = 1\nb = 3"


@pytest.mark.parametrize("line", ["<<<<<<< SEARCH\n", "```\n", "@@ -1 +1 @@\n+\n"])
def test_long_nonsense_is_read_in_time(line: str) -> None:
    read_change(line * 20_000)
    read_change(line * 20_000, cut_off=True)

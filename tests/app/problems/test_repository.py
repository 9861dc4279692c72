"""Which files of a repository a model is shown."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.errors import BadInput
from app.models.base import ModelInfo
from app.models.prompts import build_prompt
from app.problems.load import load_problems
from app.problems.problem import Problem
from app.problems.repository import excerpt, rank_files, with_sources
from tests.verifiers.patches.shop import BASKET, ISSUE, PYTEST, make_shop
from verifiers.patches import Files

MODEL = partial(ModelInfo, name="m", kind="scripted", local=True, stops_when_told=True)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_shop(tmp_path_factory.mktemp("shop"))
    for number in range(30):
        (folder / f"shop/other{number}.py").write_text(f"def helper_{number}(basket):\n    return basket\n")
    return folder


def patch(shop: Path, prompt: str = ISSUE, **fields: object) -> Problem:
    row = {"id": "p", "kind": "patch", "prompt": prompt, "repo": str(shop)} | fields
    return msgspec.convert(row, Problem)


@pytest.mark.parametrize(
    ("issue", "command", "first"),
    [
        (ISSUE, "", "shop/basket.py"),
        (ISSUE, "pytest tests/test_basket.py", "shop/basket.py"),
        ("It is wrong.", "pytest tests/test_basket.py::test_one_thing", "shop/basket.py"),
        ('File "/home/me/shop/other7.py", line 2, in f', "", "shop/other7.py"),
        ("See shop/names.py.", "", "shop/names.py"),
        ("`helper_12` returns what it is given.", "", "shop/other12.py"),
        ("shop.other3.helper_3 fails", "", "shop/other3.py"),
        ("from shop.names import GREETING says hello", "", "shop/names.py"),
    ],
)
def test_what_an_issue_points_at_comes_first(shop: Path, issue: str, command: str, first: str) -> None:
    scores = rank_files(issue, command, Files(shop))
    assert max(scores, key=lambda path: scores[path]) == first


def test_nothing_that_nothing_points_at(shop: Path) -> None:
    assert "shop/other5.py" not in rank_files(ISSUE, PYTEST, Files(shop))


def test_the_named_files_are_shown_in_their_order(shop: Path) -> None:
    found = with_sources(patch(shop, files=["names.py", "shop/basket.py"]))
    assert [(one.path, len(one.text)) for one in found.sources] == [
        ("shop/names.py", 21),
        ("shop/basket.py", len(BASKET)),
    ]
    assert with_sources(found) is found, "a resumed run shows what it showed before"


def test_other_problems_stay_as_they_are(shop: Path) -> None:
    for problem in (patch(shop, kind="math"), patch(shop, repo=None)):
        assert with_sources(problem) is problem


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"repo": "/no/such/folder"}, "/no/such/folder does not exist"),
        ({"repo": __file__}, "is a file, not a folder"),
        ({"repo": "/"}, "is no repository"),
        ({"files": ["absent.py"]}, "there is no file absent.py"),
        ({"files": ["../x.py"]}, "leads out of the repository"),
        ({"base_commit": "feedc0de"}, "has no commit feedc0de"),
    ],
)
def test_a_repository_that_cannot_be_read_is_bad_input(
    shop: Path, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        with_sources(patch(shop, **fields))


def test_a_commit_is_shown_as_it_was(tmp_path: Path) -> None:
    shop = make_shop(tmp_path)
    (shop / "shop/basket.py").write_text("x = 1\n")
    found = with_sources(patch(shop, base_commit="HEAD", files=["shop/basket.py"]))
    assert found.sources[0].text == BASKET


def test_an_excerpt_holds_the_lines_around_the_names() -> None:
    lines = [f"line_{number} = {number}" for number in range(3000)]
    lines[1500] = "def wanted():"
    part = excerpt("\n".join(lines), {"wanted"}, 2000)
    assert "def wanted():" in part
    assert "line_1499 = 1499\ndef wanted():\nline_1501 = 1501" in part
    assert len(part) <= 2000
    assert (
        excerpt("\n".join(lines), set(), 100)
        == "".join(f"{line}\n" for line in lines)[:100].rpartition("\n")[0] + "\n"
    )


@pytest.mark.parametrize("context", [None, 2048, 150])
def test_the_prompt_holds_what_the_model_can_read(shop: Path, context: int | None) -> None:
    problem = with_sources(patch(shop, test_command=PYTEST))
    prompt = build_prompt(problem, MODEL(context=context))
    asked = prompt.messages[-1].content
    assert ISSUE in asked
    assert "SEARCH" in prompt.messages[0].content
    assert len(prompt.messages) == 4, "an example shows the form"
    assert (f"shop/basket.py\n```python\n{BASKET}```" in asked) == (context != 150)
    assert len(asked) < (context or 40_000) * 3


def test_swebenchs_rows_are_problems(tmp_path: Path, shop: Path) -> None:
    row = {
        "instance_id": "shop__shop-1", "repo": str(shop), "base_commit": "HEAD", "problem_statement": ISSUE,
        "patch": "the reference solution", "hints_text": "",
        "test_patch": "diff --git a/tests/test_a.py b/tests/test_a.py\n--- a/tests/test_a.py\n"
        "+++ b/tests/test_a.py\n@@ -1 +1 @@\n-a\n+b\n",
        "FAIL_TO_PASS": '["tests/test_a.py::test_x"]', "PASS_TO_PASS": "[]", "version": "1",
    }  # fmt: skip
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    found = load_problems(tmp_path / "rows.jsonl")[0]

    assert (found.id, found.kind, found.prompt, found.answer) == ("shop__shop-1", "patch", ISSUE, None)
    assert found.test_command == "pytest tests/test_a.py"
    assert (found.fail_to_pass, found.pass_to_pass) == (("tests/test_a.py::test_x",), ())
    assert found.base_commit == "HEAD"
    assert "reference" not in msgspec.json.encode(found).decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"repeat_tests": 0}, "repeat_tests"),
        ({"test_seconds": -1}, "test_seconds"),
        ({"test_command": " "}, "empty"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, fields: dict[str, object], words: str) -> None:
    row = {"kind": "patch", "prompt": "x", "repo": "."} | fields
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(BadInput, match=words):
        load_problems(tmp_path / "rows.jsonl")

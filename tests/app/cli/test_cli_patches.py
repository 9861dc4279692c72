"""``solve`` and ``verify`` on a repository: its issue put to a model, each change tried in a copy."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import verifiers.sandbox
from app.cli.main import run
from tests.app.cli.calls import monkeys, script
from tests.app.cli.test_cli_verify import jsonl
from tests.verifiers.patches.shop import ISSUE, PYTEST, RIGHT, RIGHT_AS_DIFF, WRONG, listing, make_shop


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    return make_shop(folder)


def solve(shop: Path, tmp_path: Path, *texts: str, extra: tuple[str, ...] = ()) -> dict[str, Any]:
    done = monkeys(
        tmp_path,
        *("solve", ISSUE, "--repo", str(shop), "--test-command", PYTEST, "--seed", "3"),
        *("--model", script(tmp_path, *texts), "--samples", str(len(texts)), "-o", "json", *extra),
    )
    if done.returncode == 5:
        pytest.skip(f"NOT CHECKED: {done.stdout.decode()}")
    assert done.returncode == 0, done
    found: dict[str, Any] = json.loads(done.stdout)
    return found | {"stderr": done.stderr.decode()}


def test_solve_repairs_a_repository_and_answers_with_a_diff_that_git_applies(
    shop: Path, tmp_path: Path
) -> None:
    before = listing(shop)
    found = solve(shop, tmp_path, RIGHT, WRONG, RIGHT_AS_DIFF, "I would look at the basket.")

    assert found["problem"]["kind"] == "patch"
    assert (found["coverage"]["n"], found["coverage"]["correct"]) == (4, 2)
    pick = found["picks"]["majority"]
    assert pick["support"] == 2, "a diff and a search/replace block that do the same vote together"
    assert listing(shop) == before, "the user's folder is only read"
    subprocess.run(["git", "-C", str(shop), "apply", "-"], input=pick["answer"].encode(), check=True)
    assert "price * count" in (shop / "shop/basket.py").read_text()


def test_what_a_user_should_know_comes_before_the_run(shop: Path, tmp_path: Path) -> None:
    tests = shop / "tests/test_basket.py"
    tests.write_text(tests.read_text().partition("\n\n\ndef test_several")[0] + "\n")
    found = solve(shop, tmp_path, RIGHT)

    assert "1 file differs from the last commit" in found["stderr"]
    assert "the tests pass without any change, so they show nothing" in found["stderr"]
    assert not found["coverage"]["verified"]


def test_verify_judges_patches_made_elsewhere(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = {
        "fail_to_pass": ["tests/test_basket.py::test_several_of_a_thing"],
        "pass_to_pass": ["tests/test_basket.py::test_one_thing"],
    }
    patch = {"kind": "patch", "prompt": ISSUE, "repo": str(shop), "test_command": PYTEST}
    problems = jsonl(tmp_path / "p.jsonl", [{"id": "a"} | patch, {"id": "b"} | patch | listed])
    texts = {"a": (RIGHT, WRONG), "b": (RIGHT_AS_DIFF, WRONG)}
    samples = [{"problem_id": name, "text": text} for name, pair in texts.items() for text in pair]
    status = run(
        ["verify", "--problems", problems, "--samples", jsonl(tmp_path / "s.jsonl", samples), "-o", "jsonl"]
    )
    out = capsys.readouterr().out
    if status == 5:
        pytest.skip(f"NOT CHECKED: {out}")
    rows = [json.loads(line) for line in out.splitlines()]

    assert [row["verdict"] for row in rows] == ["right", "wrong", "right", "wrong"], rows
    assert rows[0]["answer"] == rows[2]["answer"]
    assert rows[0]["detail"]["reason"] == "2 tests pass, and the command failed before"
    assert rows[2]["detail"]["reason"] == "all 2 listed tests pass"
    assert "test_one_thing fails, which passed before: assert 3 == 2" in rows[1]["detail"]["reason"]
    assert "2 passed" in rows[0]["detail"]["stdout"]
    assert rows[0]["detail"]["box"].startswith("bubblewrap")


def test_without_a_sandbox_nothing_runs_and_the_status_is_5(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONKEYS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(verifiers.sandbox.commands.CommandBox.__init__, "__defaults__", (None, list, None))
    status = run(["solve", ISSUE, "--repo", str(shop), "--test-command", PYTEST, "-o", "json"])
    error = json.loads(capsys.readouterr().out)["error"]

    assert (status, error["kind"]) == (5, "part-missing")
    assert "bubblewrap" in error["fix"]

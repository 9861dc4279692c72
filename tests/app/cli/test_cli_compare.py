"""``monkeys compare`` from the outside: the contract's object, going on, exports, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import run
from tests.app.cli.calls import RIGHT, WRONG, environment, last_line, script

PROBLEMS = [
    {"id": "sum", "kind": "math", "prompt": "What is 17 + 26?", "answer": "43"},
    {"id": "other", "kind": "math", "prompt": "What is 30 + 3?", "answer": "33"},
    {"id": "third", "kind": "math", "prompt": "What is 1 + 1?", "answer": "2"},
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MONKEYS_HOME", str(tmp_path / "home"))
    (tmp_path / "set.jsonl").write_text("".join(json.dumps(row) + "\n" for row in PROBLEMS))
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    assert run([*arguments, "-o", "json"]) == status, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def compared(home: Path, capsys: pytest.CaptureFixture[str], *more: str) -> Any:
    models = ("--model", script(home, RIGHT), "--model", script(home, WRONG, RIGHT, name="mixed.jsonl"))
    return told(capsys, "compare", str(home / "set.jsonl"), *models, "--samples", "4", *more)


def test_the_contracts_object(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = compared(home, capsys)
    assert found["status"] == "completed"
    assert len(found["models"]) == 2
    for model in found["models"].values():
        assert model["problems"] == 3
        assert model["samples"] == 12
        assert {"solved", "coverage", "picks", "spend"} <= set(model)
        for value, low, high in model["coverage"].values():
            assert 0 <= low <= value <= high <= 1
    first, second = found["models"].values()
    assert (first["solved"], second["solved"]) == (1, 2)
    assert first["coverage"]["1"][0] == pytest.approx(1 / 3)
    assert second["coverage"]["4"][0] == pytest.approx(2 / 3)
    assert isinstance(found["verdict"], str)
    assert found["matrix"]["sum"][next(iter(found["models"]))] == [4, 4]


def test_events_and_result_as_lines(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(["compare", str(home / "set.jsonl"), "--model", script(home), "--samples", "2", "-o", "jsonl"])
        == 0
    )
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["type"] == "comparison-started"
    assert lines[0]["schema"] == 1
    assert lines[-1]["type"] == "result"
    assert sum(line["type"] == "sample-finished" for line in lines) == 6


def test_history_shows_goes_on_with_and_exports_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = compared(home, capsys)
    (listed,) = told(capsys, "runs", "list")
    assert (listed["run_id"], listed["problems"], listed["samples"]) == (made["run_id"], 3, 24)
    assert told(capsys, "runs", "show")["matrix"] == made["matrix"]
    more = told(capsys, "runs", "resume", "--more", "2")
    assert all(model["samples"] == 18 for model in more["models"].values())
    assert run(["runs", "export"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == 36
    assert {row["problem_id"] for row in rows} == {"sum", "other", "third"}
    samples = home / "samples.jsonl"
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    again = told(capsys, "runs", "import", str(samples), "--problems", str(home / "set.jsonl"))
    assert again["matrix"] == more["matrix"]


def test_killed_it_goes_on_where_it_was(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slow = script(home, RIGHT, WRONG, tokens_per_second=60, concurrency=2)
    arguments = ["compare", str(home / "set.jsonl"), "--model", slow, "--samples", "12", "-o", "jsonl"]
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(home / "home"),
    )
    assert process.stdout is not None
    seen = 0
    for line in process.stdout:
        seen += json.loads(line)["type"] == "sample-finished"
        if seen == 6:
            break
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 20
    while told(capsys, "runs", "list")[0]["status"] == "running" and time.monotonic() < deadline:
        time.sleep(0.1)
    before = told(capsys, "runs", "show")
    assert before["status"] == "interrupted"
    assert sum(model["samples"] for model in before["models"].values()) >= 6
    after = told(capsys, "runs", "resume")
    assert after["status"] == "completed"
    assert all(row == [12, row[1]] for cells in after["matrix"].values() for row in cells.values())


def test_part_of_a_set(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = compared(home, capsys, "--limit", "2")
    assert list(found["matrix"]) == ["sum", "other"]
    drawn = compared(home, capsys, "--limit", "2", "--subset-seed", "3")
    assert len(drawn["matrix"]) == 2


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("no-such-set",), 2, "There is no problem set"),
        (("{set}", "--limit", "9"), 2, "3 problems, not 9"),
        (("{set}", "--allocation", "clever"), 2, "no allocation clever"),
        (("{set}", "--stop", "settled"), 2, "cannot stop by settled"),
        (("{set}", "--samples", "0"), 2, "buys nothing"),
        (("{empty}",), 2, "no problems"),
        (("{broken}",), 2, "line 2"),
        (("{twins}",), 2, "is taken already"),
    ],
)
def test_what_is_refused(
    home: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    status: int,
    message: str,
) -> None:
    first = json.dumps(PROBLEMS[0])
    for name, text in (("empty", ""), ("broken", f"{first}\n{{oops"), ("twins", f"{first}\n{first}")):
        (home / f"{name}.jsonl").write_text(text)
    places = {name: str(home / f"{name}.jsonl") for name in ("set", "empty", "broken", "twins")}
    asked = [argument.format(**places) for argument in arguments]
    assert run(["compare", *asked, "--model", script(home)]) == status
    assert message in capsys.readouterr().err


def test_two_models_of_which_one_fails_at_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = home / "broken.jsonl"
    fault = {"kind": "auth", "message": "The key is not accepted."}
    broken.write_text(json.dumps({"scripted": 1, "model": "broken"}) + "\n" + json.dumps({"error": fault}))
    found = told(
        capsys, "compare", str(home / "set.jsonl"), "--model", script(home),
        "--model", f"scripted:{broken}", "--samples", "2",
    )  # fmt: skip
    assert found["status"] == "completed"
    assert any("The key is not accepted." in note for note in found["notes"])


def test_a_cap_in_dollars_wants_a_price(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    remote = ("--model", "openai:nobody", "--base-url", "http://127.0.0.1:9/v1")
    assert run(["compare", str(home / "set.jsonl"), *remote, "--max-cost", "1", "-o", "json"]) == 3
    assert last_line(capsys.readouterr().out.encode())["error"]["kind"] == "cannot-pay"


@pytest.mark.parametrize("name", ["codecontests", "minif2f"])
def test_a_set_that_is_only_had_as_a_file_says_so(
    home: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert run(["compare", name, "--model", script(home)]) == 2
    assert "Give it as a JSONL file" in capsys.readouterr().err

"""``monkeys pick`` on samples that first get programs and rewards: what is written, what is not done again,
and what more samples would have bought."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import run
from tests.app.cli.test_cli_verify import jsonl

PROBLEMS = [{"id": "p1", "kind": "math", "prompt": "What is 17 + 26?", "answer": "43"}]


def given(text: str, **more: Any) -> dict[str, Any]:
    return {"problem_id": "p1", "text": text, "completion_tokens": 10, "mean_logprob": -0.5} | more


SAMPLES = [
    given("17 + 26 makes 43. The answer is 43.", mean_logprob=-0.1),
    given("17 + 26 makes 33. The answer is 33."),
    given("Adding 17 + 26 I get 43. The answer is 43."),
    given("I do not know."),
]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("MONKEYS_HOME", str(tmp_path / "home"))
    program = {"text": "```python\nprint(17 + 26)\n```"}
    return {
        "problems": jsonl(tmp_path / "p.jsonl", PROBLEMS),
        "samples": jsonl(tmp_path / "s.jsonl", SAMPLES),
        "coder": f"scripted:{jsonl(tmp_path / 'coder.jsonl', [program])}",
        "written": str(tmp_path / "written.jsonl"),
    }


def picked(files: dict[str, str], samples: str, *more: str) -> int:
    return run(["pick", "--problems", files["problems"], "--samples", samples, *more])


def rows_of(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_samples_get_their_programs_and_rewards_first(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("--translator", files["coder"], "--reward", "likelihood", "--write", files["written"])
    assert picked(files, files["samples"], *asked, "-o", "json") == 0
    out, err = capsys.readouterr()
    if "No sandbox works" in err:
        pytest.skip(f"NOT CHECKED: {err}")
    found = json.loads(out)
    assert found["rules"]["cotnpot"]["4"] == [1.0, 0.0]
    assert found["filter"] == {
        "kept": 2, "dropped": 1, "failed": 0, "not_run": 1, "fallbacks": 0, "precision": 1.0, "recall": 1.0
    }  # fmt: skip
    rows = rows_of(files["written"])
    assert [row["program_status"] for row in rows] == ["agrees", "differs", "agrees", "not-run"]
    assert [row["reward"] for row in rows] == [-0.1, -0.5, -0.5, -0.5]
    assert [row["program_tokens"] > 0 for row in rows] == [True, True, False, False]
    assert found["equal_spend"]["measured_in"] == "tokens"
    assert "2 of 4 programs agree" in err

    # what is written is not done again
    assert picked(files, files["written"], *asked[:4], "-o", "json") == 0
    again, err = capsys.readouterr()
    assert json.loads(again)["rules"] == found["rules"]
    assert json.loads(again)["equal_spend"] == found["equal_spend"]
    assert "tokens read" not in err


def test_what_a_row_says_of_its_program_stays(
    files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {"program_status": "agrees", "program_answer": "43", "program": "print(43)", "mine": 1}
    rows = jsonl(tmp_path / "told.jsonl", [SAMPLES[0] | told, SAMPLES[1] | {"program_status": "differs"}])
    assert picked(files, rows, "--reward", "likelihood", "--write", files["written"]) == 0
    first = rows_of(files["written"])[0]
    assert {name: first[name] for name in told} == told
    assert first["reward"] == -0.1


def test_a_budget_ends_the_programs_and_says_so(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("--translator", files["coder"], "--max-total-tokens", "50")
    assert picked(files, files["samples"], *asked, "-o", "json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["rules"]["cotnpot_vote"] is None
    assert "No more programs are written: its share of the budget, 100%, is used up" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--translator", "smolm2"), "There is no model smolm2."),
        (("--reward", "x"), "There is no reward x."),
        (("--write", "out.jsonl"), "Give --translator or --reward."),
        (("--translator", "smollm2", "--max-cost", "0"), "--max-cost 0 buys nothing."),
    ],
)
def test_what_cannot_be_done_is_refused(
    files: dict[str, str], capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    assert picked(files, files["samples"], *arguments) == 2
    assert message in capsys.readouterr().err


def test_samples_without_a_text_cannot_be_rewritten(
    files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = jsonl(tmp_path / "bare.jsonl", [{"problem_id": "p1", "answer": "43"}])
    assert picked(files, bare, "--translator", files["coder"]) == 2
    assert "no text to re-write" in capsys.readouterr().err


def test_the_table_says_what_the_same_spend_buys(
    files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = ["43", "33", "43", "33", "33", "43", "43", "33"]
    samples = [
        {
            "problem_id": "p1", "index": i, "answer": answer, "completion_tokens": 10, "program_tokens": 10,
            "program_status": "agrees" if answer == "43" else "differs",
        }
        for i, answer in enumerate(answers)
    ]  # fmt: skip
    assert picked(files, jsonl(tmp_path / "s8.jsonl", samples)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "A program costs as much as 1.00 samples (tokens)." in lines
    place = next(i for i, line in enumerate(lines) if line.startswith("  4 samples with programs: "))
    assert lines[place + 1].startswith("  8 samples for the same: Majority ")
    assert "  16 samples for the same are more than there are." in lines

"""``verify`` and ``pick`` where programs have to be run: in a real sandbox, and where there is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import verifiers.sandbox
from app.cli.main import run
from tests.app.cli.test_cli_verify import jsonl

CHECK = "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(-3) == 9\n"
PROBLEMS: list[dict[str, Any]] = [
    {
        "id": "square", "kind": "code", "prompt": "Write square(x).", "entry_point": "square",
        "tests": {"type": "python", "code": CHECK},
    },
    {
        "id": "twice", "kind": "code", "prompt": "Read n, print 2 n.",
        "tests": {"type": "stdio", "cases": [{"input": "4\n", "output": "8\n"}]},
    },
]  # fmt: skip
SAMPLES: list[dict[str, Any]] = [
    {"problem_id": "square", "text": "```python\ndef square(x):\n    print('hi')\n    return x * x\n```"},
    {"problem_id": "square", "text": "```python\ndef square(x):\n    return x + x\n```"},
    {"problem_id": "twice", "text": "```python\nprint(2 * int(input()))\n```"},
    {"problem_id": "twice", "text": "I do not know."},
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, ...]:
    problems, samples = jsonl(tmp_path / "p.jsonl", PROBLEMS), jsonl(tmp_path / "s.jsonl", SAMPLES)
    return ("--problems", problems, "--samples", samples)


def test_programs_are_run_against_their_tests(
    files: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(["verify", *files, "-o", "jsonl"])
    out = capsys.readouterr().out
    if status == 5:
        pytest.skip(f"NOT CHECKED: {out}")
    rows = [json.loads(line) for line in out.splitlines()]

    assert [row["verdict"] for row in rows] == ["right", "wrong", "right", "wrong"]
    ran = rows[0]["detail"]
    assert list(ran) == ["reason", "stdout", "seconds", "memory_mb", "box"]
    assert (ran["stdout"], ran["seconds"] > 0, ran["memory_mb"] > 0) == ("hi\nhi\n", True, True)
    assert "expected 9" in rows[1]["detail"]["reason"]


def test_pick_grades_by_tests_what_has_no_verdict(
    files: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(["pick", *files, "-o", "json"])
    out = capsys.readouterr().out
    if status == 5:
        pytest.skip(f"NOT CHECKED: {out}")

    assert json.loads(out)["rules"]["coverage"]["2"] == [1.0, 0.0]
    assert json.loads(out)["pass_at_k"]["1"] == 0.5


def test_coverage_grades_by_tests_and_leaves_out_what_failed(
    files: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = {"problem_id": "square", "text": "```python\ndef squ", "error": "reset"}
    samples = jsonl(tmp_path / "more.jsonl", [*SAMPLES, lost])
    status = run(["coverage", samples, *files[:2], "-o", "json"])
    out, err = capsys.readouterr()
    if status == 5:
        pytest.skip(f"NOT CHECKED: {out}")

    (found,) = json.loads(out).values()
    assert (found["problems"], found["n"], found["pass_at_k"]["1"]) == (2, [2, 2], 0.5)
    assert "not counted: 1." in err


@pytest.mark.parametrize("command", ["verify", "pick"])
def test_without_a_sandbox_the_missing_part_is_named(
    command: str, files: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = verifiers.sandbox.Sandbox
    monkeypatch.setattr(verifiers.sandbox, "Sandbox", lambda: real(2, find_walls=lambda: iter(())))

    assert run([command, *files, "-o", "json"]) == 5
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["kind"] == "part-missing"
    assert error["message"].startswith("No sandbox works on this machine")
    assert error["fix"]


def test_samples_with_verdicts_need_no_sandbox(
    files: tuple[str, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verifiers.sandbox, "Sandbox", None)
    labelled = jsonl(tmp_path / "l.jsonl", [row | {"verdict": "right"} for row in SAMPLES])

    assert run(["pick", *files[:2], "--samples", labelled, "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["rules"]["majority"]["2"] == [1.0, 0.0]


def test_tests_that_nothing_passes_are_doubted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    programs = [
        {"problem_id": "square", "text": f"def square(x):\n    return x * {n} + 1 - x * {n}"}
        for n in range(9)
    ]
    problems, samples = jsonl(tmp_path / "p.jsonl", PROBLEMS[:1]), jsonl(tmp_path / "s.jsonl", programs)
    status = run(["verify", "--problems", problems, "--samples", samples, "--repeat-tests", "2"])
    said = capsys.readouterr().err
    if status == 5:
        pytest.skip(f"NOT CHECKED: {said}")

    assert "square: All 8 programs fail the tests, 8 of them alike (square(2) gave 1, expected 4)" in said


def test_repeat_tests_is_a_number_of_runs(files: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", *files, "--repeat-tests", "0"]) == 2
    assert "--repeat-tests 0 is out of range" in capsys.readouterr().err

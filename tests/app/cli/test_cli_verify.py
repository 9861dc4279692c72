"""``monkeys verify`` from the outside: samples come back in order, whole, with verdicts and reasons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import run
from tests.app.cli.calls import monkeys

PROBLEMS: list[dict[str, Any]] = [
    {"id": "p1", "kind": "math", "prompt": "What is 70 + 2?", "answer": "72"},
    {"id": "p2", "kind": "code", "prompt": "Write f.", "tests": {"type": "python", "code": "pass"}},
    {"id": "p3", "kind": "open", "prompt": "Last letters?", "answer": "yajo"},
]
SAMPLES: list[dict[str, Any]] = [
    {"problem_id": "p1", "index": 4, "model": "m", "text": "It is 72.", "colour": "red", "reward": 0.5},
    {"problem_id": "p3", "model": "m", "answer": "Yajo."},
    {"problem_id": "p1", "model": "n\x1b[31m", "text": "The answer is 71.", "verdict": "right"},
    {"problem_id": "p2", "text": "def f():\n    return 1\n"},
]


UNTESTABLE = (
    "monkeys: p2: No sample can be judged: the problem names no entry_point to test. "
    "Correct the problem's tests.\n"
)


def jsonl(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, ...]:
    problems, samples = jsonl(tmp_path / "p.jsonl", PROBLEMS), jsonl(tmp_path / "s.jsonl", SAMPLES)
    return ("--problems", problems, "--samples", samples)


def test_samples_come_back_in_order_with_all_they_held(
    files: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", *files, "-o", "jsonl"]) == 0
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]

    assert err == UNTESTABLE
    assert [(row["answer"], row["verdict"]) for row in rows] == [
        ("72", "right"), ("Yajo.", "right"), ("71", "wrong"), ("def f():\n    return 1\n", "undecided"),
    ]  # fmt: skip
    for row, given in zip(rows, SAMPLES, strict=True):
        kept = given.keys() - {"answer", "verdict"}
        assert {key: row[key] for key in kept} == {key: given[key] for key in kept}
        assert list(row["detail"]) == ["reason"]
    assert rows[2]["detail"]["reason"] == "71 is not 72"
    assert rows[3]["detail"]["reason"] == "the problem names no entry_point to test"


def test_json_is_the_same_as_one_array_and_can_be_verified_again(
    files: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", *files, "-o", "jsonl"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert run(["verify", *files, "-o", "json"]) == 0
    array = capsys.readouterr().out
    assert json.loads(array) == lines

    again = tmp_path / "again.json"
    again.write_text(array, encoding="utf-8")
    assert run(["verify", *files[:2], "--samples", str(again), "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == lines


def test_text_counts_each_model_and_shows_nothing_hostile(
    files: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", *files]) == 0
    out = capsys.readouterr().out

    assert "\x1b" not in out
    assert [line.split() for line in out.splitlines()[1:4]] == [
        ["m", "2", "2", "0", "0"], ["n", "1", "0", "1", "0"], ["(no", "name)", "1", "0", "0", "1"],
    ]  # fmt: skip
    assert "Undecided, because\n         1  the problem names no entry_point to test\n" in out


def test_samples_may_come_by_standard_input(files: tuple[str, ...], tmp_path: Path) -> None:
    given = "".join(json.dumps(row) + "\n" for row in SAMPLES).encode()
    called = monkeys(tmp_path, "verify", *files[:2], "--samples", "-", "-o", "jsonl", given=given)

    assert (called.returncode, called.stderr.decode()) == (0, UNTESTABLE)
    assert len(called.stdout.splitlines()) == len(SAMPLES)


@pytest.mark.parametrize(
    ("samples", "complaint"),
    [
        ("", "holds no samples"),
        ("problem,verdict\np1,right\n", "line 1: this is not JSON"),
        ('{"problem_id": "p1", "text": "x"}\n{"text": "x"}\n', "line 2: the sample has no `problem_id`"),
        ('{"problem_id": "p1"}\n', "line 1: the sample has neither"),
        (
            '{"problem_id": "p1", "text": "x"}\n{"problem_id": "p9", "text": "x"}\n',
            "line 2: there is no problem",
        ),
        ('{"problem_id": "p9", "text": "x"}\n', "No sample belongs to a problem"),
    ],
)
@pytest.mark.parametrize("command", ["verify", "pick"])
def test_bad_input_is_status_two_and_says_where(
    command: str, samples: str, complaint: str, files: tuple[str, ...], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "bad.jsonl").write_text(samples, encoding="utf-8")
    assert run([command, *files[:2], "--samples", str(tmp_path / "bad.jsonl"), "-o", "json"]) == 2
    out, err = capsys.readouterr()

    told = json.loads(out)["error"]
    assert told["kind"] == "bad-input"
    assert complaint in told["message"]
    assert told["fix"]
    assert err.startswith("monkeys: ")


def test_missing_options_and_two_standard_inputs_are_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--problems", "-", "--samples", "-"]) == 2
    assert "Standard input cannot be both" in capsys.readouterr().err
    assert run(["verify", "--samples", "-"]) == 2
    assert "--problems" in capsys.readouterr().err


def test_bad_lines_are_left_out_when_asked_and_counted(
    files: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        json.dumps(SAMPLES[0]),
        "oops",
        json.dumps({"problem_id": "p9", "text": ""}),
        json.dumps(SAMPLES[1]),
    ]
    (tmp_path / "some.jsonl").write_text("\n".join(lines), encoding="utf-8")
    call = ["verify", *files[:2], "--samples", str(tmp_path / "some.jsonl"), "-o", "jsonl", "--skip-bad"]
    assert run(call) == 0
    out, err = capsys.readouterr()

    assert [json.loads(line)["problem_id"] for line in out.splitlines()] == ["p1", "p3"]
    assert "line 2: this is not JSON" in err
    assert "line 3: there is no problem p9" in err
    assert err.endswith("monkeys: 2 of 4 samples left out.\n")

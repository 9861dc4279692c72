"""``monkeys pick`` from the outside: the contract's object, the table, CSV, and what it says on the way."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import run
from tests.app.cli.test_cli_startup import HEAVY, imported
from tests.app.cli.test_cli_verify import jsonl

TOO_DEEP = "x + " + "(" * 70
"""No formula, and too deep to be asked about: it stays undecided."""

PROBLEMS = [
    {"id": "p1", "kind": "math", "prompt": "What is 70 + 2?", "answer": "72"},
    {"id": "p2", "kind": "math", "prompt": "What is 2 + 3?", "answer": "5"},
    {"id": "p3", "kind": "math", "prompt": "What is 1 + 1?", "answer": "2"},
]


def sample(problem: str, answer: str | None, **more: Any) -> dict[str, Any]:
    return {"problem_id": problem, "answer": answer} | more


SAMPLES = [
    # p1: the vote is wrong, the best reward is right, and so is what survives.
    sample("p1", "96", reward=0.2, program_answer="72"),
    sample("p1", "96", reward=0.3, program_status="failed"),
    sample("p1", "72", reward=0.9, program_answer="72"),
    # p2: the vote is right, the best reward is wrong; nothing survives.
    sample("p2", "5", reward=0.5, program_status="differs"),
    sample("p2", "6", reward=0.8, program_status="differs"),
    sample("p2", "5.0", reward=0.5, program_status="failed"),
]


def called(tmp_path: Path, samples: list[dict[str, Any]], *more: str) -> list[str]:
    problems = jsonl(tmp_path / "p.jsonl", PROBLEMS)
    return ["pick", "--problems", problems, "--samples", jsonl(tmp_path / "s.jsonl", samples), *more]


def told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], samples: list[dict[str, Any]], *more: str
) -> dict[str, Any]:
    assert run(called(tmp_path, samples, "-o", "json", *more)) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_every_rule_is_measured_at_powers_of_two_and_at_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(tmp_path, capsys, SAMPLES)

    assert (found["problems"], found["samples"], found["n"], found["subsets"]) == (2, 6, [3, 3], 100)
    assert all(list(curve) == ["1", "2", "3"] for curve in found["rules"].values())
    assert {name: curve["3"] for name, curve in found["rules"].items()} == {
        "majority": [0.5, 0.0],
        "reward": [0.5, 0.0],
        "reward_weighted": [1.0, 0.0],
        "cotnpot": [0.5, 0.0],
        "cotnpot_vote": [1.0, 0.0],
        "cotnpot_weighted": [1.0, 0.0],
        "coverage": [1.0, 0.0],
    }
    assert found["pass_at_k"] == {"1": 0.5, "2": pytest.approx(5 / 6), "3": 1.0}
    assert found["filter"] == {
        "kept": 1, "dropped": 3, "failed": 2, "not_run": 0, "fallbacks": 1, "precision": 1.0,
        "recall": pytest.approx(1 / 3),
    }  # fmt: skip


def test_rules_without_their_input_are_null_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = [sample("p1", "72"), sample("p2", "6")]
    found = told(tmp_path, capsys, samples)

    assert found["rules"]["reward"] is found["rules"]["cotnpot"] is found["filter"] is None
    assert found["missing"]["reward"] == "no sample has a reward"
    assert run(called(tmp_path, samples)) == 0
    out, err = capsys.readouterr()
    assert "Did not run: Reward best, Reward-weighted (no sample has a reward)." in out
    assert err == "monkeys: Problems without samples, not counted: 1.\n"


def test_text_is_a_table_and_names_the_gap(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(called(tmp_path, SAMPLES)) == 0
    lines = capsys.readouterr().out.splitlines()

    header = next(line for line in lines if line.startswith("k "))
    rows = [line for line in lines if "±" in line and not line.startswith("Percent")]
    assert header.split() == ["k", "1", "2", "3"]
    assert len({len(line) for line in (header, *rows)}) == 1
    assert [row[:19].strip() for row in rows] == [
        "Majority", "Reward best", "Reward-weighted", "CoTnPoT + reward", "CoTnPoT + vote",
        "CoTnPoT + weighted", "Coverage",
    ]  # fmt: skip
    assert rows[0].endswith("50.0 ±0.0")
    assert "With 3 samples, 100.0% of problems are covered; the best pick (Reward-weighted)" in "\n".join(
        lines
    )
    assert "The gap between coverage and precision is 0.0 points." in lines
    assert "CoTnPoT filter: kept 1, dropped 3, failed 2; 1 problem kept none." in lines


def test_csv_has_a_row_for_each_rule_and_k(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(tmp_path, capsys, SAMPLES[:3])
    assert run(called(tmp_path, SAMPLES[:3], "-o", "csv")) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))

    assert len(rows) == 7 * 3
    for row in rows:
        assert [float(row["mean"]), float(row["sd"])] == found["rules"][row["rule"]][row["k"]]


def test_the_seed_fixes_the_subsets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = told(tmp_path, capsys, SAMPLES, "--seed", "1")

    assert told(tmp_path, capsys, SAMPLES, "--seed", "1") == first
    assert told(tmp_path, capsys, SAMPLES, "--seed", "2")["rules"] != first["rules"]
    assert told(tmp_path, capsys, SAMPLES, "--subsets", "7")["subsets"] == 7


def test_models_are_told_apart_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = [
        sample("p1", "72", model="good"),
        sample("p1", "96", model="bad"),
        sample("p2", "5", model="good"),
    ]
    assert run(called(tmp_path, samples)) == 0
    assert "Samples of 2 models are mixed. Choose one with --model." in capsys.readouterr().err

    found = told(tmp_path, capsys, samples, "--model", "good")
    assert (found["models"], found["problems"], found["rules"]["majority"]["1"]) == (["good"], 2, [1.0, 0.0])
    assert run(called(tmp_path, samples, "--model", "ugly")) == 2
    assert "The samples are of bad, good." in capsys.readouterr().err


def test_what_is_left_out_or_undecided_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = [
        sample("p1", "72", reward=1.0),
        sample("p1", TOO_DEEP),
        sample("p1", None, error="reset"),
        sample("p2", "5"),
        sample("p3", "2"),
    ]
    assert run(called(tmp_path, samples)) == 0

    assert capsys.readouterr().err.splitlines() == [
        "monkeys: Samples that failed before they were finished, not counted: 1.",
        "monkeys: Undecided samples, counted as not right: 1 of 4.",
        "monkeys: Samples without a reward, which no reward picks: 3.",
    ]


@pytest.mark.parametrize(
    ("samples", "complaint"),
    [
        ([sample("p1", "72", index=0), sample("p1", "7", index=0)], "line 2: sample 0 of p1 came already"),
        ([sample("p1", None, error="reset")], "Every sample failed"),
        ([sample("p1", TOO_DEEP)], "No sample was decided"),
    ],
)
def test_what_cannot_be_counted_is_refused(
    samples: list[dict[str, Any]], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(called(tmp_path, samples)) == 2
    assert complaint in capsys.readouterr().err


def test_samples_without_verdict_or_answer_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problems = jsonl(tmp_path / "open.jsonl", [{"id": "p1", "kind": "open", "prompt": "Say hello."}])
    samples = jsonl(tmp_path / "s.jsonl", [sample("p1", "hello")])
    assert run(["pick", "--problems", problems, "--samples", samples]) == 2
    assert "line 1: the sample has no verdict, and its problem has no known answer" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["pick", "verify"])
def test_help_loads_nothing_heavy(command: str) -> None:
    assert not imported(command, "--help") & (HEAVY - {"pydantic"})

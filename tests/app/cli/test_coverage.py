"""``monkeys coverage`` as other programs call it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.app.cli.calls import monkeys

COUNTS = "model,problem,n,correct\n" + "".join(
    f"{model},{i},{100 if i else 50},{c}\n"
    for model in ("small", "large")
    for i, c in enumerate([0, 0, 1, 0, 3, 10, 40, 0] if model == "small" else [1, 0, 8, 2, 30, 60, 90, 0])
)


def written(folder: Path, text: str, name: str = "file") -> str:
    path = folder / name
    path.write_text(text, newline="")
    return str(path)


def result(folder: Path, *arguments: str) -> Any:
    done = monkeys(folder, "coverage", *arguments, "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_object_of_the_contract(tmp_path: Path) -> None:
    found = result(tmp_path, written(tmp_path, COUNTS), "--k", "1,10", "--forecast", "1000,10000")
    assert list(found) == ["small", "large"]
    row = found["large"]
    assert row["problems"] == 8
    assert row["n"] == [50, 100]
    assert row["level"] == 0.9
    assert set(row["pass_at_k"]) == set(row["interval"]) == {"1", "10"}
    assert row["pass_at_k"]["1"] == pytest.approx((1 / 50 + 1.9) / 8)
    low, high = row["interval"]["10"]
    assert low < row["pass_at_k"]["10"] < high
    assert row["law"]["a"] < 0 > row["law"]["b"]
    for value, low, high in row["forecast"].values():
        assert 0 <= low < value < high <= 1
    assert row["forecast"]["1000"][0] <= row["forecast"]["10000"][0]


def test_a_k_above_the_fewest_samples_is_a_forecast_only(tmp_path: Path) -> None:
    found = result(tmp_path, written(tmp_path, COUNTS), "--k", "1,50,51")["small"]
    assert set(found["pass_at_k"]) == {"1", "50"}
    assert set(found["forecast"]) == {"51"}


def test_a_forecast_within_the_samples_is_what_they_show(tmp_path: Path) -> None:
    found = result(tmp_path, written(tmp_path, COUNTS), "--k", "10", "--forecast", "10,60")["large"]
    assert found["forecast"]["10"] == [found["pass_at_k"]["10"], *found["interval"]["10"]]
    assert found["forecast"]["60"][0] > found["pass_at_k"]["10"]


def test_no_forecast_is_null_and_so_is_a_law_of_nothing(tmp_path: Path) -> None:
    found = result(tmp_path, written(tmp_path, "model,problem,n,correct\nm,p,20,0\n"))["m"]
    assert found["forecast"] is None
    assert found["law"] is None
    assert found["pass_at_k"] == {"1": 0.0, "10": 0.0}
    assert found["interval"]["1"][1] > 0


def test_nothing_right_is_forecast_as_an_interval(tmp_path: Path) -> None:
    path = written(tmp_path, "model,problem,n,correct\nm,p,20,0\n")
    found = result(tmp_path, path, "--forecast", "1000")["m"]
    value, low, high = found["forecast"]["1000"]
    assert low < value < high
    assert "prior alone" in found["forecast_prior"]


def test_text_has_the_tables_and_the_similarity(tmp_path: Path) -> None:
    done = monkeys(tmp_path, "coverage", written(tmp_path, COUNTS), "--forecast", "1000")
    text = done.stdout.decode()
    assert done.returncode == 0
    assert "large: 8 problems, 50 to 100 samples each" in text
    assert "forecast  90% interval" in text
    assert "gain per tenfold" in text
    assert done.stderr == b""


def test_costs_stand_beside_k(tmp_path: Path) -> None:
    text = "model,problem,n,correct,flops\nm,p,20,1,1e12\nm,q,20,3,3e12\n"
    found = result(tmp_path, written(tmp_path, text), "--k", "10", "--usd-per-sample", "0.02")["m"]
    assert found["cost"] == {"10": {"usd": "0.2", "flops": 2e13}}


def samples(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_samples_with_verdicts(tmp_path: Path) -> None:
    text = samples(
        *({"problem_id": "p", "text": "x", "verdict": verdict} for verdict in ("right", "wrong", "wrong")),
        {"problem_id": "p", "text": "x", "verdict": "undecided"},
    )
    found = result(tmp_path, written(tmp_path, text))["samples"]
    assert found["n"] == [3, 3]
    assert found["undecided"] == 1
    assert found["pass_at_k"]["1"] == pytest.approx(1 / 3)


def test_samples_without_verdicts_are_graded_by_known_answers(tmp_path: Path) -> None:
    text = samples(
        {"problem_id": "p", "model": "m", "text": "The answer is 43."},
        {"problem_id": "p", "model": "m", "answer": "43"},
        {"problem_id": "p", "model": "m", "text": "The answer is 33."},
    )
    path = written(tmp_path, text)
    problems = written(
        tmp_path, samples({"id": "p", "kind": "math", "prompt": "17 + 26?", "answer": "43"}), "problems.jsonl"
    )
    assert result(tmp_path, path, "--problems", problems)["m"]["pass_at_k"]["1"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("text", "arguments", "says"),
    [
        ("model,problem,n,correct\nm,p,3,4\n", [], "line 2: 4 of 3"),
        ("model,problem,n\nm,p,3\n", [], "no column correct"),
        ("", [], "is empty"),
        (COUNTS, ["--k", "0"], "--k: 0 is out of range"),
        (COUNTS, ["--k", "ten"], "--k"),
        (COUNTS, ["--forecast", ","], "--forecast is empty"),
        ('{"problem_id": "p", "text": "x"}\n', [], "line 1: the sample has no verdict"),
        ('{"problem_id": 3}\n', [], "line 1"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    tmp_path: Path, text: str, arguments: list[str], says: str
) -> None:
    done = monkeys(tmp_path, "coverage", written(tmp_path, text), *arguments, "-o", "json")
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["kind"] == "bad-input"
    assert says in error["message"]
    assert done.stderr.count(b"\n") == 1

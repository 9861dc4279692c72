"""History, replay, models, cost, config and doctor from the outside."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import run
from app.runs.export import to_csv
from app.runs.journal import fold
from app.runs.recording import parse_recording
from tests.app.cli.calls import QUESTION, environment, last_line, script
from tests.app.runs.recordings import recording


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MONKEYS_HOME", str(tmp_path))
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """What this call prints as JSON."""
    assert run([*arguments, "-o", "json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def solved(home: Path, capsys: pytest.CaptureFixture[str], samples: int = 4) -> dict[str, Any]:
    ask = ("--answer", "43", "--model", script(home), "--samples", str(samples))
    found: dict[str, Any] = told(capsys, "solve", QUESTION, *ask)
    return found


def test_the_list_has_the_contracts_fields_newest_first(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, "runs", "list") == []
    ids = [solved(home, capsys)["run_id"] for _ in range(2)]
    listed = told(capsys, "runs", "list")
    assert {row["run_id"] for row in listed} == set(ids)
    assert listed == sorted(listed, key=lambda row: row["created"], reverse=True)
    first = listed[0]
    assert {"run_id", "created", "status", "models", "problems", "samples", "usd"} <= set(first)
    assert (first["status"], first["problems"], first["samples"], first["usd"]) == ("completed", 1, 4, "0")
    assert len(told(capsys, "runs", "list", "-n", "1")) == 1
    assert run(["runs", "list"]) == 0
    text = capsys.readouterr().out
    assert ids[0] in text
    assert QUESTION in text


def test_an_empty_history_says_how_to_fill_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runs", "list"]) == 0
    assert "monkeys solve" in capsys.readouterr().out
    assert not (home / "data").exists()
    assert run(["runs", "show"]) == 2
    assert "no runs yet" in capsys.readouterr().err


def test_show_prints_what_solve_printed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = solved(home, capsys)
    shown = told(capsys, "runs", "show", found["run_id"][:7])
    assert shown == found
    sample = told(capsys, "runs", "show", "last", "--sample", "0")
    assert sample["answer"] == "43"
    assert sample["verdict"] == "right"
    assert run(["runs", "show", "last", "--sample", "99"]) == 2
    assert "no finished sample 99" in capsys.readouterr().err


def test_more_samples_for_an_ended_run(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = solved(home, capsys)
    more = told(capsys, "runs", "resume", "last", "--more", "6")
    assert more["run_id"] == found["run_id"]
    assert more["samples"] == 10
    assert more["coverage"]["n"] == 10
    assert more["status"] == "completed"
    assert told(capsys, "runs", "resume", "last", "--samples", "12")["samples"] == 12
    assert told(capsys, "runs", "resume", "last")["samples"] == 12, "nothing is left to do"
    for wrong in (["--more", "0"], ["--more", "1", "--samples", "20"], ["--max-cost", "nan"]):
        assert run(["runs", "resume", "last", *wrong]) == 2
    assert run(["runs", "resume", "nope"]) == 2


def test_export_writes_samples_in_the_contracts_format(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    solved(home, capsys)
    assert run(["runs", "export", "last"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["index"] for row in rows] == [0, 1, 2, 3]
    assert list(rows[0]) == [
        "problem_id", "index", "model", "text", "answer", "verdict", "reward", "reward_model",
        "program_answer", "program_status", "prompt_tokens", "completion_tokens", "usd", "estimated",
        "flops", "finish_reason", "error",
        # beyond the contract
        "mean_logprob", "program_reason", "program", "program_tokens", "program_usd", "program_flops",
    ]  # fmt: skip
    assert [row["verdict"] for row in rows] == ["right", "wrong", "right", "right"]
    assert run(["runs", "export", "last", "--format", "csv"]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["answer"] for row in table] == ["43", "33", "43", "43"]
    assert list(table[0]) == list(rows[0])


def test_exported_samples_are_a_script_and_exported_events_a_recording(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    solved(home, capsys)
    target = home / "samples.jsonl"
    assert run(["runs", "export", "last", "--to", str(target)]) == 0
    again = told(capsys, "solve", QUESTION, "--model", f"scripted:{target}", "--samples", "4")
    assert again["picks"]["majority"]["answer"] == "43"
    assert run(["runs", "export", "last", "--events"]) == 0
    assert parse_recording(capsys.readouterr().out.encode(), "f").duration >= 0
    capsys.readouterr()
    assert run(["runs", "export", "last", "--to", str(target)]) == 2
    assert "is there already" in capsys.readouterr().err
    for form in ("parquet", "xml"):
        assert run(["runs", "export", "last", "--format", form]) == 2


def test_a_cell_that_a_spreadsheet_would_run_is_disarmed_and_numbers_are_not() -> None:
    state = fold(recording(["=HYPERLINK(1)", "-5", "@SUM", "72"], known=None))
    rows = list(csv.DictReader(io.StringIO(to_csv(state).decode())))
    assert [row["answer"] for row in rows] == ["'=HYPERLINK(1)", "-5", "'@SUM", "72"]


def test_csv_of_a_run_without_samples_has_its_header() -> None:
    assert to_csv(fold(recording([]))).startswith(b"problem_id,index,model,text")


def test_delete_asks_or_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = solved(home, capsys)["run_id"]
    assert run(["runs", "delete", "last"]) == 2
    assert "Give --yes" in capsys.readouterr().err
    assert len(told(capsys, "runs", "list")) == 1
    assert told(capsys, "runs", "delete", "last", "--yes") == {"deleted": [run_id]}
    assert told(capsys, "runs", "list") == []


@pytest.mark.parametrize("answer", ["y", "n"])
def test_delete_asks_a_person_at_a_terminal(
    home: Path, capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    solved(home, capsys)
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "runs", "delete", "last"],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(home),
    )
    os.write(master, f"{answer}\n".encode())
    _, fault = process.communicate(timeout=30)
    os.close(master)
    os.close(slave)
    assert b"for ever?" in fault
    assert process.returncode == (0 if answer == "y" else 2)
    assert len(told(capsys, "runs", "list")) == (0 if answer == "y" else 1)


def at_a_terminal(home: Path, *arguments: str, **more: str) -> str:
    """What this call shows in a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *arguments], stdout=slave, stderr=slave, env=environment(home, **more)
    )
    os.close(slave)
    seen = b""
    try:
        while part := os.read(master, 65536):
            seen += part
    except OSError:
        pass  # how a terminal says that its last writer is gone
    os.close(master)
    assert process.wait(timeout=30) == 0
    return seen.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", [80, 100, 117, 118, 200])
def test_the_list_fits_the_terminal(home: Path, capsys: pytest.CaptureFixture[str], width: int) -> None:
    told(capsys, "solve", f"{QUESTION} {'And why? ' * 40}", "--model", script(home), "--samples", "2")
    lines = at_a_terminal(home, "runs", "list", COLUMNS=str(width)).splitlines()
    assert len(lines) == 2
    assert all(len(line) <= width for line in lines)
    assert "What is" in lines[1]
    assert ("model" in lines[0]) == (width >= 118)


HOSTILE = "\x1b]0;title\x07\x9b31m[/red]\u202edrawkcab\u202c\u200b\x00 The answer is 43."


@pytest.mark.parametrize(
    "shown",
    [
        ("runs", "show", "last", "--sample", "0"),
        ("runs", "show", "last", "--sample", "0", "-o", "json"),
        ("runs", "export", "last"),
        ("runs", "export", "last", "--format", "csv"),
        ("replay", "last", "--speed", "max", "-o", "jsonl"),
    ],
    ids=" ".join,
)
def test_a_terminal_is_shown_nothing_that_acts(
    home: Path, capsys: pytest.CaptureFixture[str], shown: tuple[str, ...]
) -> None:
    told(capsys, "solve", QUESTION, "--model", script(home, HOSTILE, model="toy\x1b[31m"), "--samples", "1")
    text = at_a_terminal(home, *shown)
    assert "[/red]" in text
    assert "43" in text
    assert set("\x00\x07\x1b\x9b\u200b\u202c\u202e").isdisjoint(text)


def test_replay_prints_the_run_again(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = solved(home, capsys)
    assert run(["replay", "last", "--speed", "max"]) == 0
    lines = capsys.readouterr().out.encode()
    assert json.loads(lines.splitlines()[0])["recorded"] is True
    assert any(json.loads(line)["type"] == "text-delta" for line in lines.splitlines())
    result = last_line(lines)
    assert {key: result[key] for key in found} == found
    assert told(capsys, "replay", found["run_id"], "--speed", "100x")["samples"] == 4
    assert run(["replay", "last", "--speed", "max", "-o", "text"]) == 0
    assert "Answer    43" in capsys.readouterr().out


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "fast", ""])
def test_a_speed_that_is_none_is_refused(home: Path, capsys: pytest.CaptureFixture[str], speed: str) -> None:
    assert run(["replay", "last", "--speed", speed]) == 2
    assert "is no speed" in capsys.readouterr().err


def test_models_are_listed_with_the_contracts_fields(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = told(capsys, "models", "list")
    assert rows[0]["name"] == "smollm2"
    for row in rows:
        assert {"name", "kind", "ready", "missing", "parameters", "context", "price"} <= set(row)
        assert row["ready"] == (row["missing"] is None)
    shown = told(capsys, "models", "show", "smollm2")
    assert (shown["parameters"], shown["layers"], shown["hidden"]) == (134_515_008, 30, 576)
    assert shown["price"] == {"input": "0", "output": "0", "source": "runs on this machine"}
    priced = told(capsys, "models", "show", "gpt-4o-mini")
    assert priced["price"]["input"] == "0.15"
    assert run(["models", "show", "smolm2"]) == 2
    assert "Did you mean smollm2" in capsys.readouterr().err


def test_cost_counts_the_prompt_once_in_flops_and_once_a_request_in_dollars(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = ("--prompt-tokens", "1000", "--completion-tokens", "500", "--samples", "10")
    own = ("--parameters", "1e9", "--layers", "10", "--hidden", "100", "--price", "1,2")
    one = told(capsys, "cost", "--model", "mine", *ask, *own)
    assert one["usd"] == one["usd_worst"] == "0.02", "ten prompts of 0.001 and ten answers of 0.001"
    assert told(capsys, "cost", "--model", "mine", *ask, *own, "--n", "10")["usd"] == "0.011"
    assert told(capsys, "cost", "--model", "mine", *ask, *own, "--n", "4")["usd"] == "0.013"
    prompt = 2 * 1000 * 10**9 + 4 * 1000 * (1000 * 1001 // 2)
    completions = 10 * (2 * 500 * 10**9 + 4 * 1000 * (1500 * 1501 - 1000 * 1001) // 2)
    assert one["flops"] == float(prompt + completions)
    assert one["parameters"] == 10**9
    free = told(capsys, "cost", *ask)
    assert free["usd"] == "0"
    assert free["flops"] > 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--model", "no-such-model-anywhere"),
        ("--parameters", "1e9"),
        ("--samples", "many"),
        ("--price", "1"),
        ("--n", "0"),
        ("--prompt-tokens", "-1"),
    ],
)
def test_cost_refuses_what_it_cannot_count(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert run(["cost", *arguments]) == 2
    caught = capsys.readouterr()
    assert caught.out == ""
    assert caught.err.count("\n") == 1


def test_doctor_tells_what_works_and_what_does_not(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "doctor")
    checks = {check["name"]: check for check in found["checks"]}
    assert checks["python"]["ok"]
    assert checks["journal"]["ok"]
    assert checks["weights"]["fix"] == "Fetch them: monkeys models pull"
    assert found["paths"]["journal"] == str(home / "data" / "journal.sqlite3")
    assert not (home / "data").exists(), "looking changes nothing"
    solved(home, capsys)
    assert run(["doctor"]) == 0
    assert "1 runs" in capsys.readouterr().out
    (home / "data" / "journal.sqlite3").write_bytes(b"rubbish" * 999)
    assert run(["doctor"]) == 5
    assert "damaged" in capsys.readouterr().out

"""``monkeys solve`` from the outside: what it prints, where, and with which exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.main import run
from app.runs.recording import parse_recording
from tests.app.cli.calls import QUESTION, RIGHT, WRONG, environment, last_line, monkeys, script


def test_json_is_the_contracts_object_and_nothing_else_is_on_stdout(tmp_path: Path) -> None:
    done = monkeys(
        tmp_path,
        "solve",
        QUESTION,
        "--answer",
        "43",
        "--model",
        script(tmp_path),
        "--samples",
        "16",
        "-o",
        "json",
    )
    assert done.returncode == 0
    assert done.stderr == b"", "no terminal, no progress"
    found = json.loads(done.stdout)
    assert found["status"] == "completed"
    assert found["samples"] == 16
    assert found["picks"]["majority"]["answer"] == "43"
    assert found["picks"]["majority"]["support"] == 12
    assert found["coverage"]["pass_at_k"]["1"] == pytest.approx(0.75)
    assert found["coverage"]["pass_at_k"]["16"] == 1.0
    assert found["spend"]["completion_tokens"] > 0
    assert found["spend"]["flops"] > 0
    assert found["budget"]["samples"] == 16


def test_text_says_the_answer_the_coverage_and_the_spend(tmp_path: Path) -> None:
    done = monkeys(
        tmp_path, "solve", QUESTION, "--answer", "43", "--model", script(tmp_path), "--samples", "8"
    )
    text = done.stdout.decode()
    assert done.returncode == 0
    assert "Answer    43" in text
    assert "6 of 8 samples say so (75%)" in text
    assert "pass@1 75%" in text
    assert "8 samples" in text


def test_without_a_limit_there_are_64_samples(tmp_path: Path) -> None:
    done = monkeys(tmp_path, "solve", QUESTION, "--model", script(tmp_path), "-o", "json")
    assert json.loads(done.stdout)["samples"] == 64


def test_jsonl_is_a_recording_that_ends_with_the_result(tmp_path: Path) -> None:
    done = monkeys(tmp_path, "solve", QUESTION, "--model", script(tmp_path), "--samples", "4", "-o", "jsonl")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0]["type"] == "run-started"
    assert lines[0]["schema"] == 1
    assert all("type" in line and "at" in line for line in lines)
    assert lines[-1]["type"] == "result"
    assert lines[-1]["samples"] == 4
    assert len(parse_recording(done.stdout, "f").events) == len(lines) - 1

    played = monkeys(tmp_path, "replay", "-", "--speed", "max", "-o", "json", given=done.stdout)
    assert json.loads(played.stdout)["picks"] == lines[-1]["picks"]


def test_the_problem_may_come_from_stdin_a_file_or_the_starter_set(tmp_path: Path) -> None:
    model = script(tmp_path)
    ask = ("--model", model, "--samples", "1", "-o", "json")
    stdin = monkeys(tmp_path, "solve", "-", *ask, given=QUESTION.encode())
    assert json.loads(stdin.stdout)["problem"]["prompt"] == QUESTION
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"id": "p1", "kind": "math", "prompt": QUESTION, "answer": "43"}))
    file = json.loads(monkeys(tmp_path, "solve", "--file", str(path), *ask).stdout)
    assert file["problem"]["id"] == "p1"
    assert file["coverage"]["verified"]
    plain = tmp_path / "p.txt"
    plain.write_text(QUESTION)
    override = monkeys(tmp_path, "solve", "--file", str(plain), "--kind", "open", "--answer", "x", *ask)
    assert json.loads(override.stdout)["problem"]["kind"] == "open"
    starters = monkeys(tmp_path, "solve", "--starter", "list", "-o", "jsonl").stdout.splitlines()
    first = json.loads(starters[0])["id"]
    started = monkeys(tmp_path, "solve", "--starter", first, *ask)
    assert json.loads(started.stdout)["problem"]["id"] == first


def test_several_models_share_a_run(tmp_path: Path) -> None:
    one, two = script(tmp_path, RIGHT, name="one.jsonl"), script(tmp_path, WRONG, name="two.jsonl")
    ask = ("--model", one, "--model", two, "--samples", "8", "--answer", "43", "-o", "json")
    found = json.loads(monkeys(tmp_path, "solve", QUESTION, *ask).stdout)
    assert found["coverage"] == {"solved_by_any": True, "n": 8, "correct": 4}
    assert {name: model["coverage"]["correct"] for name, model in found["models"].items()} == {one: 4, two: 0}


def test_first_verified_stops_early(tmp_path: Path) -> None:
    ask = ("--model", script(tmp_path), "--samples", "1000", "--answer", "43", "--stop", "first-verified")
    found = json.loads(monkeys(tmp_path, "solve", QUESTION, *ask, "-o", "json").stdout)
    assert found["status"] == "stopped"
    assert found["samples"] < 100
    assert found["coverage"]["correct"] >= 1


@pytest.mark.parametrize(
    ("rule", "says"), [("settled", "cannot plausibly change"), ("worth-it", "Not worth")]
)
def test_a_rule_that_reads_votes_stops_early_and_says_why(tmp_path: Path, rule: str, says: str) -> None:
    ask = ("--model", script(tmp_path), "--samples", "1000", "--stop", rule)
    found = json.loads(monkeys(tmp_path, "solve", QUESTION, *ask, "-o", "json").stdout)
    assert found["status"] == "stopped"
    assert 3 <= found["samples"] < 200
    assert any(says in note for note in found["notes"])
    guessed = found["coverage"]["unverified"]
    assert guessed["estimated"] is True
    assert 0 < guessed["pick_right"] <= guessed["covered"] < 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "No problem is given"),
        (("",), "The problem is empty"),
        ((" \n ",), "The problem is empty"),
        (("hi", "--starter", "x"), "PROBLEM and --starter are given"),
        (("--starter", "no-such-problem"), "The starter set has no problem"),
        (("--file", "/no/such/file"), "There is no file"),
        (("hi", "--kind", "poem"), "There is no kind poem"),
        (("hi", "--answer", " "), "The known answer is empty"),
        (("hi", "--model", "smolm2"), "There is no model smolm2. Did you mean smollm2?"),
        (("hi", "--model", ""), "The model name is empty"),
        (("hi", "--model", "smollm2", "--model", "smollm2"), "named twice"),
        (("hi", "--samples", "0"), "--samples 0 buys nothing"),
        (("hi", "--samples", "-3"), "below zero"),
        (("hi", "--samples", "1.5"), "not a whole number"),
        (("hi", "--max-cost", "0"), "--max-cost 0 buys nothing"),
        (("hi", "--max-cost", "nan"), "not a finite number"),
        (("hi", "--max-cost", "-1"), "below zero"),
        (("hi", "--max-flops", "1e15/s"), "--max-flops"),
        (("hi", "--max-seconds", "inf"), "not a finite"),
        (("hi", "--max-total-tokens", "0"), "buys nothing"),
        (("hi", "--max-tokens", "0"), "--max-tokens 0 is out of range"),
        (("hi", "--temperature", "2.5"), "out of range"),
        (("hi", "--temperature", "nan"), "out of range"),
        (("hi", "--temperature", "warm"), "--temperature"),
        (("hi", "--top-p", "0"), "out of range"),
        (("hi", "--concurrency", "0"), "out of range"),
        (("hi", "--seed", "-1"), "out of range"),
        (("hi", "--stop", "never"), "There is no stop rule never"),
        (("hi", "--stop", "sometimes"), "no stop rule sometimes"),
        (("hi", "--stop-string", ""), "A stop string is empty"),
        (("hi", "--price", "1"), "not a price"),
        (("hi", "--reward", "x"), "There is no reward x."),
        (("1+1?", "--kind", "math", "--translator", "smolm2"), "There is no model smolm2."),
        (("hi", "--translator", " "), "--translator names nothing."),
        (("hi", "--translation-share", "1.5"), "--translation-share 1.5 is out of range."),
        (("hi", "--base-url", "http://x/v1"), "no model is behind it"),
        (("hi", "--tests", "no-such.py"), "There is no file"),
        (("hi", "--output", "xml"), "--output"),
        (("hi", "--no-such-option",), "No such option"),
        (("hi", "there"), "unexpected extra argument"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_status_2_before_anything_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...], message: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("MONKEYS_HOME", str(tmp_path))
    assert run(["solve", *arguments]) == 2
    caught = capsys.readouterr()
    assert caught.out == ""
    assert message in caught.err
    assert caught.err.count("\n") == 1
    assert run(["runs", "list", "-o", "json"]) == 0
    assert capsys.readouterr().out.strip() == "[]"


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    done = monkeys(tmp_path, "solve", "caf\udce9?")
    assert done.returncode == 2
    assert b"not UTF-8" in done.stderr
    done = monkeys(tmp_path, "solve", "-", given=b"\xff\xfa\x00")
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_an_error_is_an_object_on_stdout_in_json_modes(tmp_path: Path, form: str) -> None:
    for arguments in (
        ["solve", "", "--output", form],
        ["solve", "hi", f"--output={form}", "--no-such-option"],
    ):
        done = monkeys(tmp_path, *arguments)
        error = json.loads(done.stdout)["error"]
        assert set(error) == {"kind", "message", "fix"}
        assert error["kind"] == "bad-input"
        assert done.returncode == 2


def test_a_budget_that_pays_for_no_sample_is_status_3(tmp_path: Path) -> None:
    model = script(tmp_path, price=["1000", "1000"])
    ask = ("solve", QUESTION, "--model", model, "--max-cost", "0.000001", "-o", "json")
    done = monkeys(tmp_path, *ask)
    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["kind"] == "cannot-pay"
    done = monkeys(tmp_path, "solve", QUESTION, "--model", model, "--max-total-tokens", "3")
    assert done.returncode == 3
    assert b"does not pay for one sample" in done.stderr


def test_a_limit_on_flops_without_a_size_is_status_3(tmp_path: Path) -> None:
    model = script(tmp_path, parameters=None)
    done = monkeys(tmp_path, "solve", QUESTION, "--model", model, "--max-flops", "1e15")
    assert done.returncode == 3
    assert done.stdout == b""


def test_when_the_time_runs_out_on_nothing_but_failures_the_status_is_4(tmp_path: Path) -> None:
    path = tmp_path / "faulty.jsonl"
    path.write_text(
        '{"scripted": 1, "loop": true}\n'
        '{"text": "I", "error": {"kind": "server", "message": "too busy", "retry": true}}\n'
    )
    ask = ("--model", f"scripted:{path}", "--samples", "3", "--max-seconds", "0.5")
    done = monkeys(tmp_path, "solve", QUESTION, *ask)
    assert done.returncode == 4
    assert b"Every sample failed. too busy The time is up." in done.stderr


def test_when_every_sample_fails_the_status_is_4_and_the_object_says_why(tmp_path: Path) -> None:
    path = tmp_path / "faulty.jsonl"
    path.write_text(
        '{"text": "I", "error": {"kind": "server", "message": "gone \\u001b[2J away", "retry": false}}\n'
    )
    ask = ("--model", f"scripted:{path}", "--samples", "3")
    done = monkeys(tmp_path, "solve", QUESTION, *ask, "-o", "json")
    assert done.returncode == 4
    found = json.loads(done.stdout)
    assert found["error"]["kind"] == "every-sample-failed"
    assert found["errors"]["server"] >= 1
    assert found["samples"] == 0
    text = monkeys(tmp_path, "solve", QUESTION, *ask)
    assert text.returncode == 4
    assert b"\x1b" not in text.stderr + text.stdout
    lines = monkeys(tmp_path, "solve", QUESTION, *ask, "-o", "jsonl").stdout
    assert last_line(lines)["type"] == "result"
    assert b'"type":"error"' in lines
    assert monkeys(tmp_path, "replay", "-", "--speed", "max", given=lines).returncode == 0


def test_hostile_model_text_reaches_neither_terminal_nor_layout(tmp_path: Path) -> None:
    hostile = "\x1b]0;owned\x07[/red][bold]The answer is \u202e43\x1b[2J."
    done = monkeys(tmp_path, "solve", QUESTION, "--model", script(tmp_path, hostile), "--samples", "2")
    assert done.returncode == 0
    for text in (done.stdout.decode(), monkeys(tmp_path, "runs", "show", "--sample", "0").stdout.decode()):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "[/red]" in text or "43" in text


def test_a_terminal_without_unicode_gets_text_all_the_same(tmp_path: Path) -> None:
    ask = ("solve", QUESTION, "--answer", "43", "--model", script(tmp_path), "--samples", "2")
    done = monkeys(tmp_path, *ask, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert b"Answer    43" in done.stdout
    assert b"+ right" in done.stdout


def test_a_journal_that_cannot_be_written_stops_a_run_before_it_spends(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    done = monkeys(tmp_path, "solve", QUESTION, "--model", script(tmp_path), "-o", "json")
    assert done.returncode == 5
    assert json.loads(done.stdout)["error"]["kind"] == "part-missing"
    assert b"journal" in done.stderr


def test_a_damaged_journal_is_named_and_left_alone(tmp_path: Path) -> None:
    journal = tmp_path / "data" / "journal.sqlite3"
    journal.parent.mkdir()
    journal.write_bytes(b"rubbish " * 1000)
    for arguments in (["solve", QUESTION, "--model", script(tmp_path)], ["runs", "list"]):
        done = monkeys(tmp_path, *arguments)
        assert done.returncode == 2
        assert b"damaged" in done.stderr
        assert done.stderr.count(b"\n") == 1
    assert journal.read_bytes() == b"rubbish " * 1000


def test_settings_are_the_defaults_and_options_stand_above_them(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text(f'model = "{script(tmp_path)}"\nsamples = 3\n')
    assert json.loads(monkeys(tmp_path, "solve", QUESTION, "-o", "json").stdout)["samples"] == 3
    more = monkeys(tmp_path, "solve", QUESTION, "-o", "json", MONKEYS_SAMPLES="5")
    assert json.loads(more.stdout)["samples"] == 5
    most = monkeys(tmp_path, "solve", QUESTION, "--samples", "2", "-o", "json", MONKEYS_SAMPLES="5")
    assert json.loads(most.stdout)["samples"] == 2
    shown = json.loads(monkeys(tmp_path, "config", "-o", "json", MONKEYS_SAMPLES="5").stdout)
    assert shown["settings"]["samples"] == {"value": 5, "source": "$MONKEYS_SAMPLES"}
    (tmp_path / "config" / "config.toml").write_text("smaples = 3\n")
    wrong = monkeys(tmp_path, "solve", QUESTION)
    assert wrong.returncode == 2
    assert b"samples" in wrong.stderr


def test_a_fault_of_ours_is_one_line_and_a_log(tmp_path: Path) -> None:
    code = (
        "import sys; from app.cli import main, solve\n"
        "import app.settings\n"
        "app.settings.load = lambda: 1 / 0\n"
        "sys.exit(main.run(['solve', 'hi', '-o', 'json']))"
    )
    call = [sys.executable, "-c", code]
    done = subprocess.run(call, capture_output=True, env=environment(tmp_path), check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["kind"] == "internal"
    assert done.stderr.count(b"\n") == 1
    assert b"Traceback" not in done.stderr
    assert "ZeroDivisionError" in (tmp_path / "cache" / "logs" / "faults.log").read_text()
    shown = subprocess.run(
        call, capture_output=True, env=environment(tmp_path, MONKEYS_DEBUG="1"), check=False
    )
    assert shown.returncode == 1
    assert b"ZeroDivisionError" in shown.stderr


def test_a_server_that_is_not_there_is_a_failed_run_and_its_password_is_kept_nowhere(tmp_path: Path) -> None:
    address = "http://me:hunter2hunter2@127.0.0.1:9/v1"
    ask = ("--model", "openai:toy", "--base-url", address, "--samples", "1", "-o", "jsonl")
    done = monkeys(tmp_path, "solve", QUESTION, *ask, OPENAI_API_KEY="sk-0123456789abcdefghij")
    assert done.returncode in (2, 4, 5), done.stderr
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for place in (done.stdout, done.stderr, kept):
        assert b"hunter2" not in place
        assert b"0123456789abcdefghij" not in place

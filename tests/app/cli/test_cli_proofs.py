"""Proofs from the command line, where their checker is missing: nothing is guessed, and the fix is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli.main import run
from tests.app.cli.calls import last_line, monkeys, script
from tests.app.cli.test_cli_verify import jsonl

LEAN = {
    "id": "l",
    "kind": "proof",
    "language": "lean4",
    "prompt": "?",
    "statement": "theorem t : 1 = 1 := by",
}
PROOF = "```lean\ntheorem t : 1 = 1 := rfl\n```"


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a search path without provers."""
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    monkeypatch.setenv("HOME", str(empty))
    monkeypatch.setenv("MONKEYS_HOME", str(tmp_path / "home"))
    return tmp_path


def test_verify_without_lean_ends_with_5_and_the_fix(
    nothing_installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problems = jsonl(nothing_installed / "p.jsonl", [LEAN])
    samples = jsonl(nothing_installed / "s.jsonl", [{"problem_id": "l", "text": PROOF}])
    assert run(["verify", "--problems", problems, "--samples", samples, "-o", "json"]) == 5
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["kind"] == "part-missing"
    assert "Lean is not installed" in error["message"]
    assert "lean_project" in error["fix"]


def test_solve_without_lean_keeps_its_samples_undecided_and_says_why(nothing_installed: Path) -> None:
    file = nothing_installed / "p.json"
    file.write_text(json.dumps(LEAN))
    model = script(nothing_installed, PROOF)
    command = ("solve", "--file", str(file), "--model", model, "--samples", "3", "-o", "jsonl")
    ended = monkeys(nothing_installed / "home", *command)
    assert ended.returncode == 0
    found = last_line(ended.stdout)
    assert (found["samples"], found["coverage"]["verified"]) == (3, False)
    assert b"Nothing is checked: Lean is not installed" in ended.stderr


def test_proof_in_words_is_undecided(nothing_installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = {"id": "w", "kind": "proof", "language": "lean4", "prompt": "Show that primes never end."}
    problems = jsonl(nothing_installed / "p.jsonl", [words])
    samples = jsonl(nothing_installed / "s.jsonl", [{"problem_id": "w", "text": "Suppose they did."}])
    assert run(["verify", "--problems", problems, "--samples", samples, "-o", "json"]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert row["verdict"] == "undecided"
    assert "states no theorem" in row["detail"]["reason"]


def test_doctor_names_the_provers_and_how_to_get_them(
    nothing_installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["doctor", "-o", "json"])
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert not checks["rocq"]["ok"]
    assert "apt install coq" in checks["rocq"]["fix"]
    assert not checks["lean"]["ok"]
    assert "elan" in checks["lean"]["fix"]


def test_cluster_at_a_wrong_address_ends_with_5(
    nothing_installed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONKEYS_CLUSTER", "")  # restored after the option has set it
    problems = jsonl(nothing_installed / "p.jsonl", [LEAN])
    samples = jsonl(nothing_installed / "s.jsonl", [{"problem_id": "l", "text": PROOF}])
    files = ("--problems", problems, "--samples", samples)
    assert run(["verify", *files, "--cluster", "127.0.0.1:1", "-o", "json"]) == 5
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["message"].startswith(("Ray is not installed", "Nothing answers at 127.0.0.1:1"))
    assert error["fix"]

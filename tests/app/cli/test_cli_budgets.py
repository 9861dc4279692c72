"""Budgets from the outside: shorter samples at the end of one, and a machine that is paid by the hour."""

from __future__ import annotations

import json
from pathlib import Path

from tests.app.cli.calls import QUESTION, monkeys, script

LONG = " ".join(["word"] * 400)


def test_the_end_of_a_budget_is_spent_on_shorter_samples_where_that_is_allowed(tmp_path: Path) -> None:
    model = script(tmp_path, LONG, concurrency=1)
    ask = ("solve", QUESTION, "--model", model, "--max-total-tokens", "1650", "--max-tokens", "400")
    full = monkeys(tmp_path, *ask, "-o", "json")
    short = monkeys(tmp_path, *ask, "-o", "json", "--shrink-tokens")
    spends = [json.loads(done.stdout)["spend"] for done in (full, short)]
    spent = [spend["prompt_tokens"] + spend["completion_tokens"] for spend in spends]
    assert spent[0] < spent[1] <= 1650
    assert b"may be shorter" not in full.stderr
    assert short.stderr.count(b"may be shorter") == 1


def test_dollars_end_a_run_on_a_machine_that_is_paid_by_the_hour(tmp_path: Path) -> None:
    model = script(tmp_path, LONG, tokens_per_second=100.0)
    ask = ("solve", QUESTION, "--model", model, "--max-cost", "0.50", "-o", "json")
    done = monkeys(tmp_path, *ask, MONKEYS_GPU_USD_PER_HOUR="3600")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["status"] == "budget"
    assert 0.2 < float(found["spend"]["usd_at_most"]) <= 0.5
    assert b"cost no dollars" not in done.stderr
    free = monkeys(tmp_path, *ask[:-4], "--max-cost", "0.50", "--max-tokens", "5", "-o", "json")
    assert b"cost no dollars" in free.stderr

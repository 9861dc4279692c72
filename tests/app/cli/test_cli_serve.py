"""``monkeys models serve`` as a user meets it, with a vLLM that is none."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.app.cli.calls import environment, last_line, monkeys
from tests.servers.fake_vllm import install

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="vLLM does not run on Windows")


@contextmanager
def serving(
    home: Path, *arguments: str, **more: str
) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """The command and what it printed once it was ready."""
    command = [sys.executable, "-m", "app", "models", "serve", "owner/model", "-o", "jsonl", *arguments]
    with subprocess.Popen(
        command, env=environment(home, **more), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        try:
            assert program.stdout is not None
            yield program, json.loads(program.stdout.readline())
        finally:
            program.send_signal(signal.SIGINT)
            program.wait(30)


def is_gone(pid: int) -> bool:
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.02)
    return False


def test_a_served_model_is_used_by_every_run_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    vllm = str(install(tmp_path / "vllm"))
    with serving(tmp_path, MONKEYS_VLLM_COMMAND=vllm) as (program, row):
        assert row["name"] == row["model"] == "owner/model"
        assert row["base_url"].startswith("http://127.0.0.1:")
        listed = json.loads(monkeys(tmp_path, "models", "list", "-o", "json").stdout)
        up = next(model for model in listed if model["name"] == "vllm:owner/model")
        assert (up["kind"], up["ready"]) == ("vllm", True)
        solved = monkeys(
            tmp_path, "solve", "What is 1 + 1?", "--model", "vllm:owner/model", "--samples", "5", "-o", "json"
        )
        assert solved.returncode == 0
        result = json.loads(solved.stdout)
        assert (result["samples"], result["spend"]["completion_tokens"]) == (5, 20)
        assert result["spend"]["usd"] in ("0", "0.00")
        program.send_signal(signal.SIGINT)
        assert program.wait(30) == 0
    assert is_gone(row["pid"])


def test_a_run_starts_the_server_it_needs_and_ends_it(tmp_path: Path) -> None:
    vllm = str(install(tmp_path / "vllm"))
    solved = monkeys(
        tmp_path, "solve", "What is 1 + 1?", "--model", "vllm:owner/model", "--samples", "3", "-o", "jsonl",
        MONKEYS_VLLM_COMMAND=vllm,
    )  # fmt: skip
    assert solved.returncode == 0
    assert last_line(solved.stdout)["samples"] == 3
    assert b"looking for vLLM" in solved.stdout
    assert not list((tmp_path / "data/servers").glob("*.json"))


def test_flags_reach_vllm_and_a_reward_model_is_served_for_pooling(tmp_path: Path) -> None:
    vllm = str(install(tmp_path / "vllm"))
    with serving(tmp_path, "--reward", "--", "--max-num-seqs", "7", MONKEYS_VLLM_COMMAND=vllm) as (_, row):
        assert row["reward"] is True
        log = Path(row["log"]).read_text()
        assert "'--runner', 'pooling'" in log
        assert "'--max-num-seqs', '7', '--port'" in log


def test_what_is_missing_or_taken_is_one_line_and_a_status(tmp_path: Path) -> None:
    missing = monkeys(tmp_path, "models", "serve", "owner/model", PATH="/nonexistent")
    assert missing.returncode == 5
    assert b"vLLM is not installed here." in missing.stderr
    assert missing.stderr.count(b"\n") == 1
    serve = ("models", "serve", "owner/model")
    vllm = str(install(tmp_path / "vllm"))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        taken = monkeys(tmp_path, *serve, "--port", port, "-o", "json", MONKEYS_VLLM_COMMAND=vllm)
    assert taken.returncode == 2
    assert json.loads(taken.stdout)["error"]["message"] == f"Port {port} is in use."
    died = monkeys(tmp_path, *serve, MONKEYS_VLLM_COMMAND=vllm, FAKE_VLLM="no-memory")
    assert died.returncode == 5
    assert (
        b"vLLM has not enough memory for owner/model: No available memory for the cache blocks."
        in died.stderr
    )
    assert b"Traceback" not in died.stderr

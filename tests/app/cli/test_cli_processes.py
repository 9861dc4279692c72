"""The program among others: signals, kills, pipes that close, terminals."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from app.runs import events as ev
from app.runs.journal import Journal, fold
from tests.app.cli.calls import QUESTION, RIGHT, environment, last_line, monkeys, script

LONG = RIGHT + " " + "That was easy enough to say in many more words than anybody needs. " * 3


def start(home: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "app", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(home),
    )


def wait_for_samples(home: Path, count: int, seconds: float = 20) -> None:
    """Until the journal of ``home`` has a run with so many samples."""
    path = home / "data" / "journal.sqlite3"
    deadline = time.monotonic() + seconds
    while True:
        assert time.monotonic() < deadline, "no samples came"
        if path.exists():
            with Journal.open(path, write=False) as journal:
                if any(run.samples >= count for run in journal.runs()):
                    return
        time.sleep(0.01)


def slow(tmp_path: Path) -> str:
    """A model that needs about a third of a second for a sample."""
    return script(tmp_path, LONG, tokens_per_second=120, concurrency=4)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_ctrl_c_stops_in_order_prints_the_result_and_keeps_everything(
    tmp_path: Path, number: int
) -> None:
    process = start(tmp_path, "solve", QUESTION, "--model", slow(tmp_path), "--samples", "5000", "-o", "json")
    wait_for_samples(tmp_path, 2)
    process.send_signal(number)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    found = json.loads(out)
    assert found["status"] == "interrupted"
    assert 2 <= found["samples"] < 5000
    shown = json.loads(monkeys(tmp_path, "runs", "show", "last", "-o", "json").stdout)
    assert shown["samples"] == found["samples"]
    assert shown["spend"]["completion_tokens"] == found["spend"]["completion_tokens"]


def test_ctrl_c_in_text_mode_prints_the_answer_so_far(tmp_path: Path) -> None:
    process = start(tmp_path, "solve", QUESTION, "--model", slow(tmp_path), "--samples", "5000")
    wait_for_samples(tmp_path, 1)
    process.send_signal(signal.SIGINT)
    out, fault = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Answer    43" in out
    assert b"Traceback" not in fault


def test_two_ctrl_cs_end_it_at_once_and_the_run_can_be_resumed(tmp_path: Path) -> None:
    process = start(tmp_path, "solve", QUESTION, "--model", slow(tmp_path), "--samples", "12", "-o", "json")
    wait_for_samples(tmp_path, 1)
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.001)
    process.communicate(timeout=10)
    assert process.returncode == 130
    found = json.loads(monkeys(tmp_path, "runs", "resume", "last", "-o", "json").stdout)
    assert found["status"] == "completed"
    assert found["samples"] == 12


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_moments_and_resumed_the_run_is_whole(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    count = 40
    ask = ("solve", QUESTION, "--answer", "43", "--samples", str(count), "-o", "json")
    process = start(tmp_path, *ask, "--model", slow(tmp_path))
    kills = 0
    seen: set[int] = set()
    while True:
        before = len(seen)
        if kills < 3:
            wait_for_samples(tmp_path, before + 1)
            time.sleep(rng.random() * 0.4)
            process.kill()
            kills += 1
        out, _ = process.communicate(timeout=60)
        with Journal.open(tmp_path / "data" / "journal.sqlite3", write=False) as journal:
            events = journal.load(journal.resolve("last"))
        finished = [event.sample for event in events if isinstance(event, ev.SampleFinished)]
        assert seen <= set(finished), "a finished sample is never lost"
        seen = set(finished)
        if process.returncode == 0:
            break
        process = start(tmp_path, "runs", "resume", "last", "-o", "json")
    assert Counter(finished) == Counter(range(count)), "every sample once"
    found = json.loads(out)
    assert found["samples"] == count
    assert found["coverage"]["n"] == found["coverage"]["correct"] == count
    state = fold(events)
    assert state.books.known.samples == count
    assert not state.live
    seeds = [sample.seed for sample in state.every_sample()]
    assert len(set(seeds)) == count, "no seed is drawn twice"


def test_a_live_run_cannot_be_resumed_or_deleted_by_another_program(tmp_path: Path) -> None:
    process = start(tmp_path, "solve", QUESTION, "--model", slow(tmp_path), "--samples", "5000", "-o", "json")
    wait_for_samples(tmp_path, 1)
    try:
        for arguments in (["runs", "resume", "last"], ["runs", "delete", "last", "--yes"]):
            done = monkeys(tmp_path, *arguments)
            assert done.returncode == 2
            assert b"being written by another monkeys" in done.stderr or b"still running" in done.stderr
        listed = json.loads(monkeys(tmp_path, "runs", "list", "-o", "json").stdout)
        assert listed[0]["status"] == "running"
    finally:
        process.kill()
        process.communicate()
    done = monkeys(tmp_path, "runs", "delete", "last", "--yes")
    assert done.returncode == 0, done.stderr


def test_a_reader_that_goes_away_ends_the_stream_quietly_and_the_run_is_kept(tmp_path: Path) -> None:
    ask = ("solve", QUESTION, "--model", slow(tmp_path), "--samples", "5000", "-o", "jsonl")
    process = start(tmp_path, *ask)
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())["type"] == "run-started"
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=20) == 0
    assert json.loads(monkeys(tmp_path, "runs", "list", "-o", "json").stdout)[0]["status"] == "stopped"


def test_listing_into_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    read, written = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "app", "config"],
        stdout=written,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
        check=False,
    )
    os.close(written)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_streams_file_cut_by_a_kill_plays_as_far_as_it_goes(tmp_path: Path) -> None:
    target = tmp_path / "run.jsonl"
    ask = ("solve", QUESTION, "--model", slow(tmp_path), "--samples", "5000", "-o", "jsonl")
    with target.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", *ask], stdout=file, env=environment(tmp_path)
        )
        wait_for_samples(tmp_path, 9)  # the journal is ahead of the stream by what is being written just now
        process.kill()
        process.wait()
    target.write_bytes(target.read_bytes()[:-9])
    done = monkeys(tmp_path, "replay", str(target), "--speed", "max")
    assert done.returncode == 0
    assert last_line(done.stdout)["samples"] >= 1
    assert last_line(done.stdout)["status"] == "interrupted"


def test_on_a_terminal_progress_is_drawn_on_stderr_and_wiped_at_the_end(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    ask = ("solve", QUESTION, "--answer", "43", "--model", slow(tmp_path), "--samples", "12", "-o", "json")
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *ask],
        stdout=subprocess.PIPE,
        stderr=slave,
        env=environment(tmp_path, TERM="xterm-256color", COLUMNS="100", LINES="30"),
    )
    os.close(slave)
    drawn = b""
    while select.select([master], [], [], 20)[0]:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        drawn += piece
    out, _ = process.communicate(timeout=20)
    os.close(master)
    assert process.returncode == 0
    assert json.loads(out)["samples"] == 12
    text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", drawn).decode()
    assert re.search(r"\d+ of 12 samples · \d+ tok/s · \d in flight", text)
    assert "majority 43" in text
    assert "pass@1 100%" in text
    frames = text.count("in flight")
    assert 2 <= frames < 40, "a few times a second, whatever the samples do"
    assert drawn.rstrip().endswith((b"\x1b[2K", b"\x1b[?25h"))

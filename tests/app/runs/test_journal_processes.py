"""The journal between processes: killed writers, two programs on one run, a folder that cannot be written."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.errors import BadInput
from app.runs import events as ev
from app.runs import lease
from app.runs.journal import Journal, fold
from tests.app.runs.recordings import call, finished, start

COUNT = 400


def writer(path: Path, run_id: str, count: int = COUNT) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.app.runs.journal_writer", str(path), run_id, str(count)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_moment_and_resumed_no_sample_is_lost_or_repeated(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "journal.sqlite3"
    rng = random.Random(seed)
    promised: list[int] = []
    kills = 0
    while True:
        process = writer(path, "run1")
        assert process.stdout is not None
        last = rng.randrange(5, 120)
        for _, line in zip(range(last), process.stdout, strict=False):
            promised.append(int(line))
        if process.poll() is None and len(promised) < COUNT:
            time.sleep(rng.random() * 0.003)
            process.send_signal(signal.SIGKILL)
            kills += 1
        rest, fault = process.communicate()
        promised += [int(line) for line in rest.splitlines()]
        assert fault == ""
        if process.returncode == 0:
            break
    assert kills >= 3
    with Journal.open(path) as journal:
        events = journal.load("run1")
        summary = journal.summary("run1")
    finishes = Counter(event.sample for event in events if isinstance(event, ev.SampleFinished))
    assert set(finishes) == set(range(COUNT)), "every sample is there"
    assert set(finishes.values()) == {1}, "and none was drawn twice"
    assert set(promised) <= set(finishes), "what the writer was sure of is there"
    state = fold(events)
    assert state.finished == summary.samples == COUNT
    assert state.books.known.samples == COUNT, "each with its charge"
    assert state.right == COUNT, "and its verdict"


def test_a_living_writers_run_is_refused_to_others_and_a_killed_ones_is_free_at_once(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    process = writer(path, "run1", 100_000)
    assert process.stdout is not None
    process.stdout.readline()
    with Journal.open(path) as journal:
        assert journal.summary("run1").status == "running"
        with pytest.raises(BadInput, match=f"process {process.pid}"):
            journal.store("run1")
        process.kill()
        process.stdout.readline()
        _until(lambda: journal.summary("run1").status == "interrupted")
        with journal.store("run1") as store:
            store.append([ev.Resumed(at=1.0)])
    process.communicate()


def test_two_programs_write_two_runs_of_one_journal_at_once(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    processes = [writer(path, f"run{number}", 200) for number in range(3)]
    for process in processes:
        _, fault = process.communicate()
        assert (process.returncode, fault) == (0, "")
    with Journal.open(path) as journal:
        assert {summary.samples for summary in journal.runs()} == {200}
        assert [fold(journal.load(f"run{number}")).finished for number in range(3)] == [200] * 3


def test_a_writer_whose_run_was_taken_over_writes_no_more(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.sqlite3") as journal:
        first = journal.store("run1")
        first.append([start()])
        second = journal.store("run1")
        second.append([call(0, 0.0)])
        with pytest.raises(BadInput, match="took run run1 over"):
            first.append(finished(0, 1.0, "72"))
        first.close()
        second.append(finished(0, 1.0, "72"))
        assert journal.summary("run1").samples == 1


def test_an_ended_run_may_go_on_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    script = (
        "import sys, pathlib, time\n"
        "from app.runs.journal import Journal\n"
        "from tests.app.runs.recordings import batches\n"
        "store = Journal.open(pathlib.Path(sys.argv[1])).store('run1')\n"
        "[store.append(batch) for batch in batches(['72'])]\n"
        "print('ended', flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ended\n"
        with Journal.open(path) as journal, journal.store("run1") as store:
            assert journal.summary("run1").status == "completed"
            store.append([ev.Resumed(at=2.0, reason="1 more")])
    finally:
        process.kill()
        process.communicate()


def test_a_process_id_used_again_is_not_its_former_owner() -> None:
    me = lease.this_process()
    now = time.time()
    assert lease.is_alive(me, now, now)
    assert lease.is_alive(me, now - 3600, now), "silence is no sign of death here"
    if not me.began:
        pytest.skip("this system does not tell when a process began")
    former = lease.Writer(place=me.place, pid=me.pid, began="1")
    assert not lease.is_alive(former, now, now)


def test_a_writer_elsewhere_counts_as_alive_while_it_writes() -> None:
    now = time.time()
    elsewhere = lease.Writer(place="another machine", pid=os.getpid(), began="")
    assert lease.is_alive(elsewhere, now - 1, now)
    assert not lease.is_alive(elsewhere, now - lease.FRESH - 1, now)


def test_a_killed_process_that_nobody_has_reaped_is_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    writer_there = lease.Writer(
        place=lease.this_process().place, pid=process.pid, began=lease._began(process.pid) or ""
    )
    now = time.time()
    assert lease.is_alive(writer_there, now, now)
    process.kill()
    if sys.platform == "linux":
        _until(lambda: not lease.is_alive(writer_there, now, now))
    process.wait()
    assert not lease.is_alive(writer_there, now, now)


# -- a folder that cannot be written -----------------------------------------------------------------------


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="monkeys-journal-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def _as_nobody(act: Callable[[], str]) -> str:
    """What ``act`` says in a process without rights here, which root must become before permissions count."""
    read, written = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            said = act()
        except BaseException as error:  # noqa: BLE001 (the child must never return into pytest)
            said = f"{type(error).__name__} {error}"
        os.write(written, said.encode())
        os._exit(0)
    os.close(written)
    with os.fdopen(read) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return said


def test_a_read_only_folder_can_be_read_and_refuses_to_be_written_before_anything_is_spent(
    open_folder: Path,
) -> None:
    path = open_folder / "journal.sqlite3"
    with Journal.open(path) as journal, journal.store("run1") as store:
        store.append([start(), call(0, 0.0), *finished(0, 1.0, "72")])
    path.chmod(0o444)
    open_folder.chmod(0o555)
    missing = open_folder / "new" / "journal.sqlite3"

    def read() -> str:
        with Journal.open(path, write=False) as journal:
            return f"{journal.read_only} {fold(journal.load('run1')).finished}"

    try:
        assert _as_nobody(read) == "True 1"
        refused = f"PartMissing The journal {path} cannot be written."
        assert _as_nobody(lambda: Journal.open(path).reserve_run_id()) == refused
        refused = f"PartMissing The journal {missing} cannot be used: Permission denied."
        assert _as_nobody(lambda: Journal.open(missing).reserve_run_id()) == refused
        assert _as_nobody(lambda: str(Journal.open(missing, write=False).runs())) == "[]"
    finally:
        open_folder.chmod(0o755)


def _until(happened: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)

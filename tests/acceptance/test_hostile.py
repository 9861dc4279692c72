"""Every program of the hostile collection is contained, seen from outside, as root and as an ordinary user.

    python -m pytest tests/acceptance/test_hostile.py -q -s

Reads the programs from the folder ``hostile`` beside MONKEYS_TEST_DATA (by default ``../shared/hostile``
beside the repository). The first line of each says what must be observed. What a program prints is its own
word: where it could lie, the observation here is made from outside, by a listening server, marker files, the
process table, the worker's own life, and the next program, which must run after each. Prints a table; skips
loudly what it cannot check.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.verifiers.sandbox.test_workers import run_as_ordinary_user
from verifiers.code import CodeChecker
from verifiers.sandbox import NoSandbox, RunResult, Sandbox

DATA = Path(
    os.environ.get("MONKEYS_TEST_DATA") or Path(__file__).resolve().parents[2].parent / "shared" / "data"
)
FOLDER = DATA.parent / "hostile"
SECONDS = 2.0
pytestmark = pytest.mark.timeout(600)

Observe = Callable[[RunResult, "Outside"], str]
"""Asserts, and says in a few words what was seen."""


@dataclass
class Outside:
    """What the caller's side saw while a program ran."""

    connections: int
    new_files: list[str]
    new_processes: list[str]
    most_processes: int
    memory_grown_mb: float
    disk_used_mb: float


def ended_well(result: RunResult, _outside: Outside) -> str:
    assert result.succeeded, result
    assert b"LEAK" not in result.stdout, result
    return "no leak"


def only(pattern: bytes) -> Observe:
    def observe(result: RunResult, outside: Outside) -> str:
        ended_well(result, outside)
        assert re.fullmatch(pattern, result.stdout, re.DOTALL), result
        return result.stdout.decode(errors="replace").strip().replace("\n", "; ")[:60]

    return observe


def stopped(*statuses: str) -> Observe:
    def observe(result: RunResult, _outside: Outside) -> str:
        assert result.status in statuses, result
        assert b"LEAK" not in result.stdout
        return f"stopped: {result.status} after {result.seconds:.1f} s"

    return observe


def environment(result: RunResult, outside: Outside) -> str:
    ended_well(result, outside)
    names = set(eval(result.stdout))  # noqa: S307  a list of names that a walled-in program printed
    assert not names & {
        name for name in os.environ if name not in ("HOME", "PATH", "LANG", "PWD", "LD_LIBRARY_PATH")
    }
    return f"{len(names)} names of the box"


def memory(result: RunResult, outside: Outside) -> str:
    ended_well(result, outside)
    assert result.memory_mb < 700
    return f"MemoryError, peak {result.memory_mb:.0f} MB"


def processes(result: RunResult, outside: Outside) -> str:
    ended_well(result, outside)
    assert outside.most_processes <= 4, "the worker, its box and one program"
    return f"at most {outside.most_processes} processes in the box"


def cut(result: RunResult, outside: Outside) -> str:
    assert result.status == "output"
    assert len(result.stdout) == 64 * 1024
    assert outside.memory_grown_mb < 32
    return f"cut at 64 KB, caller grew {outside.memory_grown_mb:.0f} MB"


def files(result: RunResult, outside: Outside) -> str:
    ended_well(result, outside)
    size = re.search(rb"stopped (\d+) MB", result.stdout)
    assert size is not None
    assert int(size[1]) <= 16
    assert b"sparse refused" in result.stdout
    assert outside.disk_used_mb < 16
    return f"stopped at {int(size[1])} MB, disk untouched"


def crashed(result: RunResult, _outside: Outside) -> str:
    assert (result.status, result.signal, result.stdout) == ("crashed", "SIGSEGV", b"before\n")
    return "crashed (SIGSEGV)"


def bytes_kept(result: RunResult, _outside: Outside) -> str:
    assert result.stdout == b'\xff\xfe\x00\x1b]0;pwn\x07\x1b[2J{"rc":0}\n' + b"\x80" * 100
    return "bytes as written"


MUST: dict[str, Observe] = {
    "01": ended_well,
    "03": environment,
    "05": only(rb"done\n"),
    "07": only(rb"done\n"),
    "09": only(rb"FIRST\n"),
    "10": only(rb"denied \d+ \w+ quick\n"),
    "11": only(rb"(denied \d+\n){3}"),
    "14": processes,
    "15": ended_well,
    "16": memory,
    "18": processes,
    "20": stopped("time"),
    "22": stopped("time"),
    "23": stopped("time"),
    "26": cut,
    "28": files,
    "30": ended_well,
    "32": processes,
    "33": only(rb"refused .*system \d+\n"),
    "35": only(rb"(\w+ -1 \d+ denied\n){7}"),
    "38": only(rb"denied 1\ndenied 1\nids (\d+) \d+ \[\]\ncapset -1 1\n"),
    "40": only(rb"(denied \S+ \d+\n){10}mknod denied \d+\n"),
    "42": ended_well,
    "44": ended_well,
    "46": crashed,
    "48": bytes_kept,
    "50": processes,
    "52": only(rb"''\nEOF\n"),
}


def programs() -> list[Path]:
    return sorted(FOLDER.glob("*.py"))


async def contain_all() -> list[dict[str, Any]]:
    """Run every program and observe it; one row each. Also run as another user, in a process of its own."""
    rows = []
    with listening() as server:
        async with Sandbox(1) as sandbox:
            box = await sandbox.probe()
            for path in programs():
                observe = MUST.get(path.name[:2])
                assert observe is not None, f"{path.name} has no observation"
                (worker,) = sandbox.worker_pids()
                result, outside = await observed(sandbox, path.read_text(), worker, server)
                assert outside.connections == 0
                assert outside.new_files == []
                assert outside.new_processes == []
                seen = observe(result, outside)
                if path.name.startswith("09"):
                    again = await sandbox.run(path.read_text(), seconds=SECONDS)
                    assert again.stdout == b"FIRST\n"
                following = await sandbox.run("print('next')")
                assert following.stdout == b"next\n"
                assert sandbox.worker_pids() == [worker], "the box itself must have lived on"
                rows.append({"program": path.name, "seen": seen, "seconds": result.seconds, "box": box})
    return rows


async def observed(
    sandbox: Sandbox, program: str, worker: int, server: socket.socket
) -> tuple[RunResult, Outside]:
    before_files, before_family, before_memory = marker_files(), family(worker), resident_mb()
    disk = os.statvfs("/tmp")
    task = asyncio.create_task(sandbox.run(program, seconds=SECONDS))
    most = 0
    while not task.done():
        most = max(most, len(family(worker)))
        await asyncio.sleep(0.01)
    result = task.result()
    after = os.statvfs("/tmp")
    left = [name for pid, name in family(worker).items() if pid not in before_family]
    return result, Outside(
        connections=accepted(server),
        new_files=sorted(marker_files() - before_files),
        new_processes=left,
        most_processes=most,
        memory_grown_mb=resident_mb() - before_memory,
        disk_used_mb=(disk.f_bavail - after.f_bavail) * disk.f_frsize / 2**20,
    )


@contextlib.contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 18999)) as server:
        server.setblocking(False)
        yield server


def accepted(server: socket.socket) -> int:
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


def marker_files() -> set[str]:
    """Files that hostile programs would leave on the caller's side."""
    folders = [
        "/",
        "/usr",
        "/usr/lib",
        "/opt",
        "/root",
        "/var",
        "/var/tmp",
        "/home",
        "/dev",
        "/dev/shm",
        "/sys",
    ]
    names = ("hostile_was_here", "left", "big", "sparse", "n")
    folders += ["/tmp", *(folder for folder in sys.path if folder)]
    return {f"{folder}/{name}" for folder in folders for name in names if os.path.exists(f"{folder}/{name}")}


def family(pid: int) -> dict[int, str]:
    """The living processes below ``pid``, itself included."""
    found: dict[int, str] = {}
    todo = [pid]
    while todo:
        one = todo.pop()
        with contextlib.suppress(OSError):
            found[one] = Path(f"/proc/{one}/comm").read_text().strip()
            todo += map(int, Path(f"/proc/{one}/task/{one}/children").read_text().split())
    return found


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def show(rows: list[dict[str, Any]], who: str) -> None:
    print(f"\n{len(rows)} programs contained behind {rows[0]['box']} as {who}")
    for row in rows:
        print(f"  ✓ {row['program']:<28}{row['seconds']:>6.2f} s  {row['seen']}")


def needs_programs() -> None:
    if not programs():
        pytest.skip(f"NOT CHECKED: {FOLDER} holds no programs; set MONKEYS_TEST_DATA to the folder beside it")


async def test_every_hostile_program_is_contained(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_programs()
    monkeypatch.setenv("SANDBOX_CANARY", "seen")
    monkeypatch.setenv("HOME", "/root")
    try:
        rows = await contain_all()
    except NoSandbox as missing:
        pytest.skip(f"NOT CHECKED: {missing.message} {missing.fix}")
    show(rows, f"user {os.getuid()}")
    assert len(rows) == len(programs()) >= 28


def test_every_hostile_program_is_contained_for_an_ordinary_user() -> None:
    needs_programs()
    if os.getuid() != 0:
        pytest.skip("the test above has just been an ordinary user's")
    script = (
        "import asyncio, json\n"
        "from tests.acceptance.test_hostile import contain_all\n"
        "print('ROWS' + json.dumps(asyncio.run(contain_all())))\n"
    )
    out = run_as_ordinary_user(script, MONKEYS_TEST_DATA=str(DATA), SANDBOX_CANARY="seen")
    rows = json.loads(out.rsplit("ROWS", 1)[1])
    show(rows, "an ordinary user")
    assert len(rows) == len(programs())


@pytest.mark.parametrize("number", ["42", "44"])
async def test_grading_attacks_never_pass(number: str) -> None:
    needs_programs()
    (path,) = FOLDER.glob(f"{number}_*.py")
    attack = path.read_text()
    wrong = "def add(a, b):\n    return abs(a) * 0 + 1\n"
    tests = {
        "type": "python",
        "code": "import math\ndef check(candidate):\n    assert math.isclose(candidate(1, 2), 3)\n"
        "    assert candidate(-5, 2) == -3\n    assert all([candidate(0, 0) == 0])\n",
    }
    stdio = {"type": "stdio", "cases": [{"input": "1 2\n", "output": "3\n"}]}
    async with Sandbox(1) as sandbox:
        try:
            await sandbox.probe()
        except NoSandbox as missing:
            pytest.skip(f"NOT CHECKED: {missing.message} {missing.fix}")
        checker = CodeChecker(sandbox)
        for reply in (attack, attack + wrong, wrong + attack):
            for known in (tests, stdio):
                verdict = await checker.judge(
                    reply, prompt="Add two numbers.", tests=known, entry_point="add"
                )
                print(
                    f"  {number} {known['type']:<7} {verdict.judgement.verdict}: {verdict.judgement.reason}"
                )
                assert verdict.judgement.verdict == "wrong"


def test_the_caller_s_process_table_is_clean_afterwards() -> None:
    time.sleep(0.2)
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=False).stdout
    assert "sleep 25" not in shown

"""Commands behind their walls, each observation made from outside where a command could lie."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.verifiers.sandbox.test_workers import run_as_ordinary_user
from verifiers.sandbox import (
    BoxFailed,
    Command,
    CommandBox,
    CommandLimits,
    CommandResult,
    NoSandbox,
    Toolchain,
)
from verifiers.sandbox.holders import Holder, Watched, best_holder

pytestmark = pytest.mark.asyncio(loop_scope="module")
TOOLS = Toolchain((), (), "/usr/bin:/bin", {})


def watched(_memory_mb: int, _processes: int) -> Holder:
    return Watched()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["best", "watched"])
async def box(request: pytest.FixtureRequest) -> AsyncIterator[CommandBox]:
    async with CommandBox(2, hold=watched if request.param == "watched" else best_holder) as made:
        try:
            await made.probe()
        except NoSandbox as missing:
            pytest.skip(f"NOT CHECKED: {missing.message} {missing.fix}")
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tree/inner").mkdir(parents=True)
    (tmp_path / "tree/a.txt").write_text("as it was\n")
    (tmp_path / "tree/inner/b.txt").write_text("b\n")
    return tmp_path / "tree"


async def run(box: CommandBox, folder: Path, line: str, **limits: float) -> CommandResult:
    command = Command(line, folder, str(folder), TOOLS)
    return await box.run(command, CommandLimits(**limits))  # type: ignore[arg-type]


def alive(mark: str) -> list[str]:
    """The processes of this machine whose command line holds ``mark``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if mark.encode() in words:
                found.append(entry.name)
    return found


async def test_a_command_works_in_a_copy_that_stands_where_the_folder_does(
    box: CommandBox, folder: Path
) -> None:
    changes = {"a.txt": b"changed\n", "inner/b.txt": None, "new/c.txt": b"c\n"}
    line = "pwd; cat a.txt; ls inner; cat new/c.txt; echo more > a.txt; exit 3"
    result = await box.run(Command(line, folder, str(folder), TOOLS, changes))

    assert (result.status, result.exit_code) == ("exited", 3)
    assert result.output_text == f"{folder}\nchanged\nc\n"
    assert (folder / "a.txt").read_text() == "as it was\n"
    assert sorted(os.listdir(folder)) == ["a.txt", "inner"]
    assert result.seconds < 10
    assert result.box.startswith("bubblewrap")


async def test_nothing_of_ours_and_nothing_of_a_home_is_seen(
    box: CommandBox, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-strangers")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    secret = folder.parent / "secret"
    secret.write_text("not for strangers")
    line = f"env; cat {secret}; ls -a {Path.home()}; ls {folder.parent}; cat /etc/shadow; id -u"
    result = await run(box, folder, line)

    assert "strangers" not in result.output_text
    assert "PYTHONPATH" not in result.output_text
    assert "VIRTUAL_ENV" not in result.output_text
    assert f"cannot access '{Path.home()}'" in result.output_text
    assert result.output_text.endswith("1000\n")


async def test_it_reaches_no_network(box: CommandBox, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        reached = threading.Event()

        def accept() -> None:
            server.settimeout(1)
            try:
                server.accept()
                reached.set()
            except OSError:
                pass

        listening = threading.Thread(target=accept)
        listening.start()
        port = server.getsockname()[1]
        perl = f"use IO::Socket::INET; print IO::Socket::INET->new('127.0.0.1:{port}') ? 'in' : 'out'"
        result = await run(box, folder, f'perl -e "{perl}"')
        await asyncio.to_thread(listening.join)
    assert not reached.is_set()
    assert result.output_text == "out"


async def test_a_command_that_hangs_ends_with_all_that_it_started(box: CommandBox, folder: Path) -> None:
    mark = f"86{os.getpid()}"
    line = f"(setsid sleep {mark} &) ; nohup sleep {mark} > /dev/null & sleep {mark}"
    result = await run(box, folder, line, seconds=0.5)

    assert (result.status, result.exit_code) == ("time", None)
    assert 0.4 < result.seconds < 5
    assert not alive(mark)


async def test_what_it_leaves_running_ends_with_it(box: CommandBox, folder: Path) -> None:
    mark = f"87{os.getpid()}"
    result = await run(box, folder, f"(setsid sleep {mark} &) ; echo done")

    assert (result.status, result.output) == ("exited", b"done\n")
    assert not alive(mark)


async def test_cancelling_ends_it(box: CommandBox, folder: Path) -> None:
    mark = f"88{os.getpid()}"
    running = asyncio.create_task(run(box, folder, f"sleep {mark}"))
    for _ in range(400):
        if alive(f"sleep\0{mark}"):
            break
        await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not alive(mark)


async def test_a_gigabyte_of_output_is_cut_and_stopped(box: CommandBox, folder: Path) -> None:
    result = await run(box, folder, "head -c 1000000000 /dev/zero", output_bytes=1 << 20)
    assert (result.status, len(result.output)) == ("output", 1 << 20)


async def test_a_gigabyte_of_files_has_no_room(box: CommandBox, folder: Path) -> None:
    before = os.statvfs(folder).f_bavail
    line = "for n in 1 2 3; do head -c 400000000 /dev/zero > /tmp/$n; head -c 400000000 /dev/zero > $n; done"
    result = await run(box, folder, f"{line}; df -k /tmp . | tail -2", memory_mb=200, seconds=30)

    assert result.status in ("exited", "memory")
    assert before - os.statvfs(folder).f_bavail < 50_000_000 // os.statvfs(folder).f_frsize
    assert not [name for name in os.listdir(folder) if name.isdigit()]


async def test_memory_is_held_for_all_processes_together(box: CommandBox, folder: Path) -> None:
    one = "perl -e '$x = \"a\" x (70 << 20); sleep 3'"
    result = await run(box, folder, f"{one} & {one} & {one} & {one} & wait", memory_mb=200, seconds=15)

    assert result.status == "memory", result
    assert "cgroup" not in result.box or result.memory_mb <= 201
    assert "cgroup" in result.box or "watch" in result.box or "scope" in result.box


async def test_a_flood_of_processes_is_held(box: CommandBox, folder: Path) -> None:
    mark = f"89{os.getpid()}"
    line = f"n=0; while [ $n -lt 400 ]; do sleep {mark} & n=$((n + 1)); done; echo all of them; wait"
    started = time.monotonic()
    result = await run(box, folder, line, processes=50, seconds=5)

    assert "all of them" not in result.output_text or result.status == "processes"
    assert time.monotonic() - started < 30
    assert not alive(mark)


async def test_signals_stay_inside(box: CommandBox, folder: Path) -> None:
    result = await run(box, folder, "kill -9 0; kill -9 -1; echo still here")
    assert result.status == "exited"
    assert (await run(box, folder, "echo next")).output == b"next\n"


async def test_no_new_namespace_and_no_mount(box: CommandBox, folder: Path) -> None:
    result = await run(box, folder, "unshare -Ur id -u && echo OUT; mount -t tmpfs x /tmp && echo OUT")
    assert "OUT" not in result.output_text


async def test_a_folder_that_cannot_be_copied_is_the_boxs_fault(box: CommandBox, tmp_path: Path) -> None:
    with pytest.raises(BoxFailed):
        await box.run(Command("echo hi", tmp_path / "nowhere", str(tmp_path), TOOLS))


async def test_without_bubblewrap_it_is_refused_with_the_fix() -> None:
    async with CommandBox(find=list) as nothing:
        with pytest.raises(NoSandbox) as refused:
            await nothing.probe()
    assert "apt install bubblewrap" in refused.value.fix


async def test_the_box_says_what_holds_the_memory(tmp_path: Path) -> None:
    async with CommandBox(hold=watched) as made:
        try:
            box = await made.probe()
        except NoSandbox as missing:
            pytest.skip(f"NOT CHECKED: {missing.message}")
    assert box.endswith("limits on each process and a watch over their sum")


async def test_an_ordinary_user_is_held_alike() -> None:
    script = """
import asyncio, tempfile
from pathlib import Path
from verifiers.sandbox import Command, CommandBox, CommandLimits, NoSandbox, Toolchain

async def main():
    folder = tempfile.mkdtemp()
    Path(folder, "a").write_text("as it was")
    flood = "n=0; while [ $n -lt 300 ]; do sleep 50 & n=$((n+1)); done"
    hog = "perl -e '$x = qq(a) x (150 << 20); sleep 5'"
    async with CommandBox() as box:
        for line, limits in (
            ("cat a; echo more > a; exit 3", {}),
            (f"{flood}; echo all", {"processes": 60, "seconds": 5}),
            (f"{hog} & {hog} & wait", {"memory_mb": 200, "seconds": 20}),
            ("sleep 60", {"seconds": 0.5}),
        ):
            command = Command(line, Path(folder), folder, Toolchain((), (), "/usr/bin:/bin", {}))
            found = await box.run(command, CommandLimits(**limits))
            print(found.status, "all" in found.output_text, Path(folder, "a").read_text())

try:
    asyncio.run(main())
except NoSandbox as missing:
    print("NOT CHECKED", missing.message)
"""
    out = await asyncio.to_thread(run_as_ordinary_user, script)
    if "NOT CHECKED" in out:
        pytest.skip(out)
    exits, flood, hog, sleeper = (line.split(" ", 2) for line in out.splitlines())
    assert exits[0] == "exited"
    assert flood[0] == "processes" or flood[1] == "False"
    assert hog[0] == "memory"
    assert sleeper[0] == "time"
    assert {line[2] for line in (exits, flood, hog, sleeper)} == {"as it was"}

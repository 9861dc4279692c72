"""The life of a vLLM server: found or started, shared, told of, and never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from app.errors import BadInput, MonkeysError, PartMissing
from app.locations import servers_folder
from app.models.base import (
    BackendError,
    ChoiceDone,
    Delta,
    Message,
    Piece,
    Progress,
    Prompt,
    Request,
    Settings,
)
from app.models.vllm_backend import VllmBackend
from app.models.vllm_card import Card
from app.models.vllm_found import running_servers
from app.models.vllm_plan import Wanted
from app.models.vllm_server import VllmServer, hold_server
from tests.servers.fake_vllm import install

ROOT = Path(__file__).resolve().parents[3]
PROMPT = Prompt(messages=(Message("user", "hello"),))

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MONKEYS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MONKEYS_VLLM_COMMAND", str(install(tmp_path / "vllm")))
    monkeypatch.setattr("app.models.vllm_server._LOOK_EVERY", 0.05)
    yield
    for pid in _fakes(tmp_path):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    return Wanted("owner/model", command=str(tmp_path / "vllm"))


def behave(monkeypatch: pytest.MonkeyPatch, how: str, mark: Path | None = None) -> None:
    monkeypatch.setenv("FAKE_VLLM", how)
    if mark is not None:
        monkeypatch.setenv("FAKE_VLLM_READY", str(mark))


def _fakes(home: Path) -> list[int]:
    """Processes of servers and keepers that belong to this test, by the log that they write to."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(home).encode() in (process / "environ").read_bytes() and int(process.name) != os.getpid():
                found.append(int(process.name))
    return found


async def until(true: Callable[[], bool], seconds: float = 8.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


def command_line(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def begin(script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE)


async def gone(pid: int) -> None:
    await until(lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid))


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@asynccontextmanager
async def held(wanted: Wanted) -> AsyncIterator[VllmServer]:
    server = await hold_server(wanted)
    try:
        yield server
    finally:
        await server.close()


def nothing(_: Progress) -> None:
    pass


async def test_a_server_is_started_answers_and_is_gone_when_it_is_let_go(wanted: Wanted) -> None:
    async with held(wanted) as server:
        steps: list[Progress] = []
        await server.wait_until_ready(steps.append)
        assert server.started
        assert server.alive
        assert [about.name for about in running_servers()] == ["owner/model"]
        assert os.getpgid(server.pid) == server.pid != os.getpgid(0)
        words = command_line(server.pid)
        for flag in ("--generation-config", "--enable-prefix-caching", "--enable-mfu-metrics"):
            assert flag in words
        pid = server.pid
    await gone(pid)
    assert running_servers() == []
    assert not list(servers_folder().glob("*.json"))


async def test_a_second_user_shares_the_server_and_it_stays_until_the_last_has_left(wanted: Wanted) -> None:
    first = await hold_server(wanted)
    await first.wait_until_ready(nothing)
    second = await hold_server(wanted)
    await second.wait_until_ready(nothing)
    assert (second.pid, second.started) == (first.pid, False)
    await first.close()
    await asyncio.sleep(0.1)
    assert second.alive
    assert len(running_servers()) == 1
    await second.close()
    await gone(first.pid)


async def test_two_who_come_at_the_same_moment_start_one_server(wanted: Wanted) -> None:
    servers = await asyncio.gather(*(hold_server(wanted) for _ in range(3)))
    assert len({server.pid for server in servers}) == 1
    assert sum(server.started for server in servers) == 1
    await asyncio.gather(*(server.close() for server in servers))
    await gone(servers[0].pid)


async def test_its_start_is_told_step_by_step(
    wanted: Wanted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    behave(monkeypatch, "slow", tmp_path / "ready")
    async with held(wanted) as server:
        steps: list[Progress] = []
        waiting = asyncio.create_task(server.wait_until_ready(steps.append))
        await until(lambda: any(step.fraction == 0.5 for step in steps))
        assert steps[-1].step == "vLLM: loading weights"
        (tmp_path / "ready").touch()
        await waiting


@pytest.mark.parametrize("how", ["deaf", "family", "slow"])
async def test_a_server_that_will_not_go_is_made_to(
    wanted: Wanted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    behave(monkeypatch, how)
    monkeypatch.setattr("app.models.vllm_server.SECONDS_TO_STOP", (0.3, 0.3, 5.0))
    server = await hold_server(wanted)
    if how != "slow":
        await server.wait_until_ready(nothing)
    await server.close()
    await until(lambda: not _fakes(tmp_path), 20)


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ("dies", BadInput, "vLLM cannot get owner/model: nobody/nothing is not a local folder"),
        ("no-memory", PartMissing, "not enough memory for owner/model: No available memory"),
    ],
)
async def test_a_server_that_dies_in_its_start_says_why_in_one_line(
    wanted: Wanted, monkeypatch: pytest.MonkeyPatch, how: str, kind: type[MonkeysError], words: str
) -> None:
    behave(monkeypatch, how)
    with pytest.raises(kind) as caught:
        await VllmBackend(wanted).open(nothing)
    assert words in caught.value.message
    assert "Traceback" not in caught.value.message
    assert "vllm-owner-model.log" in (caught.value.fix or "")


async def test_a_program_that_is_killed_leaves_no_server(wanted: Wanted, tmp_path: Path) -> None:
    script = (
        "import asyncio, sys\nfrom app.models.vllm_server import hold_server\n"
        "from app.models.vllm_plan import Wanted\n"
        "async def main():\n"
        f"    server = await hold_server(Wanted('owner/model', command={wanted.command!r}))\n"
        "    await server.wait_until_ready(lambda _: None)\n"
        "    print(server.pid, flush=True)\n    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    with begin(script) as program:
        assert program.stdout is not None
        pid = int(await asyncio.to_thread(program.stdout.readline))
        assert not _is_zombie(pid)
        program.kill()
    await gone(pid)
    await until(lambda: not _fakes(tmp_path))


async def test_a_killed_keeper_leaves_no_server_either(wanted: Wanted, tmp_path: Path) -> None:
    async with held(wanted) as server:
        await server.wait_until_ready(nothing)
        keeper = parent_of(server.pid)
        os.kill(keeper, signal.SIGKILL)
        assert await server.died()
        await gone(server.pid)
    await until(lambda: not _fakes(tmp_path))
    assert running_servers() == []
    assert not list(servers_folder().glob("*.json"))


async def test_a_killed_server_is_told_of_by_its_signal(wanted: Wanted) -> None:
    async with held(wanted) as server:
        await server.wait_until_ready(nothing)
        os.kill(server.pid, signal.SIGKILL)
        assert await server.died()
        assert server.why == "its process was killed by SIGKILL"


async def test_a_card_of_another_process_is_not_believed(wanted: Wanted, tmp_path: Path) -> None:
    async with held(wanted) as server:
        await server.wait_until_ready(nothing)
        (path,) = servers_folder().glob("*.json")
        card = msgspec.json.decode(path.read_bytes(), type=Card)
    stranger = msgspec.structs.replace(card, pid=os.getpid(), socket=str(tmp_path / "none.sock"))
    path.write_bytes(msgspec.json.encode(stranger))
    assert running_servers() == []
    assert not path.exists()


async def test_a_port_that_is_taken_and_flags_that_differ_are_refused(wanted: Wanted) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BadInput, match=f"Port {port} is in use"):
            await hold_server(Wanted(wanted.name, wanted.command, port=port))
    async with held(wanted):
        with pytest.raises(BadInput, match="is up already, on port"):
            await hold_server(Wanted(wanted.name, wanted.command, flags=("--a", "8"), exact=True))
        async with held(Wanted(wanted.name, wanted.command, flags=("--a", "8"))) as shared:
            assert not shared.started


async def test_a_cancelled_start_leaves_nothing(
    wanted: Wanted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    behave(monkeypatch, "slow")
    opening = asyncio.create_task(VllmBackend(wanted).open(nothing))
    await until(lambda: bool(running_servers()))
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await until(lambda: not _fakes(tmp_path))


# -- as a backend -----------------------------------------------------------------------------------------


async def drain(backend: VllmBackend, choices: int, into: list[Piece]) -> None:
    async with aclosing(backend.sample(Request(PROMPT, Settings(max_tokens=8), choices, 1))) as pieces:
        async for piece in pieces:
            into.append(piece)  # noqa: PERF401 - what came before a fault must stay


async def test_a_backend_samples_tells_its_load_and_closes(wanted: Wanted, tmp_path: Path) -> None:
    backend = VllmBackend(wanted)
    assert (backend.info.kind, backend.info.local, backend.info.stops_when_told) == ("vllm", True, True)
    await backend.open(nothing)
    pieces: list[Piece] = []
    await drain(backend, 2, pieces)
    assert [piece for piece in pieces if isinstance(piece, ChoiceDone)] == [
        ChoiceDone(0, "stop", 4, mean_logprob=-0.5),
        ChoiceDone(1, "stop", 4, mean_logprob=-0.5),
    ]
    assert backend.info.context == 4096
    assert backend.load is not None
    assert backend.load.running == 3
    await backend.close()
    await until(lambda: not _fakes(tmp_path))


async def test_a_server_that_dies_in_mid_run_is_told_of_and_started_once_more(
    wanted: Wanted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    behave(monkeypatch, "fragile", tmp_path / "died")
    backend = VllmBackend(wanted)
    await backend.open(nothing)
    pieces: list[Piece] = []
    with pytest.raises(BackendError) as caught:
        await drain(backend, 1, pieces)
    assert (caught.value.kind, caught.value.retry) == ("crashed", True)
    assert "owner/model ended: CUDA out of memory. Tried to allocate 2.00 GiB." in caught.value.message
    assert sum(isinstance(piece, Delta) for piece in pieces) == 3
    again: list[Piece] = []
    await drain(backend, 1, again)
    assert isinstance(again[-1], ChoiceDone)
    (tmp_path / "died").unlink()
    with pytest.raises(BackendError) as last:
        await drain(backend, 1, [])
    assert not last.value.retry
    await backend.close()

"""The system-call filter, run step by step as the kernel would, for both machines that have a table."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from verifiers.sandbox.inside import seccomp
from verifiers.sandbox.inside.syscalls import AARCH64, NUMBERS, X86_64

ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
MACHINES = {"x86_64": (X86_64, 0xC000003E), "aarch64": (AARCH64, 0xC00000B7)}


def decision(program: bytes, arch: int, number: int, *arguments: int) -> int:
    """What the filter answers to one call: a small interpreter of the five instructions it uses."""
    data = struct.pack("=IIQ6Q", number, arch, 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    steps = [struct.unpack_from("=HBBI", program, place) for place in range(0, len(program), 8)]
    place = accumulator = 0
    while True:
        operation, if_true, if_false, value = steps[place]
        place += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, value)
        elif operation == 0x54:
            accumulator &= value
        elif operation == 0x15:
            place += if_true if accumulator == value else if_false
        elif operation == 0x35:
            place += if_true if accumulator >= value else if_false
        else:
            assert operation == 0x06
            return int(value)


@pytest.fixture(params=MACHINES)
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    monkeypatch.setattr("platform.machine", lambda: request.param)
    return MACHINES[request.param]


def test_what_is_listed_is_allowed_and_all_else_refused(machine: tuple[int, int]) -> None:
    column, arch = machine
    program = seccomp.strict_filter()
    conditional = {"clone", "clone3", "ioctl", "prctl", "prlimit64", "socketpair"}
    free = {numbers[column] for name, numbers in NUMBERS.items() if name not in conditional}
    named = {numbers[column] for numbers in NUMBERS.values()}
    for number in range(463):
        if number not in named:
            assert decision(program, arch, number) == EPERM, number
        elif number in free:
            assert decision(program, arch, number, 2**64 - 1) == ALLOW, number
    assert decision(program, arch, 463) == decision(program, arch, 5000) == ENOSYS


def test_a_foreign_calling_convention_is_a_kill(machine: tuple[int, int]) -> None:
    _column, arch = machine
    program = seccomp.strict_filter()
    assert decision(program, 0x40000003, 0) == KILL
    assert decision(program, arch, 0x40000000) == KILL


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("clone", (0x3D0F00,), ALLOW),  # what a thread is made with
        ("clone", (17,), EPERM),
        ("clone", (0x4111,), EPERM),
        ("clone", (0x00010000 | 0x10000000,), EPERM),
        ("clone3", (0,), ENOSYS),
        ("ioctl", (0, 0x5401), ALLOW),
        ("ioctl", (0, 0x5412), EPERM),  # types into the terminal
        ("prctl", (15,), ALLOW),
        ("prctl", (4,), EPERM),
        ("prlimit64", (0,), ALLOW),
        ("prlimit64", (1,), EPERM),
        ("socketpair", (1,), ALLOW),
        ("socketpair", (2,), EPERM),
    ],
)
def test_some_calls_depend_on_their_arguments(
    machine: tuple[int, int], name: str, arguments: tuple[int, ...], answer: int
) -> None:
    column, arch = machine
    number = NUMBERS[name][column]
    assert number is not None
    assert decision(seccomp.strict_filter(), arch, number, *arguments) == answer


def test_signals_can_be_kept_to_one_process(machine: tuple[int, int]) -> None:
    column, arch = machine
    kill = NUMBERS["kill"][column]
    assert kill is not None
    assert decision(seccomp.strict_filter(), arch, kill, 1) == ALLOW
    program = seccomp.strict_filter(only_pid=7)
    assert decision(program, arch, kill, 7) == ALLOW
    for other in (1, 0, 2**64 - 1, 8):
        assert decision(program, arch, kill, other) == EPERM


@pytest.mark.parametrize(
    "forbidden", ["execve", "fork", "vfork", "socket", "connect", "ptrace", "memfd_create", "mount"]
)
def test_nothing_dangerous_is_in_the_table(forbidden: str) -> None:
    assert forbidden not in NUMBERS


def test_a_machine_without_a_table_gets_no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(OSError, match="riscv64"):
        seccomp.strict_filter()


def test_a_worker_refuses_to_run_where_there_is_no_box() -> None:
    """Its scratch folder is ``/tmp``, which it empties: outside a box that would be the caller's."""
    root = Path(__file__).resolve().parents[3]
    code = "from verifiers.sandbox.inside.worker import main; main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "inside a box only" in done.stderr

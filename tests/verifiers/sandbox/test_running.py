"""What a program meets in its box, and what we learn of it."""

from __future__ import annotations

import asyncio
import time

import pytest

from verifiers.sandbox import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_output_status_time_and_memory_are_recorded(sandbox: Sandbox) -> None:
    result = await sandbox.run(
        "import sys; b=bytearray(b'x') * (80 << 20); print('out'); sys.stderr.write('err\\n'); sys.exit(3)"
    )
    assert (result.status, result.exit_code, result.stdout, result.stderr) == (
        "exited",
        3,
        b"out\n",
        b"err\n",
    )
    assert not result.succeeded
    assert 0 < result.seconds < 5
    assert result.memory_mb > 80
    assert result.box.startswith("bubblewrap")


async def test_a_program_reads_its_input_to_the_end(sandbox: Sandbox) -> None:
    sent = b"line\n" * 100_000
    result = await sandbox.run("import sys; print(len(sys.stdin.buffer.read()))", stdin=sent)
    assert result.stdout == b"500000\n"


async def test_input_that_nobody_reads_holds_nothing_up(sandbox: Sandbox) -> None:
    assert (await sandbox.run("print(1)", stdin=b"x" * 500_000)).stdout == b"1\n"


@pytest.mark.parametrize(
    ("program", "status", "words"),
    [
        ("def f(:", "exited", b"SyntaxError"),
        ("def f():\n    return 1 / 0\nf()", "exited", b"line 2, in f"),
        ("(" * 100_000, "exited", b"SyntaxError"),
        ("-" * 1_000_000 + "1", "exited", b"MemoryError"),
        ("\0", "exited", b"null bytes"),
        ("x = '\ud800'", "exited", b"surrogates not allowed"),
        ("import sys; sys.exit('no luck')", "exited", b"no luck"),
        ("x = bytearray(2 << 30)", "exited", b"MemoryError"),
        ("class E(Exception):\n    __str__ = None\nraise E", "exited", b"E"),
    ],
)
async def test_a_failing_program_says_why(sandbox: Sandbox, program: str, status: str, words: bytes) -> None:
    result = await sandbox.run(program)
    assert (result.status, result.exit_code) == (status, 1)
    assert words in result.stderr
    assert b"/verifiers/" not in result.stderr


async def test_programs_run_as_main_with_threads_exit_handlers_and_packages(sandbox: Sandbox) -> None:
    program = """
import atexit, threading, asyncio, dataclasses, sympy, numpy as np
@dataclasses.dataclass
class Point:
    x: int
async def later():
    await asyncio.sleep(0)
    return 5
atexit.register(lambda: print("bye"))
threading.Thread(target=lambda: print("thread")).start()
if __name__ == "__main__":
    print(Point(1), asyncio.run(later()), sympy.solve(sympy.Symbol("x") - 2), int(np.arange(4).sum()))
"""
    result = await sandbox.run(program)
    assert result.stderr == b""
    assert result.succeeded
    assert sorted(result.stdout.split(b"\n")) == sorted([b"", b"Point(x=1) 5 [2] 6", b"thread", b"bye"])


async def test_random_numbers_differ_between_programs(sandbox: Sandbox) -> None:
    program = "import random, numpy as np; print(random.random(), np.random.random())"
    seen = {(await sandbox.run(program)).stdout for _ in range(4)}
    assert len({first for first, _ in map(bytes.split, seen)}) == 4
    assert len({second for _, second in map(bytes.split, seen)}) == 4


async def test_a_program_finds_nothing_of_the_one_before(sandbox: Sandbox) -> None:
    await sandbox.run(
        "import sys, builtins; builtins.left = 1; sys.left = 1; open('/tmp/left', 'w').write('x')"
    )
    program = "import sys, os; print(hasattr(sys, 'left'), 'left' in dir(__builtins__), os.listdir('/tmp'))"
    assert (await sandbox.run(program)).stdout == b"False False []\n"


async def test_no_text_of_another_program_is_in_its_memory(sandbox: Sandbox) -> None:
    """The warm parent's memory is every clone's: it must never have held a program or a test."""
    marker = "canary_" + "q7" * 20
    tests = f"def check(candidate):\n    assert candidate(1) == '{marker}'"
    earlier = await sandbox.check("def f(x): return x", tests, entry_point="f")
    assert earlier.report is not None
    assert marker in earlier.report["expected"]
    await sandbox.run(f"x = '{marker}'")
    program = """
import ctypes, gc
hits = 0
libc = ctypes.CDLL(None)
low = id(object()) & ~0xFFF
read, write = __import__("os").pipe()
def readable(address):
    # The kernel, not a crash, says whether a page is there.
    if libc.write(write, ctypes.c_void_p(address), 1) != 1: return False
    return libc.read(read, ctypes.create_string_buffer(1), 1)
import sys
# Spelled backwards, so that this program does not find itself.
needle = bytes(map(ord, reversed("7q" * 18 + "_yra")))
own = {id(needle) & ~0xFFF, (id(needle) + 128) & ~0xFFF}
pages = 0
for start in (low, id(gc.get_objects()[0]) & ~0xFFF, id(sys.modules) & ~0xFFF):
    for page in range(start - (4 << 20), start + (4 << 20), 4096):
        if readable(page):
            pages += 1
            found = ctypes.string_at(page, 4096).count(needle)
            if found and page not in own:
                hits += found
print(pages > 500, hits)
"""
    result = await sandbox.run(program, seconds=20)
    assert result.stdout == b"True 0\n", result


async def test_the_wall_clock_stops_a_program_and_its_threads(sandbox: Sandbox) -> None:
    result = await sandbox.run("import time; print('on', flush=True); time.sleep(30)", seconds=0.5)
    assert (result.status, result.stdout) == ("time", b"on\n")
    assert result.seconds < 5


async def test_a_thousand_small_threads_are_stopped(sandbox: Sandbox) -> None:
    """The kernel does not count processes of real root, so we count threads ourselves."""
    program = """
import threading, time
threading.stack_size(65536)
try:
    for _ in range(3000): threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
except RuntimeError: print("stopped")
time.sleep(2)
"""
    result = await sandbox.run(program)
    assert result.status == "threads" or result.stdout == b"stopped\n"


async def test_memory_outside_the_address_space_is_refused(sandbox: Sandbox) -> None:
    program = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print(libc.shmget(0, 1 << 20, 0o1600), os.path.exists("/dev/shm"))
try: os.memfd_create("x"); print("memfd")
except OSError as error: print(error.errno)
"""
    assert (await sandbox.run(program)).stdout == b"-1 False\n1\n"


async def test_the_filter_refuses_by_number_and_by_argument(sandbox: Sandbox) -> None:
    program = """
import ctypes, os, platform
libc = ctypes.CDLL(None, use_errno=True)
numbers = {"x86_64": dict(ptrace=101, io_uring=425, bpf=321, keyctl=250, execve=59, unshare=272, vfork=58),
           "aarch64": dict(ptrace=117, io_uring=425, bpf=280, keyctl=219, execve=221, unshare=97)}
for name, number in numbers[platform.machine()].items():
    assert libc.syscall(number, 0, 0, 0, 0, 0, 0) == -1 and ctypes.get_errno() == 1, name
assert libc.prctl(38, 0, 0, 0, 0) == -1 and libc.prctl(21, 0, 0, 0, 0) == -1
assert libc.ioctl(0, 0x5412, ctypes.create_string_buffer(b"x")) == -1 and ctypes.get_errno() == 1
try: os.fork(); assert False
except PermissionError: pass
print("refused")
"""
    assert (await sandbox.run(program)).stdout == b"refused\n"


async def test_a_signal_to_everyone_reaches_nobody(sandbox: Sandbox) -> None:
    program = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for target in (0, -1, 1, 2, os.getppid()):
    for number in (signal.SIGTERM, signal.SIGKILL):
        try: os.kill(target, number)
        except OSError: pass
print("still here")
"""
    assert (await sandbox.run(program)).stdout == b"still here\n"
    assert (await sandbox.run("print('next')")).stdout == b"next\n"


async def test_cancelling_stops_the_program_and_keeps_the_worker(sandbox: Sandbox) -> None:
    workers = set(sandbox.worker_pids())
    running = asyncio.create_task(sandbox.run("while True: pass", seconds=60))
    await asyncio.sleep(0.3)
    began = time.monotonic()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert time.monotonic() - began < 3
    assert (await sandbox.run("print('next')")).stdout == b"next\n"
    assert set(sandbox.worker_pids()) == workers


async def test_several_readings_of_a_program_run_the_first_that_compiles(sandbox: Sandbox) -> None:
    assert (await sandbox.run(["Sure, here: print(1)", "print(2)", "print(3)"])).stdout == b"2\n"

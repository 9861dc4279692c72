"""Watching the programs of one job: feeding them, reading them, stopping them.

One thread, one ``poll``. The wall clock stops for a program while it waits for a processor that others hold,
so that a busy machine does not turn right programs into wrong ones; beyond three times its limit nothing is
forgiven.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

Status = Literal["exited", "crashed", "time", "output", "threads", "box"]

MOST_THREADS: Final = 128
_FORGIVEN: Final = 3.0
_LAST_WORDS_SECONDS: Final = 1.0
_LOOK_EVERY_MS: Final = 50


@dataclass(slots=True)
class Watched:
    """One running program and what it has said so far."""

    pid: int
    seconds: float
    stdin: int | None
    feed: bytes
    outputs: dict[int, bytearray]
    """Read ends of standard output and standard error, in this order."""
    room: int
    """Bytes that each of them may hold; a program that writes more is stopped."""
    fed: int = 0
    stopped: Status | None = None
    wait_status: int | None = None
    started: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    peak_mb: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def running(self) -> bool:
        return self.wait_status is None

    def stop(self, why: Status) -> None:
        if self.running and self.stopped is None:
            self.stopped = why
            os.kill(self.pid, signal.SIGKILL)

    def result(self) -> tuple[Status, int | None, str | None]:
        """Status, exit status, name of the signal that ended it."""
        if self.wait_status is None:
            return "box", None, None
        if os.WIFSIGNALED(self.wait_status):
            number = os.WTERMSIG(self.wait_status)
            name = _signal_name(number)
            if self.stopped is not None:
                return self.stopped, None, name
            # The kernel's own stop at the limit of processor time.
            over = number in (signal.SIGXCPU, signal.SIGKILL) and self.cpu_seconds >= self.seconds
            return ("time" if over else "crashed"), None, name
        return self.stopped or "exited", os.WEXITSTATUS(self.wait_status), None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def watch(programs: list[Watched], interrupted: Callable[[], bool], control: int) -> bool:
    """Wait until all ``programs`` have ended; ``False`` if ``interrupted()`` (asked whenever ``control`` can
    be read) said to give up, which kills them all.

    The last program leads: when it ends, the others are stopped. When another ends or is stopped, the leader
    has a second for its last words."""
    leader = programs[-1]
    poll = select.poll()
    poll.register(control, select.POLLIN)
    for program in programs:
        for descriptor in program.outputs:
            os.set_blocking(descriptor, False)
            poll.register(descriptor, select.POLLIN)
        if program.stdin is not None:
            os.set_blocking(program.stdin, False)
            poll.register(program.stdin, select.POLLOUT)
    last_words: float | None = None
    told = True
    pidfds = {os.pidfd_open(program.pid): program for program in programs}
    for pidfd in pidfds:
        poll.register(pidfd, select.POLLIN)
    try:
        while any(program.running for program in programs):
            for descriptor, _event in poll.poll(_wait_ms(programs)):
                if descriptor == control:
                    if interrupted():
                        told = False
                        for program in programs:
                            program.stop("box")
                        poll.unregister(control)
                elif descriptor in pidfds:
                    _reap(pidfds[descriptor])
                    poll.unregister(descriptor)
                else:
                    _serve(descriptor, programs, poll)
            now = time.monotonic()
            for program in programs:
                _enforce(program, now, None if program is leader else leader)
            if not leader.running:
                for program in programs:
                    program.stop("exited")
            elif not all(program.running for program in programs):
                last_words = last_words or now + _LAST_WORDS_SECONDS
                if now > last_words:
                    leader.stop("time")
        for program in programs:
            for descriptor in list(program.outputs):
                _read(descriptor, program)
    finally:
        for pidfd in pidfds:
            os.close(pidfd)
        for program in programs:
            for descriptor in program.outputs:
                os.close(descriptor)
            if program.stdin is not None:
                os.close(program.stdin)
    return told


def _wait_ms(programs: list[Watched]) -> int:
    now = time.monotonic()
    left = min(program.started + program.seconds - now for program in programs)
    return max(1, min(_LOOK_EVERY_MS, int(left * 1000) + 1)) if left > 0 else 5


def _serve(descriptor: int, programs: list[Watched], poll: select.poll) -> None:
    for program in programs:
        if descriptor == program.stdin:
            _feed(program, poll)
        elif descriptor in program.outputs and not _read(descriptor, program):
            poll.unregister(descriptor)


def _feed(program: Watched, poll: select.poll) -> None:
    assert program.stdin is not None  # noqa: S101  only called for a program with an open standard input
    try:
        program.fed += os.write(program.stdin, program.feed[program.fed : program.fed + 65536])
    except BlockingIOError:
        return
    except OSError:
        program.fed = len(program.feed)
    if program.fed >= len(program.feed):
        poll.unregister(program.stdin)
        os.close(program.stdin)
        program.stdin = None


def _read(descriptor: int, program: Watched) -> bool:
    """Take what there is; ``False`` once nothing more can come or be kept."""
    kept = program.outputs[descriptor]
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not piece:
            return False
        kept += piece[: program.room - len(kept)]
        if len(kept) >= program.room:
            program.stop("output")
            return False


def _reap(program: Watched) -> None:
    if not program.running:
        return
    _pid, status, usage = os.wait4(program.pid, 0)
    program.wait_status = status
    program.ended = time.monotonic()
    program.peak_mb = usage.ru_maxrss / 1024
    program.cpu_seconds = usage.ru_utime + usage.ru_stime


def _enforce(program: Watched, now: float, caller: Watched | None) -> None:
    """Stop what is over a limit. A candidate's clock stands still while its ``caller``, the checker,
    computes."""
    if not program.running or program.stopped is not None:
        return
    limit = program.seconds
    passed = now - program.started
    if passed > limit and (passed > _FORGIVEN * limit or passed - _forgiven(program, caller) > limit):
        program.stop("time")
    if _threads(program.pid) > MOST_THREADS:
        program.stop("threads")


def _forgiven(program: Watched, caller: Watched | None) -> float:
    """Seconds that ``program`` was ready and had no processor, or had nothing to do."""
    _ran, waited = _scheduled(program.pid)
    return waited + (sum(_scheduled(caller.pid)) if caller is not None else 0.0)


def _scheduled(pid: int) -> tuple[float, float]:
    """Seconds that a process's main thread ran, and was ready to run without running."""
    try:
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as schedstat:
            ran, waited = schedstat.read().split()[:2]
        return int(ran) / 1e9, int(waited) / 1e9
    except (OSError, ValueError):
        return 0.0, 0.0


def _threads(pid: int) -> int:
    try:
        return os.stat(f"/proc/{pid}/task").st_nlink - 2
    except OSError:
        return 0

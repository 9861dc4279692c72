"""A program in a real pseudo-terminal, and the screen it paints there, as pyte understands it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

import pyte


class Terminal:
    """Runs ``command`` on a terminal of its own. Leaving the ``with`` block leaves no process behind."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.raw = b""
        self.started = time.perf_counter()
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._status: int | None = None
        self.cpu = 0.0
        """Processor seconds of the program, known once it has ended."""
        parent_end, child_end = pty.openpty()
        fcntl.ioctl(child_end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._pid = os.fork()
        if self._pid == 0:
            os.close(parent_end)
            os.login_tty(child_end)
            os.execvpe(command[0], list(command), {**os.environ, **(environment or {})})  # noqa: S606
        os.close(child_end)
        self._fd = parent_end

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is None:
            os.kill(self._pid, signal.SIGKILL)
            self._reap()
        os.close(self._fd)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display)

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        self._screen.resize(rows, columns)
        self._screen.reset()
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait_for(self, what: str, *, seconds: float = 20.0) -> float:
        """Read until ``what`` stands on the screen. Returns the seconds since the program was started."""
        deadline = time.perf_counter() + seconds
        while what not in self.text:
            if not self._read(deadline):
                raise AssertionError(f"{what!r} never came; the screen is:\n{self.text}")
        return time.perf_counter() - self.started

    def wait_for_bytes(self, what: bytes, *, seconds: float = 20.0) -> float:
        """The same for the bytes that were written, without understanding them."""
        deadline = time.perf_counter() + seconds
        while what not in self.raw:
            if not self._read(deadline, paint=False):
                raise AssertionError(f"{what!r} never came")
        return time.perf_counter() - self.started

    def wait_for_end(self, *, seconds: float = 20.0) -> int:
        """Read until the program ends. Returns its exit status."""
        deadline = time.perf_counter() + seconds
        while self._read(deadline):
            pass
        if time.perf_counter() >= deadline:
            raise AssertionError(f"it did not end; the screen is:\n{self.text}")
        return self._reap()

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        self._reap()

    def _read(self, deadline: float, *, paint: bool = True) -> bool:
        left = deadline - time.perf_counter()
        if left <= 0 or not select.select([self._fd], [], [], left)[0]:
            return False
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:
            return False
        self.raw += data
        if paint:
            self._stream.feed(data)
        return bool(data)

    def _reap(self) -> int:
        _, status, usage = os.wait4(self._pid, 0)
        self._status = os.waitstatus_to_exitcode(status)
        self.cpu = usage.ru_utime + usage.ru_stime
        return self._status

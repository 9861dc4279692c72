"""The interface under load, as a terminal sees it: a byte goes in, and the time until its paint comes out.

    python -m tests.benchmarks.bench_terminal [SAMPLES [EVENTS_PER_SECOND [KEYS]]]

A real app runs in a pseudo-terminal of 120x40. Each key typed into the prompt line is a letter that stands
nowhere else on the screen, so the moment it is painted can be seen in the bytes. The process's CPU time comes
from the system, so that what others use of the machine does not count.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


class Terminal:
    """A child on a pseudo-terminal."""

    def __init__(self, command: list[str], columns: int = 120, rows: int = 40) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", COLUMNS="", LINES="")
            os.environ.pop("COLUMNS")
            os.environ.pop("LINES")
            os.execvp(command[0], command)  # noqa: S606
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, data: bytes) -> None:
        os.write(self.fd, data)

    def read_until(self, wanted: bytes, timeout: float) -> float | None:
        """Seconds until ``wanted`` was painted, ``None`` if it was not in time."""
        start = time.perf_counter()
        seen = b""
        while (left := timeout - (time.perf_counter() - start)) > 0:
            if select.select([self.fd], [], [], left)[0]:
                seen = seen[-len(wanted) :] + os.read(self.fd, 1 << 16)
                if wanted in seen:
                    return time.perf_counter() - start
        return None

    def drain(self, seconds: float) -> None:
        self.read_until(b"\x00never\x00", seconds)

    def cpu(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def main() -> None:
    samples, rate, keys = [*sys.argv[1:], *["10000", "1000", "150"][len(sys.argv) - 1 :]]
    terminal = Terminal([sys.executable, "-m", "tests.benchmarks.loaded_app", samples, rate])
    try:
        if terminal.read_until(b"\x1b[?1049h", 120) is None:
            sys.exit("the program did not start")
        terminal.drain(3)
        terminal.type(b"\x12")  # ctrl+r starts the run
        terminal.drain(5)
        terminal.type(b"/")  # into the prompt line
        terminal.drain(1)
        cpu, clock = terminal.cpu(), time.perf_counter()
        terminal.drain(5)
        share = (terminal.cpu() - cpu) / (time.perf_counter() - clock)
        delays: list[float] = []
        missed = 0
        for i in range(int(keys)):
            letter = chr(0x100 + i % 128).encode()
            terminal.type(letter)
            delay = terminal.read_until(letter, 2)
            delays += [] if delay is None else [delay]
            missed += delay is None
            terminal.drain(0.04)
            if i % 40 == 39:
                terminal.type(b"\x15")  # empties the line
                terminal.drain(0.1)
                terminal.type(b"/")
                terminal.drain(0.1)
        delays.sort()
        if not delays:
            sys.exit("no key was painted")
        pick = [delays[min(len(delays) - 1, int(len(delays) * q))] * 1000 for q in (0.5, 0.9, 0.99)]
        print(f"{samples} samples loaded, {rate} events a second, {len(delays)} keys, {missed} never painted")
        print(f"key to paint: p50 {pick[0]:.0f} ms, p90 {pick[1]:.0f} ms, p99 {pick[2]:.0f} ms")
        print(f"CPU: {share:.0%} of one core")
    finally:
        terminal.close()


if __name__ == "__main__":
    main()

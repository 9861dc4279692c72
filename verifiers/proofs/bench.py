"""Where a proof checker works: a folder of one run's own, in a box that may start programs.

A proof is a program: Lean runs what a file tells it to while it elaborates, Rocq writes files. So no two runs
share anything: each gets its files by value, works in memory that goes with it, and hands back one file at
most, which is carried to the next run by us.
"""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from verifiers.sandbox import BoxFailed, Command, CommandBox, CommandLimits, RunResult, Status, Toolchain

INSIDE: Final = "/proof"
"""The folder's path in the box."""
_MOST_BYTES: Final = 16 << 20
_OUTPUT_BYTES: Final = 1 << 20
_PROCESSES: Final = 128
_ENDED: Final[dict[str, tuple[Status, str | None]]] = {
    "exited": ("exited", None),
    "time": ("time", None),
    "output": ("output", None),
    "memory": ("crashed", "SIGKILL"),
    "processes": ("threads", None),
}
_SHELL_SIGNALS: Final = 128


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a checker. ``binds`` are (outside, inside) paths that it sees read-only; ``seconds`` is wall
    time and ``memory_mb`` what all of its processes may hold."""

    argv: Sequence[str]
    binds: Sequence[tuple[str, str]]
    environment: Mapping[str, str]
    seconds: float
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """``made`` is the file that was wanted, ``None`` if it was not left behind: hostile bytes."""

    run: RunResult
    made: bytes | None


class Box(Protocol):
    async def run(self, call: Call, files: Mapping[str, bytes], wanted: str) -> Outcome:
        """Run ``call`` in a fresh folder that holds ``files``, and take the file ``wanted`` out of it. Both
        outputs come as one.

        Raises ``NoSandbox`` where there are no walls to be had; a box that fails has the status ``box``."""
        ...

    async def close(self) -> None: ...


class ProcessBox:
    """Checkers in the process sandbox, ``at_once`` side by side. The wanted file leaves through the report
    channel; what the box writes is nowhere else to be found."""

    def __init__(self, at_once: int | None = None, commands: CommandBox | None = None) -> None:
        self._commands = commands or CommandBox(at_once)
        self._empty = tempfile.TemporaryDirectory(prefix="monkeys-proofs-")

    async def run(self, call: Call, files: Mapping[str, bytes], wanted: str) -> Outcome:
        name = shlex.quote(wanted)
        line = (
            f"{shlex.join(call.argv)}; status=$?; "
            f'[ -f {name} ] && [ ! -L {name} ] && cat {name} > "/proc/self/fd/$MONKEYS_REPORT"; exit $status'
        )
        command = Command(
            line,
            Path(self._empty.name),
            INSIDE,
            Toolchain((), (), "/usr/local/bin:/usr/bin:/bin", {}),
            changes=dict(files),
            environment={**call.environment, "MONKEYS_REPORT": "{report}"},
            shown=tuple(call.binds),
        )
        limits = CommandLimits(call.seconds, call.memory_mb, _PROCESSES, _OUTPUT_BYTES)
        try:
            found = await self._commands.run(command, limits)
        except BoxFailed as error:
            return Outcome(_failed(str(error)), None)
        if len(found.report) >= _MOST_BYTES:
            return Outcome(_failed("what the checker made is larger than is kept"), None)
        status, signal = _ENDED[found.status]
        if status == "exited" and found.exit_code is not None and found.exit_code > _SHELL_SIGNALS:
            status, signal = "crashed", f"signal {found.exit_code - _SHELL_SIGNALS}"
        run = RunResult(
            status=status,
            exit_code=found.exit_code,
            stdout=found.output,
            stderr=b"",
            seconds=found.seconds,
            memory_mb=found.memory_mb,
            box=found.box,
            signal=signal,
        )
        return Outcome(run, found.report or None)

    async def close(self) -> None:
        await self._commands.close()
        self._empty.cleanup()


def _failed(why: str) -> RunResult:
    return RunResult("box", None, why.encode(), b"", 0.0, 0.0, "none")

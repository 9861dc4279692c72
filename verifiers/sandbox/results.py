"""What became of a program, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["exited", "crashed", "time", "output", "threads", "box"]
"""How a program ended. ``exited``: by itself, with an exit status. ``crashed``: by a signal that nobody sent.
``time``, ``output``, ``threads``: stopped at that limit. ``box``: our own box failed, which says nothing
about the program."""

CommandStatus = Literal["exited", "time", "output", "memory", "processes"]
"""How a command ended: by itself, or stopped at that limit."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """One program's run. ``stdout`` and ``stderr`` are what it wrote, hostile bytes of at most 64 KB each;
    ``seconds`` is wall time; ``memory_mb`` the peak resident memory, the warm interpreter's share included;
    ``box`` names the walls it ran behind."""

    status: Status
    exit_code: int | None
    stdout: bytes
    stderr: bytes
    seconds: float
    memory_mb: float
    box: str
    signal: str | None = None

    @property
    def succeeded(self) -> bool:
        return self.status == "exited" and self.exit_code == 0

    @property
    def stdout_text(self) -> str:
        return self.stdout.decode(errors="replace")

    @property
    def stderr_text(self) -> str:
        return self.stderr.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A candidate's run against tests in a second box. ``report`` is what the checker wrote (see
    ``inside.checker``), ``None`` if it did not come to an end."""

    candidate: RunResult
    checker: RunResult
    report: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class CommandResult:
    """A command's run. ``exit_code`` is the shell's (128 and more: ended by a signal), ``None`` where it was
    stopped; ``output`` both of its outputs as they came, hostile bytes; ``report`` what came on the report
    channel; ``seconds`` wall time; ``memory_mb`` the peak of all its processes together; ``box`` the walls
    and what held the memory."""

    status: CommandStatus
    exit_code: int | None
    output: bytes
    report: bytes
    seconds: float
    memory_mb: float
    box: str

    @property
    def output_text(self) -> str:
        return self.output.decode(errors="replace")


class NoSandbox(Exception):
    """Nothing on this machine can hold a stranger's program. ``fix`` says how to get something that can."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class BoxFailed(Exception):
    """A worker could not be started or ended in the middle of its job; the text says why."""

"""Programs that a model wrote, run where they can do no harm. See ``pool.Sandbox``, and for commands that may
start other programs ``commands.CommandBox``."""

from verifiers.sandbox.command_walls import Command, CommandLimits
from verifiers.sandbox.commands import CommandBox
from verifiers.sandbox.pool import Sandbox
from verifiers.sandbox.results import BoxFailed, CheckResult, CommandResult, NoSandbox, RunResult, Status
from verifiers.sandbox.toolchain import Toolchain, find_toolchain

__all__ = [
    "BoxFailed",
    "CheckResult",
    "Command",
    "CommandBox",
    "CommandLimits",
    "CommandResult",
    "NoSandbox",
    "RunResult",
    "Sandbox",
    "Status",
    "Toolchain",
    "find_toolchain",
]

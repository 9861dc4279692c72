"""Where a proof checker works: a folder of one run's own, and a box around the command that runs in it.

A proof is a program: Lean runs what a file tells it to while it elaborates, Rocq writes files. So no two runs
share a folder. What a run leaves behind is read as a plain file of limited size and carried to the next one
by us.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from verifiers.sandbox import RunResult

INSIDE: Final = "/proof"
"""The folder's path in the box."""
_MOST_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class Command:
    """``binds`` are (outside, inside) paths that the command sees read-only; ``seconds`` is wall time and
    ``memory_mb`` what all of its processes may hold."""

    argv: Sequence[str]
    binds: Sequence[tuple[str, str]]
    environment: Mapping[str, str]
    seconds: float
    memory_mb: int


class Box(Protocol):
    """Runs one command behind walls, with ``folder`` writable at ``INSIDE`` and nothing else of ours.

    Raises ``NoSandbox`` where there are no walls to be had; a box that fails has the status ``box``.
    """

    async def run(self, command: Command, folder: Path) -> RunResult: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """``made`` is the file that was wanted, ``None`` if it was not left behind."""

    run: RunResult
    made: bytes | None


async def work(box: Box, command: Command, files: Mapping[str, bytes], wanted: str | None = None) -> Outcome:
    """Run ``command`` in a fresh folder that holds ``files``, and take ``wanted`` out of it."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="monkeys-proof-"))
    try:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        run = await box.run(command, folder)
        return Outcome(run, _plain_file(folder / wanted) if wanted is not None else None)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _plain_file(path: Path) -> bytes | None:
    """The content of a file that a stranger left: no link, no pipe, nothing too large."""
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(opened, "rb") as file:
        about = os.fstat(opened)
        if not stat.S_ISREG(about.st_mode) or about.st_size > _MOST_BYTES:
            return None
        return file.read(_MOST_BYTES)

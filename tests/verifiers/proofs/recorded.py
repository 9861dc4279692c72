"""A box that answers with what real checkers printed, and keeps what it was asked to run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from verifiers.proofs.bench import Command
from verifiers.sandbox import RunResult, Status


@dataclass(frozen=True)
class Said:
    """What a checker printed on one file, and how it ended."""

    stdout: str = ""
    stderr: str = ""
    exit_code: int | None = 0
    status: Status = "exited"
    signal: str | None = None


@dataclass
class RecordedBox:
    """``said`` is by the beginning of the file's name: Claim, Reply, Check, Context. What ends with status 0
    leaves a compiled file behind, as the checkers do."""

    said: Mapping[str, Said] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    folders: dict[str, set[str]] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)

    async def run(self, command: Command, folder: Path) -> RunResult:
        source = command.argv[-1]
        kind = re.sub(r"[0-9a-f]{16}", "", Path(source).stem)
        self.commands.append(command)
        self._keep(kind, source, folder)
        one = self.said.get(kind, Said())
        if one.exit_code == 0:
            compiled = Path(source).with_suffix(".vo" if source.endswith(".v") else ".olean").name
            (folder / compiled).write_bytes(b"compiled")
        stdout = one.stdout.replace("CHECKED", _theorem(self.sources[kind]))
        return RunResult(
            one.status,
            one.exit_code,
            stdout.encode(),
            one.stderr.encode(),
            0.5,
            100.0,
            "recorded",
            one.signal,
        )

    def _keep(self, kind: str, source: str, folder: Path) -> None:
        self.sources[kind] = (folder / source).read_text(encoding="utf-8")
        self.folders[kind] = {path.name for path in folder.iterdir()}


def _theorem(source: str) -> str:
    found = re.search(r"checked[0-9a-f]{16}", source)
    return found[0] if found is not None else ""

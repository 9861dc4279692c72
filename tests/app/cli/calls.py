"""Calling the program as a user does: in a process of its own, with a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.models.script_file import Header

RIGHT = "17 and 26 make 43. The answer is 43."
WRONG = "17 and 26 make 33. The answer is 33."
QUESTION = "What is 17 + 26?"


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MONKEYS_")}
    return kept | {"MONKEYS_HOME": str(home)} | more


def monkeys(
    home: Path, *arguments: str, given: bytes = b"", **more: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        input=given,
        capture_output=True,
        env=environment(home, **more),
        timeout=60,
        check=False,
    )


def script(folder: Path, *texts: str, name: str = "script.jsonl", **header: Any) -> str:
    """A scripted model's name. ``header`` is what its first line says besides."""
    path = folder / name
    lines: Sequence[dict[str, Any]] = [
        {"scripted": 1, "parameters": 1000, "layers": 2, "hidden": 8} | header,
        *({"text": text} for text in texts or (RIGHT, WRONG, RIGHT, RIGHT)),
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert set(header) <= set(Header.__struct_fields__)
    return f"scripted:{path}"


def last_line(data: bytes) -> Any:
    return json.loads(data.splitlines()[-1])

#!/usr/bin/env python3
"""Sets up the environment from the lock, and runs what a newcomer or a machine wants to run.

    python3 dev.py demo     the main job: one problem, 64 samples of the embedded model
    python3 dev.py test     the default test suite
    python3 dev.py check    lint, formatting, types, import contracts
    python3 dev.py env      only the environment (.venv)
    python3 dev.py lock     pin requirements.lock anew (needs uv)

Needs Python 3.11 or newer with pip and venv, and nothing else. The environment is made once and made again
when the lock changes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = ENVIRONMENT / ".made-from"
BIN = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")

DEMO = ["solve", "--starter", "eggs", "--samples", "64"]
CHECKS = (
    ["-m", "ruff", "check", "."],
    ["-m", "ruff", "format", "--check", "."],
    ["-m", "mypy"],
    ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
)


def run(*command: str | Path) -> int:
    return subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode


def must(*command: str | Path) -> None:
    if status := run(*command):
        sys.exit(status)


def make_environment() -> None:
    """Make ``.venv`` hold exactly what the lock names, hashes checked, and the project itself."""
    wanted = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    print("Setting up .venv from requirements.lock (once; about a minute) …", file=sys.stderr, flush=True)
    venv.create(ENVIRONMENT, with_pip=True, clear=ENVIRONMENT.exists())
    pip = (PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    must(*pip, "--require-hashes", "-r", LOCK)
    must(*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT)
    STAMP.write_text(wanted)


def lock() -> None:
    must(
        "uv", "pip", "compile", "pyproject.toml", "--group", "dev", "--universal", "--python-version", "3.11",
        "--generate-hashes", "--no-emit-index-url", "--no-header", "--quiet", "-o", LOCK,
    )  # fmt: skip


def main() -> None:
    task, *rest = sys.argv[1:] or ["help"]
    if task not in ("demo", "test", "check", "env", "lock"):
        print(__doc__)
        sys.exit(0 if task in ("help", "-h", "--help") else 2)
    if task == "lock":
        lock()
        return
    make_environment()
    if task == "demo":
        sys.exit(run(PYTHON, "-m", "app", *(rest or DEMO)))
    if task == "test":
        sys.exit(run(PYTHON, "-m", "pytest", *rest))
    if task == "check":
        statuses = [run(PYTHON, *check) for check in CHECKS]
        sys.exit(max(statuses))


if __name__ == "__main__":
    main()

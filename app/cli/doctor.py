"""``monkeys doctor``: what works on this machine, and how to get what does not."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

from app.cli.config import paths
from app.cli.options import OutputOption
from app.cli.out import Output, print_one
from app.errors import MonkeysError, PartMissing


class Check(NamedTuple):
    """``needed`` is whether the main job, solving on the embedded model, cannot run without it."""

    name: str
    ok: bool
    detail: str
    fix: str | None = None
    needed: bool = False


def doctor(output: OutputOption = Output.text) -> int:
    """Check this machine."""
    checks = list(_checks())
    where = paths()
    row = {
        "checks": [{"name": one.name, "ok": one.ok, "detail": one.detail, "fix": one.fix} for one in checks],
        "paths": where,
    }
    lines = []
    for one in checks:
        lines.append(f"{'✓' if one.ok else '✗'} {one.name:10} {one.detail}")
        if one.fix is not None:
            lines.append(f"  {'':10} {one.fix}")
    lines += ["", *(f"  {name:10} {path}" for name, path in where.items())]
    print_one(output, row, lines)
    broken = any(one.needed and not one.ok for one in checks)
    return PartMissing.status if broken else 0


def _checks() -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", sys.version_info >= (3, 11), version, None, needed=True)
    yield _settings()
    yield _llama()
    yield _weights()
    yield _journal()
    yield _sandbox()
    yield _commands()
    yield _rocq()
    yield _lean()
    yield from _gpus()
    yield _vllm()
    yield _terminal()


def _gpus() -> Iterator[Check]:
    """Every card with its memory and load, and the largest models of the catalog that fit."""
    from app.models.gpus import find_gpus, models_that_fit

    found = find_gpus()
    if not found:
        yield Check("gpu", True, "none that nvidia-smi lists; models run on the CPU")
    for gpu in found:
        names = models_that_fit(gpu.free, most=4)
        detail = (
            f"{gpu.sentence}; fits {', '.join(names)}" if names else f"{gpu.sentence}; no room for a model"
        )
        yield Check("gpu", bool(names), detail, None if names else "nvidia-smi shows who uses its memory")


def _vllm() -> Check:
    """Whether vllm: models can be had: they are one way of many, so that nothing here is needed."""
    from app import settings
    from app.models.vllm_place import find_vllm
    from app.models.vllm_plan import check_cards

    try:
        command = settings.load().settings.vllm_command
    except MonkeysError:
        command = None
    try:
        install = find_vllm(command)
        check_cards(install)
    except MonkeysError as error:
        return Check("vllm", False, error.message, error.fix)
    return Check("vllm", True, install.sentence)


def _commands() -> Check:
    """Whether test commands of repositories can be run, and how firmly their memory is held."""
    import asyncio

    from verifiers.sandbox import CommandBox, NoSandbox
    from verifiers.sandbox.commands import BETTER_HOLDER

    async def walls() -> str:
        async with CommandBox() as box:
            return await box.probe()

    try:
        found = asyncio.run(walls())
    except NoSandbox as error:
        return Check("patches", False, error.message, error.fix)
    name, _, holder = found.partition(", ")
    detail = f"test commands run behind {name}, their memory held by a {holder}"
    if "watch" in holder:
        return Check("patches", True, detail.replace("by a ", "by "), BETTER_HOLDER)
    return Check("patches", True, detail)


def _sandbox() -> Check:
    """Whether programs that models write can be run here, and behind which walls."""
    import asyncio

    from verifiers.sandbox import NoSandbox, Sandbox

    async def walls() -> str:
        async with Sandbox(workers=1) as sandbox:
            return await sandbox.probe()

    try:
        return Check("sandbox", True, f"programs run behind {asyncio.run(walls())}")
    except NoSandbox as error:
        return Check("sandbox", False, error.message, error.fix)


def _rocq() -> Check:
    """The checker of proofs in Rocq."""
    from verifiers.proofs.tools import find_rocq
    from verifiers.proofs.verdict import NoProver

    try:
        tools = find_rocq()
    except NoProver as error:
        return Check("rocq", False, error.message, error.fix)
    return Check("rocq", True, f"{tools.version}, as {' '.join(tools.command)}")


def _lean() -> Check:
    """The checker of proofs in Lean, and the Mathlib that the user's project brings."""
    from pathlib import Path

    from app import settings
    from verifiers.proofs.tools import find_lean
    from verifiers.proofs.verdict import NoProver

    try:
        named = settings.load().settings.lean_project
        project = Path(named).expanduser() if named else None
        tools = find_lean(project)
    except (NoProver, MonkeysError) as error:
        return Check("lean", False, error.message, error.fix)
    if tools.mathlib is not None:
        return Check("lean", True, f"{tools.version}, Mathlib {tools.mathlib}, from {project}")
    if project is not None:
        fix = f"Fetch its compiled files: run `lake exe cache get` in {project}."
        return Check("lean", False, f"{tools.version}, but {project} has no compiled Mathlib", fix)
    return Check("lean", True, f"{tools.version}, without Mathlib: set lean_project to a project that has it")


def _settings() -> Check:
    from app import settings

    try:
        settings.load()
    except MonkeysError as error:
        return Check("settings", False, error.message, error.fix, needed=True)
    return Check("settings", True, "can be read")


def _llama() -> Check:
    from importlib.util import find_spec

    if find_spec("xllamacpp") is None:
        fix = "Install it: pip install xllamacpp"
        return Check("llama.cpp", False, "xllamacpp is not installed", fix, needed=True)
    from importlib.metadata import version

    return Check("llama.cpp", True, f"xllamacpp {version('xllamacpp')}", needed=True)


def _weights() -> Check:
    from app.models.registry import DEFAULT, known_models

    model = next(model for model in known_models() if model.name == DEFAULT)
    if model.ready:
        return Check("weights", True, f"{model.name} is here")
    return Check("weights", False, f"{model.name}: {model.missing}", "Fetch them: monkeys models pull")


def _journal() -> Check:
    from app import locations
    from app.runs.journal import Journal

    path = locations.journal_file()
    try:
        if path.exists():
            with Journal.open(path) as journal:
                journal.release_run_id(journal.reserve_run_id())
                count = len(journal.runs())
            return Check("journal", True, f"{count:,} runs in {path}", needed=True)
    except MonkeysError as error:
        return Check("journal", False, error.message, error.fix, needed=True)
    folder = next(parent for parent in path.parents if parent.exists())
    if os.access(folder, os.W_OK):
        return Check("journal", True, "none yet; the first run makes it", needed=True)
    fix = f"Make {folder} writable, or set MONKEYS_HOME to a folder elsewhere."
    return Check("journal", False, f"{folder} cannot be written", fix, needed=True)


def _terminal() -> Check:
    if not sys.stdout.isatty():
        return Check("terminal", True, "output goes to a file or program; solve works, the TUI does not")
    size = os.get_terminal_size()
    shape = f"{size.columns}x{size.lines}, {os.environ.get('TERM', 'no TERM')}, {sys.stdout.encoding}"
    if size.columns < 80 or size.lines < 24:
        return Check("terminal", False, shape, "The TUI is made for 80x24 and up: enlarge the window.")
    return Check("terminal", True, shape)

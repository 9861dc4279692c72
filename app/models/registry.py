"""Model names and what stands behind them.

A name says where a model comes from: ``smollm2`` is built in, ``gguf:`` is a file here or on a model hub,
``scripted:`` a recording, ``vllm:`` and ``openai:`` are servers, and anything else is a name of LiteLLM's.
Nothing is loaded to find that out, and nothing behind a name is imported before the name is used.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app import settings
from app.errors import BadInput, PartMissing
from app.models.base import Backend

DEFAULT = "smollm2"
_UPGRADE_BYTES = 491_400_064
_PREFIXES = ("gguf", "scripted", "vllm", "openai")


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One line of a model picker. ``missing`` says what stands between the user and the model, in a few
    words, and is ``None`` when it is ready. ``download`` is in bytes, 0 when nothing is to be fetched."""

    name: str
    kind: Literal["embedded", "gguf", "vllm", "openai", "scripted", "litellm"]
    ready: bool
    missing: str | None
    description: str
    parameters: int | None = None
    context: int | None = None
    download: int = 0


def backend_for(
    name: str, *, base_url: str | Sequence[str] | None = None, api_key: str | None = None
) -> Backend:
    """The backend behind ``name``, not yet opened. Raises ``BadInput`` for a name that means nothing, with
    the nearest one that does, and ``PartMissing`` for a model that cannot be had here.

    ``base_url`` and ``api_key`` are for models of a server. What is not given comes from the settings, and
    then from the environment. Several base URLs are used together."""
    name = name.strip()
    if name.lower() == DEFAULT:
        from app.models.gguf import smollm2

        return smollm2()
    prefix, colon, rest = name.partition(":")
    if not colon or prefix not in _PREFIXES:
        return _from_litellm(name, base_url)
    if not rest:
        raise BadInput(f"The model name {name} stops after its colon.", f"Write {_example(prefix)}.")
    if prefix == "gguf":
        from app.models.gguf import gguf

        return gguf(rest)
    if prefix == "scripted":
        from app.models.scripted import ScriptedBackend

        path, _, problem = rest.partition("#")
        return ScriptedBackend.from_file(Path(path).expanduser(), problem=problem or None)
    if prefix == "openai":
        return _from_servers(name, rest, base_url, api_key)
    from app.models.vllm_backend import vllm

    return vllm(rest)


def meant_by_base_url(models: Sequence[str]) -> frozenset[str]:
    """The models of a run that a base URL is for: those of a server, else the only one of LiteLLM's. An
    address gets a key and a problem, so it is never guessed. Raises ``BadInput``."""
    served = [name for name in models if name.startswith("openai:")]
    if not served:
        served = [name for name in models if _is_litellm(name)]
    if not served:
        raise BadInput("--base-url is given, but no model is behind it.", "Name one: --model openai:NAME")
    if len(served) > 1 and not served[0].startswith("openai:"):
        raise BadInput(
            "--base-url is given, and it may be meant for any of several models.",
            "Say for which in the settings: base_urls, by model name.",
        )
    return frozenset(served)


def _is_litellm(name: str) -> bool:
    prefix, colon, _ = name.strip().partition(":")
    return name.strip().lower() != DEFAULT and not (colon and prefix in _PREFIXES)


def _from_servers(
    name: str, model: str, base_url: str | Sequence[str] | None, api_key: str | None
) -> Backend:
    from app.models.openai_address import addresses
    from app.models.openai_backend import OpenAIBackend

    mine = settings.load().settings
    urls = addresses(base_url or mine.base_urls.get(name) or os.environ.get("OPENAI_BASE_URL"))
    key = api_key or os.environ.get("OPENAI_API_KEY") or mine.api_keys.get("openai")
    backends = [OpenAIBackend(model, url, key) for url in urls or [""]]
    if len(backends) == 1:
        return backends[0]
    from app.models.pool import PoolBackend

    return PoolBackend(name, backends)


def _from_litellm(name: str, base_url: str | Sequence[str] | None) -> Backend:
    from app.models.litellm_providers import provider_of

    if provider_of(name) is None:
        raise _not_ours(name)
    from app.models.litellm_backend import LiteLLMBackend
    from app.models.openai_address import addresses

    mine = settings.load().settings
    urls = addresses(base_url or mine.base_urls.get(name))
    backends = [LiteLLMBackend(name, base_url=url, keys=mine.api_keys) for url in urls or [""]]
    if len(backends) == 1:
        return backends[0]
    from app.models.pool import PoolBackend

    return PoolBackend(name, backends)


def known_models() -> list[KnownModel]:
    """The models to offer, the ready ones of each kind first. Reads two folders and no network."""
    from app.models.weights import GGUF, GGUF_NAME, WHEEL

    weights = _weights_folder()
    by_hand = os.environ.get("MONKEYS_WEIGHTS")
    here = Path(by_hand).expanduser().is_file() if by_hand else _has_size(weights / GGUF_NAME, GGUF.size)
    models = [
        KnownModel(
            DEFAULT,
            "embedded",
            ready=here,
            missing=_no_weights(by_hand, WHEEL.size) if not here else None,
            description="SmolLM2-135M-Instruct: fast, and right only now and then",
            parameters=134_515_008,
            context=8192,
            download=0 if here else WHEEL.size,
        ),
        _upgrade(weights),
    ]
    models += [
        KnownModel(f"gguf:{path}", "gguf", ready=True, missing=None, description="a file of your own")
        for path in sorted(weights.glob("*.gguf"))
        if path.name != GGUF_NAME
    ]
    models += _vllm()
    models.append(_openai())
    return models


def _no_weights(by_hand: str | None, size: int) -> str:
    if by_hand:
        return f"MONKEYS_WEIGHTS names {by_hand}, which is not there"
    return f"{_megabytes(size)}, fetched at the first run"


def _openai() -> KnownModel:
    ready = any(os.environ.get(name) for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"))
    return KnownModel(
        "openai:NAME",
        "openai",
        ready=ready,
        missing=None if ready else "a key (export OPENAI_API_KEY=…) or a base URL",
        description="any server that speaks OpenAI's protocol, OpenAI's own by default",
    )


def _upgrade(weights: Path) -> KnownModel:
    from app.models.gguf import SUGGESTED_UPGRADE

    repository, _, file = SUGGESTED_UPGRADE.removeprefix("gguf:").rpartition("/")
    cached = f"hub/models--{repository.replace('/', '--')}/snapshots/*/{file}"
    here = any(weights.glob(cached))
    return KnownModel(
        SUGGESTED_UPGRADE,
        "gguf",
        ready=here,
        missing=None if here else f"{_megabytes(_UPGRADE_BYTES)}, fetched from a model hub once",
        description="the suggested upgrade: Qwen2.5-Coder-0.5B-Instruct, right far more often, and slower",
        parameters=494_032_768,
        context=32768,
        download=0 if here else _UPGRADE_BYTES,
    )


def _vllm() -> list[KnownModel]:
    from app.models.vllm_catalog import known_vllm

    try:
        return known_vllm(settings.load().settings.vllm_command)
    except BadInput:
        return known_vllm(None)  # settings that cannot be read are told of where they are used


def _not_ours(name: str) -> BadInput | PartMissing:
    """What to say of a name that nobody serves: most likely a slip of the finger."""
    if not name:
        return BadInput("The model name is empty.", f"Use --model {DEFAULT}.")
    if ":" not in name and _means_a_file(name):
        prefix = "scripted" if name.endswith(".jsonl") else "gguf"
        return BadInput(f"There is no model {name}.", f"For a file, write {prefix}:{name}.")
    near = nearest_name(name)
    from budgets.catalog import size_of

    if near != DEFAULT and size_of(name) is not None:
        return PartMissing(
            f"The name {name} does not say where the model runs.",
            f"Write vllm:{name} for this machine, openai:{name} with --base-url, or PROVIDER/{name}.",
        )
    fix = (
        f"Did you mean {near}?"
        if near
        else f"Use {DEFAULT}, gguf:PATH, openai:NAME, PROVIDER/NAME or scripted:FILE."
    )
    return BadInput(f"There is no model {name}.", fix)


def nearest_name(name: str) -> str | None:
    """The known name or prefixed form that ``name`` is most likely a misspelling of."""
    from budgets.catalog import names
    from budgets.prices import priced_names

    prefix, colon, rest = name.partition(":")
    if colon:
        near = difflib.get_close_matches(prefix.lower(), _PREFIXES, n=1, cutoff=0.5)
        if near:
            return f"{near[0]}:{rest}"
    if difflib.get_close_matches(name.lower(), (DEFAULT, "smollm2-135m-instruct", "smollm"), n=1, cutoff=0.6):
        return DEFAULT
    theirs = {known.lower(): known for known in (*names(), *priced_names())}
    close = difflib.get_close_matches(name.lower(), theirs, n=1, cutoff=0.75)
    return theirs[close[0]] if close else None


def _example(prefix: str) -> str:
    examples = {"gguf": "gguf:PATH or gguf:OWNER/REPO/FILE.gguf", "scripted": "scripted:FILE"}
    return examples.get(prefix, f"{prefix}:NAME")


def _means_a_file(name: str) -> bool:
    return name.endswith((".gguf", ".jsonl")) or name.startswith(("/", "./", "~/"))


def _weights_folder() -> Path:
    from app.locations import weights_folder

    return weights_folder()


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"

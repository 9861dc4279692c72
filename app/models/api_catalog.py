"""The API models to offer in a list: every text model of LiteLLM's table, by provider, and what is missing.

Three thousand names in some hundredths of a second: prices and sizes are looked up one by one, when a line is
shown, and LiteLLM itself is not imported.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from app.models.litellm_providers import FAMILIAR, missing_variables, provider_of, providers
from app.models.registry import KnownModel

_NO_KEYS: Mapping[str, str] = {}
_ON_THIS_MACHINE = {
    "ollama": (11434, "OLLAMA_API_BASE", "start it: ollama serve"),
    "llamafile": (8080, "LLAMAFILE_API_BASE", "start a llamafile"),
    "lemonade": (8000, "LEMONADE_API_BASE", "start it: lemonade-server"),
}
"""Providers that are programs here: the port they listen on, what says that they are elsewhere, and how they
are started."""
_PATIENCE = 0.1


def api_models(keys: Mapping[str, str] = _NO_KEYS) -> list[KnownModel]:
    """All listed models, those that can be asked first, then by provider, the familiar ones first. ``keys``
    are the user's own, by provider."""
    from budgets.prices import priced_names

    missing = {provider: what_is_missing(provider, keys) for provider in providers()}
    found = []
    for name in priced_names():
        provider = provider_of(name)
        if provider is not None and not name.startswith("ft:"):
            lacks = missing.get(provider, "")
            found.append((lacks is not None, _place(provider), provider, name, lacks))
    found.sort()
    return [
        KnownModel(name, "litellm", ready=lacks is None, missing=lacks, description=provider)
        for _, _, provider, name, lacks in found
    ]


def api_providers(keys: Mapping[str, str] = _NO_KEYS) -> list[KnownModel]:
    """One line a provider: whether it can be asked, and the variable that is missing; how many of its models
    are listed. The ready ones first, then the familiar ones; of the others only those with listed models."""
    from budgets.prices import priced_names

    counts: dict[str, int] = {}
    for name in priced_names():
        if provider := provider_of(name):
            counts[provider] = counts.get(provider, 0) + 1
    missing = {provider: what_is_missing(provider, keys) for provider in {*counts, *FAMILIAR}}
    here = sorted(missing, key=lambda one: (missing[one] is not None, _place(one), one))
    return [
        KnownModel(
            f"{provider}/NAME",
            "litellm",
            ready=missing[provider] is None,
            missing=missing[provider],
            description=f"{counts[provider]} models listed" if provider in counts else "any of its models",
        )
        for provider in here
    ]


def what_is_missing(provider: str, keys: Mapping[str, str] = _NO_KEYS) -> str | None:
    """What stands between the user and a provider, in a few words; ``None`` where nothing does."""
    if provider in _ON_THIS_MACHINE:
        port, variable, way = _ON_THIS_MACHINE[provider]
        return None if os.environ.get(variable) or _listens(port) else way
    names = missing_variables(provider, os.environ, keys)
    return f"export {' '.join(f'{name}=…' for name in names)}" if names else None


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE):
            return True
    except OSError:
        return False


def _place(provider: str) -> int:
    return FAMILIAR.index(provider) if provider in FAMILIAR else len(FAMILIAR)

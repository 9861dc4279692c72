"""How far a model's download is: vLLM fetches by itself and says nothing of it, so its files tell."""

from __future__ import annotations

import time
from contextlib import suppress

from app.models.base import Progress
from app.models.gpus import weight_bytes
from app.models.vllm_plan import hub_cache, size_of_model

_FRESH = 30.0
"""Seconds since the last write; a part that is older is left over from another day."""


def fetching(model: str) -> Progress | None:
    """The download of a hub's model by what lies in the cache, ``None`` where none is under way.

    The fraction is of the weights that a model of its size has, by its name's precision.
    """
    if "/" not in model or model.startswith("/"):
        return None
    folder = hub_cache() / f"models--{model.replace('/', '--')}" / "blobs"
    done, fresh = 0, False
    with suppress(OSError):
        for path in folder.iterdir():
            stat = path.stat()
            done += stat.st_size
            fresh |= path.name.endswith(".incomplete") and time.time() - stat.st_mtime < _FRESH
    if not fresh:
        return None
    size = size_of_model(model)
    fraction = min(0.99, done / weight_bytes(model, size)) if size else None
    return Progress(f"vLLM: downloading {model}, {done / 1e9:.1f} GB so far", fraction)

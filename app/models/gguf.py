"""Makes the backends that run on this machine's own cores: ``smollm2`` and ``gguf:…``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import BadInput
from app.models.base import ModelInfo, Progress

if TYPE_CHECKING:
    from app.models.llama import LlamaBackend, Tuning

SUGGESTED_UPGRADE = "gguf:Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
"""Half a gigabyte, Apache-2.0, and right about ten times as often as the embedded model."""

_NEEDS_EXAMPLES_BELOW = 300_000_000  # parameters


def smollm2(tuning: Tuning | None = None) -> LlamaBackend:
    """SmolLM2-135M-Instruct, the model that is always there."""
    from app.models.llama import LlamaBackend
    from app.models.weights import find_smollm2

    info = ModelInfo(
        name="smollm2",
        kind="embedded",
        local=True,
        stops_when_told=True,
        parameters=134_515_008,
        layers=30,
        hidden=576,
        context=8192,
        needs_examples=True,
    )
    return LlamaBackend(info, find_smollm2, tuning)


def gguf(place: str, tuning: Tuning | None = None) -> LlamaBackend:
    """``place`` is what follows ``gguf:``, a path or ``OWNER/REPO/FILE.gguf`` of a model hub. A file that is
    here is read at once, so a wrong one is refused before anything starts. Raises BadInput."""
    from app.models.gguf_hub import fetch_from_hub
    from app.models.llama import LlamaBackend

    path = Path(place).expanduser()
    info = ModelInfo(name=f"gguf:{place}", kind="gguf", local=True, stops_when_told=True)
    if path.is_file():
        return LlamaBackend(_sized(info, path), _always(path), tuning)
    repository, _, file = place.rpartition("/")
    if place.startswith(("/", ".", "~")) or repository.count("/") < 1 or not file.endswith(".gguf"):
        raise BadInput(
            f"There is no file {path}.", "Give gguf:PATH, or gguf:OWNER/REPO/FILE.gguf from a model hub."
        )
    return LlamaBackend(info, lambda report: fetch_from_hub(repository, file, report), tuning)


def _always(path: Path) -> Callable[[Callable[[Progress], None]], Path]:
    return lambda report: path


def _sized(info: ModelInfo, path: Path) -> ModelInfo:
    import msgspec

    from app.models.gguf_header import NotGgufError, read_gguf_header

    try:
        header = read_gguf_header(path)
    except NotGgufError as error:
        raise BadInput(f"{error}.", "Give the path of a GGUF model file.") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", "Give a file that can be read.") from None
    return msgspec.structs.replace(
        info,
        parameters=header.parameters,
        active_parameters=header.active_parameters,
        layers=header.layers,
        hidden=header.hidden,
        context=header.context,
        needs_examples=header.parameters < _NEEDS_EXAMPLES_BELOW,
    )

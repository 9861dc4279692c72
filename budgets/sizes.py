"""The size of a model that lies on this machine, from its ``config.json`` and the headers of its weights.

A configuration gives the shape but not the number of parameters. Where safetensors files lie beside it, their
headers list every tensor, and the count is exact. Without them it is worked out from the shape, for the
families whose layers are the standard ones; for any other the size is unknown, which is not zero.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from budgets.flops import ModelSize

__all__ = ["SizeError", "size_from_config", "size_in_folder"]

_Config: TypeAlias = Mapping[str, object]
_MOST_HEADER = 100_000_000
"""Bytes of safetensors header believed; the largest published ones take about a hundredth of it."""

_GATED = frozenset(
    {
        "llama", "mistral", "mixtral", "qwen2", "qwen3", "qwen3_moe", "gemma", "gemma2", "gemma3_text",
        "phi3", "deepseek_v2", "deepseek_v3", "gpt_oss", "smollm3", "olmo2", "granite",
    }
)  # fmt: skip
_PLAIN = frozenset({"gpt_neox"})


class SizeError(ValueError):
    """A folder or configuration from which no size can be read. The message says why."""


def size_in_folder(folder: Path) -> ModelSize:
    """The size of the model in ``folder``, by its configuration and weights. Raises ``SizeError``."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise SizeError(f"{path} cannot be read as a model's configuration.") from error
    if not isinstance(config, dict):
        raise SizeError(f"{path} is not a model's configuration.")
    weights = sorted(folder.glob("*.safetensors"))
    return size_from_config(config, sum(map(_tensor_elements, weights)) if weights else None)


def size_from_config(config: _Config, parameters: int | None = None) -> ModelSize:
    """The size that a Hugging Face configuration describes; ``parameters`` is the exact count, if known.

    Raises ``SizeError`` for a family whose layers are not known here (unless ``parameters`` is given and no
    experts are involved) and for numbers that are missing or not positive.
    """
    inner = config.get("text_config")
    shape = _Shape({**config, **inner} if isinstance(inner, dict) else config)
    layers, hidden = (
        shape.number("num_hidden_layers", "n_layer"),
        shape.number("hidden_size", "n_embd", "d_model"),
    )
    context = shape.optional("max_position_embeddings", "n_positions")
    counted = None if shape.family not in _GATED | _PLAIN else _count(shape, layers, hidden)
    if counted is None and (parameters is None or shape.experts):
        raise SizeError(f"The layers of a {shape.family!r} model are not known here, so neither is its size.")
    total = parameters if parameters is not None else counted.total if counted is not None else 0
    active = total - counted.idle if counted is not None and counted.idle else None
    return ModelSize(total, layers, hidden, active, context)


class _Shape:
    """Numbers of a configuration under any of the names that families give them."""

    def __init__(self, config: _Config) -> None:
        self._config = config
        family = config.get("model_type")
        self.family = family if isinstance(family, str) else "nameless"
        self.experts = self.optional("num_local_experts", "n_routed_experts", "num_experts") or 0

    def optional(self, *names: str) -> int | None:
        for name in names:
            value = self._config.get(name)
            if isinstance(value, int) and not isinstance(value, bool):
                return value
        return None

    def number(self, *names: str) -> int:
        value = self.optional(*names)
        if value is None or value < 1:
            raise SizeError(f"The configuration gives no {names[0]}.")
        return value

    def flag(self, name: str, otherwise: bool) -> bool:
        value = self._config.get(name)
        return value if isinstance(value, bool) else otherwise


@dataclass(frozen=True, slots=True)
class _Count:
    total: int
    idle: int
    """Parameters of the experts that a token does not pass through."""


def _count(shape: _Shape, layers: int, hidden: int) -> _Count:
    """Parameters by the standard layers: embeddings, attention, feed-forward (dense or experts), norms."""
    embeddings = shape.number("vocab_size") * hidden
    tied = shape.flag("tie_word_embeddings", shape.family.startswith("gemma"))
    total = embeddings * (1 if tied else 2)
    norms = 4 if shape.family in ("gemma2", "gemma3_text") else 2
    norm_size = hidden * (2 if shape.family in _PLAIN else 1)
    total += layers * (norms * norm_size + _attention(shape, hidden)) + norm_size
    if not shape.experts:
        return _Count(total + layers * _feed_forward(shape, hidden, shape.number("intermediate_size")), 0)
    dense = min(layers, shape.optional("first_k_dense_replace") or 0)
    width = shape.number("moe_intermediate_size", "intermediate_size")
    expert = _feed_forward(shape, hidden, width)
    shared = (shape.optional("n_shared_experts") or 0) * expert
    router = shape.experts * hidden + (shape.experts if shape.family in ("deepseek_v3", "gpt_oss") else 0)
    if dense:
        total += dense * _feed_forward(shape, hidden, shape.number("intermediate_size"))
    total += (layers - dense) * (shape.experts * expert + shared + router)
    used = shape.number("num_experts_per_tok", "experts_per_token")
    return _Count(total, (layers - dense) * max(0, shape.experts - used) * expert)


def _feed_forward(shape: _Shape, hidden: int, width: int) -> int:
    if shape.family in _PLAIN:
        return 2 * hidden * width + width + hidden
    biases = 2 * width + hidden if shape.family == "gpt_oss" else 0
    return 3 * hidden * width + biases


def _attention(shape: _Shape, hidden: int) -> int:
    heads = shape.number("num_attention_heads")
    if shape.optional("kv_lora_rank"):
        return _latent_attention(shape, hidden, heads)
    keys = shape.optional("num_key_value_heads") or heads
    width = shape.optional("head_dim") or hidden // heads
    query, key = heads * width, keys * width
    weights = 2 * hidden * query + 2 * hidden * key
    if shape.family == "qwen2":
        weights += query + 2 * key
    elif shape.family in _PLAIN:
        weights += query + 2 * key + hidden
    elif shape.family == "gpt_oss":
        weights += query + 2 * key + hidden + heads
    elif shape.family in ("qwen3", "qwen3_moe", "gemma3_text"):
        weights += 2 * width
    elif shape.family == "olmo2":
        weights += query + key
    return weights


def _latent_attention(shape: _Shape, hidden: int, heads: int) -> int:
    """DeepSeek's attention through a latent space (arXiv 2405.04434)."""
    plain, rotary = shape.number("qk_nope_head_dim"), shape.number("qk_rope_head_dim")
    latent, value = shape.number("kv_lora_rank"), shape.number("v_head_dim")
    narrow = shape.optional("q_lora_rank")
    width = heads * (plain + rotary)
    query = hidden * width if not narrow else hidden * narrow + narrow + narrow * width
    keys = hidden * (latent + rotary) + latent + latent * heads * (plain + value)
    return query + keys + heads * value * hidden


def _tensor_elements(path: Path) -> int:
    """The number of elements in a safetensors file, from its header alone."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(_MOST_HEADER, path.stat().st_size - 8):
                raise SizeError(f"{path.name} does not begin with a safetensors header.")
            header = json.loads(file.read(length))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, SizeError):
            raise
        raise SizeError(f"The header of {path.name} cannot be read.") from error
    return sum(math.prod(shape) for shape in _shapes(header, path))


def _shapes(header: object, path: Path) -> Iterator[list[int]]:
    if not isinstance(header, dict):
        raise SizeError(f"The header of {path.name} does not list tensors.")
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        shape = tensor.get("shape") if isinstance(tensor, dict) else None
        if not isinstance(shape, list) or not all(type(side) is int and side >= 0 for side in shape):
            raise SizeError(f"The header of {path.name} gives no shape for {name!r}.")
        yield shape

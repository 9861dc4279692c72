"""The sizes of models that people run, by any of the names they run them under.

``catalog.json`` holds the shape of each model once, from its published configuration: all parameters, the
active ones where experts take turns, layers, hidden size, context. A name is found in whatever dress it
comes: with a publisher or a server before it, as an Ollama tag, instruction-tuned, or quantised, because none
of these changes the shape. A name that is not found is unknown and stays so; closed models publish no size.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import msgspec

from budgets.flops import ModelSize

__all__ = ["names", "size_of"]

_PRECISION = (
    r"i?q\d(?:-(?:[0-9ksml]|xs|xl|xxs|nl))*|[bf]f?16|fp(?:8|16|32)|int[48]|w\d+a\d+|[48]bit|gguf|ggml|mlx|bnb"
    r"|awq|gptq|exl2|nvfp4|mxfp4|dynamic|quantized"
)
_TUNING = r"instruct|chat|it|base|hf|pt|turbo|tput|maas|preview|latest|fast|free|versatile"
_DRESS = re.compile(rf"[-.](?:{_PRECISION}|{_TUNING})$")

_SPELLINGS = (
    (r"^(?:gguf|vllm|openai|ollama|hf):", ""),
    (r"\.(?:gguf|safetensors)$", ""),
    (r"[_: ]", "-"),
    # Servers that list a model as PUBLISHER.MODEL-vREVISION, for example meta.llama3-1-8b-instruct-v1:0.
    (r"^(?:(?:us|eu|apac|global)\.)?(?:meta|mistral|openai|qwen|google)\.", ""),
    (r"^databricks-", ""),
    (r"^meta-(?=llama)", ""),
    (r"(?<=-instruct)-v1-0$|(?<=[0-9]b)-1-0$", ""),
    # A version's point, written p or as a hyphen before the size; a v that only says "version".
    (r"(?<=[0-9])p(?=[0-9])", "."),
    (r"(?<=llama)(-?[0-9])-([0-9])(?=-[0-9]+b)", r"\1.\2"),
    (r"(?<=v0)-(?=[0-9]$)", "."),
    (r"(?<=llama-)v(?=[0-9])", ""),
    (r"^qwen-(?=[0-9])", "qwen"),
    (r"^code-llama", "codellama"),
)


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    parameters: int
    layers: int
    hidden: int
    context: int
    active: int | None = None
    also: tuple[str, ...] = ()

    @property
    def size(self) -> ModelSize:
        return ModelSize(self.parameters, self.layers, self.hidden, self.active, self.context)


def size_of(name: str) -> ModelSize | None:
    """The size of a model, ``None`` where the catalog does not know it."""
    by_key = _by_key()
    for key in _keys(name):
        if key in by_key:
            return by_key[key]
    return None


def names() -> tuple[str, ...]:
    """The canonical names in the catalog, in alphabetical order."""
    return tuple(entry.name for entry in _entries())


def _keys(name: str) -> list[str]:
    """What a name may be listed as: its last part in lower case, with ever less of its dress."""
    key = name.rsplit("/", 1)[-1].strip().lower()
    for pattern, spelling in _SPELLINGS:
        key = re.sub(pattern, spelling, key)
    keys = [key]
    while (shorter := _DRESS.sub("", key)) != key:
        keys.append(shorter)
        key = shorter
    return keys


@lru_cache(maxsize=1)
def _entries() -> tuple[_Entry, ...]:
    data = Path(__file__).with_name("catalog.json").read_bytes()
    return msgspec.json.decode(data, type=tuple[_Entry, ...])


@lru_cache(maxsize=1)
def _by_key() -> dict[str, ModelSize]:
    """Every listed name, and its shortest dress unless another model is listed as just that."""
    found: dict[str, ModelSize] = {}
    for entry in _entries():
        for name in (entry.name, *entry.also):
            found[_keys(name)[0]] = entry.size
    for entry in _entries():
        for name in (entry.name, *entry.also):
            for key in _keys(name)[1:]:
                found.setdefault(key, entry.size)
    return found

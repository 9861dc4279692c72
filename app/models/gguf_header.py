"""Reads what a GGUF file says of itself: the sizes that FLOPs and memory are computed from.

Only the header is read (key-value pairs and the shapes of the tensors), a few megabytes of any model, so a
file can be judged before a process is started for it. Layout: the GGUF specification, version 2 and 3, which
differ from version 1 only in the width of counts; version 1 is refused.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, TypeAlias

from budgets.catalog import size_of

Value: TypeAlias = "int | float | bool | str | list[Value] | None"

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_LONGEST = 1 << 26  # bytes or items; a longer one means a broken file, not a big model


class NotGgufError(ValueError):
    """The file is no GGUF, or a broken one. The message is one line."""


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """Sizes of one model. ``parameters`` counts every weight once; ``context`` is what it was trained for;
    ``cache_bytes_per_token`` is what one token costs in the attention cache at 16 bits."""

    architecture: str
    name: str | None
    parameters: int
    active_parameters: int | None
    layers: int | None
    hidden: int | None
    context: int | None
    cache_bytes_per_token: int | None


def read_gguf_header(path: Path) -> GgufHeader:
    """Raises ``NotGgufError``, or ``OSError`` where the file cannot be read."""
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise NotGgufError(f"{path.name} is not a GGUF file")
        try:
            version, tensors, pairs = struct.unpack("<IQQ", file.read(20))
            if version not in (2, 3):
                raise NotGgufError(f"{path.name} is GGUF version {version}; versions 2 and 3 can be read")
            values = dict(_pair(file) for _ in range(_checked(pairs)))
            shapes = dict(_tensor(file) for _ in range(_checked(tensors)))
        except (struct.error, UnicodeDecodeError, KeyError, OverflowError):
            raise NotGgufError(f"{path.name} has a broken or cut header") from None
    return _tied_once(_header(values, shapes), path.stem)


def _tied_once(header: GgufHeader, name: str) -> GgufHeader:
    """Some files store a tied output matrix a second time; a model of known shape counts it once."""
    known = size_of(name)
    if known is None or (known.layers, known.hidden) != (header.layers, header.hidden):
        return header
    return replace(header, parameters=known.parameters, active_parameters=known.active_parameters)


def _header(values: dict[str, Value], shapes: dict[str, int]) -> GgufHeader:
    architecture = str(values.get("general.architecture", "unknown"))

    def number(key: str) -> int | None:
        value = values.get(f"{architecture}.{key}")
        if isinstance(value, list):  # one entry per layer
            value = max((v for v in value if isinstance(v, int)), default=None)
        return value if isinstance(value, int) else None

    layers, hidden, heads = number("block_count"), number("embedding_length"), number("attention.head_count")
    parameters = sum(shapes.values())
    kv_heads = number("attention.head_count_kv") or heads
    key_width = number("attention.key_length") or (hidden // heads if hidden and heads else None)
    cache = 2 * 2 * layers * kv_heads * key_width if layers and kv_heads and key_width else None
    experts, used = number("expert_count"), number("expert_used_count")
    active = None
    if experts and used:
        in_experts = sum(size for name, size in shapes.items() if "_exps." in name)
        active = parameters - in_experts + in_experts * used // experts
    name = values.get("general.name")
    return GgufHeader(
        architecture=architecture,
        name=name if isinstance(name, str) else None,
        parameters=parameters,
        active_parameters=active,
        layers=layers,
        hidden=hidden,
        context=number("context_length"),
        cache_bytes_per_token=cache,
    )


def _checked(count: int) -> int:
    if count > _LONGEST:
        raise OverflowError
    return count


def _number(file: BinaryIO, kind: str) -> int:
    (value,) = struct.unpack(f"<{kind}", file.read(struct.calcsize(kind)))
    return int(value)


def _text(file: BinaryIO) -> str:
    return file.read(_checked(_number(file, "Q"))).decode()


def _pair(file: BinaryIO) -> tuple[str, Value]:
    key = _text(file)
    return key, _value(file, _number(file, "I"))


def _value(file: BinaryIO, kind: int) -> Value:
    if kind == _STRING:
        return _text(file)
    if kind != _ARRAY:
        code = _SCALARS[kind]
        (value,) = struct.unpack(f"<{code}", file.read(struct.calcsize(f"<{code}")))
        return value  # type: ignore[no-any-return]
    item, count = _number(file, "I"), _checked(_number(file, "Q"))
    if item == _STRING:  # the vocabulary: skipped, nothing here needs it
        for _ in range(count):
            file.seek(_checked(_number(file, "Q")), 1)
        return None
    if item == _ARRAY:
        return [_value(file, item) for _ in range(count)]
    code = _SCALARS[item]
    return list(struct.unpack(f"<{count}{code}", file.read(struct.calcsize(f"<{count}{code}"))))


def _tensor(file: BinaryIO) -> tuple[str, int]:
    name = _text(file)
    dimensions = [_number(file, "Q") for _ in range(_checked(_number(file, "I")))]
    file.seek(12, 1)  # type and offset
    return name, math.prod(dimensions)

"""Cuts a GGUF model after one of its layers, so that llama.cpp hands out what that layer knows.

llama.cpp gives the hidden states of a model's last layer only, and it is a middle layer whose states say most
about whether a solution is right: the last ones are about the next word. A copy of the file without the later
blocks makes a middle layer the last, and costs less to run. Nothing is changed but the tensors that are left
out and the count of blocks; the weights that stay are copied byte for byte, as quantised.

Layout: the GGUF specification, versions 2 and 3: magic, version, counts, key-value pairs, tensor infos, then
the tensors' data, each at a multiple of the alignment, at offsets that count from the data's beginning.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.models.gguf_header import NotGgufError

_WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY, _U32 = 8, 9, 4
_BLOCK = re.compile(rb"blk\.(\d+)\.")
_ALIGNMENT = 32  # bytes, where the file does not say
_COPIED_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: bytes
    shape_and_type: bytes
    offset: int


def cut_gguf(source: Path, target: Path, layers: int) -> None:
    """Write to ``target`` the first ``layers`` blocks of ``source`` and all that belongs to no block.

    ``target`` appears whole or not at all. Raises ``NotGgufError`` for a file that cannot be
    cut, and OSError.
    """
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with source.open("rb") as file, part.open("wb") as out:
            try:
                _copy(file, out, layers)
            except (struct.error, KeyError, EOFError):
                raise NotGgufError(f"{source.name} has a broken or cut header") from None
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _copy(file: BinaryIO, out: BinaryIO, layers: int) -> None:
    magic, version, tensor_count, pair_count = struct.unpack("<4sIQQ", _read(file, 24))
    if magic != b"GGUF" or version not in (2, 3):
        raise NotGgufError("not a GGUF file of version 2 or 3")
    pairs, blocks, alignment = _pairs(file, pair_count, layers)
    if blocks < layers:
        raise NotGgufError(f"the model has {blocks} layers, not {layers}")
    tensors = [_tensor(file) for _ in range(tensor_count)]
    start = _aligned(file.tell(), alignment)
    end = file.seek(0, os.SEEK_END) - start
    kept = [(tensor, size) for tensor, size in _sized(tensors, end) if _block_of(tensor.name) < layers]
    out.write(struct.pack("<4sIQQ", magic, version, len(kept), pair_count))
    out.write(pairs)
    offset = 0
    for tensor, size in kept:
        out.write(struct.pack("<Q", len(tensor.name)) + tensor.name + tensor.shape_and_type)
        out.write(struct.pack("<Q", offset))
        offset = _aligned(offset + size, alignment)
    for tensor, size in kept:
        out.write(bytes(_aligned(out.tell(), alignment) - out.tell()))
        file.seek(start + tensor.offset)
        _copy_bytes(file, out, size)
    out.write(bytes(_aligned(out.tell(), alignment) - out.tell()))


def _pairs(file: BinaryIO, count: int, layers: int) -> tuple[bytes, int, int]:
    """The key-value pairs as they are but for the count of blocks, which becomes ``layers``; the old count;
    and the alignment."""
    kept, blocks, alignment = bytearray(), 0, _ALIGNMENT
    for _ in range(count):
        start = file.tell()
        key = _read(file, _u64(file))
        kind = _u32(file)
        value_at = file.tell()
        _skip(file, kind)
        end = file.tell()
        file.seek(start)
        raw = bytearray(_read(file, end - start))
        if kind == _U32 and key.endswith(b".block_count"):
            (blocks,) = struct.unpack_from("<I", raw, value_at - start)
            struct.pack_into("<I", raw, value_at - start, layers)
        elif kind == _U32 and key == b"general.alignment":
            (alignment,) = struct.unpack_from("<I", raw, value_at - start)
        kept += raw
    if not blocks or not alignment:
        raise NotGgufError("the file does not say how many layers its model has")
    return bytes(kept), blocks, alignment


def _skip(file: BinaryIO, kind: int) -> None:
    if kind == _STRING:
        file.seek(_u64(file), os.SEEK_CUR)
    elif kind != _ARRAY:
        file.seek(_WIDTHS[kind], os.SEEK_CUR)
    else:
        item, count = _u32(file), _u64(file)
        if item in _WIDTHS:
            file.seek(_WIDTHS[item] * count, os.SEEK_CUR)
            return
        for _ in range(count):
            _skip(file, item)


def _tensor(file: BinaryIO) -> _Tensor:
    name = _read(file, _u64(file))
    dimensions = _read(file, 4)
    (number,) = struct.unpack("<I", dimensions)
    shape_and_type = dimensions + _read(file, 8 * number + 4)
    return _Tensor(name, shape_and_type, _u64(file))


def _sized(tensors: list[_Tensor], end: int) -> Iterator[tuple[_Tensor, int]]:
    """Each tensor in the order of the data with its bytes, up to where the next one begins."""
    in_order = sorted(tensors, key=lambda tensor: tensor.offset)
    limits = [tensor.offset for tensor in in_order[1:]] + [end]
    for tensor, limit in zip(in_order, limits, strict=True):
        yield tensor, limit - tensor.offset


def _block_of(name: bytes) -> int:
    found = _BLOCK.match(name)
    return int(found[1]) if found else -1


def _copy_bytes(file: BinaryIO, out: BinaryIO, size: int) -> None:
    while size:
        data = _read(file, min(size, _COPIED_AT_ONCE))
        out.write(data)
        size -= len(data)


def _aligned(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment


def _read(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise EOFError
    return data


def _u32(file: BinaryIO) -> int:
    (value,) = struct.unpack("<I", _read(file, 4))
    return int(value)


def _u64(file: BinaryIO) -> int:
    (value,) = struct.unpack("<Q", _read(file, 8))
    return int(value)

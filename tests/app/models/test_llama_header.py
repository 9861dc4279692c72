"""Sizes come from the file itself, and a broken file is named as such."""

import struct
from pathlib import Path

import pytest

from app.models.gguf_header import NotGgufError, read_gguf_header


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def pair(key: str, value: int | str | list[str]) -> bytes:
    if isinstance(value, int):
        return text(key) + struct.pack("<II", 4, value)
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    return text(key) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(text(item) for item in value)


def tensor(name: str, *shape: int) -> bytes:
    dimensions = struct.pack(f"<{len(shape)}Q", *shape)
    return text(name) + struct.pack("<I", len(shape)) + dimensions + struct.pack("<IQ", 0, 0)


PAIRS = [
    pair("general.architecture", "toy"),
    pair("general.name", "Toy ü"),
    pair("tokenizer.ggml.tokens", ["a", "", "ü"]),
    pair("toy.block_count", 3),
    pair("toy.embedding_length", 64),
    pair("toy.context_length", 512),
    pair("toy.attention.head_count", 4),
    pair("toy.attention.head_count_kv", 2),
    pair("toy.expert_count", 8),
    pair("toy.expert_used_count", 2),
]
TENSORS = [tensor("token_embd.weight", 64, 100), tensor("blk.0.ffn_up_exps.weight", 64, 10, 8)]
GOOD = b"GGUF" + struct.pack("<IQQ", 3, len(TENSORS), len(PAIRS)) + b"".join(PAIRS + TENSORS)


def test_every_size_is_read(tmp_path: Path) -> None:
    file = tmp_path / "toy.gguf"
    file.write_bytes(GOOD)
    header = read_gguf_header(file)
    assert header.parameters == 64 * 100 + 64 * 10 * 8
    assert header.active_parameters == 64 * 100 + 64 * 10 * 2
    assert (header.layers, header.hidden, header.context, header.name) == (3, 64, 512, "Toy ü")
    assert header.cache_bytes_per_token == 2 * 2 * 3 * 2 * (64 // 4)


@pytest.mark.parametrize("length", [0, 3, 4, 20, 60, len(GOOD) - 30])
def test_a_cut_header_is_refused(tmp_path: Path, length: int) -> None:
    file = tmp_path / "cut.gguf"
    file.write_bytes(GOOD[:length])
    with pytest.raises(NotGgufError, match=r"cut\.gguf"):
        read_gguf_header(file)


def test_absurd_counts_do_not_fill_the_memory(tmp_path: Path) -> None:
    file = tmp_path / "huge.gguf"
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60) + GOOD[24:])
    with pytest.raises(NotGgufError, match="broken or cut"):
        read_gguf_header(file)


def test_the_first_version_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "old.gguf"
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 1, 0, 0))
    with pytest.raises(NotGgufError, match="version 1"):
        read_gguf_header(file)


def test_a_tied_matrix_that_is_stored_twice_is_counted_once(tmp_path: Path) -> None:
    sizes = [
        pair("general.architecture", "qwen2"),
        pair("qwen2.block_count", 24),
        pair("qwen2.embedding_length", 896),
    ]
    tensors = [tensor("token_embd.weight", 896, 600_000), tensor("output.weight", 896, 151_936)]
    data = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(sizes)) + b"".join(sizes + tensors)
    known = tmp_path / "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
    known.write_bytes(data)
    assert read_gguf_header(known).parameters == 494_032_768
    unknown = tmp_path / "my-own-model.gguf"
    unknown.write_bytes(data)
    assert read_gguf_header(unknown).parameters == 896 * (600_000 + 151_936)

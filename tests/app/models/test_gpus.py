"""Graphics cards as nvidia-smi lists them, and what fits on them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

import pytest

from app.models.gpus import GIB, Gpu, find_gpus, fits, models_that_fit, read_listing, weight_bytes
from budgets.catalog import size_of
from budgets.flops import ModelSize

TWO = """\
0, GPU-aaaa-1, NVIDIA H100 80GB HBM3, 81559, 1024, 3
1, GPU-bbbb-2, NVIDIA H100 80GB HBM3, 81559, 70000, 97
"""


def answering(text: str) -> list[Gpu]:
    return find_gpus(lambda _: text, {})


def test_a_listing_is_read_with_memory_and_load() -> None:
    first, second = answering(TWO)
    assert (first.index, first.uuid, first.name) == (0, "GPU-aaaa-1", "NVIDIA H100 80GB HBM3")
    assert (first.memory, first.used, first.load) == (81559 << 20, 1024 << 20, 0.03)
    assert first.sentence == "0: NVIDIA H100 80GB HBM3, 79 of 80 GiB free, 3% busy"
    assert second.free == 11559 << 20


@pytest.mark.parametrize(
    "line",
    [
        "",
        "No devices were found",
        "0, GPU-a, NVIDIA GB10, [N/A], [N/A], 0",
        "0, GPU-a, x, 81559",
        "\x1b[31m0, GPU-a, x, 1, 2, 3",
    ],
)
def test_lines_that_tell_no_memory_are_left_out(line: str) -> None:
    assert read_listing(line) == []


def test_a_card_may_keep_its_load_to_itself() -> None:
    (card,) = read_listing("0, GPU-a, Tesla T4, 15360, 0, [N/A]")
    assert card.load is None
    assert card.sentence == "0: Tesla T4, 15 of 15 GiB free"


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ("1", [1]),
        ("1,0", [1, 0]),
        ("GPU-bbbb", [1]),
        ("", []),
        ("-1", []),
        ("0,7,1", [0]),
        ("NoDevFiles", []),
    ],
)
def test_the_cards_are_those_that_cuda_would_see(chosen: str, found: list[int]) -> None:
    assert [gpu.index for gpu in find_gpus(lambda _: TWO, {"CUDA_VISIBLE_DEVICES": chosen})] == found


@pytest.mark.parametrize(
    "fault", [OSError(), subprocess.TimeoutExpired("x", 1), subprocess.CalledProcessError(9, "x")]
)
def test_a_driver_that_does_not_answer_means_no_cards(fault: Exception) -> None:
    def fail(_: Sequence[str]) -> str:
        raise fault

    assert find_gpus(fail, {}) == []


def test_weights_take_what_the_models_name_says() -> None:
    size = ModelSize(10**9, 16, 2048)
    assert weight_bytes("m-1B", size) == 2 * 10**9
    assert weight_bytes("m-1B-AWQ", size) == weight_bytes("m-1B-GPTQ-Int4", size) == 600_000_000
    assert weight_bytes("m-1B-FP8", size) == 1_100_000_000


@pytest.mark.parametrize(
    ("name", "gib", "runs"),
    [
        ("meta-llama/Meta-Llama-3-8B-Instruct", 24, True),
        ("meta-llama/Meta-Llama-3-8B-Instruct", 16, False),
        ("meta-llama/Meta-Llama-3-70B-Instruct", 80, False),
        ("meta-llama/Meta-Llama-3-70B-Instruct", 320, True),
        ("Qwen/Qwen2.5-0.5B-Instruct", 8, True),
    ],
)
def test_well_known_models_fit_where_they_are_known_to(name: str, gib: int, runs: bool) -> None:
    size = size_of(name)
    assert size is not None
    assert fits(name, size, gib * GIB) is runs


def test_what_fits_is_listed_from_the_largest_and_all_of_it_fits() -> None:
    names = models_that_fit(24 * GIB, most=10)
    sizes = [size.parameters for name in names if (size := size_of(name))]
    assert len(names) == 10
    assert sizes == sorted(sizes, reverse=True)
    assert models_that_fit(1 * GIB) == []

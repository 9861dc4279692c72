"""The paper's formula, closed against summed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgets.flops import ModelSize, decode_flops, prompt_flops, sampling_flops

LLAMA_8B = ModelSize(8_030_000_000, 32, 4096)
LLAMA_70B = ModelSize(70_600_000_000, 80, 8192)

sizes = st.builds(
    ModelSize,
    parameters=st.integers(1, 10**13),
    layers=st.integers(1, 200),
    hidden=st.integers(1, 20_000),
)
tokens = st.integers(0, 300)


def summed(size: ModelSize, first: int, last: int) -> int:
    """The formula as the paper writes it, one token at a time."""
    return sum(2 * (size.per_token + 2 * size.layers * size.hidden * t) for t in range(first, last + 1))


@given(sizes, tokens, tokens)
def test_the_closed_form_is_the_sum(size: ModelSize, prompt: int, completion: int) -> None:
    assert prompt_flops(size, prompt) == summed(size, 1, prompt)
    assert decode_flops(size, prompt, completion) == summed(size, prompt + 1, prompt + completion)


@pytest.mark.parametrize("size", [LLAMA_8B, LLAMA_70B], ids=["8B", "70B"])
@pytest.mark.parametrize("samples", [1, 10_000])
def test_the_papers_models(size: ModelSize, samples: int) -> None:
    expected = summed(size, 1, 500) + samples * summed(size, 501, 800)
    assert sampling_flops(size, 500, 300, samples) == expected


def test_the_papers_table_in_figures() -> None:
    # By hand: 2 (800 N + L d 800 · 801), the whole of one sample after a prompt of 500.
    assert sampling_flops(LLAMA_8B, 500, 300, 1) == 2 * (800 * 8_030_000_000 + 32 * 4096 * 800 * 801)
    assert sampling_flops(LLAMA_70B, 500, 300, 1) == 2 * (800 * 70_600_000_000 + 80 * 8192 * 800 * 801)


def test_reading_then_writing_is_one_pass_over_all_tokens() -> None:
    together = prompt_flops(LLAMA_8B, 800)
    assert prompt_flops(LLAMA_8B, 500) + decode_flops(LLAMA_8B, 500, 300) == together


def test_a_shared_prompt_counts_once() -> None:
    many = sampling_flops(LLAMA_8B, 500, 300, 100)
    assert many < 100 * sampling_flops(LLAMA_8B, 500, 300, 1)
    assert many == prompt_flops(LLAMA_8B, 500) + 100 * decode_flops(LLAMA_8B, 500, 300)
    assert sampling_flops(LLAMA_8B, 500, 300, 0) == 0


def test_only_active_experts_compute() -> None:
    mixture = ModelSize(46_702_792_704, 32, 4096, active_parameters=12_879_925_248)
    dense = ModelSize(12_879_925_248, 32, 4096)
    assert decode_flops(mixture, 100, 100) == decode_flops(dense, 100, 100)


def test_counts_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="zero or more"):
        prompt_flops(LLAMA_8B, -1)
    with pytest.raises(ValueError, match="zero or more"):
        decode_flops(LLAMA_8B, 10, -1)
    with pytest.raises(ValueError, match="zero or more"):
        sampling_flops(LLAMA_8B, 10, 10, -1)


@pytest.mark.parametrize("arguments", [(0, 1, 1), (1, 0, 1), (1, 1, 0), (10, 1, 1, 11), (10, 1, 1, 0)])
def test_impossible_shapes_are_refused(arguments: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="parameter"):
        ModelSize(*arguments)

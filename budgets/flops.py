"""The compute of a sample, by the formula of the repeated-sampling paper.

A token at context t costs 2 (N + 2 · layers · hidden · t) floating-point operations: one multiply and one
add per parameter, and attention's reading of the t tokens before it. (Brown et al. 2024, "Large Language
Monkeys", arXiv 2407.21787.) Summed over the tokens a+1 .. b,

    F(a, b) = 2 [ (b - a) N + layers · hidden · (b (b + 1) - a (a + 1)) ]

in exact integers. A prompt shared by many samples is counted once, each completion from where the prompt
ends. For a mixture of experts N is the number of active parameters, since a token passes through no others.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ModelSize", "decode_flops", "prompt_flops", "sampling_flops"]


@dataclass(frozen=True, slots=True)
class ModelSize:
    """The shape of a model. Counts are whole numbers; ``context`` is in tokens, ``None`` where unknown."""

    parameters: int
    layers: int
    hidden: int
    active_parameters: int | None = None
    context: int | None = None

    def __post_init__(self) -> None:
        if min(self.parameters, self.layers, self.hidden) < 1:
            raise ValueError("A model has at least one parameter, one layer and one hidden unit.")
        if self.active_parameters is not None and not 1 <= self.active_parameters <= self.parameters:
            raise ValueError("A model has between one and all of its parameters active.")

    @property
    def per_token(self) -> int:
        """The parameters that each token passes through."""
        return self.parameters if self.active_parameters is None else self.active_parameters


def _flops(size: ModelSize, before: int, upto: int) -> int:
    attention = size.layers * size.hidden * (upto * (upto + 1) - before * (before + 1))
    return 2 * ((upto - before) * size.per_token + attention)


def prompt_flops(size: ModelSize, prompt_tokens: int) -> int:
    """Operations to read a prompt of ``prompt_tokens`` tokens. Raises ``ValueError`` below zero."""
    _check(prompt_tokens)
    return _flops(size, 0, prompt_tokens)


def decode_flops(size: ModelSize, prompt_tokens: int, completion_tokens: int) -> int:
    """Operations to write ``completion_tokens`` tokens after a prompt that was read before.

    Raises ``ValueError`` below zero.
    """
    _check(prompt_tokens, completion_tokens)
    return _flops(size, prompt_tokens, prompt_tokens + completion_tokens)


def sampling_flops(size: ModelSize, prompt_tokens: int, completion_tokens: int, samples: int) -> int:
    """Operations of ``samples`` completions of one prompt, the prompt read once."""
    _check(samples)
    if samples == 0:
        return 0
    return prompt_flops(size, prompt_tokens) + samples * decode_flops(size, prompt_tokens, completion_tokens)


def _check(*counts: int) -> None:
    if min(counts) < 0:
        raise ValueError("A number of tokens or samples is zero or more.")

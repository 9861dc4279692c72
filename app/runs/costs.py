"""What one model's calls cost: the worst before they leave, the truth when they return.

Dollars follow the model's price (local models have none of their own), FLOPs the paper's formula with the
model's real sizes. The formula reads a shared prompt once, so a run pays a model's prompt FLOPs with its
first call only. Tokens count what the model had to read: what a cache already held is not read again.
"""

from __future__ import annotations

from decimal import Decimal

from app.models.base import ModelInfo
from budgets.amounts import Amounts
from budgets.flops import ModelSize, decode_flops, prompt_flops
from budgets.rates import Price


def size_of_info(info: ModelInfo) -> ModelSize | None:
    """The shape of a model for the FLOP formula, ``None`` unless all of it is known."""
    if info.parameters is None or info.layers is None or info.hidden is None:
        return None
    return ModelSize(info.parameters, info.layers, info.hidden, info.active_parameters, info.context)


class Meter:
    """Turns tokens of one model into ``Amounts``. ``price`` is ``None`` where no price is known."""

    def __init__(self, info: ModelInfo, price: Price | None) -> None:
        self.price = price
        self._prompt_paid = False
        self.learn(info)

    def learn(self, info: ModelInfo) -> None:
        """Take over what a model says of itself once it is ready: the sizes in its own file."""
        self.info = info
        self.size = size_of_info(info)

    def hold_prompt(self, at_most: int) -> Amounts:
        """The most that reading a prompt of ``at_most`` tokens can cost."""
        usd = self._free if self.price is None else self.price.worst_prompt(at_most)
        flops = self._prompt_flops(at_most)
        if self._prompt_paid and flops is not None:
            flops = 0
        return Amounts(usd, flops, at_most)

    def hold_choice(self, prompt_at_most: int, max_tokens: int) -> Amounts:
        """The most that one sample of ``max_tokens`` tokens can cost, its prompt aside."""
        usd = self._free if self.price is None else self.price.worst_choice(prompt_at_most, max_tokens)
        return Amounts(usd, self._decode_flops(prompt_at_most, max_tokens), max_tokens, 1)

    def prompt(self, tokens: int, cached: int) -> Amounts:
        """What reading the prompt cost."""
        usd = self._free if self.price is None else self.price.prompt_cost(tokens, cached)
        flops = self._prompt_flops(tokens)
        if self._prompt_paid and flops is not None:
            flops = 0
        self._prompt_paid = True
        return Amounts(usd, flops, tokens - cached if self.info.local else tokens)

    def choice(
        self, prompt_tokens: int, completion_tokens: int, *, sample: int = 1, reasoning: int = 0
    ) -> Amounts:
        """What one sample's completion cost, ``reasoning`` of its tokens hidden ones."""
        usd = self._free
        if self.price is not None:
            usd = self.price.completion_cost(prompt_tokens, completion_tokens, reasoning)
        return Amounts(usd, self._decode_flops(prompt_tokens, completion_tokens), completion_tokens, sample)

    def prompt_was_paid(self) -> None:
        """A resumed run's earlier calls have read the prompt already."""
        self._prompt_paid = True

    def _prompt_flops(self, tokens: int) -> int | None:
        return None if self.size is None else prompt_flops(self.size, tokens)

    def _decode_flops(self, prompt: int, completion: int) -> int | None:
        return None if self.size is None else decode_flops(self.size, prompt, completion)

    @property
    def _free(self) -> Decimal | None:
        """Local models cost no dollars of their own; of others without a price nobody knows."""
        return Decimal(0) if self.info.local else None

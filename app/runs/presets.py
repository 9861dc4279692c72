"""The papers' own settings, by name, so that an experiment is repeated by naming it.

From Brown et al. 2024 (arXiv 2407.21787): which problems, how many samples, and how
they are drawn. What is given on the command line beside a preset wins over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.errors import BadInput


@dataclass(frozen=True, slots=True)
class Preset:
    """``problems`` of ``set``, drawn by seed; ``shots`` worked examples of its training split."""

    set: str
    problems: int | None
    samples: int
    temperature: float
    top_p: float | None
    max_tokens: int
    shots: int | None

    def words(self) -> str:
        """What it is, on one line."""
        top = "" if self.top_p is None else f", top-p {self.top_p:g}"
        some = "all problems" if self.problems is None else f"{self.problems} problems"
        shots = "" if self.shots is None else f", {self.shots} examples"
        return (
            f"{some} of {self.set}, {self.samples:,} samples each, temperature {self.temperature:g}{top}, "
            f"up to {self.max_tokens:,} tokens{shots}"
        )


PRESETS: Final[dict[str, Preset]] = {
    "monkeys-gsm8k": Preset("gsm8k", 128, 10_000, 0.6, None, 512, 5),
    "monkeys-math": Preset("math", 128, 10_000, 0.6, None, 512, 5),
    "monkeys-minif2f": Preset("minif2f", 130, 10_000, 0.5, None, 200, None),
    "monkeys-codecontests": Preset("codecontests", 140, 10_000, 0.6, 0.95, 1024, 2),
}


def preset(name: str) -> Preset:
    """Raises ``BadInput`` with the names there are."""
    found = PRESETS.get(name.strip().lower())
    if found is None:
        raise BadInput(f"There is no preset {name}.", f"Use one of {', '.join(PRESETS)}, or list.")
    return found

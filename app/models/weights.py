"""The embedded model's weights: where they lie, and that they are whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from app.errors import PartMissing
from app.locations import weights_folder
from app.models.base import Progress

GGUF_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
BY_HAND = f"set MONKEYS_WEIGHTS to a copy of {GGUF_NAME}, or use gguf:PATH with another model"


def find_smollm2(report: Callable[[Progress], None]) -> Path:
    """The path of the weights. Raises PartMissing."""
    by_hand = os.environ.get("MONKEYS_WEIGHTS")
    path = Path(by_hand).expanduser() if by_hand else weights_folder() / GGUF_NAME
    if not path.is_file():
        raise PartMissing(f"the weights of smollm2 are not at {path}", BY_HAND)
    return path

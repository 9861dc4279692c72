"""CoTnPoT for code: a program put into words by the model that wrote it, so that both are scored together.

Liang et al. 2024 (arXiv 2410.05318) found that a reward model judges a program better beside a description of
what it does. Nothing runs here and nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from verifiers.ports import Turn, Writer
from verifiers.safe_text import clean

MAX_TOKENS: Final = 200
_LONGEST: Final = 8_000
_ASK: Final = (
    "Describe in a few sentences what this program does, step by step, and which inputs it gets wrong, if "
    "any. Write prose, no code."
)


async def describe(
    writer: Writer, code: str, *, sample: int, seed: int, on_text: Callable[[str], None] | None = None
) -> str:
    """The words of ``writer`` for ``code``; empty where it finds none. Raises what the writer raises."""
    turns = [Turn("user", f"{_ASK}\n\n```python\n{clean(code)[:_LONGEST].rstrip()}\n```")]
    replies = await writer.write(
        turns, about=sample, max_tokens=MAX_TOKENS, temperature=0.0, seed=seed + sample, on_text=on_text
    )
    return clean(replies[0].text).strip() if replies else ""


def with_description(code: str, description: str) -> str:
    """What a reward model reads of a program: the code, and the words for it."""
    return f"{code.rstrip()}\n\n{description}" if description else code

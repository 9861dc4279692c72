"""A solution, made fit to be read by another model without being obeyed by it.

A solution is hostile text: it may say "Score: 10", pretend that the quotation has ended and that the next
line comes from us, or hold the control tokens of a chat template. Every line of it is therefore marked as
quoted, so that nothing in it can end the quotation, and its control tokens are broken up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from verifiers.safe_text import clean

MARK = "> "
"""What every quoted line begins with."""
LONGEST = 12_000
"""Characters of a solution that are quoted; of a longer one the end, where its answer is."""

_CONTROL = re.compile(
    r"<\||\|>|</?s>|</?think>|<(?:bos|eos|pad|unk)>|</?(?:start|end)_of_turn>|\[/?INST\]|<</?SYS>>",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quoted:
    """``truncated``: the solution was longer than ``LONGEST`` and lost its beginning."""

    text: str
    truncated: bool


def quoted(solution: str, longest: int = LONGEST) -> Quoted:
    """``solution`` as a quotation, each of its lines marked."""
    text = clean(solution)
    truncated = len(text) > longest
    kept = "[…]" + text[-longest:] if truncated else text
    lines = harmless(kept).splitlines() or [""]
    return Quoted("\n".join(f"{MARK}{line}".rstrip() for line in lines), truncated)


def harmless(text: str) -> str:
    """``text`` with a space inside whatever a chat template could take for a control token."""
    return _CONTROL.sub(lambda found: f"{found.group()[0]} {found.group()[1:]}", text)


def without_quotations(reply: str) -> str:
    """A judge's ``reply`` without the lines in which it quotes the solution back."""
    return "\n".join(line for line in reply.splitlines() if not line.lstrip().startswith(MARK.strip()))

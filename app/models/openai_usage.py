"""Who counted the tokens: the server, whose figure is the bill, or we, who can only count what came.

A usage report covers a whole request. With several choices in it the exact total is shared out by our own
counts, so that each share is an estimate and their sum is not. A report that cannot be true is set against
the evidence: what it falls short of becomes "at most", and one that is absurd is left aside.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

_ABSURD = 10
"""A provider may count hidden reasoning beyond the limit it was given; ten times the limit is noise."""
_HIDDEN_TOKENS = 2
"""Tokens that end a text and show nothing of themselves."""


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class _Report(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


class Usage(msgspec.Struct, frozen=True):
    """What a server says it counted. ``completion`` covers all choices; ``None`` is "it did not say"."""

    prompt: int | None = None
    cached: int = 0
    completion: int | None = None
    reasoning: int = 0


class Count(msgspec.Struct):
    """One choice as we saw it: ``pieces`` that brought text, their size in ``bytes``, and the result."""

    pieces: int = 0
    bytes: int = 0
    tokens: int = 0
    at_most: int | None = None
    estimated: bool = False


def read_usage(report: object) -> Usage:
    """A report as far as it makes sense; what does not is as if it were absent."""
    try:
        found = msgspec.convert(report, _Report)
    except msgspec.ValidationError:
        return Usage()
    prompt = found.prompt_tokens if found.prompt_tokens and found.prompt_tokens > 0 else None
    completion = found.completion_tokens
    completion = completion if completion is not None and completion >= 0 else None
    cached = (found.prompt_tokens_details and found.prompt_tokens_details.cached_tokens) or 0
    details = found.completion_tokens_details
    reasoning = (details and details.reasoning_tokens) or 0
    return Usage(
        prompt, min(max(cached, 0), prompt or 0), completion, min(max(reasoning, 0), completion or 0)
    )


def share_out(total: int | None, counts: Sequence[Count], max_tokens: int) -> None:
    """Give each finished choice its tokens. ``counts`` are in the order in which they finished.

    The shares add up to ``total`` exactly. Without a believable total each choice gets our own count, and up
    to ``max_tokens`` as what it may have cost.
    """
    if not counts:
        return
    seen = sum(count.pieces for count in counts)
    if total is None or total > _ABSURD * max_tokens * len(counts) or (total == 0 and seen):
        for count in counts:
            count.tokens, count.estimated = min(count.pieces, max_tokens), True
            count.at_most = max_tokens
        return
    rest = total
    for count in counts:
        count.tokens = min(count.pieces, max_tokens)
        count.estimated = len(counts) > 1
        rest -= count.tokens
    for count in reversed(counts):
        moved = max(-count.tokens, min(rest, max_tokens - count.tokens))
        count.tokens += moved
        rest -= moved
    counts[-1].tokens += rest
    if total < seen:
        for count in counts:
            count.at_most = max(count.tokens, min(max_tokens, count.bytes + _HIDDEN_TOKENS))

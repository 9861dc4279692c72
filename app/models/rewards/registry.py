"""Reward names and what stands behind them: the reward models' counterpart of ``app.models.registry``.

Nothing behind a name is imported before the name is used.
"""

from __future__ import annotations

import difflib
from pathlib import Path

from app.errors import BadInput
from app.models.rewards.base import RewardModel, WritingReward

EXAMPLES = ("likelihood", "judge:MODEL")
_PREFIXES = ("judge",)
_WORDS = ("likelihood",)


def reward_of(name: str, *, judge_replies: int | None = None) -> RewardModel | WritingReward:
    """What scores samples under ``name``, not yet opened.

    ``judge_replies`` is how often a judge is asked about each solution. Raises ``BadInput`` for a name that
    means nothing, with the nearest one that does, and ``PartMissing`` for one that cannot be had here.
    """
    name = name.strip()
    if name.lower() == "likelihood":
        from app.models.rewards.likelihood import LikelihoodReward

        return LikelihoodReward()
    prefix, colon, rest = name.partition(":")
    if not colon or prefix.lower() not in _PREFIXES:
        raise _unknown(name)
    if not rest.strip():
        example = next(example for example in EXAMPLES if example.startswith(prefix.lower()))
        raise BadInput(f"The reward name {name} stops after its colon.", f"Write {example}.")
    from app.models.rewards.judge import JudgeReward
    from verifiers.rewards.judge import REPLIES

    return JudgeReward(rest.strip(), judge_replies or REPLIES)


def _unknown(name: str) -> BadInput:
    names = ", ".join(EXAMPLES)
    if not name:
        return BadInput("The reward name is empty.", f"Use one of {names}.")
    if "/" in name and ":" not in name and Path(name).expanduser().is_dir():
        return BadInput(f"The folder {name} holds no reward model.", "Give a folder made by reward train.")
    near = _nearest(name)
    return BadInput(
        f"There is no reward {name}.", f"Did you mean {near}?" if near else f"Use one of {names}."
    )


def _nearest(name: str) -> str | None:
    prefix, colon, rest = name.partition(":")
    if colon:
        near = difflib.get_close_matches(prefix.lower(), _PREFIXES, n=1, cutoff=0.5)
        return f"{near[0]}:{rest}" if near else None
    near = difflib.get_close_matches(name.lower(), (*_WORDS, *_PREFIXES), n=1, cutoff=0.5)
    if not near:
        return None
    return next((example for example in EXAMPLES if example.startswith(f"{near[0]}:")), near[0])

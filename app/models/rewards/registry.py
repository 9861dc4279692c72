"""Reward names and what stands behind them: the reward models' counterpart of ``app.models.registry``.

Nothing behind a name is imported before the name is used.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import BadInput, PartMissing
from app.models.rewards.base import RewardModel, WritingReward
from verifiers.rewards.steps import REDUCTIONS, Reduction

if TYPE_CHECKING:
    from app.models.vllm_plan import Wanted

EXAMPLES = ("embedded", "likelihood", "vllm:NAME", "implicit:NAME", "hf:PATH", "judge:MODEL")
_PREFIXES = ("vllm", "implicit", "hf", "judge")
_WORDS = ("embedded", "likelihood")


def reward_of(
    name: str,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    judge_replies: int | None = None,
) -> RewardModel | WritingReward:
    """What scores samples under ``name``, not yet opened.

    ``base_url`` and ``api_key`` are for ``vllm:`` and ``implicit:``, and otherwise come from
    ``MONKEYS_REWARD_URL`` and ``MONKEYS_REWARD_KEY``; without an address a server on this machine is found
    or started, and ended with the run. ``vllm:NAME#last``, ``#min`` and ``#product`` ask for a
    process model reduced in that way. A folder with a model in it, as ``reward train`` makes it, is
    ``hf:FOLDER``. ``judge_replies`` is how often a judge is asked about each solution.

    Raises ``BadInput`` for a name that means nothing, with the nearest one that does, and ``PartMissing`` for
    one that cannot be had here.
    """
    name = name.strip()
    if name.lower() == "embedded":
        from app.models.rewards.embedded import EmbeddedReward

        return EmbeddedReward()
    if name.lower() == "likelihood":
        from app.models.rewards.likelihood import LikelihoodReward

        return LikelihoodReward()
    prefix, colon, rest = name.partition(":")
    prefix, rest = prefix.strip().lower(), rest.strip()
    if prefix not in _PREFIXES and _is_model_folder(name):
        prefix, colon, rest = "hf", ":", name
    if not colon or prefix not in _PREFIXES:
        raise _unknown(name)
    if not rest:
        example = next(example for example in EXAMPLES if example.startswith(prefix))
        raise BadInput(f"The reward name {name} stops after its colon.", f"Write {example}.")
    if prefix == "judge":
        from app.models.rewards.judge import JudgeReward
        from verifiers.rewards.judge import REPLIES

        return JudgeReward(rest, judge_replies or REPLIES)
    if prefix == "hf":
        from app.models.rewards.hf_reward import HfReward

        return HfReward(rest)
    url = base_url or os.environ.get("MONKEYS_REWARD_URL")
    key = api_key or os.environ.get("MONKEYS_REWARD_KEY")
    model, steps = (rest, None) if prefix == "implicit" else _with_steps(rest)
    wanted = None if url else _wanted(model, pooling=prefix == "vllm")
    if prefix == "implicit":
        from app.models.rewards.implicit import ImplicitReward

        return ImplicitReward(model, url, key, wanted=wanted)
    from app.models.rewards.vllm_reward import VllmReward

    return VllmReward(model, url, key, wanted=wanted, steps=steps)


def _wanted(model: str, *, pooling: bool) -> Wanted:
    """A server of our own for ``model``. Refuses what no server here could be started for, unless one is
    up."""
    from app.models.vllm_backend import wanted_by_settings
    from app.models.vllm_found import running_servers
    from app.models.vllm_place import find_vllm
    from app.models.vllm_plan import check_cards

    wanted = replace(wanted_by_settings(model), pooling=pooling)
    wanted.check()
    if not any(about.model == wanted.model and about.pooling == pooling for about in running_servers()):
        try:
            check_cards(find_vllm(wanted.command))
        except PartMissing as missing:
            fix = f"{missing.fix} Or set MONKEYS_REWARD_URL to the address of a server that is up."
            raise PartMissing(missing.message, fix) from None
    return wanted


def _with_steps(name: str) -> tuple[str, Reduction | None]:
    """A server's name for its model, and how the steps of a process model are reduced."""
    model, mark, how = name.rpartition("#")
    if not mark:
        return name, None
    for reduction in REDUCTIONS:
        if how == reduction:
            return model, reduction
    near = difflib.get_close_matches(how, REDUCTIONS, n=1, cutoff=0.4)
    fix = f"Did you mean #{near[0]}?" if near else f"Use #{', #'.join(REDUCTIONS)}."
    raise BadInput(f"There is no way #{how} to reduce the steps of a solution.", fix)


def _is_model_folder(name: str) -> bool:
    return bool(name) and (Path(name).expanduser() / "config.json").is_file()


def _unknown(name: str) -> BadInput:
    names = ", ".join(EXAMPLES)
    if not name:
        return BadInput("The reward name is empty.", f"Use one of {names}.")
    if Path(name).expanduser().is_dir():
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

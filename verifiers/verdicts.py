"""What a checker may say, and how it says it.

A verdict has three values because two are not enough: a checker that ran out of time, or that does not know
how to compare two answers, has not shown that the sample is wrong. ``undecided`` keeps that apart, so that
coverage is counted over decided samples only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Verdict: TypeAlias = Literal["right", "wrong", "undecided"]

Kind: TypeAlias = Literal["math", "code", "proof", "patch", "open"]
"""The kinds of problem; each has its own way of stating an answer and of telling two answers apart."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One checker's word on one sample.

    ``reason`` is one line for people ("72 equals the known answer"), ``checker`` the name shown beside the
    verdict ("known answer", "tests", "lean").
    """

    verdict: Verdict
    reason: str
    checker: str

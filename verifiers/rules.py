"""The rules that choose one answer of many, each as a function of the finished list: their definitions.

    majority            the answer that most samples give
    reward              the sample with the highest reward (best of N)
    reward_weighted     the answer with the largest sum of rewards over the samples that give it
    cotnpot             `reward` among the samples whose program agrees with them
    cotnpot_vote        `majority` among these (PROVE, arXiv 2410.12608)
    cotnpot_weighted    `reward_weighted` among these
    first_verified      the first sample that a checker called right

The first three are those of Brown et al. 2024 (arXiv 2407.21787), the filter is that of Liang et al. 2024
(arXiv 2410.05318): a coder model re-writes a solution as a program, and solutions whose program fails or
answers differently are dropped. If none is left to pick from, the rule looks at all samples, and says so.

Order is the order of the list. Ties go to the answer, the sample or the spelling seen first. A sample without
an answer is never picked, and one without a reward neither wins by reward nor adds weight. Rewards are summed
as they are where all of them lie between 0 and 1; otherwise they are read as logits, because a negative
number must not make an answer that more samples give count less: each weighs 1 / (1 + e^-reward).

A rule whose input is wholly missing has no pick: ``None``. ``verifiers.live_rules`` holds the same rules for
samples that are still arriving; tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from verifiers.candidates import Candidate, Scale, logistic, scale_of
from verifiers.picks import Pick, chance_leader_stays

RuleName: TypeAlias = Literal[
    "majority",
    "reward",
    "reward_weighted",
    "cotnpot",
    "cotnpot_vote",
    "cotnpot_weighted",
    "first_verified",
]

Need: TypeAlias = Literal["rewards", "programs", "verdicts"]


@dataclass(frozen=True, slots=True)
class FilteredPick(Pick):
    """A pick among the samples whose program agrees with them: ``support``, ``share`` and ``probability``
    are counted among these, or among all where none was left to pick from and ``fallback`` says so."""

    kept: int = 0
    dropped: int = 0
    failed: int = 0
    not_run: int = 0
    fallback: bool = False


def majority_pick(candidates: Sequence[Candidate]) -> Pick:
    """``probability`` is the chance that the leading answer stays ahead of the second."""
    votes = {key: len(members) for key, members in _groups(candidates).items()}
    if not votes:
        return Pick("majority", None, None, 0, 0.0)
    leader = max(votes, key=lambda key: votes[key])
    second = max((count for key, count in votes.items() if key != leader), default=0)
    chance = chance_leader_stays(votes[leader], second)
    return _pick_group("majority", leader, candidates, probability=chance)


def reward_pick(candidates: Sequence[Candidate]) -> Pick | None:
    """``score`` is the highest reward; ``support`` counts the samples with the same answer."""
    if all(each.reward is None for each in candidates):
        return None
    scored = [(each.reward, each) for each in candidates if each.reward is not None and each.key is not None]
    if not scored:
        return Pick("reward", None, None, 0, 0.0)
    score, best = max(scored, key=lambda pair: pair[0])
    support = sum(each.key == best.key for each in candidates)
    return Pick("reward", best.answer, best.sample, support, support / len(candidates), score=score)


def reward_weighted_pick(candidates: Sequence[Candidate], scale: Scale | None = None) -> Pick | None:
    """``score`` is the answer's part of all weight. ``scale`` says what the rewards are, where it is known;
    else ``scale_of`` reads it off them."""
    rewards = [each.reward for each in candidates if each.reward is not None]
    if not rewards:
        return None
    weigh = logistic if (scale or scale_of(rewards)) == "score" else float
    weights: dict[str, float] = {}
    total = 0.0
    for each in candidates:
        if each.key is not None:
            weight = 0.0 if each.reward is None else weigh(each.reward)
            weights[each.key] = weights.get(each.key, 0.0) + weight
            total += weight
    if not weights:
        return Pick("reward_weighted", None, None, 0, 0.0)
    leader = max(weights, key=lambda key: weights[key])
    part = weights[leader] / total if total else 0.0
    return _pick_group("reward_weighted", leader, candidates, score=part)


def cotnpot_pick(candidates: Sequence[Candidate]) -> FilteredPick | None:
    return _filtered("cotnpot", candidates, reward_pick)


def cotnpot_vote_pick(candidates: Sequence[Candidate]) -> FilteredPick | None:
    return _filtered("cotnpot_vote", candidates, majority_pick)


def cotnpot_weighted_pick(candidates: Sequence[Candidate], scale: Scale | None = None) -> FilteredPick | None:
    """The scale of the rewards is read off all samples, the dropped ones included."""
    known = scale or scale_of(each.reward for each in candidates if each.reward is not None)
    return _filtered("cotnpot_weighted", candidates, lambda kept: reward_weighted_pick(kept, known))


def first_verified_pick(candidates: Sequence[Candidate]) -> Pick | None:
    """``support`` counts the samples with the same answer, whatever was found about them."""
    if all(each.verdict is None for each in candidates):
        return None
    found = next((each for each in candidates if each.verdict == "right"), None)
    if found is None:
        return Pick("first_verified", None, None, 0, 0.0)
    support = 1 if found.key is None else sum(each.key == found.key for each in candidates)
    return Pick("first_verified", found.answer, found.sample, support, support / len(candidates))


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's name in files, its name for people, what it needs besides answers, and the rule itself."""

    name: RuleName
    title: str
    needs: tuple[Need, ...]
    pick: Callable[[Sequence[Candidate]], Pick | None]

    def why_not(self, *, rewards: bool, programs: bool, verdicts: bool = True) -> str | None:
        """Why it cannot run with what there is; ``None`` if it can."""
        there = {"rewards": rewards, "programs": programs, "verdicts": verdicts}
        missing = [_MISSING[need] for need in self.needs if not there[need]]
        return " and ".join(missing) or None


_MISSING: Final[dict[Need, str]] = {
    "rewards": "no sample has a reward",
    "programs": "no program was run for any sample",
    "verdicts": "no sample was checked",
}

RULES: Final[tuple[Rule, ...]] = (
    Rule("majority", "Majority", (), majority_pick),
    Rule("reward", "Reward best", ("rewards",), reward_pick),
    Rule("reward_weighted", "Reward-weighted", ("rewards",), reward_weighted_pick),
    Rule("cotnpot", "CoTnPoT + reward", ("programs", "rewards"), cotnpot_pick),
    Rule("cotnpot_vote", "CoTnPoT + vote", ("programs",), cotnpot_vote_pick),
    Rule("cotnpot_weighted", "CoTnPoT + weighted", ("programs", "rewards"), cotnpot_weighted_pick),
    Rule("first_verified", "First verified", ("verdicts",), first_verified_pick),
)
"""Every rule, in the order in which they are shown."""


def _groups(candidates: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    """Samples by answer, in the order in which the answers were first given."""
    groups: dict[str, list[Candidate]] = {}
    for each in candidates:
        if each.key is not None:
            groups.setdefault(each.key, []).append(each)
    return groups


def _pick_group(
    rule: RuleName,
    key: str,
    candidates: Sequence[Candidate],
    *,
    score: float | None = None,
    probability: float | None = None,
) -> Pick:
    """The pick of a whole group: in its most common spelling, by the first sample that has it."""
    members = _groups(candidates)[key]
    spellings: dict[str | None, int] = {}
    for each in members:
        spellings[each.answer] = spellings.get(each.answer, 0) + 1
    usual = max(spellings, key=lambda text: spellings[text])
    sample = next(each.sample for each in members if each.answer == usual)
    share = len(members) / len(candidates)
    return Pick(rule, usual, sample, len(members), share, score, probability)


def _filtered(
    rule: RuleName, candidates: Sequence[Candidate], inner: Callable[[Sequence[Candidate]], Pick | None]
) -> FilteredPick | None:
    statuses = [each.program for each in candidates]
    if all(status in (None, "not-run") for status in statuses):
        return None
    kept = [each for each in candidates if each.program == "agrees"]
    if inner(candidates) is None:
        return None  # what the rule within needs is missing everywhere
    pick = inner(kept) if kept else None
    fallback = pick is None or pick.answer is None
    if fallback:
        pick = inner(candidates)
    assert pick is not None  # noqa: S101 (`inner` picked among all of them above)
    return FilteredPick(
        rule,
        pick.answer,
        pick.sample,
        pick.support,
        pick.share,
        pick.score,
        pick.probability,
        kept=len(kept),
        dropped=statuses.count("differs"),
        failed=statuses.count("failed"),
        not_run=statuses.count("not-run") + statuses.count(None),
        fallback=fallback,
    )

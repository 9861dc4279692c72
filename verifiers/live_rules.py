"""The rules of ``verifiers.rules`` for samples that are still arriving.

One object a rule and problem. Adding a sample takes the same time after ten thousand as after ten, and the
pick can be read after each. Samples count in the order in which they are added, so a rule that waits for a
reward or a program adds a sample when it has come.

Sums of rewards are kept on both scales, so that the first reward outside 0 to 1 changes what all of them mean
without adding them up again. Weights are never negative, so only the answer just added to can take the lead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Protocol

from verifiers.candidates import Candidate, logistic
from verifiers.picks import MajorityVote, Pick
from verifiers.rules import FilteredPick, RuleName
from verifiers.verdicts import Kind


class LiveRule(Protocol):
    """A rule at work. ``pick`` is ``None`` as long as what the rule needs is missing everywhere."""

    def add(self, candidate: Candidate) -> None: ...

    @property
    def pick(self) -> Pick | None: ...


class LiveMajority:
    def __init__(self, kind: Kind) -> None:
        self._votes = MajorityVote(kind)

    def add(self, candidate: Candidate) -> None:
        self._votes.add(candidate.sample, candidate.answer, key=candidate.key)

    @property
    def pick(self) -> Pick:
        return self._votes.pick


class LiveReward:
    def __init__(self) -> None:
        self._seen = 0
        self._rewarded = False
        self._votes: Counter[str] = Counter()
        self._best: Candidate | None = None
        self._score = 0.0

    def add(self, candidate: Candidate) -> None:
        self._seen += 1
        reward, key = candidate.reward, candidate.key
        self._rewarded |= reward is not None
        if key is None:
            return
        self._votes[key] += 1
        if reward is not None and (self._best is None or reward > self._score):
            self._best, self._score = candidate, reward

    @property
    def pick(self) -> Pick | None:
        best = self._best
        if best is None or best.key is None:
            return Pick("reward", None, None, 0, 0.0) if self._rewarded else None
        support = self._votes[best.key]
        return Pick("reward", best.answer, best.sample, support, support / self._seen, score=self._score)


class _Weights:
    """Sums of weights by answer on one scale, and which leads."""

    __slots__ = ("_places", "_sums", "_weigh", "leader", "total")

    def __init__(self, weigh: Callable[[float], float]) -> None:
        self._weigh = weigh
        self._sums: dict[str, float] = {}
        self._places: dict[str, int] = {}
        self.leader: str | None = None
        self.total = 0.0

    def add(self, key: str, reward: float | None) -> None:
        sums, places = self._sums, self._places
        place = places.setdefault(key, len(places))
        weight = 0.0 if reward is None else self._weigh(reward)
        mine = sums.get(key, 0.0) + weight
        sums[key] = mine
        self.total += weight
        leader = self.leader
        if leader is None:
            self.leader = key
        elif key != leader:
            most = sums[leader]
            if mine > most or (mine == most and place < places[leader]):
                self.leader = key

    def part(self, key: str) -> float:
        """Of all weight."""
        return self._sums[key] / self.total if self.total else 0.0


class LiveRewardWeighted:
    def __init__(self, kind: Kind) -> None:
        self._rewarded = False
        self._beyond_one = False
        self._tallies = MajorityVote(kind)
        self._as_probabilities = _Weights(float)
        self._as_scores = _Weights(logistic)

    def expect(self, reward: float) -> None:
        """Take note of a reward's size, of a sample that is not to be added."""
        self._beyond_one |= not 0 <= reward <= 1

    def add(self, candidate: Candidate) -> None:
        self._tallies.add(candidate.sample, candidate.answer, key=candidate.key)
        reward = candidate.reward
        if reward is not None:
            self._rewarded = True
            self.expect(reward)
        if candidate.key is not None:
            if not self._beyond_one:
                self._as_probabilities.add(candidate.key, reward)
            self._as_scores.add(candidate.key, reward)

    @property
    def pick(self) -> Pick | None:
        if not self._rewarded:
            return None
        weights = self._as_scores if self._beyond_one else self._as_probabilities
        leader = weights.leader
        if leader is None:
            return Pick("reward_weighted", None, None, 0, 0.0)
        answer, sample, support = self._tallies.standing_of(leader)
        share = support / self._tallies.seen
        return Pick("reward_weighted", answer, sample, support, share, score=weights.part(leader))


class LiveFiltered:
    """A rule among the samples whose program agrees with them; ``inner`` makes the rule."""

    def __init__(self, name: RuleName, inner: Callable[[], LiveRule]) -> None:
        self._name = name
        self._kept = inner()
        self._all = inner()
        self._statuses: Counter[str] = Counter()

    def add(self, candidate: Candidate) -> None:
        self._statuses[candidate.program or "not-run"] += 1
        self._all.add(candidate)
        if candidate.program == "agrees":
            self._kept.add(candidate)
        elif isinstance(self._kept, LiveRewardWeighted) and candidate.reward is not None:
            self._kept.expect(candidate.reward)  # the scale is that of all samples

    @property
    def pick(self) -> FilteredPick | None:
        counts = self._statuses
        if not counts["agrees"] and not counts["differs"] and not counts["failed"]:
            return None
        pick = self._kept.pick
        fallback = pick is None or pick.answer is None
        if fallback:
            pick = self._all.pick
        if pick is None:
            return None
        return FilteredPick(
            self._name,
            pick.answer,
            pick.sample,
            pick.support,
            pick.share,
            pick.score,
            pick.probability,
            kept=counts["agrees"],
            dropped=counts["differs"],
            failed=counts["failed"],
            not_run=counts["not-run"],
            fallback=fallback,
        )


class LiveFirstVerified:
    def __init__(self) -> None:
        self._seen = 0
        self._checked = False
        self._votes: Counter[str] = Counter()
        self._found: Candidate | None = None

    def add(self, candidate: Candidate) -> None:
        self._seen += 1
        self._checked |= candidate.verdict is not None
        if candidate.key is not None:
            self._votes[candidate.key] += 1
        if self._found is None and candidate.verdict == "right":
            self._found = candidate

    @property
    def pick(self) -> Pick | None:
        found = self._found
        if found is None:
            return Pick("first_verified", None, None, 0, 0.0) if self._checked else None
        support = 1 if found.key is None else self._votes[found.key]
        return Pick("first_verified", found.answer, found.sample, support, support / self._seen)


def live_rule(name: RuleName, kind: Kind) -> LiveRule:
    """The rule of that name at work on one problem of ``kind``."""
    make: dict[RuleName, Callable[[], LiveRule]] = {
        "majority": lambda: LiveMajority(kind),
        "reward": LiveReward,
        "reward_weighted": lambda: LiveRewardWeighted(kind),
        "first_verified": LiveFirstVerified,
    }
    within: dict[RuleName, RuleName] = {
        "cotnpot": "reward",
        "cotnpot_vote": "majority",
        "cotnpot_weighted": "reward_weighted",
    }
    inner = within.get(name)
    return make[name]() if inner is None else LiveFiltered(name, make[inner])

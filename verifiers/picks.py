"""Which answer do we choose? The majority vote, as it stands after every sample.

Samples vote with their extracted answer; answers that are the same to ``normal_form`` are one group. The vote
keeps its leader and runner-up while samples arrive, so that adding one costs the same after ten thousand as
after ten. ``majority`` is the same rule over a finished list, and a test holds the two together.

Ties go to the answer seen first: of two groups with equal support the one whose first sample came earlier
leads, and a group is shown in the spelling that most of its samples used, the earliest on a tie. *Seen* means
added; nothing depends on the numbers of the samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from verifiers.normal import normal_form
from verifiers.verdicts import Kind


@dataclass(frozen=True, slots=True)
class Pick:
    """What one rule chooses.

    ``sample`` is the number of the sample to open: the first that gave the answer in the spelling shown.
    ``support`` counts the samples that gave it, ``share`` is their part of all samples seen, those without
    an answer included. ``score`` is the rule's own, where it has one. ``probability`` is the chance that the
    pick stays the pick, where the rule can tell.
    """

    rule: str
    answer: str | None
    sample: int | None
    support: int
    share: float
    score: float | None = None
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Samples that gave the same answer: its usual spelling, its normal form, and who gave it, in the order
    in which they came."""

    answer: str
    key: str
    support: int
    samples: tuple[int, ...]


class _Spelling:
    """One way of writing a group's answer; the ``place``-th to come, first by sample ``first``."""

    __slots__ = ("count", "first", "place", "text")

    def __init__(self, text: str, place: int, first: int) -> None:
        self.text = text
        self.place = place
        self.first = first
        self.count = 0


class _Tally:
    """A group that is still growing. ``usual`` is its most common spelling so far."""

    __slots__ = ("key", "place", "samples", "spellings", "usual")

    def __init__(self, key: str, place: int, spelling: _Spelling) -> None:
        self.key = key
        self.place = place
        self.samples: list[int] = []
        self.spellings = {spelling.text: spelling}
        self.usual = spelling

    def add(self, sample: int, answer: str) -> None:
        self.samples.append(sample)
        spelling = self.spellings.get(answer)
        if spelling is None:
            spelling = self.spellings[answer] = _Spelling(answer, len(self.spellings), sample)
        spelling.count += 1
        usual = self.usual
        if (spelling.count, -spelling.place) > (usual.count, -usual.place):
            self.usual = spelling

    def frozen(self) -> Group:
        return Group(self.usual.text, self.key, len(self.samples), tuple(self.samples))


class MajorityVote:
    """Counts answers of one problem as they come. ``kind`` says when two answers are the same, or ``key_of``
    where there is more to say (see ``math.keys``)."""

    def __init__(self, kind: Kind, key_of: Callable[[str], str] | None = None) -> None:
        self.kind = kind
        self._key_of = key_of or (lambda answer: normal_form(answer, kind))
        self.seen = 0
        """Samples added, with or without an answer."""
        self.answered = 0
        """Samples that gave an answer."""
        self.singletons = 0
        """Answers given by exactly one sample: their part of ``answered`` is about the chance that the next
        answer is new (Good-Turing)."""
        self._tallies: dict[str, _Tally] = {}
        self._leader: _Tally | None = None
        self._runner_up = 0

    def add(self, sample: int, answer: str | None, *, key: str | None = None) -> None:
        """Count one more sample, ``None`` where it gave no answer. Constant time. ``key`` saves working out
        the answer's normal form where the caller has it."""
        self.seen += 1
        if answer is None:
            return
        self.answered += 1
        if key is None:
            key = self._key_of(answer)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = _Tally(key, len(self._tallies), _Spelling(answer, 0, sample))
        tally.add(sample, answer)
        support = len(tally.samples)
        self.singletons += (support == 1) - (support == 2)
        self._update_lead(tally, support)

    def _update_lead(self, tally: _Tally, support: int) -> None:
        leader = self._leader
        if leader is None:
            self._leader = tally
        elif tally is not leader:
            lead = len(leader.samples)
            if support > lead or (support == lead and tally.place < leader.place):
                self._leader, self._runner_up = tally, lead
            else:
                self._runner_up = max(self._runner_up, support)

    @property
    def pick(self) -> Pick:
        leader = self._leader
        if leader is None:
            return Pick("majority", None, None, 0, 0.0)
        support = len(leader.samples)
        return Pick(
            "majority",
            leader.usual.text,
            leader.usual.first,
            support,
            support / self.seen,
            probability=chance_leader_stays(support, self._runner_up),
        )

    @property
    def groups(self) -> list[Group]:
        """Every group, best supported first, equals in the order seen. Costs a sort: not for every sample."""
        ranked = sorted(self._tallies.values(), key=lambda tally: (-len(tally.samples), tally.place))
        return [tally.frozen() for tally in ranked]

    @property
    def distinct(self) -> int:
        """How many different answers there are."""
        return len(self._tallies)

    def standing_of(self, key: str) -> tuple[str, int, int]:
        """A group's usual spelling, the first sample that has it, and its support. Raises ``KeyError`` for an
        answer that nobody gave."""
        tally = self._tallies[key]
        return tally.usual.text, tally.usual.first, len(tally.samples)

    def key_of(self, answer: str) -> str:
        """The group an answer belongs to, whether or not it has been given."""
        return self._key_of(answer)


def majority(answers: Iterable[str | None], kind: Kind) -> Pick:
    """The majority vote over a finished list; the sample numbers are the places in it."""
    samples: dict[str, list[int]] = {}
    spellings: dict[str, dict[str, int]] = {}
    given = list(answers)
    for place, answer in enumerate(given):
        if answer is not None:
            key = normal_form(answer, kind)
            samples.setdefault(key, []).append(place)
            counts = spellings.setdefault(key, {})
            counts[answer] = counts.get(answer, 0) + 1
    if not samples:
        return Pick("majority", None, None, 0, 0.0)
    # max() and dicts both keep the order of first appearance, which is the rule for ties.
    leader = max(samples, key=lambda key: len(samples[key]))
    support = len(samples[leader])
    usual = max(spellings[leader], key=lambda text: spellings[leader][text])
    others = (len(places) for key, places in samples.items() if key != leader)
    return Pick(
        "majority",
        usual,
        given.index(usual),
        support,
        support / len(given),
        probability=chance_leader_stays(support, max(others, default=0)),
    )


@lru_cache(maxsize=4096)
def chance_leader_stays(leader: int, runner_up: int) -> float:
    """The probability that the leading answer is the true mode, given the votes of the first two answers.

    Adaptive-Consistency (Aggarwal et al. 2023, arXiv 2305.11860): with a uniform prior on the leader's part p
    of the votes for the two, P(p > 1/2) = 1 - I_0.5(v1 + 1, v2 + 1). For whole numbers that is the binomial
    tail P(X <= v1), X ~ Bin(v1 + v2 + 1, 1/2), computed here as one minus the short side, P(X <= v2).
    Needs ``leader >= runner_up >= 0``; 0.5 where they are level. Accurate to 1e-9 up to
    tens of thousands of votes.
    """
    trials = leader + runner_up + 1
    log_term = (
        math.lgamma(trials + 1)
        - math.lgamma(runner_up + 1)
        - math.lgamma(trials - runner_up + 1)
        - trials * math.log(2)
    )
    term = math.exp(log_term)
    total = 0.0
    successes = runner_up
    while successes >= 0 and term > total * 1e-17:
        total += term
        term *= successes / (trials - successes + 1)
        successes -= 1
    return min(1.0, max(0.0, 1.0 - total))

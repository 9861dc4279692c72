"""How often each rule picks a right answer from k samples: its curve, beside coverage.

As in Brown et al. 2024 (arXiv 2407.21787): at each k, random subsets of k samples of every problem are drawn
without replacement and each rule picks from each; reported are the mean and the standard deviation over
subsets of the share of problems picked right. Coverage is counted on the same subsets: some sample of the
subset is right. The subsets at a smaller k are part of those at a larger one, so that curves are smooth, and
within a subset the samples keep their order, so ties fall as they do in ``verifiers.rules``.

The same picks as there, for many subsets of a problem at once: arrays have the shape (samples, subsets), or
(answers, subsets) where a row is a group of equal answers. A test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from verifiers.candidates import Candidate, Scale, logistic, scale_of
from verifiers.rules import RULES

Flags: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

_NOBODY: Final = -1
"""The place of the picked sample where nothing is picked."""

_CELLS: Final = 1_000_000
"""Samples times subsets held in memory at once."""


@dataclass(frozen=True, slots=True)
class Point:
    """The share of problems solved: its mean and standard deviation over subsets."""

    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class Curves:
    """By k, from 1 to the smallest number of samples. ``rules`` are by name; ``None`` where a rule lacks its
    input, with the reason in ``missing``."""

    subsets: int
    rules: Mapping[str, Mapping[int, Point] | None]
    missing: Mapping[str, str]
    coverage: Mapping[int, Point]


def powers_up_to(n: int) -> list[int]:
    """1, 2, 4, ... below ``n``, and ``n``."""
    return [*(2**i for i in range(n.bit_length()) if 2**i < n), n]


def accuracy_curves(
    problems: Sequence[Sequence[Candidate]],
    *,
    subsets: int = 100,
    seed: int = 0,
    at: Sequence[int] | None = None,
) -> Curves:
    """The curves of every rule that can run. A sample is right if its verdict is; an undecided one is not.

    Each problem's samples are in the order in which they count as seen. Where all have the same number, the
    last k takes every sample, and its sd is 0. ``at`` are the ks, by default 1, 2, 4, ... and the smallest
    number of samples. Raises ``ValueError`` for no problems, a problem without samples, a k that not every
    problem has, or no subsets.
    """
    if not problems or not all(problems) or subsets < 1:
        raise ValueError("Curves need a subset, a problem, and a sample of each problem.")
    everything = [each for samples in problems for each in samples]
    given = [each.reward for each in everything if each.reward is not None]
    programs = any(each.program in ("agrees", "differs", "failed") for each in everything)
    scale = scale_of(given)
    why = {rule.name: rule.why_not(rewards=bool(given), programs=programs) for rule in RULES}
    missing: dict[str, str] = {
        name: reason for name, reason in why.items() if reason is not None and name in _PICKS
    }
    running = [name for name in _PICKS if name not in missing]

    fewest = min(map(len, problems))
    ks = powers_up_to(fewest) if at is None else sorted(set(at))
    if not ks or ks[0] < 1 or ks[-1] > fewest:
        raise ValueError(f"Every problem has at least {fewest} samples, so k lies between 1 and that.")
    solved = {name: np.zeros((len(ks), subsets), np.int64) for name in (*running, "coverage")}
    for number, samples in enumerate(problems):
        table = _Table(samples, scale)
        order = np.random.default_rng([seed, number]).random((len(samples), subsets))
        ranks = order.argsort(axis=0).argsort(axis=0)
        for rows in _batches(len(ks), ranks.size):
            drawn = np.concatenate([ranks < k for k in ks[rows]], axis=1)
            subset = _Subsets(table, drawn)
            covered = (drawn & table.right[:, None]).any(axis=0)
            solved["coverage"][rows] += covered.reshape(-1, subsets)
            for name in running:
                place = _PICKS[name](subset)
                right = (place != _NOBODY) & table.right[place]
                solved[name][rows] += right.reshape(-1, subsets)

    def curve(name: str) -> dict[int, Point]:
        return {k: _point(counts, len(problems)) for k, counts in zip(ks, solved[name], strict=True)}

    return Curves(
        subsets,
        {name: None if name in missing else curve(name) for name in _PICKS},
        missing,
        curve("coverage"),
    )


def _point(solved: Ints, problems: int) -> Point:
    """``solved`` (subsets,) counts problems, so that equal counts have a deviation of exactly 0. The sd is
    that of a sample: divided by one less than the number of subsets."""
    sd = float(solved.std(ddof=1)) if len(solved) > 1 else 0.0
    return Point(float(solved.sum()) / (len(solved) * problems), sd / problems)


def _batches(ks: int, cells: int) -> Iterator[slice]:
    """As many ks at a time as fit into the memory meant for them; ``cells`` are those of one k."""
    at_once = max(1, _CELLS // cells)
    return (slice(start, start + at_once) for start in range(0, ks, at_once))


class _Table:
    """One problem's samples. ``groups`` and ``spellings`` number the answers and the ways in which they are
    written; samples without an answer are in group 0, which nobody can pick."""

    def __init__(self, samples: Sequence[Candidate], scale: Scale) -> None:
        self.size = len(samples)
        self.answered: Flags = np.array([each.key is not None for each in samples])
        self.right: Flags = np.array([each.verdict == "right" for each in samples])
        self.agrees: Flags = np.array([each.program == "agrees" for each in samples])
        self.ran: Flags = np.array([each.program in ("agrees", "differs", "failed") for each in samples])
        self.rewarded: Flags = np.array([each.reward is not None for each in samples])
        rewards = [0.0 if each.reward is None else each.reward for each in samples]
        self.reward: Floats = np.array(rewards)
        weigh = logistic if scale == "score" else float
        self.weight: Floats = np.where(self.rewarded, [weigh(reward) for reward in rewards], 0.0)
        keys: dict[str | None, int] = {None: 0}
        spellings: dict[tuple[str | None, str | None], int] = {(None, None): 0}
        groups = [keys.setdefault(each.key, len(keys)) for each in samples]
        spelled = [spellings.setdefault((each.key, each.answer), len(spellings)) for each in samples]
        self.groups = _Groups(groups, len(keys))
        self.spellings = _Groups(spelled, len(spellings))
        self.group_of_spelling: Ints = np.array([keys[key] for key, _ in spellings])


class _Groups:
    """Samples by group: what belongs to each group is summed, or its first place found, in all subsets at
    once. Group 0 may be empty, no other is."""

    def __init__(self, group_of: Sequence[int], groups: int) -> None:
        self._order: Ints = np.argsort(group_of, kind="stable")
        ordered = np.asarray(group_of, np.int64)[self._order]
        self._filled, self._starts = np.unique(ordered, return_index=True)
        self._groups = groups

    def sums(self, values: Floats) -> Floats:
        """(samples, subsets) to (groups, subsets)."""
        found = np.zeros((self._groups, values.shape[1]))
        found[self._filled] = np.add.reduceat(values[self._order], self._starts, axis=0)
        return found

    def firsts(self, chosen: Flags) -> Ints:
        """The place of each group's first chosen sample; the number of samples where there is none."""
        size, subsets = chosen.shape
        places = np.where(chosen[self._order], self._order[:, None], size)
        found = np.full((self._groups, subsets), size)
        found[self._filled] = np.minimum.reduceat(places, self._starts, axis=0)
        return found


class _Subsets:
    """Subsets of one problem's samples; ``drawn`` is (samples, subsets). Every rule gives the places of its
    picks, (subsets,)."""

    def __init__(self, table: _Table, drawn: Flags) -> None:
        self.table = table
        self.drawn = drawn

    def most_voted(self, among: Flags) -> Ints:
        """The sample that stands for the answer given most often."""
        chosen = among & self.table.answered[:, None]
        return self._standing_for(self.table.groups.sums(chosen.astype(float)), chosen)

    def heaviest(self, among: Flags) -> Ints:
        """The sample that stands for the answer of most weight; nobody where none has a reward."""
        chosen = among & self.table.answered[:, None]
        place = self._standing_for(self.table.groups.sums(chosen * self.table.weight[:, None]), chosen)
        return np.where((among & self.table.rewarded[:, None]).any(axis=0), place, _NOBODY)

    def best(self, among: Flags) -> Ints:
        """The sample with the highest reward."""
        chosen = among & (self.table.answered & self.table.rewarded)[:, None]
        place = np.where(chosen, self.table.reward[:, None], -np.inf).argmax(axis=0)
        return np.where(chosen.any(axis=0), place, _NOBODY)

    def within_survivors(self, pick: Callable[[Flags], Ints]) -> Ints:
        """``pick`` among those whose program agrees, or among all where that picks nothing; nobody where no
        program ran."""
        place = pick(self.drawn & self.table.agrees[:, None])
        place = np.where(place == _NOBODY, pick(self.drawn), place)
        return np.where((self.drawn & self.table.ran[:, None]).any(axis=0), place, _NOBODY)

    def _standing_for(self, score: Floats, chosen: Flags) -> Ints:
        """The first sample, in its most common spelling, of the answer with the highest score (answers,
        subsets); ties to the earliest. ``chosen`` are the samples that count."""
        table = self.table
        firsts = table.groups.firsts(chosen)
        group = _leading(np.where(firsts < table.size, score, -np.inf), firsts)
        spelled = table.spellings.sums(chosen.astype(float))
        spelled_firsts = table.spellings.firsts(chosen)
        in_group = (table.group_of_spelling[:, None] == group) & (spelled_firsts < table.size)
        spelling = _leading(np.where(in_group, spelled, -np.inf), spelled_firsts)
        place = spelled_firsts[spelling, np.arange(len(spelling))]
        return np.where(place < table.size, place, _NOBODY)


def _leading(score: Floats, firsts: Ints) -> Ints:
    """The row with the highest score in each column; of equal ones that whose first sample came first."""
    leading: Ints = np.where(score == score.max(axis=0), firsts, np.iinfo(np.int64).max).argmin(axis=0)
    return leading


_PICKS: Final[dict[str, Callable[[_Subsets], Ints]]] = {
    "majority": lambda subset: subset.most_voted(subset.drawn),
    "reward": lambda subset: subset.best(subset.drawn),
    "reward_weighted": lambda subset: subset.heaviest(subset.drawn),
    "cotnpot": lambda subset: subset.within_survivors(subset.best),
    "cotnpot_vote": lambda subset: subset.within_survivors(subset.most_voted),
    "cotnpot_weighted": lambda subset: subset.within_survivors(subset.heaviest),
}
"""Every rule but ``first_verified``, whose accuracy is coverage itself."""

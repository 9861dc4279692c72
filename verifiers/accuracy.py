"""How often each rule picks a right answer from k samples: its curve, beside coverage.

As in Brown et al. 2024 (arXiv 2407.21787): at each k, random subsets of k samples of every problem are drawn
without replacement and each rule picks from each; reported are the mean and the standard deviation over
subsets of the share of problems picked right. Coverage is counted on the same subsets: some sample of the
subset is right. The subsets at a smaller k are part of those at a larger one, so that curves are smooth, and
within a subset the samples keep their order, so ties fall as they do in ``verifiers.rules``.

The same picks as there, for all subsets of a problem at once: arrays have the shape (subsets, samples), or
(subsets, answers) where a column is a group of equal answers. A test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


def accuracy_curves(problems: Sequence[Sequence[Candidate]], *, subsets: int = 100, seed: int = 0) -> Curves:
    """The curves of every rule that can run. A sample is right if its verdict is; an undecided one is not.

    Each problem's samples are in the order in which they count as seen. Where all have the same number, the
    last k takes every sample, and its sd is 0. Raises ``ValueError`` for no problems, a problem without
    samples, or no subsets.
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

    ks = powers_up_to(min(map(len, problems)))
    solved = {name: {k: np.zeros(subsets, np.int64) for k in ks} for name in (*running, "coverage")}
    for number, samples in enumerate(problems):
        table = _Table(samples, scale)
        order = np.random.default_rng([seed, number]).random((subsets, len(samples)))
        ranks = order.argsort(axis=1).argsort(axis=1)
        for k in ks:
            subset = _Subsets(table, ranks < k)
            solved["coverage"][k] += (subset.drawn & table.right).any(axis=1)
            for name in running:
                place = _PICKS[name](subset)
                solved[name][k] += (place != _NOBODY) & table.right[place]

    def curve(name: str) -> dict[int, Point]:
        return {k: _point(counts, len(problems)) for k, counts in solved[name].items()}

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


class _Table:
    """One problem's samples in columns. ``group`` and ``spelling`` number the answers and their spellings;
    samples without an answer are in group 0, which nobody can pick."""

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
        self.groups = _Columns(groups, len(keys))
        self.spellings = _Columns(spelled, len(spellings))
        self.group_of_spelling: Ints = np.array([keys[key] for key, _ in spellings])


class _Columns:
    """Samples by column: what belongs to each is summed, or its first place found, for all rows at once."""

    def __init__(self, column_of: Sequence[int], columns: int) -> None:
        self.member: Floats = np.zeros((len(column_of), columns))
        self.member[np.arange(len(column_of)), column_of] = 1.0
        self._order: Ints = np.argsort(column_of, kind="stable")
        ordered = np.asarray(column_of, np.int64)[self._order]
        self._filled, self._starts = np.unique(ordered, return_index=True)

    def sums(self, values: Floats) -> Floats:
        """(subsets, samples) to (subsets, columns)."""
        return values @ self.member

    def firsts(self, chosen: Flags) -> Ints:
        """The place of each column's first chosen sample; the number of samples where there is none."""
        rows, size = chosen.shape
        places = np.where(chosen, np.arange(size), size)[:, self._order]
        found = np.full((rows, self.member.shape[1]), size)
        found[:, self._filled] = np.minimum.reduceat(places, self._starts, axis=1)
        return found


class _Subsets:
    """Subsets of one problem's samples; ``drawn`` is (subsets, samples)."""

    def __init__(self, table: _Table, drawn: Flags) -> None:
        self.table = table
        self.drawn = drawn

    def most_voted(self, among: Flags) -> Ints:
        """The place (subsets,) of the sample that stands for the answer given most often."""
        chosen = among & self.table.answered
        return self._standing_for(self.table.groups.sums(chosen.astype(float)), chosen)

    def heaviest(self, among: Flags) -> Ints:
        """The place of the sample that stands for the answer of most weight. Nobody's where no sample of the
        subset has a reward."""
        chosen = among & self.table.answered
        place = self._standing_for(self.table.groups.sums(chosen * self.table.weight), chosen)
        return np.where((among & self.table.rewarded).any(axis=1), place, _NOBODY)

    def best(self, among: Flags) -> Ints:
        """The place of the sample with the highest reward."""
        chosen = among & self.table.answered & self.table.rewarded
        place = np.where(chosen, self.table.reward, -np.inf).argmax(axis=1)
        return np.where(chosen.any(axis=1), place, _NOBODY)

    def within_survivors(self, pick: Callable[[Flags], Ints]) -> Ints:
        """``pick`` among those whose program agrees, or among all where that picks nothing. Nobody's where no
        program of the subset ran."""
        place = pick(self.drawn & self.table.agrees)
        place = np.where(place == _NOBODY, pick(self.drawn), place)
        return np.where((self.drawn & self.table.ran).any(axis=1), place, _NOBODY)

    def _standing_for(self, score: Floats, chosen: Flags) -> Ints:
        """The first sample, in its most common spelling, of the answer with the highest score (subsets,
        answers); ties to the earliest. ``chosen`` are the samples that count."""
        table = self.table
        firsts = table.groups.firsts(chosen)
        group = _leading(np.where(firsts < table.size, score, -np.inf), firsts)
        spelled = table.spellings.sums(chosen.astype(float))
        spelled_firsts = table.spellings.firsts(chosen)
        in_group = (table.group_of_spelling == group[:, None]) & (spelled_firsts < table.size)
        spelling = _leading(np.where(in_group, spelled, -np.inf), spelled_firsts)
        place = spelled_firsts[np.arange(len(spelling)), spelling]
        return np.where(place < table.size, place, _NOBODY)


def _leading(score: Floats, firsts: Ints) -> Ints:
    """The column with the highest score in each row; of equal ones that whose first sample came first."""
    best = score == score.max(axis=1, keepdims=True)
    leading: Ints = np.where(best, firsts, np.iinfo(np.int64).max).argmin(axis=1)
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

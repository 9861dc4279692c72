"""Is it worth going on? Rules that end a run early, from nothing but counts of votes and verdicts.

*Settled*: the majority cannot plausibly change in what is left of the budget. Adaptive-Consistency (Aggarwal
et al. 2023, arXiv 2305.11860) asks whether the leader is the true mode, as if sampling went on for ever, and
looks at the runner-up alone. What matters to a run is whether its own last vote would differ. So here each
rival has its predictive chance to overtake the leader in the samples that are left, and these chances are
added up over all rivals and one that nobody has named yet: a bound that errs towards going on.

*Worth it*: the best that more samples can be expected to add to the chance of a right outcome, per sample,
is weighed against what they cost.

Votes are counts of samples that gave the same answer. ``left`` is how many samples the budget still buys,
``None`` where nobody knows or nothing limits it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

__all__ = [
    "ENOUGH",
    "FEWEST",
    "chance_of_overtaking",
    "chance_pick_stays",
    "gain_in_coverage",
    "gain_in_pick",
]

ENOUGH = 0.95
"""The customary certainty, as in Adaptive-Consistency."""
FEWEST = 3
"""No rule that reads votes ends a run before so many samples."""
_PRIOR = 0.5
"""Jeffreys' prior for a share of two, as for the intervals of coverage."""
_SUM_UP_TO = 400
"""Above so many samples left, the chance is taken for its limit: the sum would only cost time."""
_FARTHEST = 256
"""The longest look-ahead of the gain, in samples."""


@lru_cache(maxsize=8192)
def chance_of_overtaking(leader: int, rival: int, left: int | None) -> float:
    """The chance that ``rival`` votes overtake ``leader`` votes by the end, if all that is left goes to the
    two; a tie at the end is half a chance.

    The leader's part p of the two has the posterior Beta(leader + 1/2, rival + 1/2), so its votes among
    ``left`` more are beta-binomial. Fewer votes for the two can only lower the chance. Without end it is
    P(p < 1/2). Needs ``leader >= rival >= 0`` and ``left >= 0``.
    """
    if not 0 <= rival <= leader:
        raise ValueError(f"A leader with {leader} votes cannot have a rival with {rival}.")
    if left is not None and left < 0:
        raise ValueError(f"There cannot be {left} samples left.")
    a, b = leader + _PRIOR, rival + _PRIOR
    if left is None or left > _SUM_UP_TO:
        from scipy.special import betainc

        return float(betainc(a, b, 0.5))
    ahead = leader - rival
    if ahead > left:
        return 0.0
    # Chances of k more votes for the leader, from k = 0 up to where it stays ahead.
    log_first = _log_beta(a, b + left) - _log_beta(a, b)
    chance, total = math.exp(log_first), 0.0
    for k in range(left + 1):
        lead = ahead + 2 * k - left
        if lead > 0:
            break
        total += chance if lead else chance / 2
        chance *= (left - k) / (k + 1) * (a + k) / (b + left - k - 1)
    return min(1.0, total)


def chance_pick_stays(votes: Iterable[int], left: int | None) -> float:
    """At least so sure is it that the leading answer is still in the lead when nothing is left: one minus the
    chances of all rivals, and of one yet unnamed, to overtake it. 0 without votes.
    """
    ranked = sorted((count for count in votes if count > 0), reverse=True)
    if not ranked:
        return 0.0
    leader, *rivals = ranked
    changes = chance_of_overtaking(leader, 0, left)
    for rival, times in Counter(rivals).items():
        changes += times * chance_of_overtaking(leader, rival, left)
        if changes >= 1:
            return 0.0
    return 1 - changes


def gain_in_pick(votes: Iterable[int], samples: int, left: int | None) -> float:
    """The most that more samples can be expected to add to the chance of a right pick, per sample.

    The right answer is taken to be the more probable of the leader and its runner-up, if it is one of them;
    their part of the samples stands for the chance of that. After m more votes the pick may have changed for
    the better; the gain is the expected value of that information (Raiffa and Schlaifer 1961), over m, at the
    best m among 1, 2, 4, … A single step would say nothing: where one vote cannot change the pick it is worth
    nothing by itself. Returns a probability per sample, 0 where nothing is left.
    """
    ranked = sorted((count for count in votes if count > 0), reverse=True)
    leader, runner_up = (*ranked, 0, 0)[:2]
    if not 0 <= leader + runner_up <= samples:
        raise ValueError(f"{samples} samples cannot have cast {leader + runner_up} votes.")
    farthest = _FARTHEST if left is None else min(left, _FARTHEST)
    if farthest < 1:
        return 0.0
    if not leader:
        return 1 / (samples + 2)  # no answer yet: the next one is the first with Laplace's chance
    pair = (leader + runner_up) / samples
    looks = [1 << power for power in range(farthest.bit_length())]
    return pair * max(_value_of_votes(leader, runner_up, look) / look for look in looks)


@lru_cache(maxsize=8192)
def _value_of_votes(leader: int, rival: int, more: int) -> float:
    """What ``more`` votes for the two add, in expectation, to the chance that the front one is the mode:
    over all outcomes that turn the order round, the chance of the outcome times what the turn gains."""
    import numpy as np
    from scipy.special import betainc, betaln, gammaln

    a, b = leader + _PRIOR, rival + _PRIOR
    gained = np.arange((more - (leader - rival) + 1) // 2 if more > leader - rival else 0)
    if not len(gained):
        return 0.0
    lost = more - gained
    ways = gammaln(more + 1) - gammaln(gained + 1) - gammaln(lost + 1)
    chances = np.exp(ways + betaln(a + gained, b + lost) - betaln(a, b))
    rival_is_mode = betainc(a + gained, b + lost, 0.5)
    return float(np.sum(chances * (2 * rival_is_mode - 1)))


def gain_in_coverage(n: int, correct: int) -> float:
    """The chance that the next sample is the first right one, after ``correct`` of ``n``: the mean of the
    Jeffreys posterior, and nothing once a right sample is there."""
    if not 0 <= correct <= n:
        raise ValueError(f"{correct} of {n} samples cannot be right.")
    return 0.0 if correct else 0.5 / (n + 1)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

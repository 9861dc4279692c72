"""The verdict of a comparison in words, with how sure it is."""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations

from app.models.names import short_name
from app.runs.compare.standings import Duel, Standing, Unit, duel
from budgets.amounts import show_flops, show_usd

CLEAR = 0.95
"""From this chance on, one model is said to be ahead."""
_LEANING = 0.8


def verdict(standings: list[Standing], unit: Unit) -> str:
    """Who covers more at equal spend: one sentence for two models, one a pair with the leader for more."""
    able = [each for each in standings if each.deepest]
    if not able:
        return "Nothing was decided yet, so there is nothing to compare."
    if len(able) == 1:
        one = able[0]
        at = one.coverage(one.deepest)
        covers = f"{at.value:.2f} [{at.low:.2f}-{at.high:.2f}] with {_samples(one.deepest)}"
        return f"{short_name(one.model)} covers {covers} a problem."
    duels = [found for pair in combinations(able, 2) if (found := duel(*pair, unit)) is not None]
    if not duels:
        return "The models share no problem on which both were judged."
    best = _leader(able, duels)
    return " ".join(_sentence(_from(best, each)) for each in duels if best in (each.first, each.second))


def _leader(able: list[Standing], duels: list[Duel]) -> Standing:
    """The one that wins most pairs, by how sure each is."""

    def won(one: Standing) -> float:
        mine = [each.difference.sure for each in duels if each.first is one]
        return sum(mine) + sum(1 - each.difference.sure for each in duels if each.second is one)

    return max(able, key=won)


def _from(leader: Standing, found: Duel) -> Duel:
    """The same duel with ``leader`` first."""
    if found.first is leader:
        return found
    turned = duel(found.second, found.first, found.unit)
    return turned or found


def _sentence(found: Duel) -> str:
    first, second = short_name(found.first.model), short_name(found.second.model)
    mine, theirs = found.coverage
    difference = found.difference
    where = f"at {_spend(found)} a problem ({_samples(found.k[0])} against {found.k[1]})"
    if difference.sure < _LEANING:
        both = f"{mine:.2f} and {theirs:.2f}, a difference of {difference.value:+.2f}"
        return (
            f"{first} and {second} cannot be told apart {where}: {both} "
            f"[{difference.low:+.2f} to {difference.high:+.2f}]."
        )
    sure = ">99%" if difference.sure > 0.99 else f"{difference.sure:.0%}"
    word = "covers more" if difference.sure >= CLEAR else "seems to cover more"
    return (
        f"{first} {word} than {second} {where}: {mine:.2f} against {theirs:.2f}, "
        f"{difference.value:+.2f} [{difference.low:+.2f} to {difference.high:+.2f}]; {sure} sure."
    )


def _spend(found: Duel) -> str:
    if found.unit == "usd":
        return show_usd(Decimal(str(found.spend)))
    if found.unit == "flops":
        return show_flops(int(found.spend))
    return _samples(int(found.spend))


def _samples(count: int) -> str:
    return "1 sample" if count == 1 else f"{count:,} samples"

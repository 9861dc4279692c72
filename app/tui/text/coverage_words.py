"""Coverage in plain words, under the chart: is it covered, what does no pick find, what would more buy."""

from __future__ import annotations

from app.runs.state import RunState, Tally
from app.tui.text import fit
from app.tui.text.curves import MORE, Ahead
from app.tui.text.precision import Precision
from app.tui.text.sentences import percent
from app.tui.text.worth import best_worth, price_words, right_among
from budgets.coverage import next_is_new, pass_at_k

_SURE = 0.995
"""From this lower end on, a forecast rests on the samples, whatever its prior says."""
_NO_GAP = 0.005


def coverage_parts(
    tally: Tally,
    low_high: tuple[float, float] | None,
    ahead: Ahead | None = None,
    precision: Precision | None = None,
    price: str = "",
) -> list[str]:
    """Coverage in sentences, the most telling first. ``low_high``: the 90% interval of one try; ``ahead``:
    the forecast, ``precision``: the picks', once known; ``price``: that of ``MORE`` samples. The forecast's
    prior is named wherever it has a say in it."""
    if tally.n == 0:
        return ["Coverage is known from the first checked sample."]
    cost = f", for {price}" if price else ""
    if tally.correct == 0:
        nothing = f"Nothing right in {tally.n:,}"
        if ahead is None:
            most = f"; one try finds it at most {percent(low_high[1])} of the time" if low_high else ""
            return [f"{nothing}{most}."]
        found = f"{MORE} more would find it in {_interval(*ahead.more)} of cases like this{cost}."
        return [f"{nothing}.", found, f"Prior: {ahead.prior}."]
    parts = [
        f"{tally.n:,} checked sample{'s' if tally.n != 1 else ''}: covered.",
        f"One try finds it {percent(tally.correct / tally.n)}{_band(low_high)} of the time.",
    ]
    if precision is not None and precision.middle > 1:
        parts.append(gap_sentence(tally, precision))
    if price and tally.n > 1:
        low, high = right_among(tally.n, tally.correct, MORE)
        parts.append(f"{MORE} more bring {_between(low, high)} right ones{cost}.")
    if ahead is not None and ahead.values[0][1] < _SURE:
        parts.append(f"The forecast's prior: {ahead.prior}.")
    return parts


def gap_sentence(tally: Tally, precision: Precision) -> str:
    """How far the majority stays behind coverage, at a k where the samples there are tell both."""
    k = precision.middle
    found = precision.at(k) or 0.0
    covered = pass_at_k(tally.n, tally.correct, min(k, tally.n))
    if covered - found < _NO_GAP:
        return f"Of {k} samples the majority finds it as often as any does: no gap."
    gap = round(100 * covered) - round(100 * found)
    points = f"{gap} point{'s' if gap != 1 else ''}" if gap >= 1 else "under a point"
    return f"Of {k}, coverage is {percent(covered)}, the majority right {percent(found)}: a gap of {points}."


def worth_sentence(state: RunState, aheads: dict[str, Ahead]) -> str:
    """Of several models, the one whose further samples buy most; empty while nobody can say."""
    found = best_worth(state)
    if found is None:
        return ""
    model, unit = found
    name, price = fit.head(model, 24), price_words(state, model, MORE)
    cost = f" for {price}" if price else ""
    tally, ahead = state.tallies[model], aheads.get(model)
    if tally.correct:
        low, high = right_among(tally.n, tally.correct, MORE)
        return f"Most right samples per {unit}: {name}; {MORE} more bring {_between(low, high)}{cost}."
    if ahead is None:
        return ""
    chance = _interval(*ahead.more)
    return f"Most per {unit}: {MORE} more of {name} would find it in {chance} of cases like this{cost}."


def coverage_phrase(tally: Tally, low_high: tuple[float, float] | None, ahead: Ahead | None = None) -> str:
    """The same in few words, for a line of its own beside the model's name."""
    if tally.n == 0:
        return "nothing checked yet"
    if tally.correct == 0:
        tries = "1 try" if tally.n == 1 else f"{tally.n:,} tries"
        more = f"; {MORE} more find it in {_interval(*ahead.more)}" if ahead is not None else ""
        return f"not covered in {tries}{more}"
    return f"covered, {percent(tally.correct / tally.n)}{_band(low_high)} a try"


def unverified_sentence(tally: Tally) -> str:
    """What can be said without a known answer: how far the samples agree, how likely something new is."""
    if tally.answers == 0:
        return "Unverified: no answer yet."
    new = percent(next_is_new(tally.once, tally.answers))
    return f"Unverified: {_different(tally)} in {tally.answers:,}; the next is new {new} of the time."


def unverified_phrase(tally: Tally) -> str:
    """The same in few words, for a line of its own beside the model's name."""
    if tally.answers == 0:
        return "no answer yet"
    new = percent(next_is_new(tally.once, tally.answers))
    return f"unverified, {_different(tally)} in {tally.answers:,}, next new {new}"


def _interval(low: float, high: float) -> str:
    return f"{low * 100:.0f}–{high * 100:.0f}%" if high >= 0.005 else percent(high)


def _band(low_high: tuple[float, float] | None) -> str:
    return f" [{low_high[0] * 100:.0f}–{low_high[1] * 100:.0f}]" if low_high is not None else ""


def _different(tally: Tally) -> str:
    return f"{tally.distinct:,} different answer{'s' if tally.distinct != 1 else ''}"


def _between(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low}–{high}"

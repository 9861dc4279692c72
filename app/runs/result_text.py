"""What came of a run, for people: what is the answer, who says so, can I believe it; is it in the pile at
all; what did it cost. Plain lines, safe for any terminal: what models wrote is cleaned and cut to one line.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.runs.agreement import unverified
from app.runs.pick_words import filter_sentence, picks_sentence
from app.runs.result import LEVEL, is_checked, notes, powers_up_to
from app.runs.state import RunState, Tally
from budgets.amounts import show_count, show_flops, show_seconds, show_usd
from budgets.coverage import next_is_new, pass_at_k, posterior_interval
from verifiers.safe_text import one_line

_WIDTH = 200
"""Cells of a text that others wrote, at the most."""


def summary_lines(state: RunState, *, ended: str | None = None) -> list[str]:
    """The summary, some six to twelve lines without their newlines. ``ended`` is how the run ended, where
    the program that ran it knows better than its last event."""
    lines = [*_answer_lines(state), *_picks_lines(state), *_coverage_lines(state), _spend_line(state)]
    problems = [f"{count} {kind}" for kind, count in state.errors.items() if count]
    if problems:
        lines.append(f"Faults    {', '.join(problems)}")
    lines += [f"Note      {one_line(note, _WIDTH)}" for note in notes(state)]
    lines.append(f"Run       {state.run_id} ({ended or state.status or 'interrupted'})")
    return lines


def _answer_lines(state: RunState) -> Iterable[str]:
    pick = state.picks.get("majority")
    if pick is None or pick.answer is None:
        yield f"Answer    none: no answer was found in {_samples(state.finished)}"
        return
    yield f"Answer    {one_line(pick.answer, _WIDTH)}"
    said = f"{pick.support} of {_samples(state.finished)} say so ({_percent(pick.share)})"
    yield f"          {said}, {_rival(state)}"
    if pick.probability is not None and len(state.groups) > 1:
        yield f"          {_percent(pick.probability)} that it stays the most frequent one"
    sample = state.samples[pick.sample] if pick.sample is not None else None
    if is_checked(state) and sample is not None and sample.verdict is not None:
        yield {
            "right": f"          ✓ right ({sample.checker})",
            "wrong": f"          ✗ wrong ({sample.checker})",
            "undecided": f"          ? undecided: {one_line(sample.reason, _WIDTH)}",
        }[sample.verdict]
    else:
        yield "          ? unverified: there was nothing to check it against"


def _picks_lines(state: RunState) -> Iterable[str]:
    """Where the rules agree, and what the filter did; nothing where only the majority chose."""
    if sentence := picks_sentence(state):
        yield f"Picks     {one_line(sentence, _WIDTH)}"
    if sentence := filter_sentence(state):
        yield f"          {one_line(sentence, _WIDTH)}"


def _rival(state: RunState) -> str:
    sizes = sorted((len(samples) for samples in state.groups.values()), reverse=True)
    if len(sizes) < 2:
        return "and no other answer was given"
    return f"the runner-up {sizes[1]}, of {len(sizes)} different answers"


def _coverage_lines(state: RunState) -> Iterable[str]:
    for name in state.models:
        tally = state.tallies.get(name, Tally())
        label = f"Coverage  {one_line(name, 40)}: " if len(state.models) > 1 else "Coverage  "
        if not is_checked(state):
            if tally.answers:
                new = _percent(next_is_new(tally.once, tally.answers))
                yield f"{label}unverified; {new} that the next answer is a new one"
                yield from _estimate_line(state, name)
            else:
                yield f"{label}unverified"
        elif tally.n == 0:
            yield f"{label}no sample could be decided"
        else:
            yield f"{label}{tally.correct} of {tally.n} right" + (
                f", {tally.undecided} undecided" if tally.undecided else ""
            )
            yield "          " + " · ".join(_at_k(tally, k) for k in _few(powers_up_to(tally.n)))


def _estimate_line(state: RunState, model: str) -> Iterable[str]:
    said = unverified(state, model)
    if said.pick_right is not None and said.covered is not None:
        right, there = _percent(said.pick_right), _percent(said.covered)
        said_so = f"{right} that the pick is right, {there} that any answer is"
        yield f"          estimated from agreement: {said_so}"


def _at_k(tally: Tally, k: int) -> str:
    low, high = posterior_interval(tally.n, tally.correct, k, LEVEL)
    value = pass_at_k(tally.n, tally.correct, k)
    return f"pass@{k} {_percent(value)} [{100 * low:.0f}–{100 * high:.0f}]"


def _few(ks: list[int]) -> list[int]:
    """At most four: the ends, and two between them."""
    if len(ks) <= 4:
        return ks
    return [ks[0], ks[len(ks) // 3], ks[2 * len(ks) // 3], ks[-1]]


def _spend_line(state: RunState) -> str:
    books = state.books
    money = show_usd(books.known.usd)
    if books.at_most.usd != books.known.usd:
        money += f" (at most {show_usd(books.at_most.usd)})"
    flops = "FLOPs unknown" if books.known.flops is None else show_flops(books.known.flops)
    tokens = show_count(books.prompt_tokens + books.completion_tokens)
    return (
        f"Spend     {money} · {tokens} tokens · {flops} · {show_seconds(state.at)}"
        f" · {_samples(state.finished)}"
    )


def _samples(count: int) -> str:
    return "1 sample" if count == 1 else f"{count:,} samples"


def _percent(share: float) -> str:
    """Whole per cents, and never 0% or 100% for what is only nearly so."""
    if 0 < share < 0.01:
        return "<1%"
    if 0.99 < share < 1:
        return ">99%"
    return f"{share:.0%}"

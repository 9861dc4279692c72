"""What came of a run, for programs: one object of plain JSON, the same for every front end.

It is read off the folded state, so that a run gives the same result when it has just ended, when it is shown
from the journal a year later, and when its recording is played. Without a known answer there is no pass@k,
only what agreement lets one estimate, marked as such; what nobody knows is ``None``.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec

from app.runs.agreement import unverified
from app.runs.missing_picks import missing_notes
from app.runs.state import NOTHING, Books, RunState, Tally
from budgets.amounts import Usd, usd_text
from budgets.coverage import pass_at_k, posterior_interval
from verifiers.rules import RULES

LEVEL = 0.9
"""Of every interval: with this chance the true value lies inside."""


def result(state: RunState) -> dict[str, Any]:
    """The object that ``solve --output json`` prints."""
    several = len(state.models) > 1
    return {
        "run_id": state.run_id,
        "status": state.status or "interrupted",
        "problem": msgspec.to_builtins(state.problem),
        "samples": state.finished,
        "picks": _picks(state),
        "coverage": _together(state) if several else _coverage(state, next(iter(state.models), "")),
        "models": {name: _model(state, name) for name in state.models},
        "spend": _spend(state.books, state.at) | {"by_purpose": _by_purpose(state)},
        "filter": _filter(state),
        "budget": _budget(state),
        "errors": {kind: count for kind, count in state.errors.items() if count},
        "notes": notes(state) + missing_notes(state),
    }


def is_checked(state: RunState) -> bool:
    """Whether samples of this run can be told right from wrong."""
    return state.verified or (state.problem is not None and state.problem.answer is not None)


def powers_up_to(n: int) -> list[int]:
    """1, 2, 4, … and n itself."""
    found = [1 << power for power in range(n.bit_length()) if 1 << power <= n]
    return found if not n or found[-1] == n else [*found, n]


def _picks(state: RunState) -> dict[str, Any]:
    found: dict[str, Any] = {
        "majority": {"answer": None, "support": 0, "share": 0.0, "sample": None, "probability": None}
    }
    for rule, pick in state.picks.items():
        found[rule] = {
            "answer": pick.answer,
            "support": pick.support,
            "share": pick.share,
            "sample": pick.sample,
            "probability": pick.probability,
        }
        if pick.score is not None:
            found[rule]["score"] = pick.score
        if pick.kept is not None:
            found[rule] |= {
                "kept": pick.kept,
                "dropped": pick.dropped,
                "failed": pick.failed,
                "not_run": pick.not_run,
                "fallback": pick.fallback,
            }
    return found | {rule.name: None for rule in RULES if rule.name not in found}


def _filter(state: RunState) -> dict[str, Any] | None:
    """What CoTnPoT kept, and how good that is where the truth is known; ``None`` where it looked at none."""
    tally = state.filter
    if not tally.looked_at:
        return None
    counts = {"kept": tally.kept, "dropped": tally.dropped, "failed": tally.failed, "not_run": tally.not_run}
    return counts | {"precision": tally.precision, "recall": tally.recall}


def _coverage(state: RunState, model: str) -> dict[str, Any]:
    """One model's. Without anything to check against, ``n`` counts the samples and none is called right."""
    tally = state.tallies.get(model, Tally())
    if not is_checked(state):
        n = sum(1 for sample in state.every_sample() if sample.model == model and sample.status == "finished")
        return {
            "verified": False,
            "n": n,
            "correct": None,
            "undecided": 0,
            "pass_at_k": {},
            "interval": {},
            "level": LEVEL,
            "forecast": None,
            "unverified": asdict(unverified(state, model)) | {"estimated": True},
        }
    ks = powers_up_to(tally.n)
    return {
        "verified": True,
        "n": tally.n,
        "correct": tally.correct,
        "undecided": tally.undecided,
        "pass_at_k": {str(k): pass_at_k(tally.n, tally.correct, k) for k in ks},
        "interval": {str(k): list(posterior_interval(tally.n, tally.correct, k, LEVEL)) for k in ks},
        "level": LEVEL,
        "forecast": _forecast(tally),
        "unverified": None,
    }


def _forecast(tally: Tally) -> dict[str, list[float]] | None:
    """Coverage at twice and four times the decided samples, as [value, low, high]; ``None`` without any."""
    if not tally.n:
        return None
    from budgets.forecast import forecast

    ahead = forecast([(tally.n, tally.correct)], [2 * tally.n, 4 * tally.n], LEVEL)
    return {str(point.k): [point.value, point.low, point.high] for point in ahead.points}


def _together(state: RunState) -> dict[str, Any]:
    """Several models': a mixture has no pass@k, only whether any of them solved it."""
    checked = is_checked(state)
    return {
        "solved_by_any": state.right > 0 if checked else None,
        "n": sum(tally.n for tally in state.tallies.values()) if checked else state.finished,
        "correct": sum(tally.correct for tally in state.tallies.values()) if checked else None,
    }


def _model(state: RunState, name: str) -> dict[str, Any]:
    mine = [sample for sample in state.every_sample() if sample.model == name]
    ends = [sample.started + sample.seconds for sample in mine]
    seconds = max(ends) - min(sample.started for sample in mine) if mine else 0.0
    return {
        "samples": sum(1 for sample in mine if sample.status == "finished"),
        "coverage": _coverage(state, name),
        "spend": _spend(state.books_by_model.get(name, Books()), seconds),
    }


def _spend(books: Books, seconds: float) -> dict[str, Any]:
    return {
        "usd": _usd(books.known.usd),
        "usd_at_most": _usd(books.at_most.usd),
        "flops": None if books.known.flops is None else float(books.known.flops),
        "prompt_tokens": books.prompt_tokens,
        "completion_tokens": books.completion_tokens,
        "seconds": round(seconds, 3),
    }


def _by_purpose(state: RunState) -> dict[str, Any]:
    """What samples cost, and what each thing beside them did that cost anything."""
    spent = state.books_by_purpose
    return {
        purpose: {
            "usd": _usd(books.known.usd),
            "flops": None if books.known.flops is None else float(books.known.flops),
            "tokens": books.known.tokens,
        }
        for purpose, books in spent.items()
        if purpose == "samples" or books.known != NOTHING or books.at_most != NOTHING
    }


def _budget(state: RunState) -> dict[str, Any]:
    caps = asdict(state.budget)
    caps["usd"] = _usd(state.budget.usd)
    caps["flops"] = None if state.budget.flops is None else float(state.budget.flops)
    return caps


def _usd(value: Usd | None) -> str | None:
    return None if value is None else usd_text(value)


def notes(state: RunState) -> list[str]:
    """What people should know besides the figures: notices, and why the run ended before its time."""
    found = [notice.text for notice in state.notices]
    if len(state.models) > 1:  # of a single model, the end of the run says it
        lost = [each for each in state.model_status.values() if each.state in ("failed", "set-aside")]
        found += [f"{each.model} was left out: {each.detail}" for each in lost]
    if state.status is None:
        found.append("This run has no end: it is going on, or its program was killed and it can be resumed.")
    elif state.status != "completed" and state.end_reason:
        found.append(state.end_reason)
    return found

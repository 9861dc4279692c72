"""The samples of a comparison as rows of the project's sample format, read from its events.

A comparison's state keeps counts alone, so whoever wants texts reads the journal: all of them to export, or
those of one problem and model to look at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from app.runs import events as ev
from budgets.amounts import Amounts, usd_text


@dataclass(slots=True)
class _Row:
    problem: int
    finished: ev.SampleFinished | None = None
    failed: ev.SampleFailed | None = None
    judged: ev.Judged | None = None
    known: Amounts = field(default_factory=Amounts)


def comparison_rows(
    events: Iterable[ev.Event], *, problem: int | None = None, model: str | None = None
) -> Iterator[dict[str, Any]]:
    """Samples that ended by themselves or were lost for good, by problem and model, numbered from 0 in each.

    With ``problem`` (a place in the set) or ``model`` only theirs.
    """
    started: ev.ComparisonStarted | None = None
    rows: dict[int, _Row] = {}
    for event in events:
        match event:
            case ev.ComparisonStarted():
                started = event
            case ev.CallStarted() if (problem is None or event.problem == problem) and (
                model is None or event.model == model
            ):
                for index in event.samples:
                    earlier = rows.get(index)
                    rows[index] = _Row(event.problem, known=earlier.known if earlier else Amounts())
            case ev.SampleFinished() if event.sample in rows:
                rows[event.sample].finished = event
            case ev.SampleFailed() if event.sample in rows:
                rows[event.sample].failed = event
            case ev.Judged() if event.sample in rows:
                rows[event.sample].judged = event
            case ev.Charged() if event.sample in rows:
                rows[event.sample].known = rows[event.sample].known + event.known
            case _:
                pass
    if started is None:
        return
    places: dict[tuple[int, str], int] = {}
    ordered = sorted(rows.items(), key=lambda item: (item[1].problem, item[0]))
    for index, row in ordered:
        made = _as_sample(started, row, index, places)
        if made is not None:
            yield made


def _as_sample(
    started: ev.ComparisonStarted, row: _Row, index: int, places: dict[tuple[int, str], int]
) -> dict[str, Any] | None:
    finished, failed = row.finished, row.failed
    if finished is not None and finished.finish_reason == "cancelled":
        return None
    ended = finished or failed
    if ended is None or (finished is None and failed is not None and failed.retry):
        return None
    place = places.get((row.problem, ended.model), 0)
    places[row.problem, ended.model] = place + 1
    usd, flops = row.known.usd, row.known.flops
    return {
        "problem_id": started.problems[row.problem].id,
        "index": place,
        "model": ended.model,
        "text": ended.text,
        "answer": finished.answer if finished else None,
        "verdict": row.judged.verdict if row.judged else None,
        "reason": row.judged.reason if row.judged else None,
        "reward": None,
        "reward_model": None,
        "program_answer": None,
        "program_status": None,
        "prompt_tokens": finished.prompt_tokens if finished else None,
        "completion_tokens": ended.completion_tokens,
        "usd": None if usd is None else usd_text(usd),
        "estimated": finished.estimated if finished else True,
        "flops": None if flops is None else float(flops),
        "finish_reason": finished.finish_reason if finished else None,
        "error": failed.message if failed and not finished else None,
        "sample": index,
    }

"""Samples made elsewhere as the events of a comparison, so that every screen and command works on them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from app.errors import BadInput
from app.models.base import ModelInfo
from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.judging import Judge
from app.runs.plan import Plan
from budgets.amounts import Amounts

NOTHING = Amounts()


async def imported_events(
    problems: Sequence[Problem], samples: Sequence[Mapping[str, Any]], *, name: str, run_id: str
) -> AsyncGenerator[Sequence[ev.Event], None]:
    """Transactions of a comparison that has ended. Verdicts of the file stand; others come from the known
    answer. What is not told of a sample's cost counts as nothing.

    Raises ``BadInput`` for a sample of a problem that is not among ``problems``.
    """
    places = {problem.id: place for place, problem in enumerate(problems)}
    models = dict.fromkeys(str(sample.get("model") or "model") for sample in samples)
    yield [
        ev.ComparisonStarted(
            at=0.0,
            run_id=run_id,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            name=name,
            problems=tuple(problems),
            plan=Plan(models=tuple(models)),
            models=tuple(
                ModelInfo(name=model, kind="scripted", local=True, stops_when_told=True) for model in models
            ),
        )
    ]
    judges = {
        (place, model): Judge(problem, (model,)) for place, problem in enumerate(problems) for model in models
    }
    for index, sample in enumerate(samples):
        place = places.get(str(sample["problem_id"]))
        if place is None:
            raise BadInput(
                f"A sample belongs to the problem {sample['problem_id']}, which is not in the set.",
                "Give the problems that the samples were made of.",
            )
        model = str(sample.get("model") or "model")
        judge = judges[place, model]
        await judge.prepare(str(sample.get("text") or ""), str(sample.get("finish_reason") or "stop"))
        yield _transaction(sample, index, place, model, judge)
    yield [ev.RunEnded(at=0.0, status="completed", reason="Imported.")]


def _transaction(
    sample: Mapping[str, Any], index: int, place: int, model: str, judge: Judge
) -> list[ev.Event]:
    text = str(sample.get("text") or "")
    extraction = judge.extract(text, str(sample.get("finish_reason") or "stop"))
    given = sample.get("answer")
    answer = str(given) if given is not None else extraction.answer
    tokens = int(sample.get("completion_tokens") or 0)
    cost = Amounts(_usd(sample.get("usd")), int(sample.get("flops") or 0), tokens, 1)
    events: list[ev.Event] = [
        ev.CallStarted(
            at=0.0, call=index, model=model, samples=(index,), seed=index, held=NOTHING, problem=place
        ),
        ev.SampleFinished(
            at=0.0,
            sample=index,
            call=index,
            model=model,
            text=text,
            finish_reason="length" if sample.get("finish_reason") == "length" else "stop",
            prompt_tokens=sample.get("prompt_tokens"),
            completion_tokens=tokens,
            estimated=bool(sample.get("estimated", True)),
            seconds=0.0,
            answer=answer,
            group=judge.vote(index, model, answer),
            how=extraction.how,
        ),
        ev.Charged(at=0.0, call=index, model=model, sample=index, known=cost, at_most=cost, released=NOTHING),
    ]
    verdict = sample.get("verdict")
    if verdict in ("right", "wrong", "undecided"):
        reason = str(sample.get("reason") or "as the file says")
        events.append(ev.Judged(at=0.0, sample=index, verdict=verdict, reason=reason, checker="import"))
    else:
        found = judge.consequences(0.0, index, model, extraction)
        events += [event for event in found if isinstance(event, ev.Judged)]
    return events


def _usd(text: Any) -> Decimal:
    try:
        return Decimal(str(text)) if text is not None else Decimal(0)
    except InvalidOperation:
        return Decimal(0)

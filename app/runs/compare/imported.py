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

    Raises ``BadInput``, before the first of them, for a sample of a problem that is not among ``problems`` or
    whose cost is no number.
    """
    places = {problem.id: place for place, problem in enumerate(problems)}
    for sample in samples:
        if str(sample["problem_id"]) not in places:
            raise BadInput(
                f"A sample belongs to the problem {sample['problem_id']}, which is not in the set.",
                "Give the problems that the samples were made of.",
            )
        _cost(sample)
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
        place = places[str(sample["problem_id"])]
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
    cost = _cost(sample)
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
            prompt_tokens=_count(sample.get("prompt_tokens")),
            completion_tokens=cost.tokens,
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


def _count(value: Any) -> int | None:
    return None if value is None else int(value)


def _cost(sample: Mapping[str, Any]) -> Amounts:
    """What the row says that it cost; nothing where it says nothing. Raises ``BadInput``."""
    try:
        _count(sample.get("prompt_tokens"))
        usd = Decimal(str(sample.get("usd") or 0))
        flops, tokens = int(sample.get("flops") or 0), int(sample.get("completion_tokens") or 0)
        if not usd.is_finite() or usd < 0 or flops < 0 or tokens < 0:
            raise ValueError
    except (InvalidOperation, ValueError, TypeError, OverflowError):
        raise BadInput(
            f"A sample of {sample['problem_id']} has a cost that is no number.",
            "Correct its usd, flops and token counts, or leave them out.",
        ) from None
    return Amounts(usd, flops, tokens, 1)

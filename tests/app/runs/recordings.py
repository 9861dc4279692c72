"""Hand-made runs for the tests of whatever reads events: small, whole, and in the engine's order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from app.models.base import ModelInfo
from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.plan import Plan
from budgets.amounts import Amounts, Budget

CLIPS = Problem(id="clips", kind="math", prompt="Natalia sold clips to 48 of her friends.", answer="72")
MODEL = ModelInfo(
    name="scripted", kind="scripted", local=True, stops_when_told=True, parameters=1000, layers=2, hidden=8
)
PER_SAMPLE = Amounts(usd=Decimal("0.001"), flops=2000, tokens=10, samples=1)


def start(
    run_id: str = "run1",
    *,
    problem: Problem = CLIPS,
    samples: int = 8,
    models: Sequence[ModelInfo] = (MODEL,),
    created: str = "2026-11-21T03:00:00Z",
) -> ev.RunStarted:
    return ev.RunStarted(
        at=0.0,
        run_id=run_id,
        created=created,
        problem=problem,
        plan=Plan(models=tuple(info.name for info in models), budget=Budget(samples=samples)),
        models=tuple(models),
    )


def call(index: int, at: float, model: str = "scripted") -> ev.CallStarted:
    return ev.CallStarted(at=at, call=index, model=model, samples=(index,), seed=index, held=PER_SAMPLE)


def finished(
    index: int, at: float, answer: str | None, *, model: str = "scripted", known: str | None = "72"
) -> list[ev.Event]:
    """What one sample's end brings, in one transaction: itself, its charge, its verdict."""
    text = f"Thinking about it for a while, sample {index}. The answer is {answer}."
    events: list[ev.Event] = [
        ev.SampleFinished(
            at=at,
            sample=index,
            call=index,
            model=model,
            text=text,
            finish_reason="stop",
            prompt_tokens=20,
            completion_tokens=10,
            estimated=False,
            seconds=1.0,
            answer=answer,
            group=answer,
            how="the answer is",
            track=(100, 10, 500, 30, 1000, len(text)),
        ),
        ev.Charged(
            at=at,
            call=index,
            model=model,
            sample=index,
            known=PER_SAMPLE,
            at_most=PER_SAMPLE,
            released=PER_SAMPLE,
        ),
    ]
    if known is not None:
        verdict: ev.Verdict = "undecided" if answer is None else "right" if answer == known else "wrong"
        events.append(ev.Judged(at=at, sample=index, verdict=verdict, reason="", checker="known answer"))
    return events


def batches(
    answers: Sequence[str | None], run_id: str = "run1", *, known: str | None = "72", end: bool = True
) -> Iterator[list[ev.Event]]:
    """A run of one sample a second, each answering as told, as the engine hands it to its store."""
    yield [start(run_id, problem=CLIPS if known else _unknown(), samples=len(answers))]
    votes: dict[str, int] = {}
    leader: tuple[str | None, int] = (None, 0)
    right = decided = 0
    for index, answer in enumerate(answers):
        yield [call(index, float(index))]
        at = index + 1.0
        batch = finished(index, at, answer, known=known)
        if answer is not None:
            votes[answer] = votes.get(answer, 0) + 1
            top = max(votes, key=lambda key: votes[key])
            if (top, votes[top]) != leader:
                leader = (top, votes[top])
                batch.append(
                    ev.PickChanged(
                        at=at,
                        rule="majority",
                        answer=top,
                        sample=answers.index(top),
                        support=votes[top],
                        share=votes[top] / sum(votes.values()),
                    )
                )
            decided += known is not None
            right += answer == known
        batch.append(
            ev.CoverageChanged(
                at=at,
                model="scripted",
                n=decided,
                correct=right,
                undecided=0 if known is None else index + 1 - decided,
                answers=sum(votes.values()),
                once=sum(1 for count in votes.values() if count == 1),
                distinct=len(votes),
            )
        )
        yield batch
    if end:
        yield [ev.RunEnded(at=float(len(answers)), status="completed", reason="Every sample is there.")]


def recording(
    answers: Sequence[str | None], run_id: str = "run1", *, known: str | None = "72", end: bool = True
) -> list[ev.Event]:
    return [event for batch in batches(answers, run_id, known=known, end=end) for event in batch]


def _unknown() -> Problem:
    return Problem(id=CLIPS.id, kind=CLIPS.kind, prompt=CLIPS.prompt)


def dearer(amounts: Amounts, usd: Decimal | None) -> Amounts:
    return replace(amounts, usd=usd)

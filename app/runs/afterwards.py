"""Samples that are there already, re-written as programs and scored: for samples made elsewhere, or before
there was a translator.

Each problem's samples become a run that has nothing left to draw, so that what follows is the same as beside
the sampling: the same stages, the same ledger, the same charges.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from app.models.base import ModelInfo
from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.export import program_cost
from app.runs.grading import Grader
from app.runs.launch import Launcher
from app.runs.plan import Plan
from app.runs.samples_file import GivenSample
from app.runs.state import Books, RunState, Sample
from budgets.amounts import Amounts, Budget
from verifiers.answers import extract_answer
from verifiers.normal import normal_form

_NOTHING = Amounts()
_GIVEN = "given"


@dataclass(frozen=True, slots=True)
class Worked:
    """One problem's samples after it: their rows with what was found added, in their order; what was spent
    on it, by purpose, the notices, and whether the budget ended it."""

    problem: Problem
    rows: list[dict[str, Any]]
    spent: dict[ev.Purpose, Books]
    notices: list[str]
    seconds: float


async def work_through(
    samples: Iterable[GivenSample], grader: Grader, launcher: Launcher, plan: Plan
) -> AsyncIterator[Worked]:
    """Re-write and score ``samples``, a problem at a time, under the one budget of ``plan``. What a row says
    already is not done again. Raises what ``Launcher.open_afterwards`` raises."""
    by_problem: dict[str, list[GivenSample]] = {}
    for sample in samples:
        by_problem.setdefault(sample.problem_id, []).append(sample)
    budget = plan.budget
    for problem_id, mine in by_problem.items():
        problem = grader.problems[problem_id]
        here = msgspec.structs.replace(plan, budget=replace(budget, samples=len(mine)))
        engine = launcher.open_afterwards(problem, here, prior=_as_run(problem, mine, grader, here))
        async for _ in engine.run():
            pass
        state = engine.state
        rows = [
            {"answer": done.answer} | sample.row | _found(done)
            for sample, done in zip(mine, state.samples, strict=True)
            if done is not None
        ]
        notices = [notice.text for notice in state.notices]
        yield Worked(problem, rows, state.books_by_purpose, notices, state.at)
        budget = _rest(budget, state.books.at_most, state.at)


def _as_run(problem: Problem, samples: list[GivenSample], grader: Grader, plan: Plan) -> RunState:
    """The samples as a run that was sampled to its end."""
    names = list(dict.fromkeys(sample.model or "given" for sample in samples))
    infos = tuple(ModelInfo(name=name, kind="scripted", local=True, stops_when_told=True) for name in names)
    state = RunState()
    state.apply(ev.RunStarted(at=0.0, run_id="given", created="", problem=problem, plan=plan, models=infos))
    for place, sample in enumerate(samples):
        for event in _events(place, sample, problem, grader):
            state.apply(event)
    return state


def _events(place: int, sample: GivenSample, problem: Problem, grader: Grader) -> Iterable[ev.Event]:
    fields, model = sample.fields, sample.model or "given"
    text = fields.text or ""
    yield ev.CallStarted(at=0.0, call=place, model=model, samples=(place,), seed=place, held=_NOTHING)
    if fields.error is not None:
        yield ev.SampleFailed(
            at=0.0,
            sample=place,
            call=place,
            model=model,
            kind="failed",
            message=fields.error,
            retry=False,
            text=text,
        )
        return
    found = grader.extraction(sample)
    answer = found.answer if fields.text is not None else None
    yield ev.SampleFinished(
        at=0.0,
        sample=place,
        call=place,
        model=model,
        text=text,
        finish_reason="length" if fields.finish_reason == "length" else "stop",
        prompt_tokens=None,
        completion_tokens=0,
        estimated=True,
        seconds=0.0,
        answer=answer,
        group=None if answer is None else normal_form(answer, problem.kind),
        how=found.how,
        span=_span(found.start, found.end, text, answer, problem),
        mean_logprob=fields.mean_logprob,
    )
    if fields.verdict is not None:
        yield ev.Judged(at=0.0, sample=place, verdict=fields.verdict, reason="", checker="given")
    if fields.reward is not None:
        yield ev.Rewarded(at=0.0, sample=place, reward=fields.reward, model=fields.reward_model or "given")
    status = grader.program_status(sample)
    if status is not None:
        yield ev.ProgramChecked(
            at=0.0,
            sample=place,
            status=status,
            answer=sample.program_answer,
            reason="given",
            program="",
            translator=_GIVEN,
        )


def _span(
    start: int | None, end: int | None, text: str, answer: str | None, problem: Problem
) -> tuple[int, int] | None:
    """Where the answer stands in the text, looked for again where the file only says what it is."""
    if start is not None and end is not None:
        return start, end
    read = extract_answer(text, problem.kind)
    if answer is None or read.answer is None or read.start is None or read.end is None:
        return None
    same = normal_form(read.answer, problem.kind) == normal_form(answer, problem.kind)
    return (read.start, read.end) if same else None


def _found(sample: Sample) -> dict[str, Any]:
    """What was found out about a sample, as the sample format has it; what its row said stays as it was."""
    found: dict[str, Any] = {"reward": sample.reward, "reward_model": sample.reward_model}
    if sample.translator == _GIVEN:
        return found
    return found | {
        "program_answer": sample.program_answer,
        "program_status": sample.program_status,
        "program_reason": sample.program_reason or None,
        "program": sample.program or None,
        **program_cost(sample),
    }


def _rest(budget: Budget, spent: Amounts, seconds: float) -> Budget:
    """What one problem leaves for the next."""
    return replace(
        budget,
        usd=None if budget.usd is None or spent.usd is None else max(budget.usd - spent.usd, budget.usd * 0),
        flops=None if budget.flops is None or spent.flops is None else max(budget.flops - spent.flops, 0),
        tokens=None if budget.tokens is None else max(budget.tokens - spent.tokens, 0),
        seconds=None if budget.seconds is None else max(budget.seconds - seconds, 0.0),
    )

"""A judge: a chat model that is asked several times whether a solution is right.

The method is that of "Sample, Scrutinize and Scale" (arXiv 2502.01839, algorithm 1): each solution's score is
the mean over several independent replies; the solutions within 0.05 of the best are then compared in pairs,
and the one that wins most comparisons is chosen. Two things differ. A reply gives a score of 0 to 10 rather
than a bare verdict, because a few replies of a small judge would otherwise tie too often. And only solutions
with different answers meet, at most four of them: which of two equal answers is chosen changes nothing.

Each pair is compared with its two solutions in both orders, since judges prefer a place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, combinations
from statistics import fmean

from verifiers.normal import normal_form
from verifiers.ports import Score, Solution, Writer, WriterFailed
from verifiers.rewards.judge_prompts import VERDICT_TOKENS, Question, choosing_question, scoring_question
from verifiers.rewards.judge_replies import Reading, read_choice, read_score
from verifiers.verdicts import Kind

REPLIES = 3
"""How often each solution is judged."""
NEAR = 0.05
"""How far below the best a mean score may lie and still be compared with it (the paper's)."""
MOST_COMPARED = 4
TEMPERATURE = 0.7
_LEFT_OUT = "its beginning was left out: longer than a judge is shown"


async def judge_solution(writer: Writer, problem: str, solution: Solution, replies: int = REPLIES) -> Score:
    """The mean of the scores in ``replies`` replies, in 0..1; those that hold none are left out of it.

    Never raises for the judge's sake: a score without a reward says why.
    """
    question = scoring_question(problem, solution.text)
    try:
        written = await writer.write(
            question.conversation,
            about=solution.sample,
            max_tokens=VERDICT_TOKENS,
            temperature=TEMPERATURE if replies > 1 else 0.0,
            choices=replies,
            seed=solution.sample,
        )
    except WriterFailed as failure:
        return Score(None, str(failure))
    readings = [read_score(reply.text, cut_off=reply.cut_off) for reply in written]
    return _mean(readings, question)


def _mean(readings: Sequence[Reading], question: Question) -> Score:
    told = [reading.score for reading in readings if reading.score is not None]
    if not told:
        why = readings[0].why if readings else "the judge gave no reply"
        return Score(None, why, question.truncated)
    return Score(fmean(told), _LEFT_OUT if question.truncated else "", question.truncated)


async def settle_ties(
    writer: Writer,
    problem: str,
    kind: Kind,
    solutions: Sequence[Solution],
    scores: Sequence[Score],
    replies: int = REPLIES,
) -> list[Score]:
    """``scores`` with the near-best put into the order of the comparisons that they win.

    A near-best answer gets a reward between the best mean score less ``NEAR`` and the best one itself, by the
    share of its comparisons that it wins: none falls behind a solution that was not compared. All near-best
    samples of one answer share its reward. Where the judge fails, the scores stay as they were.
    """
    near = near_best(kind, solutions, scores)
    rivals, left_over = near[:MOST_COMPARED], near[MOST_COMPARED:]
    if len(rivals) < 2:
        return list(scores)
    pairs = list(combinations(range(len(rivals)), 2))
    shares = await asyncio.gather(
        *(
            _share_won(writer, problem, solutions[rivals[one][0]], solutions[rivals[other][0]], replies)
            for one, other in pairs
        )
    )
    won = [0.0] * len(rivals)
    met = [0] * len(rivals)
    for (one, other), share in zip(pairs, shares, strict=True):
        if share is None:
            continue
        won[one] += share
        won[other] += 1 - share
        met[one] += 1
        met[other] += 1
    if not all(met):
        return list(scores)
    top = max(score.reward for score in scores if score.reward is not None)
    settled = list(scores)
    for rival, wins, meetings in zip(rivals, won, met, strict=True):
        for place in rival:
            settled[place] = replace(scores[place], reward=top - NEAR * (1 - wins / meetings))
    for place in chain.from_iterable(left_over):
        settled[place] = replace(scores[place], reward=top - NEAR)
    return settled


def near_best(kind: Kind, solutions: Sequence[Solution], scores: Sequence[Score]) -> list[list[int]]:
    """The places of the solutions within ``NEAR`` of the best, one list for each answer, the best answer
    first and at the head of each list its best solution."""
    told = [place for place, score in enumerate(scores) if score.reward is not None]
    told.sort(key=lambda place: -(scores[place].reward or 0.0))
    rivals: dict[str, list[int]] = {}
    for place in told:
        if (scores[told[0]].reward or 0.0) - (scores[place].reward or 0.0) > NEAR + 1e-9:
            break
        answer = solutions[place].answer
        if answer is not None:
            rivals.setdefault(normal_form(answer, kind), []).append(place)
    return list(rivals.values())


async def _share_won(
    writer: Writer, problem: str, one: Solution, other: Solution, replies: int
) -> float | None:
    """The share of comparisons in which ``one`` beats ``other``; ``None`` where no reply says."""
    in_order, swapped = await asyncio.gather(
        _preferred(writer, problem, one, other, replies),
        _preferred(writer, problem, other, one, replies),
    )
    for_one, against = in_order[0] + swapped[1], in_order[1] + swapped[0]
    return for_one / (for_one + against) if for_one + against else None


async def _preferred(
    writer: Writer, problem: str, first: Solution, second: Solution, replies: int
) -> tuple[int, int]:
    """How many replies prefer the first, and how many the second."""
    question = choosing_question(problem, first.text, second.text)
    try:
        written = await writer.write(
            question.conversation,
            about=first.sample,
            max_tokens=VERDICT_TOKENS,
            temperature=TEMPERATURE if replies > 1 else 0.0,
            choices=replies,
            seed=first.sample,
        )
    except WriterFailed:
        return 0, 0
    choices = [read_choice(reply.text) for reply in written]
    return choices.count("A"), choices.count("B")

"""Every answer of the MATH problems against rewritings of it, and against near misses.

    python -m pytest tests/acceptance/test_math_rewritings.py -q -s

Each answer needs at least three rewritings that are judged right and three near misses that are judged wrong;
98% of all rewritings, and of all near misses, must come out as they should. What does not is printed.
"""

from __future__ import annotations

import time

from tests.acceptance.rewritings import rewritten
from tests.acceptance.test_labels import lines
from verifiers.answers import Extraction
from verifiers.known import judge_answer
from verifiers.normal import forget_forms, same_answer

BAR = 0.98


def test_rewritings_are_right_and_near_misses_wrong() -> None:
    missed: list[str] = []
    taken: list[str] = []
    apart: list[str] = []
    rewritings = misses = 0
    short: list[str] = []
    for problem in lines("math_300"):
        case = rewritten(problem["answer"])
        right = [each for each in case.same if _verdict(each, case.known) == "right"]
        wrong = [each for each in case.wrong if _verdict(each, case.known) == "wrong"]
        rewritings += len(case.same)
        misses += len(case.wrong)
        missed += [f"{case.known}  <-  {each}" for each in case.same if each not in right]
        taken += [f"{case.known}  <-  {each}" for each in case.wrong if each not in wrong]
        apart += [f"{case.known} | {each}" for each in case.same if not same_answer(case.known, each, "math")]
        if len(right) < 3 or len(wrong) < 3:
            short.append(case.known)

    print(f"\nrewritings right: {rewritings - len(missed)} of {rewritings}; {len(apart)} of them vote apart")
    print(f"near misses wrong: {misses - len(taken)} of {misses}")
    print("not right:", *sorted(set(missed)), sep="\n  ")
    print("not wrong:", *sorted(set(taken)), sep="\n  ")
    print("vote apart:", *sorted(set(apart)), sep="\n  ")
    assert not short
    assert rewritings - len(missed) >= BAR * rewritings
    assert misses - len(taken) >= BAR * misses


def test_no_two_answers_of_different_value_are_taken_for_one() -> None:
    known = list(dict.fromkeys(problem["answer"] for problem in lines("math_300")))
    forget_forms()
    started = time.process_time()
    same = [
        (one, other)
        for place, one in enumerate(known)
        for other in known[place + 1 :]
        if same_answer(one, other, "math")
    ]
    print(f"\n{len(known)} answers, {time.process_time() - started:.2f} s; the same: {same}")

    # (1, 2) as a point and 2.5 as 5/2 are written in two ways in the data itself.
    assert set(same) <= {("\\frac{5}{2}", "2.5"), ("\\frac{11}{2}", "5.5"), ("\\frac{9}{2}", "4.5")}


def _verdict(answer: str, known: str) -> str:
    return judge_answer(Extraction(answer, "stated"), known, "math").verdict

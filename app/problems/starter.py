"""The starter set: problems of our own that ship with the program, so that it can be tried at once.

They are easy on purpose. A model of a tenth of a billion parameters solves many of them once in a while, and
that is where repeated sampling can be watched at work; a larger one solves nearly all of them.
"""

from __future__ import annotations

import difflib
from functools import cache
from importlib.resources import files

from app.errors import BadInput
from app.problems.load import parse_problems
from app.problems.problem import Problem


@cache
def starter_problems() -> tuple[Problem, ...]:
    """All of them, in the order in which they are offered."""
    return tuple(
        parse_problems(files("app.problems").joinpath("starter.jsonl").read_bytes(), "starter.jsonl")
    )


def starter(problem_id: str) -> Problem:
    """One of them. Raises ``BadInput`` with the nearest id, or with some of them."""
    problems = {problem.id: problem for problem in starter_problems()}
    wanted = problem_id.strip().lower()
    if wanted in problems:
        return problems[wanted]
    near = difflib.get_close_matches(wanted, problems, n=1)
    some = ", ".join(list(problems)[:6])
    raise BadInput(
        f"The starter set has no problem {problem_id}.",
        f"Did you mean {near[0]}?" if near else f"Try one of {some}, ...",
    )

"""Which proof problems can be checked: those whose theorem is stated formally, in the problem or its text."""

from __future__ import annotations

from app.problems.problem import Problem


def is_checkable(problem: Problem) -> bool:
    """Whether ``problem`` states a theorem by name, in the language that it asks for."""
    if problem.kind != "proof":
        return False
    from verifiers.proofs import lean_text, rocq_text

    stated = problem.statement or problem.prompt
    split = rocq_text.split_statement if problem.language == "rocq" else lean_text.split_statement
    return split(stated) is not None

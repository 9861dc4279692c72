"""The loaders and the detector on real benchmark files, where they are at hand (``MONKEYS_TEST_DATA``)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.errors import BadInput
from app.problems.detect import detect
from app.problems.load import load_problems
from app.problems.problem import Problem

DATA = Path(os.environ.get("MONKEYS_TEST_DATA", "../shared/data"))


def load(name: str) -> list[Problem]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"NOT RUN: {path} is missing; set MONKEYS_TEST_DATA to the folder that holds it")
    return load_problems(path)


@pytest.mark.parametrize(
    ("name", "kind", "count", "with_answer"),
    [
        ("gsm8k_train.jsonl", "math", 7473, 7473),
        ("gsm8k_solutions_problems.jsonl", "math", 660, 660),
        ("math_300.jsonl", "math", 300, 300),
        ("math_rm_problems.jsonl", "math", 50, 50),
        ("humaneval.jsonl", "code", 164, 0),
        ("last_letters_problems.jsonl", "open", 250, 250),
        ("minif2f_lean4.jsonl", "proof", 205, 0),
        ("minif2f_rocq.jsonl", "proof", 122, 0),
    ],
)
def test_a_benchmark_file_loads_whole(name: str, kind: str, count: int, with_answer: int) -> None:
    problems = load(name)
    assert len(problems) == count
    assert {problem.kind for problem in problems} == {kind}
    assert sum(problem.answer is not None for problem in problems) == with_answer


def test_gsm8k_answers_are_plain_numbers() -> None:
    for problem in load("gsm8k_train.jsonl"):
        assert problem.answer is not None
        float(problem.answer)


def test_humaneval_tests_run_on_what_they_name() -> None:
    for problem in load("humaneval.jsonl"):
        assert problem.tests is not None
        assert f"def {problem.entry_point}(" in problem.prompt
        compile(problem.tests["code"], problem.id, "exec")


@pytest.mark.parametrize("name", ["gsm8k_solutions_samples.jsonl", "humaneval_codegen_samples.jsonl"])
def test_samples_are_not_taken_for_problems(name: str) -> None:
    with pytest.raises(BadInput, match="line 1: this is a sample"):
        load(name)


def _detected(problem: Problem) -> bool:
    found = detect(problem.statement or problem.prompt)
    return (found.kind, found.language) == (problem.kind, problem.language)


@pytest.mark.parametrize(
    ("name", "first", "wrong_at_most"),
    [
        ("gsm8k_train.jsonl", 200, 0),
        ("gsm8k_train.jsonl", 7473, 10),
        ("math_300.jsonl", 300, 0),
        ("humaneval.jsonl", 164, 0),
        ("last_letters_problems.jsonl", 250, 0),
        ("minif2f_lean4.jsonl", 205, 0),
        ("minif2f_rocq.jsonl", 122, 0),
    ],
)
def test_the_kind_is_detected(name: str, first: int, wrong_at_most: int) -> None:
    problems = load(name)[:first]
    wrong = [problem.id for problem in problems if not _detected(problem)]
    assert len(wrong) <= wrong_at_most, wrong

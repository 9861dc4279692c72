"""What a model is sent: the problem, one instruction, and examples for those who need them."""

from __future__ import annotations

import pytest

from app.errors import BadInput
from app.models.base import ModelInfo, Prompt
from app.models.prompts import SHOTS, build_prompt, examples_for, form_of, stop_strings
from app.problems.problem import Problem
from app.problems.starter import starter_problems

LARGE = ModelInfo(name="large", kind="litellm", local=False, stops_when_told=False)
SMALL = ModelInfo(name="small", kind="embedded", local=True, stops_when_told=True, needs_examples=True)

MATH = Problem(id="m", kind="math", prompt="What is 17 + 26?")
FUNCTION = Problem(
    id="f", kind="code", prompt='def f(x):\n    """Twice x."""\n', entry_point="f", tests={"type": "python"}
)
PROGRAM = Problem(id="s", kind="code", prompt="Print hello.", tests={"type": "stdio", "cases": []})
LEAN = Problem(
    id="l",
    kind="proof",
    prompt="Prove it.",
    language="lean4",
    preamble="import Mathlib",
    statement="theorem t : 1 = 1 := by",
)
ROCQ = Problem(id="r", kind="proof", prompt="Prove it.", language="rocq", statement="Theorem t : 1 = 1.")
PATCH = Problem(id="p", kind="patch", prompt="It crashes.", repo="here")
OPEN = Problem(id="o", kind="open", prompt="Who wrote Hamlet?")
EVERY = (MATH, FUNCTION, PROGRAM, LEAN, ROCQ, PATCH, OPEN)


def roles(prompt: Prompt) -> list[str]:
    return [message.role for message in prompt.messages]


@pytest.mark.parametrize("problem", EVERY, ids=form_of)
def test_a_large_model_gets_an_instruction_and_the_problem(problem: Problem) -> None:
    prompt = build_prompt(problem, LARGE)
    assert roles(prompt) == ["system", "user"]
    assert problem.prompt.strip() in prompt.messages[1].content
    assert prompt.text is None


@pytest.mark.parametrize(
    ("problem", "closing"),
    [
        (MATH, "The answer is"),
        (OPEN, "The answer is"),
        (FUNCTION, "```python"),
        (PROGRAM, "standard input"),
        (LEAN, "```lean"),
        (ROCQ, "```coq"),
        (PATCH, "```diff"),
    ],
)
def test_the_instruction_names_the_form_that_is_looked_for(problem: Problem, closing: str) -> None:
    assert closing in build_prompt(problem, LARGE).messages[0].content


@pytest.mark.parametrize("problem", EVERY, ids=form_of)
def test_a_small_model_gets_worked_examples_as_earlier_turns(problem: Problem) -> None:
    shown = SHOTS.get(form_of(problem), 0)
    prompt = build_prompt(problem, SMALL)
    assert roles(prompt) == ["system", *["user", "assistant"] * shown, "user"]
    assert prompt.messages[-1] == build_prompt(problem, LARGE).messages[-1]


def test_examples_show_the_form_that_is_asked_for() -> None:
    for problem, mark in ((MATH, "The answer is "), (OPEN, "The answer is "), (FUNCTION, "```python\ndef ")):
        replies = [
            message.content
            for message in build_prompt(problem, SMALL).messages
            if message.role == "assistant"
        ]
        assert replies
        assert all(mark in reply for reply in replies)


def test_no_example_is_a_starter_problem() -> None:
    asked = {problem.prompt for problem in starter_problems()}
    for problem in EVERY:
        most = examples_for(form_of(problem))
        turns = build_prompt(problem, LARGE, shots=most).messages[1:-1]
        assert not asked & {message.content for message in turns}


def test_the_number_of_examples_can_be_asked_for() -> None:
    assert len(build_prompt(MATH, LARGE, shots=5).messages) == 12
    assert len(build_prompt(MATH, SMALL, shots=0).messages) == 2
    with pytest.raises(BadInput, match="There are 5 worked examples"):
        build_prompt(MATH, LARGE, shots=6)
    with pytest.raises(BadInput, match="-1 examples"):
        build_prompt(MATH, LARGE, shots=-1)


def test_the_users_own_system_text_comes_before_ours() -> None:
    system = build_prompt(MATH, LARGE, system=" Be brief. ").messages[0].content
    assert system.startswith("Be brief.\n")
    assert "The answer is" in system
    assert build_prompt(MATH, LARGE, system="  ") == build_prompt(MATH, LARGE)


def test_a_raw_prompt_is_text_to_be_continued() -> None:
    prompt = build_prompt(MATH, LARGE, raw=True, shots=1, system="Exam.")
    assert prompt.messages == ()
    assert prompt.text is not None
    assert prompt.text.startswith("Exam.\n\nQuestion: ")
    assert prompt.text.endswith("\n\nQuestion: What is 17 + 26?\nAnswer:")
    assert stop_strings(MATH, raw=True) == ("\nQuestion:",)
    assert stop_strings(MATH, raw=False) == ()


def test_a_raw_function_is_continued_where_it_stops() -> None:
    assert build_prompt(FUNCTION, LARGE, raw=True).text == FUNCTION.prompt
    assert "\ndef " in stop_strings(FUNCTION, raw=True)


def test_a_proof_shows_its_statement_once() -> None:
    asked = build_prompt(LEAN, LARGE).messages[-1].content
    assert asked == "Prove it.\n\nimport Mathlib\n\ntheorem t : 1 = 1 := by"
    typed = Problem(
        id="t", kind="proof", prompt="theorem t : 1 = 1 := by", statement="theorem t : 1 = 1 := by"
    )
    assert build_prompt(typed, LARGE).messages[-1].content == "theorem t : 1 = 1 := by"


def test_indentation_of_a_problem_is_kept() -> None:
    problem = Problem(id="i", kind="code", prompt="\n    x = 1\n", entry_point="f")
    assert build_prompt(problem, LARGE).messages[-1].content == "    x = 1"

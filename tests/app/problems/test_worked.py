"""Worked examples drawn from a training split."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.errors import BadInput
from app.models.base import ModelInfo
from app.models.prompts import build_prompt
from app.problems.problem import Problem, Worked
from app.problems.worked import draw_examples

ROWS = [
    {"question": "How many is 2 + 3?", "answer": "2 + 3 = <<2+3=5>>5\n#### 5"},
    {"problem": "What is $x$ if $x=4$?", "solution": "So $x=\\boxed{4}$."},
    {"prompt": "Own", "solution": "It is 7.", "answer": "7"},
    {"prompt": "No solution", "answer": "1"},
]


@pytest.fixture
def split(tmp_path: Path) -> Path:
    path = tmp_path / "train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def test_every_layout_ends_in_the_words_that_the_extractor_looks_for(split: Path) -> None:
    found = {example.question: example.answer for example in draw_examples(split, 3, 0)}
    assert found == {
        "How many is 2 + 3?": "2 + 3 = 5\nThe answer is 5.",
        "What is $x$ if $x=4$?": "So $x=\\boxed{4}$.\nThe answer is 4.",
        "Own": "It is 7.\nThe answer is 7.",
    }


def test_the_seed_decides_and_asked_questions_are_left_out(split: Path) -> None:
    assert draw_examples(split, 2, 1) == draw_examples(split, 2, 1)
    drawn = {example.question for seed in range(9) for example in draw_examples(split, 1, seed)}
    assert len(drawn) > 1
    left = draw_examples(split, 2, 0, without=["how many  is 2 + 3?"])
    assert "How many is 2 + 3?" not in {example.question for example in left}


def test_too_few(split: Path) -> None:
    with pytest.raises(BadInput, match="3 worked examples, not 9"):
        draw_examples(split, 9, 0)
    split.write_text('{"prompt": "x"}\n')
    with pytest.raises(BadInput, match="no worked examples"):
        draw_examples(split, 1, 0)


def test_they_take_the_place_of_ours_in_a_prompt() -> None:
    info = ModelInfo(name="m", kind="scripted", local=True, stops_when_told=True, needs_examples=True)
    problem = Problem(id="p", kind="math", prompt="What is 1 + 1?")
    own = (Worked("Q1", "A1"), Worked("Q2", "A2"))
    prompt = build_prompt(problem, info, own=own)
    assert [message.content for message in prompt.messages[1:]] == ["Q1", "A1", "Q2", "A2", "What is 1 + 1?"]
    assert "Question: Q1\nAnswer: A1" in (build_prompt(problem, info, raw=True, own=own).text or "")

"""What a pasted problem looks like, and why."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.problems.detect import detect
from app.problems.problem import KINDS


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("What is 17 + 26?", "math", "holds numbers"),
        ("17 + 26", "math", "holds numbers"),
        ("Ken calls his son, who is in Rome. How long are 3 calls of 20 minutes?", "math", "quantity"),
        ("How many letters are in the word banana?", "math", "quantity"),
        ("Find $\\sqrt{2}$ to three places.", "math", "LaTeX"),
        ("If $f(x) = 2x$, who is right about $f(3)$, Ann or Bo?", "math", "LaTeX"),
        ("Evaluate the integral of sin from zero to pi", "math", "work something out"),
        ("Which number between 20 and 30 is prime?", "math", "asks for a number"),
        ("Who wrote Hamlet?", "open", "who"),
        ("Which planet is the largest?", "open", "which of several"),
        ("Is 91 a prime?", "open", "yes or no"),
        ("It is Monday. What day is it in 3 days?", "open", "day or a date"),
        ("Spell cat backwards.", "open", "letters or words"),
        ("Tell me about otters", "open", "in words"),
        ("Write a Python function that reverses a list.", "code", "asks for a program"),
        ("Implement binary search in Rust", "code", "programming language"),
        ("def f(x):\n    '''Twice x.'''\n", "code", "function to complete"),
        ("Given n, print n squared.\n\nInput\n3\nOutput\n9", "code", "reads input"),
        ("Make this faster:\n```\nprint(1)\n```", "code", "code block"),
        ("Example 1: Given two lists of 3 words, write a short program that joins them.", "code", "program"),
        ("theorem two : 1 + 1 = 2 := by", "proof", "Lean theorem"),
        ("import Mathlib\n\nexample (a b : ℕ) : a + b = b + a := by", "proof", "Mathlib"),
        ("example : 1 + 1 = 2 := by", "proof", "Lean theorem"),
        ("Theorem two :\n  1 + 1 = 2.", "proof", "Rocq theorem"),
        ("From Coq Require Import Lia.\nLemma a (n : nat) : n = n.", "proof", "Rocq library"),
        ("diff --git a/x.py b/x.py", "patch", "diff"),
        ("FAILED tests/test_x.py::test_y - AssertionError", "patch", "failing test"),
        ("Fix the failing tests in this folder", "patch", "failing test"),
        ('Traceback (most recent call last):\n  File "src/x.py", line 3\nKeyError: 1', "patch", "traceback"),
        ("Please fix this bug in the repository: it crashes on Windows", "patch", "repair"),
        ("", "open", "in words"),
    ],
)  # fmt: skip
def test_the_kind_and_the_reason(text: str, kind: str, reason: str) -> None:
    found = detect(text)
    assert found.kind == kind
    assert reason in found.reason


def test_a_proof_names_its_checker() -> None:
    assert detect("theorem t : 1 = 1 := by").language == "lean4"
    assert detect("Lemma t : 1 = 1.").language == "rocq"
    assert detect("What is 1 + 1?").language is None


@given(st.text(max_size=500))
def test_any_text_has_a_kind(text: str) -> None:
    found = detect(text)
    assert found.kind in KINDS
    assert found.reason


@pytest.mark.parametrize(
    "unit",
    [
        "what ",
        "which ",
        "\n",
        " ",
        "def f(",
        "example : ",
        "Traceback (most recent call last):\n",
        "$",
        "is it. ",
    ],
)
def test_a_long_paste_does_not_hold_up_typing(unit: str) -> None:
    text = "x" + unit * (400_000 // len(unit)) + "x"
    before = time.perf_counter()
    detect(text)
    assert time.perf_counter() - before < 2  # ten minutes for some of these with a quadratic pattern

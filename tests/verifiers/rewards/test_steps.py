"""Steps of a solution, and their scores as one reward."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.verifiers.hostile_replies import HOSTILE_REPLIES
from verifiers.rewards.steps import reduced, split_steps


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("one\n\ntwo\nstill two\n \n\nthree", ["one", "two\nstill two", "three"]),
        ("one\ntwo\r\nthree\n", ["one", "two", "three"]),
        ("only one", ["only one"]),
        (" \n\n ", []),
        ("", []),
    ],
)
def test_steps_are_paragraphs_or_else_lines(text: str, steps: list[str]) -> None:
    assert split_steps(text) == steps


def test_the_last_of_too_many_steps_holds_the_rest() -> None:
    steps = split_steps("\n\n".join(str(number) for number in range(500)))
    assert len(steps) == 200
    assert steps[-1].endswith("\n499")


@given(HOSTILE_REPLIES)
def test_no_text_breaks_the_splitter(text: str) -> None:
    assert all(step.strip() for step in split_steps(text))


def test_reductions() -> None:
    scores = [0.9, 0.5, 0.8]
    assert (reduced(scores, "last"), reduced(scores, "min")) == (0.8, 0.5)
    assert reduced(scores, "product") == pytest.approx(0.36)
    with pytest.raises(ValueError, match="no steps"):
        reduced([], "min")

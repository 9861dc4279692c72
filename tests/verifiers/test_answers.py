"""Answers are read out of replies as models really write them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.timing import least_cpu
from tests.verifiers.hostile_replies import HOSTILE_REPLIES, KINDS, TOWERS
from verifiers.answers import Extraction, extract_answer
from verifiers.safe_text import clean
from verifiers.verdicts import Kind

CASES: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("extraction_cases.toml").read_text(encoding="utf-8")
)["case"]


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_the_answer_a_reply_gives(case: dict[str, Any]) -> None:
    found = extract_answer(
        case["text"],
        case.get("kind", "math"),
        cut_off=case.get("cut_off", False),
        choices=case.get("choices"),
        entry_point=case.get("entry_point"),
    )

    assert (found.answer, found.how) == (case.get("answer"), case["how"])


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 150


@pytest.mark.parametrize("case", [case for case in CASES if "answer" in case], ids=lambda case: case["why"])
def test_the_span_holds_the_answer(case: dict[str, Any]) -> None:
    found = extract_answer(case["text"], case.get("kind", "math"), cut_off=case.get("cut_off", False))

    if found.answer is not None and found.how not in ("choice", "patch"):
        assert found.start is not None
        there = case["text"][found.start : found.end]
        assert clean(there).replace("**", "").split() == found.answer.replace("**", "").split()


@given(HOSTILE_REPLIES, st.sampled_from(KINDS), st.booleans())
def test_no_reply_makes_extraction_raise(reply: str, kind: Kind, cut_off: bool) -> None:
    found = extract_answer(reply, kind, cut_off=cut_off)

    assert found.how
    assert (found.start is None) == (found.end is None)
    if found.start is not None and found.end is not None:
        assert 0 <= found.start <= found.end <= len(reply)
    if found.answer is not None:
        assert found.answer.strip()


@given(HOSTILE_REPLIES, st.sampled_from(("math", "open")))
def test_answers_are_fit_to_be_shown(reply: str, kind: Kind) -> None:
    answer = extract_answer(reply, kind).answer

    if answer is not None:
        assert answer == clean(answer)
        assert "\n" not in answer


@given(HOSTILE_REPLIES, st.sampled_from(("math", "open")))
def test_a_cut_reply_votes_only_with_a_statement(reply: str, kind: Kind) -> None:
    found = extract_answer(reply, kind, cut_off=True)

    assert found.answer is None or found.stated


@given(
    st.integers(-(10**12), 10**12),
    st.sampled_from(["The answer is {}.", "#### {}", "\\boxed{{{}}}", "A: {}"]),
)
@settings(max_examples=50)
def test_a_statement_of_any_integer_is_read_back(number: int, form: str) -> None:
    assert extract_answer("Let us see: 12 + 3.\n" + form.format(number), "math").answer == str(number)


@given(HOSTILE_REPLIES, HOSTILE_REPLIES, st.integers(0, 999))
@settings(max_examples=50)
def test_a_closed_box_at_the_end_wins_over_everything_before(before: str, after: str, number: int) -> None:
    balanced = before.replace("\\", "").replace("</think>", "").replace("<think>", "").replace("Q: ", "")
    found = extract_answer(balanced + f"\n\\boxed{{{number}}}", "math")

    assert found == Extraction(str(number), "boxed", len(balanced) + 8, len(balanced) + 8 + len(str(number)))


@pytest.mark.parametrize("kind", ["math", "code", "open"])
@pytest.mark.parametrize("shape", list(TOWERS))
def test_a_hostile_reply_costs_time_in_proportion_to_its_length(shape: str, kind: Kind) -> None:
    def cost(size: int) -> float:
        reply = TOWERS[shape](size)
        return least_cpu(
            lambda: (
                extract_answer(reply, kind),
                extract_answer(reply, kind, cut_off=True, choices=["A", "B"]),
            )
        )

    # Quadratic work would take 64 times as long for 8 times the text; linear work stays far below 30.
    assert cost(160_000) < 30 * max(cost(20_000), 0.002)

"""Answers are read out of replies as models really write them."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifiers.answers import Extraction, extract_answer
from verifiers.safe_text import clean
from verifiers.verdicts import Kind

CASES: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("extraction_cases.toml").read_text(encoding="utf-8")
)["case"]
KINDS: tuple[Kind, ...] = ("math", "code", "proof", "patch", "open")

hostile_text = st.text(
    st.one_of(
        st.characters(),  # every code point there is, lone surrogates among them
        st.sampled_from("\\{}$#*_`.,:;-+/%()[]=\n\t \x1b\x9b\x00\u202e\u200b\ufeff\ud800019aAB"),
    ),
    max_size=300,
)
"""Text that no model should write, and that some will."""

hostile_replies = st.lists(
    st.one_of(
        hostile_text,
        st.sampled_from(
            [
                "\\boxed{",
                "}",
                "The answer is ",
                "#### ",
                "Answer:",
                "A: ",
                "Q: ",
                "```python\n",
                "\n```\n",
                "def f(x):",
            ]
            + [
                "</think>",
                "<think>",
                "$",
                "\\(",
                "\\)",
                "\\frac{1}{2}",
                "1,234",
                "3:30 pm",
                "(B)",
                "--- a/x\n",
                "72",
            ]
        ),
    ),
    max_size=12,
).map("".join)
"""The same, with the words in it that our rules look for."""


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
        assert clean(there).split() == found.answer.split()


@given(hostile_replies, st.sampled_from(KINDS), st.booleans())
def test_no_reply_makes_extraction_raise(reply: str, kind: Kind, cut_off: bool) -> None:
    found = extract_answer(reply, kind, cut_off=cut_off)

    assert found.how
    assert (found.start is None) == (found.end is None)
    if found.start is not None and found.end is not None:
        assert 0 <= found.start <= found.end <= len(reply)
    if found.answer is not None:
        assert found.answer.strip()


@given(hostile_replies, st.sampled_from(("math", "open")))
def test_answers_are_fit_to_be_shown(reply: str, kind: Kind) -> None:
    answer = extract_answer(reply, kind).answer

    if answer is not None:
        assert answer == clean(answer)
        assert "\n" not in answer


@given(hostile_replies, st.sampled_from(("math", "open")))
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


@given(hostile_replies, hostile_replies, st.integers(0, 999))
@settings(max_examples=50)
def test_a_closed_box_at_the_end_wins_over_everything_before(before: str, after: str, number: int) -> None:
    balanced = before.replace("\\", "").replace("</think>", "").replace("<think>", "").replace("Q: ", "")
    found = extract_answer(balanced + f"\n\\boxed{{{number}}}", "math")

    assert found == Extraction(str(number), "boxed", len(balanced) + 8, len(balanced) + 8 + len(str(number)))


TOWERS: dict[str, Callable[[int], str]] = {
    "open boxes": lambda size: "\\boxed{" * (size // 7),
    "braces": lambda size: "{" * (size // 2) + "}" * (size // 2),
    "brackets": lambda size: "(" * (size // 2) + ")" * (size // 2),
    "announcements": lambda size: "The answer is " * (size // 14),
    "announcements of words": lambda size: "the answer to " + "a b " * (size // 4),
    "marks": lambda size: "#### \n" * (size // 6),
    "digits": lambda size: "1" * size,
    "commas": lambda size: "1,111" * (size // 5),
    "spaces": lambda size: " " * size + "x",
    "stars": lambda size: "*" * size,
    "dollars": lambda size: "$1" * (size // 2),
    "fences": lambda size: "```\n" * (size // 4),
    "escapes": lambda size: "\x1b]" * (size // 2),
    "C1 openers": lambda size: "\x9d" * size,
    "fractions": lambda size: "\\frac{" * (size // 6),
    "numbers": lambda size: "1 " * (size // 2),
    "slashes": lambda size: "1/" * (size // 2),
    "colons": lambda size: "1:" * (size // 2),
    "words": lambda size: "a" * size,
    "is the answer": lambda size: "xx" * (size // 2) + " is the answer",
    "questions": lambda size: "Q: \n" * (size // 4),
    "one endless line": lambda size: "and so on, " * (size // 11),
    "minus signs": lambda size: "-" * size,
    "dots": lambda size: "." * size,
    "powers": lambda size: "9**" * (size // 3),
    "letters": lambda size: "(A) " * (size // 4),
}
"""Shapes that would make a careless pattern slow, at any size in characters."""


@pytest.mark.parametrize("kind", ["math", "code", "open"])
@pytest.mark.parametrize("shape", list(TOWERS))
def test_a_hostile_reply_costs_time_in_proportion_to_its_length(shape: str, kind: Kind) -> None:
    def cost(size: int) -> float:
        reply = TOWERS[shape](size)
        start = time.process_time()
        extract_answer(reply, kind)
        extract_answer(reply, kind, cut_off=True, choices=["A", "B"])
        return time.process_time() - start

    # Quadratic work would take 64 times as long for 8 times the text; linear work stays far below 30.
    assert cost(160_000) < 30 * max(cost(20_000), 0.002)

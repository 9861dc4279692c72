"""Samples against a known answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifiers.hostile_replies import HOSTILE_REPLIES, KINDS
from verifiers.answers import Extraction, extract_answer
from verifiers.known import judge_answer
from verifiers.verdicts import Kind, Verdict


@pytest.mark.parametrize(
    ("answer", "known", "kind", "verdict"),
    [
        ("72", "72", "math", "right"),
        ("$72.00", "72", "math", "right"),
        ("72 clips", "72", "math", "right"),
        ("96", "72", "math", "wrong"),
        ("5 km", "5 km", "math", "right"),
        ("5", "5 km", "math", "right"),
        ("5 km", "5", "math", "right"),
        ("5 m", "5 km", "math", "wrong"),
        ("5000 m", "5 km", "math", "right"),
        ("5,000 meters", "5 km", "math", "right"),
        ("90 minutes", "1.5 hours", "math", "right"),
        ("90 minutes", "90 hours", "math", "wrong"),
        ("50 cents", "$0.50", "math", "right"),
        ("50 cents", "$50", "math", "wrong"),
        ("2 years", "24 months", "math", "right"),
        ("5 km", "5 kg", "math", "right"),
        ("\\frac{3}{8}", "0.375", "math", "right"),
        ("\\frac{5}{16}", "\\frac{3}{8}", "math", "wrong"),
        ("0.333", "1/3", "math", "wrong"),
        ("x^2 + 2x", "x^{2}+2x", "math", "right"),
        ("x(x+2)", "x^2+2x", "math", "right"),
        ("x(x+3)", "x^2+2x", "math", "wrong"),
        ("2\\sqrt{2}", "\\sqrt{8}", "math", "right"),
        ("7\\pi", "22", "math", "wrong"),
        ("0.5", "50%", "math", "right"),
        ("50", "50%", "math", "right"),
        ("5", "50%", "math", "wrong"),
        ("5%", "0.05", "math", "right"),
        ("\\pi/3", "60^\\circ", "math", "right"),
        ("\\pi/4", "60^\\circ", "math", "wrong"),
        ("1, -2", "(1,-2)", "math", "right"),
        ("-2, 1", "(1,-2)", "math", "wrong"),
        ("28.2743339", "9\\pi", "math", "right"),
        ("28.2743", "9\\pi", "math", "right"),
        ("28.27", "9\\pi", "math", "wrong"),
        ("28.2744", "9\\pi", "math", "wrong"),
        ("\\int_0^1 x\\,dx", "1/2", "math", "undecided"),
        ("(1,2)", "(2,1)", "math", "wrong"),
        ("Tuesday", "Monday", "math", "wrong"),
        ("monday", "Monday", "math", "right"),
        ("B", "(B)", "math", "right"),
        ("C", "(B)", "math", "wrong"),
        ("3:30 pm", "3:30 p.m.", "math", "right"),
        ("3:30 am", "3:30 p.m.", "math", "wrong"),
        ("9**9**9**9", "9", "math", "undecided"),
        ("Yajo.", "yajo", "open", "right"),
        ("yajj", "yajo", "open", "wrong"),
        ("5 km", "5000 m", "open", "wrong"),
        ("def f(): return 1", "def f(): return 1\n", "code", "right"),
        ("def f(): return 1", "def f(): return 2", "code", "undecided"),
    ],
)
def test_what_a_known_answer_decides(answer: str, known: str, kind: Kind, verdict: Verdict) -> None:
    judgement = judge_answer(Extraction(answer, "stated"), known, kind)

    assert judgement.verdict == verdict, judgement.reason
    assert judgement.checker == "known answer"
    assert judgement.reason


def test_a_reply_without_an_answer_is_wrong_and_says_why() -> None:
    judgement = judge_answer(extract_answer("48 + 2", "math", cut_off=True), "72", "math")

    assert (judgement.verdict, judgement.reason) == ("wrong", "no answer to compare (cut off)")


@pytest.mark.parametrize(
    ("reply", "verdict"), [("(B)", "right"), ("12", "right"), ("(A)", "wrong"), ("10", "wrong")]
)
@pytest.mark.parametrize("known", ["B", "12"])
def test_a_letter_and_its_text_are_one_answer(reply: str, known: str, verdict: Verdict) -> None:
    choices = {"A": "10", "B": "12", "C": "14"}
    found = extract_answer(f"The answer is {reply}.", "math", choices=choices)

    assert judge_answer(found, known, "math", choices=choices).verdict == verdict


@given(HOSTILE_REPLIES, HOSTILE_REPLIES, st.sampled_from(KINDS))
def test_judging_never_raises_and_explains_itself_on_one_line(reply: str, known: str, kind: Kind) -> None:
    judgement = judge_answer(extract_answer(reply, kind), known, kind)

    assert judgement.reason
    assert "\n" not in judgement.reason


@given(HOSTILE_REPLIES, st.sampled_from(KINDS))
def test_an_answer_is_right_for_itself(reply: str, kind: Kind) -> None:
    found = extract_answer(reply, kind)

    if found.answer is not None:
        assert judge_answer(found, found.answer, kind).verdict == "right"

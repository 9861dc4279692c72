"""Answers read as mathematics: what is one answer, what is another, and what it costs to tell."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.timing import least_cpu
from tests.verifiers.hostile_replies import HOSTILE_REPLIES
from verifiers.math.reading import CANONICAL, read, real_number
from verifiers.normal import forget_forms, normal_form

GROUPS: list[list[str]] = tomllib.loads(
    Path(__file__).with_name("equal_formulas.toml").read_text(encoding="utf-8")
)["equal"]

PIECES = (
    *(
        "x",
        "y",
        "2",
        "3/4",
        "\\sqrt{2}",
        "\\frac{1}{2}",
        "π",
        "sin x",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "+",
        "-",
    ),
    *(
        "*",
        "/",
        "^",
        ",",
        ";",
        "=",
        "<",
        "\\le ",
        "\\cup ",
        "±",
        "|",
        "!",
        "\\infty",
        "and",
        "or",
        " cm",
        "°",
    ),
    *("\\{", "\\}", "\\begin{pmatrix}", "&", "\\\\", "\\end{pmatrix}", "log_2 ", "e", "i", "_1", "≈", "%"),
)
formulas = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group[0])
def test_all_ways_of_writing_one_thing_have_one_key(group: list[str]) -> None:
    forms = {answer: normal_form(answer, "math") for answer in group}

    assert len(set(forms.values())) == 1, forms


def test_no_two_things_have_one_key() -> None:
    forms = {group[0]: normal_form(group[0], "math") for group in GROUPS}

    for one, other in itertools.combinations(forms, 2):
        assert forms[one] != forms[other], (one, other)


@given(formulas)
def test_reading_never_raises_and_its_keys_are_left_alone(formula: str) -> None:
    key = read(formula)

    if key is not None:
        assert normal_form(key, "math") == key
        assert CANONICAL.fullmatch(key) or len(key) == 1 or key.count(";")


@given(HOSTILE_REPLIES)
def test_reading_never_raises(answer: str) -> None:
    read(answer)


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 9))
def test_a_polynomial_is_its_expansion_and_no_other(a: int, b: int, c: int) -> None:
    factored = f"{c}(x+{a})(x+{b})".replace("+-", "-")
    expanded = f"{c}x^2 + {c * (a + b)}x + {c * a * b}".replace("+ -", "- ")

    assert normal_form(factored, "math") == normal_form(expanded, "math")
    assert normal_form(factored, "math") != normal_form(f"{expanded} + 1", "math")


def test_a_number_can_be_asked_for() -> None:
    assert real_number("x = \\frac{3}{8}") is not None
    assert str(real_number("x = \\frac{3}{8}")) == "3/8"
    assert real_number("(1, 2)") is None
    assert real_number("3 + 2i") is None
    assert real_number("9**9**9**9") is None


@pytest.mark.parametrize(
    "answer",
    [
        "9**9**9**9",
        "10^{10^{10}}",
        "1000000!",
        "((2^99)^99)^99",
        "x^" * 60 + "x",
        "(" * 5_000 + ")" * 5_000,
        "sqrt(" * 190 + "x" + ")" * 190,
        "\\frac{1}{2}" * 100_000,
        "+".join(f"arcsin(x/{place})" for place in range(2, 80)),
        "(x^2+499)!" * 50,
        "\\begin{pmatrix}" + "&".join(["√2"] * 200) + "\\end{pmatrix}",
        "lcm(99999999999," * 60,
        "\\binom{10^9}{5*10^8}",
        "sin(10^{5000})",
        "1/0 + 1/(x-x)",
    ],
    ids=lambda answer: answer[:20],
)
def test_a_hostile_formula_costs_some_milliseconds(answer: str) -> None:
    def work() -> None:
        forget_forms()
        normal_form(answer, "math")

    assert least_cpu(work) < 0.03

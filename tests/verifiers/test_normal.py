"""Which spellings are one answer, and which are not."""

from __future__ import annotations

import itertools
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.timing import least_cpu
from tests.verifiers.hostile_replies import HOSTILE_REPLIES, HOSTILE_TEXT, KINDS, TOWERS
from verifiers.normal import normal_form, same_answer
from verifiers.verdicts import Kind

_TABLE = tomllib.loads(Path(__file__).with_name("same_answer_cases.toml").read_text(encoding="utf-8"))
SAME: list[dict[str, Any]] = _TABLE["same"]
DIFFERENT: list[dict[str, Any]] = _TABLE["different"]

spellings = st.sampled_from([answer for case in SAME + DIFFERENT for answer in case["answers"]])
odd_answers = st.one_of(
    spellings,
    HOSTILE_TEXT,
    HOSTILE_REPLIES,
    st.text(st.sampled_from("0123456789.,/:-+*^()[]{}$%=\\ xπ√√pamenhdt"), max_size=24),
    st.lists(spellings, min_size=2, max_size=3).map(", ".join),
    st.lists(spellings, min_size=2, max_size=3).map(" ".join),
)


@pytest.mark.parametrize("case", SAME, ids=lambda case: case["why"])
def test_spellings_of_one_answer_are_the_same(case: dict[str, Any]) -> None:
    forms = {answer: normal_form(answer, case.get("kind", "math")) for answer in case["answers"]}

    assert len(set(forms.values())) == 1, forms


@pytest.mark.parametrize("case", DIFFERENT, ids=lambda case: case["why"])
def test_near_misses_are_not(case: dict[str, Any]) -> None:
    kind = case.get("kind", "math")

    for one, other in itertools.combinations(case["answers"], 2):
        assert not same_answer(one, other, kind), (one, other, normal_form(one, kind))


@given(odd_answers, st.sampled_from(KINDS))
def test_a_normal_form_is_its_own_normal_form(answer: str, kind: Kind) -> None:
    form = normal_form(answer, kind)

    assert normal_form(form, kind) == form


@given(st.lists(odd_answers, min_size=3, max_size=3), st.sampled_from(KINDS))
def test_sameness_is_an_equivalence(answers: list[str], kind: Kind) -> None:
    one, two, three = answers

    assert same_answer(one, one, kind)
    assert same_answer(one, two, kind) == same_answer(two, one, kind)
    if same_answer(one, two, kind) and same_answer(two, three, kind):
        assert same_answer(one, three, kind)


@given(st.fractions(max_denominator=10**6), st.fractions(max_denominator=10**6))
def test_fractions_are_the_same_exactly_when_they_are_equal(one: Fraction, other: Fraction) -> None:
    latex = f"{'-' if one < 0 else ''}\\frac{{{abs(one.numerator)}}}{{{one.denominator}}}"

    assert same_answer(latex, str(one), "math")
    assert same_answer(str(one), str(other), "math") == (one == other)


@given(st.decimals(-(10**9), 10**9, places=3), st.integers(0, 4))
def test_decimals_do_not_mind_their_zeros_commas_and_signs(number: Any, zeros: int) -> None:
    plain = f"{number:f}"

    assert same_answer(plain, plain + "0" * zeros, "math")
    assert same_answer(plain, f"{number:,}", "math")
    assert same_answer(plain, f"{plain} dollars", "math")


@given(HOSTILE_REPLIES, st.sampled_from(KINDS))
def test_normal_forms_never_raise_and_stay_small(answer: str, kind: Kind) -> None:
    assert len(normal_form(answer, kind)) <= 4 * len(answer) + 80


@pytest.mark.parametrize("kind", ["math", "code", "open"])
@pytest.mark.parametrize("shape", list(TOWERS))
def test_a_hostile_answer_costs_time_in_proportion_to_its_length(shape: str, kind: Kind) -> None:
    def cost(size: int) -> float:
        answer = TOWERS[shape](size)
        return least_cpu(lambda: normal_form(answer, kind))

    # At the length where the rules still look, and far beyond it.
    assert cost(1_900) < 0.1
    assert cost(160_000) < 30 * max(cost(20_000), 0.002)


def test_a_tower_of_powers_is_not_climbed() -> None:
    assert normal_form("9**9**9**9", "math") == "9^9^9^9"
    assert normal_form("10^999999999", "math") == "10^999999999"
    assert normal_form("1e999999999", "math") == "1e999999999"
    assert least_cpu(lambda: normal_form("9**9**9**9", "math")) < 0.05

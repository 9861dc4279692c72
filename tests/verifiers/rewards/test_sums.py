"""Calculations are read as people and models write them, and checked to the last place written."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.timing import least_cpu
from tests.verifiers.hostile_replies import HOSTILE_REPLIES, TOWERS
from verifiers.rewards.sums import calculations, numbers_in


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        ("She sold 48/2 = <<48/2=24>>24 clips. 48+24=72.", [True, True]),
        ("$20 - $5 = $15", [True]),
        ("10 liters * 10 liters = 10 liters", [False]),
        ("2/3 of 180 = 120, which is more", [True]),
        ("20% of 50 = 10", [True]),
        ("1/3 = 0.33", [True]),
        ("1/3 = 0.34", [False]),
        ("so 5 x 7 = 35 and 35 + 1 = 37", [True, False]),
        ("2 * $3,000 = $6,000.", [True]),
        ("(3 + 4) * 2 = 14", [True]),
        ("48/2 = 24 + 48 = 72", [True, True]),
        ("3 apples + 4 pears = 7 fruits", [True]),
        ("2 - 5 = -3", [True]),
        ("2 - 5 = 3", [False]),
        ("12 ÷ 4 = 3; 2 × 3 = 7", [True, False]),
        (r"\(\frac{48}{2} = 24\) and \( 3 \times 4 = 12 \)", [True, True]),
        (r"\[ 5 \text{ apples} \times 2 = 11 \text{ apples} \]", [False]),
        ("x * 2 = $12", []),
        ("5 = 5", []),
        ("30 / 0 = 0", []),
        ("1/3 = 0.333333333333", [True]),
        ("1 + 1" + "0" * 40 + " = 2", []),
        ("(3 + 4 = 7", []),
        ("the total is 7", []),
        ("", []),
    ],
)
def test_written_calculations_are_checked(text: str, verdicts: list[bool]) -> None:
    assert [found.right for found in calculations(text)] == verdicts


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from("+-*"), st.integers(-2, 2))
def test_a_sum_is_right_exactly_where_it_is(a: int, b: int, sign: str, off: int) -> None:
    value = {"+": a + b, "-": a - b, "*": a * b}[sign]
    [found] = calculations(f"First, {a:,} {sign} {b} = {value + off}.")
    assert (found.value, found.claimed) == (Fraction(value), Fraction(value + off))
    assert found.right == (off == 0)


def test_numbers_are_read_with_their_commas_and_signs_of_percent() -> None:
    assert numbers_in("1,250 of 3.5 and 20%") == [1250, Fraction(7, 2), Fraction(1, 5)]


@given(HOSTILE_REPLIES)
def test_no_text_breaks_the_reader(text: str) -> None:
    assert isinstance(calculations(text), list)


@pytest.mark.parametrize("shape", [*TOWERS, "sums", "brackets of sums", "percent"])
def test_no_shape_is_slow_or_deep(shape: str) -> None:
    own = {
        "sums": "1+1=2=" * 40_000,
        "brackets of sums": "(" * 90_000 + "1+1=2",
        "percent": "1% of " * 40_000 + "= 1",
    }
    text = own[shape] if shape in own else TOWERS[shape](200_000)
    assert least_cpu(lambda: calculations(text + " 1 + 1 = 2")) < 0.5

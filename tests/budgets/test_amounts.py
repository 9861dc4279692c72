"""Amounts as people write them, exactly read and shortly shown."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgets.amounts import (
    AmountError,
    Amounts,
    Budget,
    exact_usd,
    parse_count,
    parse_flops,
    parse_limit,
    parse_seconds,
    parse_usd,
    show_count,
    show_flops,
    show_rate,
    show_seconds,
    show_usd,
    usd_text,
)


@pytest.mark.parametrize(
    ("text", "dollars"),
    [
        ("$0.50", "0.50"),
        ("0.5", "0.5"),
        (" $ 2 ", "2"),
        ("1,200.50", "1200.50"),
        ("$1,200 USD", "1200"),
        ("75 cents", "0.75"),
        ("75¢", "0.75"),
        ("$2k", "2000"),
        ("3 dollars", "3"),
        ("1e-3", "0.001"),
        (".5", "0.5"),
        ("+1", "1"),
        ("0", "0"),
        ("0.1", "0.1"),
    ],
)
def test_dollars(text: str, dollars: str) -> None:
    assert parse_usd(text) == Decimal(dollars)


@pytest.mark.parametrize(
    ("text", "flops"),
    [
        ("2e15", 2 * 10**15),
        ("1.5 PFLOP", 15 * 10**14),
        ("1.5PFLOPs", 15 * 10**14),
        ("300 tflop", 3 * 10**14),
        ("12", 12),
        ("7 EFLOP", 7 * 10**18),
        ("2 petaflops", 2 * 10**15),
        ("3 exa-flop", 3 * 10**18),
        ("1 ZFLOP", 10**21),
        ("2 GFLOP", 2 * 10**9),
        ("1,000 FLOPs", 1000),
        ("0.123456789123456789 EFLOP", 123456789123456789),
    ],
)
def test_flops(text: str, flops: int) -> None:
    assert parse_flops(text) == flops


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("200", 200),
        ("1,000", 1000),
        ("20k", 20_000),
        ("1.5M", 1_500_000),
        ("1e4", 10_000),
        ("2 million", 2_000_000),
    ],
)
def test_counts(text: str, count: int) -> None:
    assert parse_count(text) == count


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("90 s", 90.0),
        ("10 min", 600.0),
        ("10m", 600.0),
        ("1h30m", 5400.0),
        ("1 h 30 min", 5400.0),
        ("1:30", 90.0),
        ("1:00:05", 3605.0),
        ("500 ms", 0.5),
        ("2 hours", 7200.0),
        ("1.5h", 5400.0),
        ("1d", 86400.0),
    ],
)
def test_seconds(text: str, seconds: float) -> None:
    assert parse_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("$0.50", "usd", Decimal("0.50")),
        ("50 cents", "usd", Decimal("0.5")),
        ("2 usd", "usd", Decimal(2)),
        ("200 samples", "samples", 200),
        ("1 sample", "samples", 1),
        ("20k tokens", "tokens", 20_000),
        ("1.5 PFLOP", "flops", 15 * 10**14),
        ("2e15 flops", "flops", 2 * 10**15),
        ("10 min", "seconds", 600.0),
        ("1h30m", "seconds", 5400.0),
        ("1:30", "seconds", 90.0),
        ("20K Tokens", "tokens", 20_000),
    ],
)
def test_limits_go_by_their_unit(text: str, field: str, value: object) -> None:
    assert parse_limit(text) == (field, value)


@pytest.mark.parametrize("parse", [parse_usd, parse_flops, parse_count, parse_seconds, parse_limit])
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-1",
        "-$1",
        "nan",
        "NaN",
        "inf",
        "Infinity",
        "-inf",
        "ten",
        "1.2.3",
        "1,2",
        "1,23,456",
        "1e400",
        "1e999999999",
        "0x10",
        "1_000",
        "١٢",
        "$",
        "samples",
        "12 parsecs",
        "1;2",
        "\x00",
        "1e",
        "--1",
        "9" * 400,
    ],
)
def test_what_is_no_amount_is_refused_with_an_example(parse: object, text: str) -> None:
    assert callable(parse)
    with pytest.raises(AmountError) as caught:
        parse(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("10m", "minutes or millions"),
        ("200", "no unit"),
        ("1.000 samples", "two ways"),
        ("€5", "not a limit"),
        ("1.5 PFLOP/s", "speed"),
        ("0.5 samples", "whole"),
        ("$1e12", "more than any run"),
        ("1e40 flop", "more than"),
        ("1:75", "up to 59"),
        ("5 $ samples", "money"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(text: str, reason: str) -> None:
    with pytest.raises(AmountError, match=reason):
        parse_limit(text)


def test_a_number_without_its_unit_inside_a_time_is_refused() -> None:
    with pytest.raises(AmountError, match="without its unit"):
        parse_seconds("1h 30")


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_usd, parse_flops, parse_count, parse_seconds, parse_limit):
        try:
            parse(text)
        except AmountError:
            continue


@given(st.decimals("0.0001", 10**8, places=4))
def test_dollars_survive_being_shown_in_full(value: Decimal) -> None:
    assert parse_usd(usd_text(value)) == value


@given(st.integers(0, 10**26))
def test_shown_flops_read_back_within_their_digits(value: int) -> None:
    again = parse_flops(show_flops(value))
    assert abs(again - value) <= value // 190


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "$0.00"),
        ("10.8", "$10.80"),
        ("0.0072", "$0.0072"),
        ("0.000000123", "$0.00000012"),
        ("0.0996", "$0.10"),
        ("0.99999", "$1.00"),
        ("1234567.891", "$1,234,567.89"),
        ("-0.004", "-$0.0040"),
        ("0.125", "$0.12"),
    ],
)
def test_shown_dollars(value: str, text: str) -> None:
    assert show_usd(Decimal(value)) == text


@given(st.decimals("1e-12", 1000, places=12))
def test_money_that_is_there_never_shows_as_nothing(value: Decimal) -> None:
    assert any(digit in show_usd(value) for digit in "123456789")


def test_shown_counts_flops_and_times() -> None:
    assert [show_count(n) for n in (0, 999, 1000, 12345, 999_950, 20_000)] == [
        "0",
        "999",
        "1k",
        "12.3k",
        "1M",
        "20k",
    ]
    assert [show_flops(n) for n in (0, 402 * 10**12, 15 * 10**14, 999_999)] == [
        "0 FLOP",
        "402 TFLOP",
        "1.5 PFLOP",
        "1 MFLOP",
    ]
    assert [show_seconds(s) for s in (0.44, 9.99, 59.6, 90, 3599.9, 7300)] == [
        "0.4 s",
        "10 s",
        "1 min",
        "1 min 30 s",
        "1 h",
        "2 h 2 min",
    ]
    assert {show(None) for show in (show_usd, show_flops, show_count, show_seconds)} == {"unknown"}


def test_plain_dollars_have_no_exponent() -> None:
    assert usd_text(Decimal("1E+2")) == "100"
    assert usd_text(Decimal("1.50E-7")) == "0.00000015"
    assert usd_text(Decimal("0E-15")) == "0"


def test_exact_dollars_round_up_and_leave_real_prices_alone() -> None:
    assert exact_usd(Decimal("1.5e-7")) == Decimal("1.5e-7")
    assert exact_usd(Decimal("1.0000000000000001")) == Decimal("1.000000000000001")


def test_unknown_stays_unknown_in_sums() -> None:
    known, unknown = Amounts(Decimal(1), 5, 10, 1), Amounts(None, None, 10, 1)
    assert known + unknown == Amounts(None, None, 20, 2)
    assert known - unknown == Amounts(None, None, 0, 0)
    assert unknown.times(3) == Amounts(None, None, 30, 3)
    assert known.times(3) == Amounts(Decimal(3), 15, 30, 3)
    assert known.without_samples() == Amounts(Decimal(1), 5, 10, 0)


@pytest.mark.parametrize(
    "caps",
    [
        {"usd": Decimal(-1)},
        {"usd": Decimal("nan")},
        {"flops": -1},
        {"tokens": -1},
        {"samples": -1},
        {"seconds": -1.0},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"usd": Decimal("Infinity")},
    ],
)
def test_a_cap_is_finite_and_not_negative(caps: dict[str, Decimal | int | float]) -> None:
    with pytest.raises(AmountError):
        Budget().raised(**caps)


def test_a_budget_changes_one_cap_at_a_time() -> None:
    budget = Budget(usd=Decimal(1), samples=64)
    assert budget.raised(usd=Decimal(2)) == Budget(usd=Decimal(2), samples=64)
    assert budget.raised(samples=None) == Budget(usd=Decimal(1))
    assert Budget().is_empty
    assert not budget.is_empty


def test_a_time_that_no_run_takes_is_refused() -> None:
    with pytest.raises(AmountError, match="more than any run"):
        parse_seconds("9999999999:00:00")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.6", "$0.60"),
        ("0.150", "$0.15"),
        ("0.075", "$0.075"),
        ("15", "$15.00"),
        ("0", "$0.00"),
        ("1E+1", "$10.00"),
    ],
)
def test_a_price_keeps_its_digits_and_whole_cents(value: str, text: str) -> None:
    assert show_rate(Decimal(value)) == text

"""The ledger's promise, one behaviour at a time: a cap is a cap, and every hold ends exactly once."""

from decimal import Decimal

import pytest

from budgets.amounts import Amounts, Budget
from budgets.ledger import (
    UNLIMITED,
    AlreadySettled,
    Halted,
    Ledger,
    UnknownSize,
    Unpriced,
    WouldExceed,
)

PROMPT = Amounts(Decimal("0.10"), 1000, 100)
EACH = Amounts(Decimal("0.20"), 500, 512, 1)
NOTHING = Amounts()


def usd(text: str) -> Amounts:
    return Amounts(Decimal(text))


def test_a_reservation_is_the_worst_case_of_the_whole_call() -> None:
    ledger = Ledger(Budget(usd=Decimal("0.70")))
    call = ledger.reserve("m", prompt=PROMPT, each=EACH, choices=3)
    worst = Amounts(Decimal("0.70"), 2500, 1636, 3)
    assert call.worst == worst == ledger.books.reserved == ledger.books_of("m").reserved == call.held
    assert ledger.books.known == ledger.books.at_most == NOTHING
    assert ledger.remaining("usd") == 0
    assert ledger.remaining("tokens") is None


def test_what_does_not_fit_is_refused_and_changes_nothing() -> None:
    ledger = Ledger(Budget(usd=Decimal("0.69")))
    with pytest.raises(WouldExceed) as refused:
        ledger.reserve("m", prompt=PROMPT, each=EACH, choices=3)
    assert (refused.value.limit, refused.value.needed, refused.value.remaining) == (
        "usd",
        Decimal("0.70"),
        Decimal("0.69"),
    )
    assert "$0.70" in refused.value.message
    assert ledger.books.reserved == NOTHING
    assert ledger.open_calls == ()


@pytest.mark.parametrize(
    ("budget", "limit"),
    [
        (Budget(usd=Decimal("0.5")), "usd"),
        (Budget(flops=2000), "flops"),
        (Budget(tokens=1124), "tokens"),
        (Budget(samples=2), "samples"),
    ],
)
def test_affordable_is_the_last_number_that_is_granted(budget: Budget, limit: str) -> None:
    ledger = Ledger(budget)
    assert ledger.affordable(PROMPT, EACH) == 2
    assert ledger.binding(PROMPT, EACH) == limit
    with pytest.raises(WouldExceed) as refused:
        ledger.reserve("m", prompt=PROMPT, each=EACH, choices=3)
    assert refused.value.limit == limit
    ledger.reserve("m", prompt=PROMPT, each=EACH, choices=2)
    assert ledger.affordable(PROMPT, EACH) == 0


def test_without_a_cap_everything_is_affordable() -> None:
    ledger = Ledger(Budget())
    assert ledger.affordable(PROMPT, EACH) == UNLIMITED
    assert ledger.binding(PROMPT, EACH) is None
    assert Ledger(Budget(usd=Decimal(0))).affordable(NOTHING, Amounts(samples=1)) == UNLIMITED


def test_settling_charges_the_truth_and_frees_the_rest() -> None:
    ledger = Ledger(Budget(usd=Decimal(1)))
    call = ledger.reserve("m", prompt=PROMPT, each=EACH, choices=2)
    call.settle_prompt(Amounts(Decimal("0.04"), 400, 40))
    call.settle_choice(1, Amounts(Decimal("0.01"), 25, 30, 1))
    assert ledger.books.known == ledger.books.at_most == Amounts(Decimal("0.05"), 425, 70, 1)
    assert ledger.books.reserved == call.held == EACH
    call.settle_choice(0, Amounts(Decimal("0.02"), 50, 60, 1))
    assert ledger.books.reserved == NOTHING
    assert not call.is_open
    assert ledger.remaining("usd") == Decimal("0.93")


def test_a_cancelled_choice_keeps_what_was_seen_where_the_server_stops() -> None:
    ledger = Ledger(Budget(usd=Decimal(1)))
    call = ledger.reserve("m", prompt=PROMPT, each=EACH, choices=1)
    call.settle_prompt(usd("0.05"))
    call.settle_choice(0, usd("0.03"))
    assert ledger.books.known == ledger.books.at_most == usd("0.08")


def test_a_cancelled_choice_stays_at_most_where_the_server_bills_on() -> None:
    ledger = Ledger(Budget(usd=Decimal(1)))
    call = ledger.reserve("m", prompt=PROMPT, each=EACH, choices=1)
    call.settle_prompt(usd("0.05"))
    call.settle_choice(0, usd("0.03"), EACH.without_samples())
    assert ledger.books.known.usd == Decimal("0.08")
    assert ledger.books.at_most.usd == Decimal("0.25")
    assert ledger.books.uncertain.usd == Decimal("0.17")
    assert ledger.remaining("usd") == Decimal("0.75")


def test_spend_at_most_is_never_below_what_is_known() -> None:
    ledger = Ledger(Budget())
    call = ledger.reserve("m", prompt=PROMPT, each=EACH, choices=1)
    call.settle_prompt(usd("0.05"), usd("0.01"))
    assert ledger.books.at_most.usd == Decimal("0.05")


def test_a_lost_call_consumes_everything_but_samples() -> None:
    ledger = Ledger(Budget(usd=Decimal(1), samples=10))
    call = ledger.reserve("m", prompt=PROMPT, each=EACH, choices=3)
    call.settle_choice(2, Amounts(Decimal("0.01"), 10, 10, 1))
    call.close(lost=True)
    assert ledger.books.known == Amounts(Decimal("0.01"), 10, 10, 1)
    assert ledger.books.at_most == Amounts(Decimal("0.51"), 2010, 1134, 1)
    assert ledger.books.reserved == NOTHING
    assert ledger.remaining("samples") == 9


def test_a_call_that_never_left_gives_everything_back() -> None:
    ledger = Ledger(Budget(usd=Decimal(1)))
    call = ledger.reserve("m", prompt=PROMPT, each=EACH, choices=3)
    call.release_choice(0)
    call.close(lost=False)
    call.close(lost=True)
    assert ledger.books.reserved == ledger.books.at_most == NOTHING
    assert ledger.open_calls == ()


def test_nothing_is_counted_twice() -> None:
    ledger = Ledger(Budget())
    call = ledger.reserve("m", prompt=PROMPT, each=EACH, choices=2)
    call.settle_prompt(usd("0.05"))
    call.settle_choice(0, usd("0.01"))
    before = ledger.books
    with pytest.raises(AlreadySettled):
        call.settle_prompt(usd("0.05"))
    with pytest.raises(AlreadySettled):
        call.settle_choice(0, usd("0.01"))
    with pytest.raises(AlreadySettled):
        call.release_choice(0)
    assert ledger.books == before
    call.close(lost=False)
    with pytest.raises(AlreadySettled):
        call.settle_choice(1, usd("0.01"))


@pytest.mark.parametrize("choice", [-1, 2, 99])
def test_choices_that_were_not_asked_for_do_not_exist(choice: int) -> None:
    call = Ledger(Budget()).reserve("m", prompt=PROMPT, each=EACH, choices=2)
    with pytest.raises(ValueError, match="choices 0 to 1"):
        call.settle_choice(choice, NOTHING)
    with pytest.raises(ValueError, match="choices 0 to 1"):
        call.release_choice(choice)


def test_a_charge_above_its_hold_is_counted_recorded_and_stops_new_work() -> None:
    ledger = Ledger(Budget(usd=Decimal(1), tokens=100_000))
    call = ledger.reserve("m", prompt=PROMPT, each=EACH, choices=1)
    call.settle_prompt(PROMPT)
    call.settle_choice(0, Amounts(Decimal("0.25"), 500, 600, 1))
    assert ledger.books.known.usd == Decimal("0.35")
    assert [(s.model, s.part, s.limit, s.by) for s in ledger.surprises] == [
        ("m", "choice 0", "usd", Decimal("0.05")),
        ("m", "choice 0", "tokens", 88),
    ]
    assert "$0.05" in ledger.surprises[0].message
    assert ledger.stopped
    assert ledger.affordable(PROMPT, EACH) == 0
    with pytest.raises(Halted):
        ledger.reserve("m", prompt=PROMPT, each=EACH, choices=1)
    ledger.resume()
    ledger.reserve("m", prompt=PROMPT, each=EACH, choices=1)
    assert len(ledger.surprises) == 2


def test_a_surprise_past_the_cap_leaves_nothing_below_zero() -> None:
    ledger = Ledger(Budget(usd=Decimal("0.30")))
    call = ledger.reserve("m", prompt=PROMPT, each=EACH, choices=1)
    call.settle_choice(0, usd("5"))
    call.close(lost=False)
    ledger.resume()
    assert ledger.remaining("usd") == 0
    with pytest.raises(WouldExceed) as refused:
        ledger.reserve("m", prompt=NOTHING, each=usd("0.01"), choices=1)
    assert refused.value.remaining == 0


def test_no_price_under_a_dollar_cap_is_refused_with_the_line_that_mends_it() -> None:
    ledger = Ledger(Budget(usd=Decimal(1)))
    unpriced = Amounts(None, 1, 1, 1)
    for ask in (
        lambda: ledger.reserve("m", prompt=NOTHING, each=unpriced, choices=1),
        lambda: ledger.affordable(NOTHING, unpriced, "m"),
        lambda: ledger.reserve("m", prompt=Amounts(None), each=NOTHING, choices=1),
    ):
        with pytest.raises(Unpriced, match="m has no known price") as refused:
            ask()
        assert "--price IN,OUT" in refused.value.fix


def test_no_size_under_a_flop_cap_is_refused() -> None:
    with pytest.raises(UnknownSize) as refused:
        Ledger(Budget(flops=10**15)).reserve("gpt", prompt=NOTHING, each=Amounts(flops=None), choices=1)
    assert refused.value.model == "gpt"


def test_without_the_cap_the_unknown_is_named_and_never_a_zero() -> None:
    ledger = Ledger(Budget(samples=10))
    each = Amounts(None, None, 512, 1)
    call = ledger.reserve("gpt", prompt=Amounts(None, None, 10), each=each, choices=2)
    assert ledger.books.unknown == {"usd", "flops"}
    call.settle_prompt(Amounts(None, None, 8))
    call.settle_choice(0, Amounts(None, None, 100, 1))
    call.release_choice(1)
    priced = ledger.reserve("known", prompt=PROMPT, each=EACH, choices=1)
    priced.settle_prompt(PROMPT)
    priced.settle_choice(0, EACH)
    assert ledger.books.unknown == {"usd", "flops"}
    assert ledger.books.known == Amounts(Decimal("0.30"), 1500, 720, 2)
    assert ledger.books_of("known").unknown == frozenset()
    assert ledger.books_of("gpt").unknown == {"usd", "flops"}


def test_an_unknown_hold_that_is_released_leaves_no_mark() -> None:
    ledger = Ledger(Budget())
    ledger.reserve("m", prompt=Amounts(None), each=Amounts(None), choices=3).close(lost=False)
    assert ledger.books.unknown == frozenset()


def test_an_unknown_hold_that_turns_out_to_have_a_price_leaves_no_mark() -> None:
    ledger = Ledger(Budget())
    call = ledger.reserve("m", prompt=NOTHING, each=Amounts(None), choices=1)
    call.settle_choice(0, usd("0.5"))
    call.close(lost=False)
    assert ledger.books.unknown == frozenset()
    assert ledger.books.known.usd == Decimal("0.5")
    assert ledger.surprises == []


def test_an_unknown_charge_against_a_known_hold_counts_as_the_whole_hold() -> None:
    ledger = Ledger(Budget(usd=Decimal(1)))
    call = ledger.reserve("m", prompt=PROMPT, each=EACH, choices=1)
    call.settle_choice(0, Amounts(None, 5, 5, 1))
    assert ledger.books.known.usd == 0
    assert ledger.books.at_most.usd == Decimal("0.20")
    assert ledger.books.unknown == frozenset()


def test_a_dollar_cap_set_over_spend_without_a_price_is_not_pretended_to_hold() -> None:
    ledger = Ledger(Budget())
    call = ledger.reserve("gpt", prompt=Amounts(None), each=Amounts(None, 0, 1, 1), choices=1)
    call.close(lost=True)
    ledger.set_budget(Budget(usd=Decimal(5)))
    with pytest.raises(Unpriced) as refused:
        ledger.reserve("known", prompt=PROMPT, each=EACH, choices=1)
    assert refused.value.model == "gpt"


def test_lowering_a_cap_below_what_is_out_grants_nothing_new_and_takes_nothing_back() -> None:
    ledger = Ledger(Budget(usd=Decimal(1)))
    call = ledger.reserve("m", prompt=PROMPT, each=EACH, choices=2)
    ledger.set_budget(Budget(usd=Decimal("0.10")))
    assert ledger.remaining("usd") == 0
    assert ledger.affordable(PROMPT, EACH) == 0
    call.settle_prompt(usd("0.10"))
    call.settle_choice(0, usd("0.20"))
    call.settle_choice(1, usd("0.20"))
    assert ledger.books.known.usd == Decimal("0.50")
    assert not ledger.stopped
    ledger.set_budget(Budget(usd=Decimal(1)))
    assert ledger.affordable(PROMPT, EACH) == 2


def test_a_resumed_run_starts_from_what_was_spent() -> None:
    ledger = Ledger(Budget(usd=Decimal(1), samples=4))
    ledger.restore(Amounts(Decimal("0.20"), 5, 50, 2), Amounts(Decimal("0.50"), 9, 90, 2), "m")
    ledger.restore(NOTHING, Amounts(Decimal("0.30"), 5, 50, 1).without_samples(), "m")
    assert ledger.books == ledger.books_of("m")
    assert ledger.books.known == Amounts(Decimal("0.20"), 5, 50, 2)
    assert ledger.books.at_most == Amounts(Decimal("0.80"), 14, 140, 2)
    assert ledger.remaining("usd") == Decimal("0.20")
    assert ledger.remaining("samples") == 2


def test_restored_samples_of_lost_calls_never_count() -> None:
    ledger = Ledger(Budget(samples=1))
    ledger.restore(NOTHING, Amounts(Decimal(1), 1, 1, samples=1), "m")
    assert ledger.remaining("samples") == 1


def test_models_have_their_own_books() -> None:
    ledger = Ledger(Budget())
    ledger.reserve("a", prompt=PROMPT, each=EACH, choices=1).close(lost=True)
    ledger.reserve("b", prompt=PROMPT, each=EACH, choices=2).close(lost=True)
    assert ledger.models == ("a", "b")
    assert ledger.books_of("a").at_most + ledger.books_of("b").at_most == ledger.books.at_most
    assert ledger.books_of("never").at_most == NOTHING


@pytest.mark.parametrize(
    "amounts",
    [
        Amounts(Decimal(-1)),
        Amounts(flops=-1),
        Amounts(tokens=-1),
        Amounts(samples=-1),
        Amounts(Decimal("nan")),
        Amounts(Decimal("Infinity")),
    ],
)
def test_impossible_amounts_never_enter_the_books(amounts: Amounts) -> None:
    ledger = Ledger(Budget())
    call = ledger.reserve("m", prompt=PROMPT, each=EACH, choices=1)
    before = ledger.books
    with pytest.raises(ValueError, match=r"zero or more|not an amount"):
        ledger.reserve("m", prompt=amounts, each=EACH, choices=1)
    with pytest.raises(ValueError, match=r"zero or more|not an amount"):
        call.settle_choice(0, amounts)
    with pytest.raises(ValueError, match=r"zero or more|not an amount"):
        ledger.restore(amounts, amounts, "m")
    assert ledger.books == before
    assert call.is_open


def test_a_call_asks_for_at_least_one_choice() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Ledger(Budget()).reserve("m", prompt=PROMPT, each=EACH, choices=0)


def test_floats_are_not_counts() -> None:
    floating: int = 1.5  # type: ignore[assignment]
    with pytest.raises(TypeError):
        Ledger(Budget()).reserve("m", prompt=Amounts(flops=floating), each=EACH, choices=1)


def test_money_is_exact_at_any_length() -> None:
    ledger = Ledger(Budget(usd=Decimal(1000)))
    tiny = Decimal("0.000000000000001")
    for _ in range(1000):
        call = ledger.reserve("m", prompt=NOTHING, each=Amounts(Decimal("0.1") + tiny, 0, 1, 1), choices=1)
        call.settle_choice(0, Amounts(Decimal("0.1") + tiny, 0, 1, 1))
        call.close(lost=False)
    assert ledger.books.known.usd == Decimal("100.000000000001")
    assert str(Ledger(Budget()).books.known.usd) == "0"


def test_dust_below_a_femto_dollar_never_slips_past_a_cap() -> None:
    ledger = Ledger(Budget(usd=Decimal("0.9999999999999999")))
    with pytest.raises(WouldExceed):
        ledger.reserve("m", prompt=NOTHING, each=usd("1"), choices=1)
    with pytest.raises(WouldExceed):
        ledger.reserve("m", prompt=NOTHING, each=usd("0.9999999999999991"), choices=1)

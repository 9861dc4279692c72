"""Tables of counts as people make them, and samples as programs write them."""

from __future__ import annotations

import pytest

from budgets.counts import CountsError, Sampled, count_samples, parse_counts

PLAIN = "model,problem,n,correct\nm,p1,10,3\nm,p2,20,0\nother,p1,10,10\n"


def test_a_plain_table_by_model_in_the_files_order() -> None:
    models = parse_counts(PLAIN)
    assert list(models) == ["m", "other"]
    assert models["m"].pairs == ((10, 3), (20, 0))
    assert (models["m"].fewest, models["m"].most) == (10, 20)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.rstrip("\n"),
        PLAIN.replace("model,problem", "Model , Problem"),
        PLAIN.replace("\nm,p2", "\n\n ,,,\nm,p2"),
        PLAIN.replace(",10,3", ",10.0,3.0").replace("m,p1", '"m","p1"'),
        "correct,n,problem,model\n3,10,p1,m\n0,20,p2,m\n10,10,p1,other\n",
    ],
    ids=["bom", "crlf", "no last newline", "spaced header", "blank lines", "floats and quotes", "order"],
)
def test_other_spellings_of_the_same_table(text: str) -> None:
    assert parse_counts(text) == parse_counts(PLAIN)


def test_further_columns_are_kept_and_averaged() -> None:
    models = parse_counts("model,problem,n,correct,flops,note\nm,p1,10,3,1e9,x\nm,p2,10,0,3e9,y\n")
    assert models["m"].extra["note"] == ("x", "y")
    assert models["m"].mean_of("flops") == 2e9
    assert models["m"].mean_of("note") is None
    assert models["m"].mean_of("dollars") is None


def test_the_same_problem_of_two_benchmarks_is_two_problems() -> None:
    models = parse_counts("benchmark,model,problem,n,correct\nmath,m,1,10,3\ngsm8k,m,1,10,4\n")
    assert {name: counts.pairs for name, counts in models.items()} == {
        "math/m": ((10, 3),),
        "gsm8k/m": ((10, 4),),
    }


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("m,p1,10,11", "11 of 10"),
        ("m,p1,0,0", "n is 0"),
        ("m,p1,-5,0", "below zero"),
        ("m,p1,10,-1", "below zero"),
        ("m,p1,ten,1", "'ten', no whole number"),
        ("m,p1,1.5,1", "'1.5', no whole number"),
        ("m,p1,10,", "no whole number"),
        ("m,p1,99999999999,1", "above 1,000,000,000"),
        ("m,,10,1", "the problem is empty"),
        (",p1,10,1", "the model is empty"),
        ("m,p1,10", "3 values for 4 columns"),
        ("m,p1,10,1,7", "5 values for 4 columns"),
        ('m,"p1,10,1', "plain CSV"),
    ],
)
def test_a_row_that_cannot_be_true_is_refused_with_its_line(row: str, says: str) -> None:
    with pytest.raises(CountsError) as caught:
        parse_counts(f"model,problem,n,correct\nm,p0,10,1\n{row}\n", "counts.csv")
    assert says in str(caught.value)
    assert "counts.csv, line 3" in caught.value.message
    assert caught.value.fix


def test_a_problem_that_comes_twice_is_refused_with_both_lines() -> None:
    with pytest.raises(CountsError, match=r"line 4: m has problem p1 already \(c, line 2\)"):
        parse_counts("model,problem,n,correct\nm,p1,10,3\nm,p2,10,3\nm,p1,10,3\n", "c")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no column model"),
        ("model,problem,n\nm,p,1\n", "no column correct"),
        ("m,p1,10,3\n", "no column model and no column problem"),
        ("model,problem,n,correct,n\nm,p1,10,3,10\n", "column n twice"),
        ("model,problem,n,correct\n", "no rows"),
    ],
)
def test_a_header_that_cannot_be_read(text: str, says: str) -> None:
    with pytest.raises(CountsError, match=says):
        parse_counts(text)


def sample(place: int, problem: str, verdict: str | None, index: int | None = None) -> Sampled:
    return Sampled(f"s, line {place}", "m", problem, verdict, index)


def test_samples_make_the_same_table_and_undecided_ones_count_nowhere() -> None:
    verdicts = [("a", "right"), ("a", "wrong"), ("b", "wrong"), ("a", "undecided"), ("c", "undecided")]
    models = count_samples(sample(i, problem, verdict) for i, (problem, verdict) in enumerate(verdicts))
    assert models["m"].problems == ("a", "b")
    assert models["m"].pairs == ((2, 1), (1, 0))
    assert models["m"].undecided == 2


def test_a_missing_verdict_is_asked_for_or_refused() -> None:
    ungraded = [sample(1, "a", None), sample(2, "a", "wrong")]
    assert count_samples(ungraded, lambda _: "right")["m"].pairs == ((2, 1),)
    with pytest.raises(CountsError, match="line 1: the sample has no verdict"):
        count_samples(ungraded)


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        ([sample(1, "a", "right", 0), sample(2, "a", "wrong", 0)], "sample 0 of a came already"),
        ([sample(1, "a", "correct")], "'correct' is no verdict"),
        ([sample(1, "a", "undecided")], "No sample was decided"),
        ([], "No sample was decided"),
    ],
)
def test_samples_that_cannot_be_counted(samples: list[Sampled], says: str) -> None:
    with pytest.raises(CountsError, match=says):
        count_samples(samples)

"""What a run comes to: the object for programs, the lines for people."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest

from app.errors import PartMissing
from app.runs import events as ev
from app.runs.journal import fold
from app.runs.result import powers_up_to, result
from app.runs.result_text import summary_lines
from budgets.forecast import forecast
from tests.app.runs.helping import ADDS, RIGHT, SLIP, LengthReward, helped
from tests.app.runs.recordings import MODEL, PER_SAMPLE, call, finished, recording, start
from tests.app.runs.rigs import collect
from verifiers.rules import RULES

ANSWERS = ["72", "24", "72", None, "96", "72", "24", "72"]


def test_a_checked_run() -> None:
    found = result(fold(recording(ANSWERS)))
    assert (found["run_id"], found["status"], found["samples"]) == ("run1", "completed", 8)
    assert found["problem"]["answer"] == "72"
    assert found["picks"]["majority"] == {
        "answer": "72",
        "support": 4,
        "share": 4 / 7,
        "sample": 0,
        "probability": None,
    }
    coverage = found["coverage"]
    assert (coverage["verified"], coverage["n"], coverage["correct"], coverage["undecided"]) == (
        True,
        7,
        4,
        1,
    )
    assert list(coverage["pass_at_k"]) == list(coverage["interval"]) == ["1", "2", "4", "7"]
    assert coverage["pass_at_k"]["1"] == pytest.approx(4 / 7)
    assert coverage["pass_at_k"]["2"] == pytest.approx(1 - 3 / 21)
    assert coverage["pass_at_k"]["4"] == 1.0, "of four samples one is right, for only three are wrong"
    low, high = coverage["interval"]["1"]
    assert low < 4 / 7 < high
    assert coverage["level"] == 0.9
    assert list(coverage["forecast"]) == ["14", "28"]
    assert coverage["unverified"] is None
    assert found["models"]["scripted"]["coverage"] == coverage
    assert found["models"]["scripted"]["samples"] == 8
    assert found["spend"] == {
        "usd": "0.008",
        "usd_at_most": "0.008",
        "flops": 16000.0,
        "prompt_tokens": 0,
        "completion_tokens": 80,
        "seconds": 8.0,
        "by_purpose": {"samples": {"usd": "0.008", "flops": 16000.0, "tokens": 80}},
    }
    assert found["budget"] == {"usd": None, "flops": None, "tokens": None, "samples": 8, "seconds": None}
    assert found["errors"] == {}


def test_every_key_of_the_contract_is_there_and_it_is_json() -> None:
    for events in (recording(ANSWERS), recording(ANSWERS, known=None), recording([]), [start()]):
        found = json.loads(json.dumps(result(fold(events)), allow_nan=False))
        assert list(found) == [
            "run_id", "status", "problem", "samples", "picks", "coverage",
            "models", "spend", "filter", "budget", "errors", "notes",
        ]  # fmt: skip
        assert set(found["picks"]) == {rule.name for rule in RULES}
        assert set(found["coverage"]) == {
            "verified", "n", "correct", "undecided", "pass_at_k",
            "interval", "level", "forecast", "unverified",
        }  # fmt: skip


def test_a_rule_that_did_not_run_is_null_and_the_notes_say_why() -> None:
    found = result(fold(recording(ANSWERS)))
    assert found["picks"]["reward"] is None
    assert found["picks"]["cotnpot_vote"] is None
    assert "Did not run: reward, reward_weighted (no reward model was asked for: --reward)." in found["notes"]
    assert "Did not run: cotnpot_vote (no translator was asked for: --translator)." in found["notes"]


async def test_a_run_with_both_tells_every_pick_and_what_each_cost() -> None:
    engine = helped((RIGHT, SLIP, RIGHT), translator=(ADDS, ADDS, ADDS), reward=LengthReward())
    await collect(engine)
    found = json.loads(json.dumps(result(engine.state), allow_nan=False))
    assert all(pick is not None for pick in found["picks"].values())
    assert found["picks"]["cotnpot"] == found["picks"]["cotnpot"] | {
        "answer": "43", "kept": 2, "dropped": 1, "failed": 0, "not_run": 0, "fallback": False
    }  # fmt: skip
    assert found["picks"]["reward"]["score"] == float(len(RIGHT))
    assert found["filter"]["precision"] == found["filter"]["recall"] == 1.0
    assert found["spend"]["by_purpose"]["translation"]["tokens"] > 0
    assert found["notes"] == []


async def test_rewards_that_are_no_numbers_are_the_rules_reason() -> None:
    engine = helped((RIGHT,), reward=LengthReward(of=lambda text: float("nan")))
    await collect(engine)
    reason = "no sample got a reward: the reward is no finite number"
    assert f"Did not run: reward, reward_weighted ({reason})." in result(engine.state)["notes"]


async def test_a_helper_that_could_not_be_had_is_the_rules_reason() -> None:
    class Missing(LengthReward):
        async def open(self, report: object) -> None:
            raise PartMissing("The weights are not here.", "Run: monkeys models pull length")

    engine = helped((RIGHT,), reward=Missing())
    await collect(engine)
    notes = result(engine.state)["notes"]
    assert any(
        note.startswith("Did not run: reward, reward_weighted (The weights are not here.") for note in notes
    )


def test_without_anything_to_check_against_nothing_is_called_right() -> None:
    coverage = result(fold(recording(ANSWERS, known=None)))["coverage"]
    assert (coverage["verified"], coverage["n"], coverage["correct"]) == (False, 8, None)
    assert coverage["pass_at_k"] == {}
    assert coverage["unverified"]["next_is_new"] == pytest.approx(1 / 7), "96 came once in seven answers"
    assert coverage["unverified"]["estimated"] is True
    assert 0.05 < coverage["unverified"]["pick_right"] < coverage["unverified"]["covered"] < 0.95


def test_without_any_answer_nothing_is_estimated() -> None:
    coverage = result(fold(recording([None, None], known=None)))["coverage"]
    assert coverage["unverified"] == {
        "covered": None, "pick_right": None, "next_is_new": None, "estimated": True,
    }  # fmt: skip


def test_a_checked_run_that_decided_nothing_has_no_pass_at_k() -> None:
    coverage = result(fold(recording([None, None])))["coverage"]
    assert (coverage["verified"], coverage["n"], coverage["correct"], coverage["undecided"]) == (
        True,
        0,
        0,
        2,
    )
    assert coverage["pass_at_k"] == {}


@pytest.mark.parametrize("answers", [ANSWERS, ["24"] * 8], ids=["some right", "none right"])
def test_the_forecast_is_that_of_this_one_problem_at_twice_and_four_times_the_samples(
    answers: list[str | None],
) -> None:
    coverage = result(fold(recording(answers)))["coverage"]
    n, correct = coverage["n"], coverage["correct"]
    expected = forecast([(n, correct)], [2 * n, 4 * n], 0.9)
    assert coverage["forecast"] == {
        str(point.k): [point.value, point.low, point.high] for point in expected.points
    }
    for value, low, high in coverage["forecast"].values():
        assert 0 <= low <= value <= high <= 1
        if correct:
            assert value == 1.0, "a right answer is there already"
        else:
            assert low == 0 < value < high, "nothing is right: never a point without an interval"


def test_there_is_no_forecast_without_anything_to_check_against_or_anything_checked() -> None:
    assert result(fold(recording(ANSWERS, known=None)))["coverage"]["forecast"] is None
    assert result(fold(recording([None, None])))["coverage"]["forecast"] is None
    assert result(fold([start()]))["coverage"]["forecast"] is None


def test_unknown_prices_stay_unknown() -> None:
    charge = finished(0, 1.0, "72")[1]
    assert isinstance(charge, ev.Charged)
    unknown = msgspec.structs.replace(charge, known=type(PER_SAMPLE)(usd=None, flops=None))
    spend = result(fold([start(), call(0, 0.0), finished(0, 1.0, "72")[0], unknown]))["spend"]
    assert spend["usd"] is None
    assert spend["flops"] is None


def test_what_nobody_can_know_is_in_usd_at_most_only() -> None:
    charge = finished(0, 1.0, "72")[1]
    assert isinstance(charge, ev.Charged)
    worst = type(PER_SAMPLE)(usd=Decimal("0.004"))
    events: list[ev.Event] = [
        start(),
        call(0, 0.0),
        finished(0, 1.0, "72")[0],
        msgspec.structs.replace(charge, at_most=worst),
    ]
    state = fold(events)
    assert (result(state)["spend"]["usd"], result(state)["spend"]["usd_at_most"]) == ("0.001", "0.004")
    assert "(at most $0.0040)" in "\n".join(summary_lines(state))


def test_money_is_written_without_an_exponent() -> None:
    charge = finished(0, 1.0, "72")[1]
    assert isinstance(charge, ev.Charged)
    tiny = type(PER_SAMPLE)(usd=Decimal("1E-9"))
    state = fold([start(), call(0, 0.0), msgspec.structs.replace(charge, known=tiny)])
    assert result(state)["spend"]["usd"] == "0.000000001"


def test_several_models_have_coverage_each_and_only_solved_by_any_together() -> None:
    other = msgspec.structs.replace(MODEL, name="other")
    events: list[ev.Event] = [start(models=[MODEL, other])]
    for index, (model, answer) in enumerate([("scripted", "24"), ("other", "72"), ("other", "24")]):
        events += [call(index, float(index), model), *finished(index, index + 1.0, answer, model=model)]
    for model, n, correct in (("scripted", 1, 0), ("other", 2, 1)):
        events.append(
            ev.CoverageChanged(
                at=3.0, model=model, n=n, correct=correct, undecided=0, answers=n, once=n, distinct=n
            )
        )
    found = result(fold(events))
    assert found["coverage"] == {"solved_by_any": True, "n": 3, "correct": 1}
    assert found["models"]["other"]["coverage"]["pass_at_k"] == {"1": 0.5, "2": 1.0}
    assert found["models"]["scripted"]["coverage"]["pass_at_k"] == {"1": 0.0}
    assert found["models"]["other"]["samples"] == 2
    assert found["models"]["other"]["spend"]["seconds"] == 2.0
    text = "\n".join(summary_lines(fold(events)))
    assert "Coverage  other: 1 of 2 right" in text


def test_a_killed_run_is_interrupted_and_says_that_it_can_be_resumed() -> None:
    found = result(fold(recording(ANSWERS, end=False)))
    assert found["status"] == "interrupted"
    assert any("resumed" in note for note in found["notes"])


def test_why_a_run_ended_early_is_in_the_notes() -> None:
    events = [*recording(["72"], end=False), ev.RunEnded(at=1.0, status="budget", reason="The time is up.")]
    assert "The time is up." in result(fold(events))["notes"]


@pytest.mark.parametrize(
    ("n", "ks"), [(0, []), (1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (64, [1, 2, 4, 8, 16, 32, 64])]
)
def test_the_ks_that_are_told(n: int, ks: list[int]) -> None:
    assert powers_up_to(n) == ks


def test_the_summary_says_answer_support_verdict_coverage_and_spend() -> None:
    text = "\n".join(summary_lines(fold(recording(ANSWERS))))
    assert "Answer    72" in text
    assert "4 of 8 samples say so (57%), the runner-up 2, of 3 different answers" in text
    assert "✓ right (known answer)" in text
    assert "4 of 7 right, 1 undecided" in text
    assert "pass@1 57% [" in text
    assert "$0.0080 · 80 tokens · 16 kFLOP · 8 s · 8 samples" in text
    assert "run1 (completed)" in text


def test_the_summary_of_a_wrong_and_of_an_unchecked_answer_says_so() -> None:
    assert "✗ wrong" in "\n".join(summary_lines(fold(recording(["24", "24", "72"]))))
    unchecked = "\n".join(summary_lines(fold(recording(ANSWERS, known=None))))
    assert "? unverified: there was nothing to check it against" in unchecked
    assert "14% that the next answer is a new one" in unchecked
    assert "estimated from agreement: " in unchecked
    assert "pass@" not in unchecked


def test_the_summary_of_nothing_still_says_something() -> None:
    for events in (recording([]), [start()], recording([None, None])):
        assert "Answer    none" in "\n".join(summary_lines(fold(events)))


def test_hostile_answers_stay_on_their_line_and_lose_their_escapes() -> None:
    hostile = "72\x1b[2J\n\x1b]0;owned\x07[/red]\u202e" + "x" * 5000
    lines = summary_lines(fold(recording([hostile], known=None)))
    text = "\n".join(lines)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert all("\n" not in line and len(line) < 260 for line in lines)
    assert lines[0].startswith("Answer    72 [/red]")

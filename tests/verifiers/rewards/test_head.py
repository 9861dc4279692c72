"""The features of a solution and the head's arithmetic; and the head that is shipped, with its card."""

from __future__ import annotations

import math

import numpy as np
import pytest

from verifiers.rewards.features import NAMES, cheap_features
from verifiers.rewards.head import Head, embedded_head, fit_head, read_head

PROBLEM = "Ada has 5 apples and buys 7 more. How many apples does Ada have now?"


def named(solution: str, answer: str | None, mean_logprob: float | None = None) -> dict[str, float | None]:
    return dict(zip(NAMES, cheap_features(PROBLEM, solution, answer, mean_logprob), strict=True))


def test_features_say_what_was_calculated_and_where_the_answer_comes_from() -> None:
    right = named("5 + 7 = 12. The answer is 12.", "12", -0.2)
    assert right["mean log-probability"] == -0.2
    assert right["ends with an answer"] == 1
    assert right["right calculations"] == pytest.approx(math.log(2))
    assert right["answer is a right calculation's result"] == 1
    assert right["share of the problem's numbers used"] == 1
    assert right["numbers from nowhere"] == 0
    wrong = named("5 * 9 = 40. The answer is 40.", "40")
    assert wrong["mean log-probability"] is None
    assert wrong["share of wrong calculations"] == 1
    assert wrong["answer is a wrong calculation's result"] == 1
    assert wrong["share of the problem's numbers used"] == 0.5
    assert wrong["numbers from nowhere"] == pytest.approx(math.log(2))
    silent = named("", None, float("nan"))
    assert silent["mean log-probability"] is silent["share of wrong calculations"] is None
    assert silent["ends with an answer"] == 0


def test_the_chance_is_the_logistic_of_a_weighted_sum() -> None:
    averages = tuple((1.0, 2.0 if name == NAMES[0] else 0.0) for name in NAMES)
    head = Head(layer=1, bias=0.5, weights=(1.0, -1.0), level=0.25, features=averages, card={})
    unknown = [None] * len(NAMES)
    assert head.chance(None, unknown) == pytest.approx(1 / (1 + math.exp(-0.5)))
    assert head.chance([3.0, 1.0], unknown) == pytest.approx(1 / (1 + math.exp(-(0.5 + 2.0 - 0.25))))
    known = [2.0, *unknown[1:]]
    assert head.chance(None, known) == pytest.approx(1 / (1 + math.exp(-(0.5 + 2.0))))


def test_a_fit_finds_what_tells_right_from_wrong_and_survives_its_file() -> None:
    chance = np.random.default_rng(3)
    states, features = chance.normal(5, 2, (600, 4)), chance.normal(-1, 3, (600, len(NAMES)))
    logits = 1.5 * (states[:, 1] - 5) / 2 - 2.0 * (features[:, 2] + 1) / 3
    right = chance.random(600) < 1 / (1 + np.exp(-logits))
    features[::7, 5] = np.nan
    head = fit_head(states, features, right, layer=9, state_penalty=0.01, feature_penalty=0.01)
    again = read_head(head.as_json())
    assert again.layer == 9
    assert np.argmax(np.abs(head.weights)) == 1
    assert np.argmax([abs(weight) for _, weight in head.features]) == 2
    known = [None if np.isnan(value) else float(value) for value in features[0]]
    assert again.chance(states[0].tolist(), known) == pytest.approx(
        head.chance(states[0].tolist(), known), abs=1e-3
    )
    found = [head.chance(row.tolist(), [None] * len(NAMES)) for row in states[:50]]
    assert min(found) > 0
    assert max(found) < 1


def test_a_head_of_other_features_is_refused() -> None:
    text = embedded_head().as_json().replace(NAMES[0], "something else")
    with pytest.raises(ValueError, match="other features"):
        read_head(text)


def test_the_shipped_head_prefers_right_sums_and_carries_its_card() -> None:
    head = embedded_head()
    assert len(head.weights) == 576
    assert head.layer == 18
    right = head.chance(None, cheap_features(PROBLEM, "5 + 7 = 12. The answer is 12.", "12", None))
    wrong = head.chance(None, cheap_features(PROBLEM, "5 + 7 = 13. The answer is 13.", "13", None))
    assert right > 2 * wrong
    easy = head.card["easy problems, each scored without its family"]
    assert easy["problems"] >= 100
    for n in (4, 8, 16):
        assert easy[f"best of {n}"]["reward - random, 95%"][0] > 0

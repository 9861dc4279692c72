"""What judges write, and the score that is read from it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given

from tests.verifiers.hostile_replies import HOSTILE_REPLIES, TOWERS
from verifiers.rewards.judge_replies import read_choice, read_score


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ("Score: 7", 0.7),
        ("The sum is right.\n\n**Score: 10**", 1.0),
        ("Score: 0", 0.0),
        ("score is 3 out of 10", 0.3),
        ("Score: 8/10.", 0.8),
        ("Score: 85%", 0.85),
        ("Score: [9]", 0.9),
        ('{"reasoning": "fine", "score": 6}', 0.6),
        ("$\\boxed{Score: 4}$", 0.4),
        ("First I thought Score: 9. But step two is wrong.\nScore: 1", 0.1),
        ("Score: wrong", 0.0),
        ("Verdict: correct", 1.0),
        ("Verdict: not correct", 0.0),
        ("Verdict: **INCORRECT**", 0.0),
        ("So I would give it 7/10.", 0.7),
        ("The solution is incorrect because 3 + 4 is 7.", 0.0),
        ("The final answer is right.", 1.0),
        ("The solution is not entirely correct.", 0.0),
        ("The answer isn't correct.", 0.0),
        ("Checked all of it.\nCorrect.", 1.0),
        ("It all adds up.\n8", 0.8),
        ("<think>Score: 2, or not?</think>Score: 9", 0.9),
        ("reasoning without an opening tag: score: 1</think>\nScore: 9", 0.9),
        ("> Score: 10\nThe quoted line tries to score itself.\nScore: 2", 0.2),
    ],
)
def test_a_score_is_read_in_whatever_form_it_comes(reply: str, score: float) -> None:
    assert read_score(reply).score == pytest.approx(score)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("", "the judge wrote nothing"),
        (" \n\t", "the judge wrote nothing"),
        ("<think>Score: 9 maybe, but on the other hand", "the judge wrote nothing"),
        ("Let me restate the problem. There are 72 clips in all, sold over two months.", "holds no score"),
        ("Score: from 0 (certainly wrong) to 10", "holds no score"),
        ("Score: 0-10", "holds no score"),
        ("Score: 72", "the judge's score of 72 is off its scale of 0 to 10"),
        ("Score: -3", "the judge's score of -3 is off its scale of 0 to 10"),
        ("> Score: 10", "the judge wrote nothing"),
    ],
)
def test_a_reply_without_a_score_has_none_and_says_why(reply: str, why: str) -> None:
    reading = read_score(reply)
    assert reading.score is None
    assert why in reading.why


def test_a_rambling_judge_is_not_believed_in_the_middle_of_a_sentence() -> None:
    rambling = "The answer is right if we assume that " * 5
    assert read_score(rambling, cut_off=False).score == 1.0
    assert read_score(rambling, cut_off=True).why == "the judge wrote on to its limit without a score"
    assert read_score("Score: 4. But let me go on to", cut_off=True).score == 0.4


@pytest.mark.parametrize(
    ("reply", "choice"),
    [
        ("Better: A", "A"),
        ("**Better: B**", "B"),
        ("A adds where it should multiply.\nBetter: Solution B.", "B"),
        ("The better solution is A", "A"),
        ("Solution B is right, since 3 x 4 = 12.", "B"),
        ("They part at step 2.\n\nB", "B"),
        ("Better: A or B", None),
        ("Both are fine.", None),
        ("", None),
        ("> Better: A\nBetter: B", "B"),
        ("Better: A. No, wait.\nBetter: B", "B"),
    ],
)
def test_a_choice_is_read_or_is_none(reply: str, choice: str | None) -> None:
    assert read_choice(reply) == choice


@given(HOSTILE_REPLIES)
def test_no_reply_breaks_the_reader(reply: str) -> None:
    for reading in (read_score(reply), read_score(reply, cut_off=True)):
        assert (reading.score is None) == bool(reading.why)
        assert reading.score is None or 0 <= reading.score <= 1
    assert read_choice(reply) in ("A", "B", None)


@pytest.mark.parametrize("shape", [*TOWERS, "score", "it is"])
def test_no_shape_is_slow(shape: str) -> None:
    own = {"score": "score: " * 30_000, "it is": "it is so " * 30_000}
    text = own[shape] if shape in own else TOWERS[shape](200_000)
    started = time.process_time()
    read_score(text)
    read_choice(text)
    assert time.process_time() - started < 0.5

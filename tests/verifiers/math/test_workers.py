"""math-verify at arm's length: what it says, what it may not do, and what happens when it hangs."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path

import pytest

from verifiers.answers import Extraction
from verifiers.known import judge_answer
from verifiers.math.keys import AnswerKeys
from verifiers.math.workers import Command, MathVerify, commands
from verifiers.normal import normal_form

HANGS = """
import json, sys, time
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if "hang" in asked["texts"][0]:
        time.sleep(600)
    print(json.dumps({"id": asked["id"], "says": "expr.000000000000000000000000"}), flush=True)
"""


@pytest.fixture(scope="module")
def math_verify() -> Iterator[MathVerify]:
    with MathVerify(1) as workers:
        yield workers


def scripted(program: str) -> Iterator[Command]:
    yield Command("a script", (sys.executable, "-I", "-c", program), {})


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        (r"\int_0^1 x^2\,dx", "1/3"),
        (r"\sum_{k=1}^{10} k", "55"),
        (r"\lim_{x\to 0}\frac{\sin x}{x}", "1"),
        (r"\prod_{k=1}^{4} k", "24"),
    ],
)
def test_what_our_reader_leaves_gets_the_key_that_our_reader_gives(
    math_verify: MathVerify, formula: str, value: str
) -> None:
    assert math_verify.key(formula).result(60) == value


def test_formulas_with_variables_meet_ours(math_verify: MathVerify) -> None:
    assert math_verify.key(r"\sum_{k=1}^{n} k").result(60) == normal_form("n(n+1)/2", "math")
    assert math_verify.key(r"\int_0^x t\,dt").result(60) == normal_form("x^2/2", "math")


@pytest.mark.parametrize(
    "formula", ["9**9**9**9", "9^{9^{9^9}}", "(" * 10_000 + ")" * 10_000, "1+" * 500_000]
)
def test_hostile_formulas_are_undecided_and_hang_nothing(math_verify: MathVerify, formula: str) -> None:
    begun = time.monotonic()

    assert math_verify.key(formula).result(60) is None
    assert time.monotonic() - begun < 20
    assert math_verify.key(r"\int_0^2 x\,dx").result(60) == "2"


@pytest.mark.parametrize(
    "formula",
    ["__import__('os').system('touch {}')", "\\text{{__import__('os').mkdir('{}')}}", "open('{}','w')"],
)
def test_python_in_a_formula_is_not_run(math_verify: MathVerify, formula: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace"

    math_verify.key(formula.format(trace)).result(60)
    math_verify.same(formula.format(trace), "1").result(60)

    assert not trace.exists()


def test_a_plain_child_does_as_well_where_there_are_no_walls() -> None:
    plain = [command for command in commands() if command.name == "limits alone"]

    with MathVerify(1, lambda: iter(plain)) as workers:
        assert workers.key(r"\int_0^1 x\,dx").result(60) == "1/2"
        assert workers.walls == "limits alone"


def test_a_process_that_hangs_is_replaced_and_the_others_are_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("verifiers.math.workers.SECONDS", 0.3)
    with MathVerify(1, lambda: scripted(HANGS)) as workers:
        asked = [workers.key(text) for text in ("a", "hang", "b")]
        wait(asked, 30)

        assert [future.result() for future in asked] == [
            "expr.000000000000000000000000",
            None,
            "expr.000000000000000000000000",
        ]
        assert workers.replaced == 1


def test_where_nothing_starts_all_is_undecided_and_the_trouble_is_told_once() -> None:
    with MathVerify(1, lambda: iter([Command("nowhere", ("/no/such/program",), {})])) as workers:
        assert workers.key("a").result(30) is None
        assert "nowhere" in workers.trouble
        assert workers.key("b").result(1) is None


def test_a_line_that_is_full_turns_questions_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifiers.math.workers.SECONDS", 0.2)
    monkeypatch.setattr("verifiers.math.workers.MOST_WAITING", 3)
    with MathVerify(1, lambda: scripted(HANGS)) as workers:
        asked = [workers.key(f"hang {place}") for place in range(20)]

        assert sum(future.done() for future in asked) >= 15
        assert workers.behind <= 3


# ---------------------------------------------------------------- keys


async def test_keys_prepared_beforehand_group_and_judge(math_verify: MathVerify) -> None:
    keys = AnswerKeys("math", math_verify)
    integral = r"\int_0^1 x\,dx"

    before = judge_answer(Extraction(integral, "boxed"), "1/2", "math", keys=keys)
    await keys.prepare(integral, "1/2")

    assert before.verdict == "undecided"
    assert keys.key(integral) == "1/2"
    assert judge_answer(Extraction(integral, "boxed"), "1/2", "math", keys=keys).verdict == "right"
    assert judge_answer(Extraction(integral, "boxed"), "1/3", "math", keys=keys).verdict == "wrong"


async def test_waiting_for_a_hanging_process_ends_and_the_loop_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("verifiers.math.keys.WAIT_SECONDS", 0.2)
    monkeypatch.setattr("verifiers.math.keys.FIRST_WAIT_SECONDS", 0.2)
    monkeypatch.setattr("verifiers.math.workers.SECONDS", 1.0)
    answer = r"\int hang"
    with MathVerify(1, lambda: scripted(HANGS)) as workers:
        keys = AnswerKeys("math", workers)
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.01)

        ticking = asyncio.create_task(tick())
        await keys.prepare(answer, "1/2")
        ticking.cancel()

        assert ticks > 5
        assert keys.key(answer) == normal_form(answer, "math")
        judged = judge_answer(Extraction(answer, "boxed"), "1/2", "math", keys=keys)
        assert judged.verdict == "undecided"


def test_many_at_once_for_those_who_can_wait(math_verify: MathVerify) -> None:
    keys = AnswerKeys("math", math_verify)

    keys.prepare_all([(r"\int_0^1 2x\,dx", "1"), ("3", "3"), (r"\sum_{k=1}^{3} k", None)])

    assert keys.key(r"\int_0^1 2x\,dx") == "1"
    assert keys.key(r"\sum_{k=1}^{3} k") == "6"


async def test_what_is_too_large_is_undecided_and_asks_nobody() -> None:
    asked: list[str] = []

    def nobody() -> Iterator[Command]:
        asked.append("asked")
        return iter(())

    with MathVerify(1, nobody) as workers:
        keys = AnswerKeys("math", workers)
        await keys.prepare("9**9**9**9", "9")
        judged = judge_answer(Extraction("9**9**9**9", "boxed"), "9", "math", keys=keys)

    assert judged.verdict == "undecided"
    assert not asked


def test_plain_answers_ask_nobody() -> None:
    asked: list[str] = []

    def nobody() -> Iterator[Command]:
        asked.append("asked")
        return iter(())

    with MathVerify(1, nobody) as workers:
        keys = AnswerKeys("math", workers)
        keys.prepare_all(
            [("72", "72"), (r"\frac{1}{2}", "0.5"), ("2\\sqrt{2}", "\\sqrt{8}"), ("blue", "red")]
        )

        assert not asked
        assert keys.key("2\\sqrt{2}") == keys.key("\\sqrt{8}")


def test_a_key_given_earlier_is_kept(math_verify: MathVerify) -> None:
    keys = AnswerKeys("math", math_verify)
    keys.keep("\\int hang", "expr.1")

    assert keys.key("\\int hang") == "expr.1"
    assert not keys.needs("\\int hang")

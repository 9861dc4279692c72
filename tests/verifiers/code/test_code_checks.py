"""Verdicts on replies to code problems, and the reasons they give."""
# ruff: noqa: E501  tables of programs, one a line

from __future__ import annotations

import json
from typing import Any

import pytest

from verifiers.code import CodeChecker, CodeVerdict
from verifiers.sandbox import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")

SORT = "Write a function f(numbers) that returns them sorted."
SORT_TESTS = (
    "def check(candidate):\n    assert candidate([3, 1, 2]) == [1, 2, 3]\n    assert candidate([]) == []\n"
)


async def judged(
    sandbox: Sandbox, reply: str, tests: str | dict[str, Any] = SORT_TESTS, **more: Any
) -> CodeVerdict:
    known = {"type": "python", "code": tests, "seconds": 1} if isinstance(tests, str) else tests
    asked = {"prompt": SORT, "entry_point": "f"} | more
    repeat = asked.pop("repeat", 1)
    return await CodeChecker(sandbox, repeat_tests=repeat).judge(reply, tests=known, **asked)


@pytest.mark.parametrize(
    ("reply", "verdict", "reason"),
    [
        ("```python\ndef f(x):\n    return sorted(x)\n```", "right", "passes the tests (2 calls)"),
        ("def f(x): return x", "wrong", "f([3, 1, 2]) gave [3, 1, 2], expected [1, 2, 3]"),
        ("def f(x): return tuple(sorted(x))", "wrong", "f([3, 1, 2]) gave (1, 2, 3), expected [1, 2, 3]"),
        ("def f(x): return x.sort()", "wrong", "f([3, 1, 2]) gave None, expected [1, 2, 3]"),
        ("def f(x): return 1 / 0", "wrong", "f([3, 1, 2]) raised ZeroDivisionError: division by zero"),
        ("def f(x): raise SystemExit(0)", "wrong", "f([3, 1, 2]) raised SystemExit: 0"),
        ("def f(x):\n    while True: pass", "wrong", "ran out of its 1 s (at f([3, 1, 2]))"),
        ("def f(x):\n    import os\n    os._exit(0)", "wrong", "the program ended before it answered (at f([3, 1, 2]))"),
        ("def f(x):\n    import ctypes\n    ctypes.string_at(0)", "wrong", "the program crashed (SIGSEGV) (at f([3, 1, 2]))"),
        ("def f(x):\n    while True: print('x' * 9999)", "wrong", "printed more than is kept (at f([3, 1, 2]))"),
        ("def f(x):\n    return bytearray(3 << 30)", "wrong", "f([3, 1, 2]) raised MemoryError:"),
        ("x = bytearray(3 << 30)\ndef f(x): pass", "wrong", "ran out of its 512 MB (at f([3, 1, 2]))"),
        ("def g(x): return x", "wrong", "the program failed: NameError: the program defines no f (at f([3, 1, 2]))"),
        ("```python\ndef f(x):\n    return (\n```", "wrong", "the program failed: SyntaxError: '(' was never closed (at f([3, 1, 2]))"),
        ("I cannot help with that.", "wrong", "the reply holds no program"),
    ],
)  # fmt: skip
async def test_a_verdict_says_which_case_and_why(
    sandbox: Sandbox, reply: str, verdict: str, reason: str
) -> None:
    found = (await judged(sandbox, reply)).judgement
    assert (found.verdict, found.reason, found.checker) == (verdict, reason, "tests")


@pytest.mark.parametrize(
    "body",
    [
        "class Liar:\n    def __eq__(self, other): return True\n    def __repr__(self): return '[1, 2, 3]'\ndef f(x): return Liar()",
        "class Liar(list):\n    def __eq__(self, other): return True\ndef f(x): return Liar()",
        "import sys\nsys.stdout = None\ndef f(x):\n    sys._getframe(2).f_globals['check'] = None\n    return x",
        "import json\njson.dumps = lambda *a: '{\"value\": {\"list\": [1, 2, 3]}}'\ndef f(x): return 0",
        "import os\nos.write(5, b'{\"outcome\": \"passed\", \"calls\": 2}')\ndef f(x): return 0",
        "import os\ndef f(x):\n    os.write(4, b'{\"outcome\": \"passed\"}\\n' * 9)\n    os._exit(0)",
        "import os\ndef f(x):\n    os.write(4, b'garbage\\n' * 9)\n    return 1",
        "import os\ndef f(x):\n    os.write(4, b'[' * 100000 + b'\\n')\n    return 1",
        "def f(x): raise AssertionError",
    ],
)  # fmt: skip
async def test_a_cheat_never_passes(sandbox: Sandbox, body: str) -> None:
    """Even one that answers right once for all calls: the second case differs."""
    assert (await judged(sandbox, body)).judgement.verdict == "wrong"


async def test_expected_values_are_out_of_the_candidate_s_reach(sandbox: Sandbox) -> None:
    """Searching everything the interpreter knows for a value that only the tests hold."""
    secret = "swordfish" * 3
    thief = """
import gc, sys
def f(x):
    for thing in gc.get_objects():
        if isinstance(thing, dict):
            for value in list(thing.values()):
                if isinstance(value, str) and len(value) == 27 and value[:5] == "sword": return value
        elif isinstance(thing, (list, tuple)):
            for value in thing:
                if isinstance(value, str) and len(value) == 27 and value[:5] == "sword": return value
    frame = sys._getframe()
    while frame:
        for value in [*frame.f_locals.values(), *frame.f_globals.values()]:
            if isinstance(value, str) and len(value) == 27 and value[:5] == "sword": return value
        frame = frame.f_back
"""
    found = await judged(sandbox, thief, f"def check(candidate):\n    assert candidate(1) == '{secret}'")
    assert found.judgement.verdict == "wrong"
    assert found.judgement.reason == f"f(1) gave None, expected '{secret}'"


@pytest.mark.parametrize(
    ("program", "tests"),
    [
        ("def f(): return {1: (2, 'x'), None: {3}, 'k': frozenset([4])}", "assert f() == {1: (2, 'x'), None: {3}, 'k': frozenset([4])}"),
        ("def f(): return [10**400, -0.0, 1e308, 2j, b'x', True]", "assert f() == [10**400, -0.0, 1e308, 2j, b'x', True]"),
        ("def f(): return float('nan')", "import math\nassert math.isnan(f())"),
        ("def f(): return '\\ud800'", "assert f() == '\\ud800'"),
        ("from fractions import Fraction as F\nfrom decimal import Decimal as D\ndef f(): return [F(1, 3), D('1.10')]", "from fractions import Fraction\nfrom decimal import Decimal\nassert f() == [Fraction(1, 3), Decimal('1.1')]"),
        ("from collections import Counter, OrderedDict\ndef f(): return [Counter('aab'), OrderedDict(b=1)]", "assert f() == [{'a': 2, 'b': 1}, {'b': 1}]"),
        ("import numpy as np\ndef f(): return np.int64(5)", "assert f() == 5"),
        ("import numpy as np\ndef f(): return np.array([1.0, 2.0])", "assert (f() == [1.0, 2.0]).all()"),
        ("def f(n):\n    for i in range(n): yield i", "assert list(f(3)) == [0, 1, 2]"),
        ("def f(n): return range(n)", "assert f(3) == range(3)"),
        ("def f(x): x.sort()", "a = [2, 1]\nf(a)\nassert a == [1, 2]"),
        ("def f(x): x['k'] = 1", "a = {}\nf(a)\nassert a == {'k': 1}"),
        ("def f(a, *, b=1): return a + b", "assert f(1, b=2) == 3"),
        ("def f(x): raise ValueError('no')", "try:\n    f(1)\n    assert False\nexcept ValueError as e:\n    assert str(e) == 'no'"),
        ("class Odd(Exception): pass\ndef f(x): raise Odd", "try:\n    f(1)\n    assert False\nexcept AssertionError: raise\nexcept Exception as e:\n    assert 'Odd' in str(e)"),
    ],
)  # fmt: skip
async def test_plain_values_pass_between_the_boxes(sandbox: Sandbox, program: str, tests: str) -> None:
    assert (await judged(sandbox, program, tests)).judgement.verdict == "right"


async def test_functions_are_called_back_where_they_live_and_it_is_said(sandbox: Sandbox) -> None:
    found = await judged(
        sandbox, "def f(g, n): return lambda x: g(x) + n", "assert f(lambda x: x * 2, 1)(5) == 11"
    )
    assert found.judgement.verdict == "right"
    assert found.judgement.reason == "passes the tests (1 call; functions were passed between the boxes)"


@pytest.mark.parametrize(
    ("tests", "reason"),
    [
        ("def check(candidate:", "the tests cannot run: SyntaxError: '(' was never closed (tests.py, line 1)"),
        ("def check(candidate):\n    pass", "the tests never call f"),
        ("import nothing_of_that_name", "the tests cannot run: ModuleNotFoundError: No module named"),
        ("f(1)\nwhile True: pass", "the tests did not come to an end: ran out of its"),
        ({"type": "python", "code": " "}, "the tests cannot be used: tests of type python need code"),
        ({"type": "rust"}, "the tests cannot be used: tests of type 'rust' are unknown"),
        ({"type": "stdio", "cases": [{"input": 1}]}, "the tests cannot be used: case 1 needs input and output"),
    ],
)  # fmt: skip
async def test_faulty_tests_decide_nothing(
    sandbox: Sandbox, tests: str | dict[str, Any], reason: str
) -> None:
    found = (await judged(sandbox, "def f(x): return x", tests)).judgement
    assert found.verdict == "undecided"
    assert found.reason.startswith(reason)


async def test_slow_tests_take_nothing_of_the_candidate_s_time(sandbox: Sandbox) -> None:
    tests = "import time\ndef check(candidate):\n    assert candidate(1) == 1\n    began = time.time()\n"
    tests += "    while time.time() - began < 1.6: pass\n    assert candidate(2) == 2\n"
    found = (await judged(sandbox, "def f(x): return x", tests)).judgement
    assert (found.verdict, found.reason) == ("right", "passes the tests (2 calls)")
    asleep = (await judged(sandbox, "import time\ndef f(x): time.sleep(9)", tests)).judgement
    assert (asleep.verdict, asleep.reason) == ("wrong", "ran out of its 1 s (at f(1))")


async def test_a_problem_without_an_entry_point_is_undecided(sandbox: Sandbox) -> None:
    found = (await judged(sandbox, "def f(x): return x", entry_point=None)).judgement
    assert (found.verdict, found.reason) == ("undecided", "the problem names no entry_point to test")


PROMPT = 'import math\n\n\ndef half(x):\n    return x / 2\n\n\ndef f(x):\n    """Half of the root of x."""\n'


@pytest.mark.parametrize(
    "reply",
    [
        "    return half(math.sqrt(x))\n",
        "return half(math.sqrt(x))\n",
        "    return half(math.sqrt(x))\n\n\nprint(f(4))\n",
        "```python\ndef f(x):\n    return half(math.sqrt(x))\n```",
        "Here it is:\n```python\n    return half(math.sqrt(x))\n```",
        "Sure! This works:\n\n```\nfrom math import sqrt\n\ndef f(x):\n    return sqrt(x) / 2\n```\nEnjoy.",
        "def f(x):\n    return half(math.sqrt(x))\n\nif __name__ == '__main__':\n    print(f(float(input())))",
        "    root = math.sqrt(x)\n    return half(root)\n\nThis returns half of the root.",
    ],
)
async def test_a_program_is_taken_from_the_reply_as_models_write_it(sandbox: Sandbox, reply: str) -> None:
    tests = "def check(candidate):\n    assert candidate(16) == half(4)\n    assert candidate(4) == 1\n"
    found = (await judged(sandbox, reply, tests, prompt=PROMPT)).judgement
    assert (found.verdict, found.reason) == ("right", "passes the tests (2 calls)")


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("    return half(math.sqrt(x))\n\n\ndef main():\n    x = f(", "right"),
        ("    return half(math.sqrt(x))", "wrong"),
        ("```python\ndef f(x):\n    return half(math.sqrt(x))\n", "wrong"),
    ],
)
async def test_a_reply_that_was_cut_off_counts_only_for_what_it_finished(
    sandbox: Sandbox, reply: str, verdict: str
) -> None:
    tests = "assert f(4) == 1"
    found = await judged(sandbox, reply, tests, prompt=PROMPT, cut_off=True)
    assert found.judgement.verdict == verdict


ADD = {
    "type": "stdio",
    "seconds": 1,
    "cases": [{"input": "1 2\n", "output": "3\n"}, {"input": "5 5\n", "output": "10\n"}],
}


@pytest.mark.parametrize(
    ("reply", "verdict", "reason"),
    [
        ("print(sum(map(int, input().split())))", "right", "passes all 2 cases"),
        ("a, b = map(int, input().split())\nif __name__ == '__main__': print(f'  {a + b}.0 ')", "right", "passes all 2 cases"),
        ("print(3)", "wrong", "case 2 of 2: got 3, expected 10 (input 5 5)"),
        ("x = 1", "wrong", "case 1 of 2: got nothing, expected 3 (input 1 2)"),
        ("print(sum(map(int, input().split())), 7)", "wrong", "case 1 of 2: got 7, expected nothing (input 1 2)"),
        ("print(sum(map(int, input().split())))\ninput()", "wrong", "case 1 of 2: the program failed: EOFError: EOF when reading a line"),
        ("while True: pass", "wrong", "case 1 of 2: ran out of its 1 s"),
        ("print('\\x1b]0;pwn\\x07\\u202e')", "wrong", "case 1 of 2: got , expected 3 (input 1 2)"),
    ],
)  # fmt: skip
async def test_cases_of_input_and_output(sandbox: Sandbox, reply: str, verdict: str, reason: str) -> None:
    found = (await judged(sandbox, reply, ADD, entry_point=None)).judgement
    assert (found.verdict, found.reason) == (verdict, reason)


async def test_an_expected_output_longer_than_is_usually_kept(sandbox: Sandbox) -> None:
    expected = "7 " * 100_000
    tests = {"type": "stdio", "cases": [{"input": "", "output": expected}]}
    assert (await judged(sandbox, "print('7 ' * 100_000)", tests)).judgement.verdict == "right"


async def test_flaky_tests_are_settled_by_majority_and_named(sandbox: Sandbox) -> None:
    """A program that is right most of the time, by a clock that no seed can fix."""
    coin = "import os\ndef f(x): return sorted(x) if os.urandom(1)[0] % 2 else x"
    found = await judged(sandbox, coin, repeat=21)
    assert found.flaky
    assert found.judgement.reason.startswith("flaky: right in ")
    steady = await judged(sandbox, "def f(x): return sorted(x)", repeat=3)
    assert (steady.flaky, steady.judgement.verdict) == (False, "right")


async def test_the_detail_holds_what_the_program_printed_made_safe(sandbox: Sandbox) -> None:
    found = await judged(sandbox, "def f(x):\n    print('\\x1b[31mhi' + 'y' * 5000)\n    return sorted(x)")
    assert found.judgement.verdict == "right"
    assert found.stdout.startswith("hiyyy")
    assert len(found.stdout) <= 2000
    assert found.seconds > 0
    assert found.memory_mb > 10
    assert found.box.startswith("bubblewrap")
    json.dumps(found.stdout)


async def test_a_box_that_fails_decides_nothing(sandbox: Sandbox) -> None:
    import asyncio
    import os
    import signal

    async with Sandbox(1) as own:
        await own.probe()
        slow = "import time\ndef f(x):\n    time.sleep(20)"
        tests = {"type": "python", "code": SORT_TESTS, "seconds": 30}
        running = asyncio.create_task(judged(own, slow, tests))
        await asyncio.sleep(0.5)
        for pid in own.worker_pids():
            os.kill(pid, signal.SIGKILL)
        found = (await running).judgement
    assert found.verdict == "undecided"
    assert found.reason.startswith("the sandbox failed: the worker ended")


async def test_tests_may_ask_to_be_repeated(sandbox: Sandbox) -> None:
    """A flaky program: right in about half of its runs. What is said counts them."""
    flaky = "import random\ndef f(x):\n    return sorted(x) if random.random() < 0.5 else None"
    tests = {
        "type": "python",
        "code": SORT_TESTS.replace("    assert candidate([]) == []\n", ""),
        "repeat": 15,
    }

    found = await judged(sandbox, flaky, tests)

    assert found.flaky
    assert found.judgement.reason.startswith("flaky: right in ")
    assert " of 15 runs" in found.judgement.reason


@pytest.mark.parametrize("repeat", [0, -1, 1.5, True, "3", 10_000])
async def test_a_repeat_that_is_none_is_refused(sandbox: Sandbox, repeat: object) -> None:
    found = await judged(
        sandbox, "def f(x): return x", {"type": "python", "code": SORT_TESTS, "repeat": repeat}
    )

    assert found.judgement.verdict == "undecided"
    assert "repeat must be" in found.judgement.reason

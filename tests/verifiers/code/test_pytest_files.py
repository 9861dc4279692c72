"""Files written for pytest: read, and run apart from the program they test."""

from __future__ import annotations

import ast
import textwrap

import pytest

from verifiers.code import CodeChecker, CodeVerdict
from verifiers.code.pytest_file import is_pytest_file, read_pytest_file
from verifiers.code.tests import BadTests
from verifiers.sandbox import Sandbox

in_the_box = pytest.mark.asyncio(loop_scope="module")

ADD = "```python\ndef add(a, b):\n    return a + b\n\ndef twice(a):\n    return add(a, a)\n```"
WRONG = ADD.replace("a + b", "a - b")


async def judged(sandbox: Sandbox, file: str, reply: str) -> CodeVerdict:
    found = read_pytest_file(ast.parse(textwrap.dedent(file)), None)
    tests = {"type": "python", "code": found.code, "functions": list(found.functions), "seconds": 2}
    return await CodeChecker(sandbox).judge(
        reply, prompt="Write add(a, b).", tests=tests, entry_point=found.functions[0]
    )


FILES = {
    "plain": """
        from solution import add

        def test_add():
            assert add(2, 3) == 5
    """,
    "module": """
        import solution

        def test_add():
            assert solution.add(2, 3) == 5
    """,
    "as": """
        import my_package.answer as s
        from my_package.answer import twice as t

        def test_both():
            assert s.add(2, 3) == 5
            assert t(4) == 8
    """,
    "parametrized": """
        import pytest
        from solution import add

        @pytest.mark.parametrize("a, b, total", [(1, 1, 2), pytest.param(2, 3, 5, id="more")])
        @pytest.mark.parametrize("shift", [0, 10])
        def test_add(a, b, total, shift):
            assert add(a + shift, b) == total + shift
    """,
    "raises and approx": """
        import pytest
        from solution import add

        def test_kinds():
            with pytest.raises(TypeError, match="unsupported|can only"):
                add(1, "x")
            assert add(0.1, 0.2) == pytest.approx(0.3)
            assert [add(1, 2)] == pytest.approx([3])
    """,
    "fixtures": """
        import pytest
        from solution import add

        @pytest.fixture
        def one():
            yield 1

        @pytest.fixture()
        def pair(one):
            return (one, 4)

        class TestAdd:
            def setup_method(self):
                self.total = 5

            def test_pair(self, pair):
                assert add(*pair) == self.total
    """,
    "unittest": """
        import unittest
        from solution import add

        class Adding(unittest.TestCase):
            def setUp(self):
                self.five = 5

            def test_add(self):
                self.assertEqual(add(2, 3), self.five)

        if __name__ == "__main__":
            unittest.main()
    """,
    "skipped": """
        import pytest
        from solution import add

        @pytest.mark.skip(reason="later")
        def test_later():
            assert False

        @pytest.mark.slow
        def test_add():
            if add(0, 0) != 0:
                pytest.fail("no zero")
            assert add(2, 3) == 5

        def test_not_here():
            pytest.skip("no")
    """,
}


@in_the_box
@pytest.mark.parametrize("name", list(FILES))
async def test_a_right_program_passes_and_a_wrong_one_fails_by_name(sandbox: Sandbox, name: str) -> None:
    right = await judged(sandbox, FILES[name], ADD)
    wrong = await judged(sandbox, FILES[name], WRONG)

    assert right.judgement.verdict == "right", right.judgement.reason
    assert wrong.judgement.verdict == "wrong", wrong.judgement.reason
    assert "test_" in wrong.judgement.reason


@in_the_box
async def test_the_failing_case_is_told(sandbox: Sandbox) -> None:
    found = await judged(sandbox, FILES["plain"], WRONG)

    assert found.judgement.reason == "test_add: add(2, 3) gave -1, expected 5"


@in_the_box
@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("def test_a(tmp_path): assert add(1, 1) == 2", "the fixture tmp_path is not known here"),
        ("def test_a(): assert pytest.warns(UserWarning) or add(1, 1)", "pytest.warns is not known here"),
        ("async def test_a(): assert add(1, 1) == 2", "the asynchronous test test_a is not known here"),
    ],
)
async def test_what_is_not_there_is_named_and_decides_nothing(sandbox: Sandbox, body: str, why: str) -> None:
    found = await judged(sandbox, f"import pytest\nfrom solution import add\n{body}\n", ADD)

    assert found.judgement.verdict == "undecided"
    assert why in found.judgement.reason


@in_the_box
async def test_expected_values_stay_out_of_the_candidates_box(sandbox: Sandbox) -> None:
    """The candidate looks for the tests' text in its whole memory of frames, modules and files."""
    reply = textwrap.dedent(
        """
        import gc, sys

        def add(a, b):
            for each in gc.get_objects():
                if isinstance(each, (str, bytes, int)) and "31337" in str(each)[:200]:
                    return 31337
            for module in list(sys.modules.values()):
                if "test_secret" in str(vars(module).keys()):
                    return 31337
            return 0
        """
    )
    found = await judged(
        sandbox, "from solution import add\ndef test_secret():\n    assert add(1, 2) == 31337\n", reply
    )

    assert found.judgement.verdict == "wrong"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("from solution import *\ndef test_a(): assert f(1)", "import * from solution"),
        ("from solution import Stack\ndef test_a(): assert Stack().size == 0", "use the class Stack"),
        ("def test_a(): assert True", "call no function"),
        ("def test_a(): assert f(1) == g(1)", "call f, g, and import none"),
    ],
)
def test_files_that_cannot_be_used_say_why(text: str, why: str) -> None:
    with pytest.raises(BadTests, match=why.replace("*", r"\*")):
        read_pytest_file(ast.parse(text))


def test_a_function_that_nobody_defines_is_the_candidates() -> None:
    text = """
import math

def helper(x):
    return x

def test_a():
    y = 2
    assert helper(f(y)) == math.sqrt(4)
"""

    assert read_pytest_file(ast.parse(text)).functions == ("f",)


def test_what_counts_as_a_test_file() -> None:
    assert is_pytest_file(ast.parse("def test_a(): pass"))
    assert is_pytest_file(ast.parse("class A(unittest.TestCase): pass"))
    assert not is_pytest_file(ast.parse("assert f(1) == 2"))

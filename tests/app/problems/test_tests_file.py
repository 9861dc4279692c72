"""Tests from a user's file: three forms, and refusals that say what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import BadInput
from app.problems.problem import Problem
from app.problems.tests_file import repeated, with_tests

ADD = Problem(id="a", kind="math", prompt="Write a Python function add(a, b).", answer="7")


def file(folder: Path, text: str) -> Path:
    path = folder / "tests.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_plain_asserts_test_the_function_they_call(tmp_path: Path) -> None:
    found = with_tests(ADD, file(tmp_path, "assert len([add(2, 3)]) == 1\nassert add(1, 1) == 2\n"))
    assert (found.kind, found.entry_point, found.answer) == ("code", "add", None)
    assert found.tests is not None
    namespace: dict[str, object] = {}
    exec(found.tests["code"], namespace)  # noqa: S102 - our own text
    check = namespace["check"]
    assert callable(check)
    check(lambda a, b: a + b)
    with pytest.raises(AssertionError):
        check(lambda a, b: a - b)


def test_a_check_is_taken_as_it_is_and_the_problem_names_the_function(tmp_path: Path) -> None:
    code = "def check(candidate):\n    assert candidate(1, 2) == 3\n"
    found = with_tests(ADD, file(tmp_path, code))
    assert found.tests == {"type": "python", "code": code}
    assert found.entry_point == "add"
    assert with_tests(ADD, file(tmp_path, code), "plus").entry_point == "plus"


def test_a_problem_files_own_form(tmp_path: Path) -> None:
    found = with_tests(ADD, file(tmp_path, '{"type": "stdio", "cases": [{"input": "1", "output": "2"}]}'))
    assert found.tests is not None
    assert found.tests["type"] == "stdio"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("assert add(", "line 1 is not Python"),
        ("x = 1\n", "does not say which function"),
        ("", "does not say which function"),
        ('{"type": "java"}', 'no "type"'),
        ('{"type": ', "not valid JSON"),
    ],
)
def test_what_is_no_test_is_refused(tmp_path: Path, text: str, says: str) -> None:
    problem = Problem(id="p", kind="code", prompt="Write something.")
    with pytest.raises(BadInput, match=says):
        with_tests(problem, file(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nothing\.py"):
        with_tests(ADD, tmp_path / "nothing.py")


PYTEST_FILE = """
import pytest
from solution import add

@pytest.mark.parametrize("a, b, total", [(1, 2, 3)])
def test_add(a, b, total):
    assert add(a, b) == total
"""


def test_a_file_for_pytest_loses_its_import_and_names_its_function(tmp_path: Path) -> None:
    found = with_tests(ADD, file(tmp_path, PYTEST_FILE))

    assert (found.kind, found.entry_point) == ("code", "add")
    assert found.tests is not None
    assert found.tests["functions"] == ["add"]
    assert "solution" not in found.tests["code"]
    assert "def test_add" in found.tests["code"]


def test_a_file_for_pytest_that_cannot_be_used_says_why_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="only functions") as caught:
        with_tests(ADD, file(tmp_path, "from solution import Stack\ndef test_a(): assert Stack().n == 0"))
    assert "from solution import f" in str(caught.value.fix)


def test_tests_can_be_repeated(tmp_path: Path) -> None:
    found = repeated(with_tests(ADD, file(tmp_path, "assert add(1, 2) == 3")), 11)

    assert found.tests is not None
    assert found.tests["repeat"] == 11
    assert repeated(ADD, 11) == ADD

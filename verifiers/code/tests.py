"""The tests of a code problem, as the problem formats write them.

{"type": "python", "code": "def check(candidate): ..."}
{"type": "stdio", "cases": [{"input": "1 2\\n", "output": "3\\n"}], "seconds": 2}

Both may say ``"repeat": 11``, for tests that do not always say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

MOST_REPEATS: Final = 1000
PYTHON_SECONDS: Final = 5.0
CASE_SECONDS: Final = 5.0


class BadTests(ValueError):
    """Tests that are not in a form we know; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class PythonTests:
    """``code`` holds assertions, a function ``check`` that is given the candidate's, or functions for pytest
    to find. ``seconds`` is what all calls of the candidate together may take. ``functions`` are the
    candidate's where the tests call more than its entry point. ``repeat``: how often to run the tests, or
    ``None`` where nobody said."""

    code: str
    seconds: float = PYTHON_SECONDS
    functions: tuple[str, ...] = ()
    repeat: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    given: str
    expected: str


@dataclass(frozen=True, slots=True)
class StdioTests:
    """Inputs and the outputs expected of a whole program; ``seconds`` for each case."""

    cases: tuple[Case, ...]
    seconds: float = CASE_SECONDS
    repeat: int | None = None


def read_tests(tests: Mapping[str, Any]) -> PythonTests | StdioTests:
    """The tests of a problem file's ``tests`` object. Raises ``BadTests``."""
    seconds = tests.get("seconds")
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if seconds is not None and not (is_number and seconds > 0):
        raise BadTests("the tests' seconds must be a number above 0")
    repeat = tests.get("repeat")
    counts = isinstance(repeat, int) and not isinstance(repeat, bool) and 1 <= repeat <= MOST_REPEATS
    if repeat is not None and not counts:
        raise BadTests(f"the tests' repeat must be a whole number from 1 to {MOST_REPEATS}")
    if tests.get("type") == "python":
        code = tests.get("code")
        if not isinstance(code, str) or not code.strip():
            raise BadTests("tests of type python need code")
        functions = tests.get("functions") or ()
        if not isinstance(functions, list | tuple) or not all(map(_is_name, functions)):
            raise BadTests("the tests' functions must be a list of names")
        return PythonTests(code, float(seconds or PYTHON_SECONDS), tuple(functions), repeat)
    if tests.get("type") == "stdio":
        return StdioTests(_cases(tests.get("cases")), float(seconds or CASE_SECONDS), repeat)
    raise BadTests(f"tests of type {tests.get('type')!r} are unknown; use python or stdio")


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.isidentifier()


def _cases(rows: object) -> tuple[Case, ...]:
    if not isinstance(rows, list | tuple) or not rows:
        raise BadTests("tests of type stdio need at least one case")
    cases = []
    for number, row in enumerate(rows, start=1):
        given = row.get("input") if isinstance(row, Mapping) else None
        expected = row.get("output") if isinstance(row, Mapping) else None
        if not isinstance(given, str) or not isinstance(expected, str):
            raise BadTests(f"case {number} needs input and output as text")
        cases.append(Case(given, expected))
    return tuple(cases)

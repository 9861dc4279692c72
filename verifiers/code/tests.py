"""The tests of a code problem, as the problem formats write them.

{"type": "python", "code": "def check(candidate): ..."}
{"type": "stdio", "cases": [{"input": "1 2\\n", "output": "3\\n"}], "seconds": 2}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

PYTHON_SECONDS: Final = 5.0
CASE_SECONDS: Final = 5.0


class BadTests(ValueError):
    """Tests that are not in a form we know; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class PythonTests:
    """``code`` holds assertions, or a function ``check`` that is given the candidate's. ``seconds`` is what
    all calls of the candidate together may take."""

    code: str
    seconds: float = PYTHON_SECONDS


@dataclass(frozen=True, slots=True)
class Case:
    given: str
    expected: str


@dataclass(frozen=True, slots=True)
class StdioTests:
    """Inputs and the outputs expected of a whole program; ``seconds`` for each case."""

    cases: tuple[Case, ...]
    seconds: float = CASE_SECONDS


def read_tests(tests: Mapping[str, Any]) -> PythonTests | StdioTests:
    """The tests of a problem file's ``tests`` object. Raises ``BadTests``."""
    seconds = tests.get("seconds")
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if seconds is not None and not (is_number and seconds > 0):
        raise BadTests("the tests' seconds must be a number above 0")
    if tests.get("type") == "python":
        code = tests.get("code")
        if not isinstance(code, str) or not code.strip():
            raise BadTests("tests of type python need code")
        return PythonTests(code, float(seconds or PYTHON_SECONDS))
    if tests.get("type") == "stdio":
        return StdioTests(_cases(tests.get("cases")), float(seconds or CASE_SECONDS))
    raise BadTests(f"tests of type {tests.get('type')!r} are unknown; use python or stdio")


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

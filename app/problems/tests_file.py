"""Tests that a user has in a file, as the tests of a problem.

Four things are taken: a problem file's ``tests`` object as JSON; Python that defines ``check(candidate)``; a
file written for pytest; and plain Python asserts about the function they call.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from app.errors import BadInput
from app.problems.jsonl import decode_text, read_bytes
from app.problems.problem import Problem

if TYPE_CHECKING:
    from verifiers.code.pytest_file import PytestFile

_NAMED = re.compile(
    r"\bdef\s+([A-Za-z_]\w*)\s*\(|`([A-Za-z_]\w*)(?:\([^`]*\))?`|\b([A-Za-z_]\w*)\([a-z_, ]*\)"
)


def with_tests(problem: Problem, path: Path, entry_point: str | None = None) -> Problem:
    """``problem``, as code that is judged by the tests in ``path``.

    The function to test is ``entry_point``, else the problem's own, else the one that the tests call or the
    problem's text names. Raises ``BadInput`` for a file that holds no tests or a function nobody names.
    """
    return with_tests_of(problem, decode_text(read_bytes(path), str(path)), str(path), entry_point)


def with_tests_of(problem: Problem, text: str, path: str, entry_point: str | None = None) -> Problem:
    """``with_tests`` for tests that are at hand as ``text``; ``path`` is what messages call them."""
    from verifiers.code.pytest_file import is_pytest_file

    tests = _as_json(text, path)
    name = entry_point or problem.entry_point
    if tests is None:
        tree = _parsed(text, path)
        if _defines_check(tree):
            name = name or _named_in(problem.prompt)
        elif is_pytest_file(tree):
            found = _of_pytest_file(tree, path, name)
            # The function to look for in a reply is the one asked for, else the first that is tested.
            asked = name if name in found.functions else found.functions[0]
            tests = {"type": "python", "code": found.code, "functions": list(found.functions)}
            return msgspec.structs.replace(problem, kind="code", tests=tests, entry_point=asked, answer=None)
        else:
            name = name or _called_in(tree)
            text = f"def check({name}):\n{textwrap.indent(text, '    ')}\n"
        if name is None or (not _defines_check(tree) and _called_in(tree) is None):
            raise BadInput(f"{path} does not say which function it tests.", "Name it: --entry-point NAME")
        tests = {"type": "python", "code": text}
    return msgspec.structs.replace(problem, kind="code", tests=tests, entry_point=name, answer=None)


def repeated(problem: Problem, times: int) -> Problem:
    """``problem`` with its tests run so many times, for tests that do not always say the same: the majority
    decides. Unchanged where it has none."""
    if problem.kind == "patch":
        return msgspec.structs.replace(problem, repeat_tests=times)
    if problem.tests is None or problem.tests.get("type") not in ("python", "stdio"):
        return problem
    return msgspec.structs.replace(problem, tests={**problem.tests, "repeat": times})


def _of_pytest_file(tree: ast.Module, path: str, entry_point: str | None) -> PytestFile:
    from verifiers.code.pytest_file import read_pytest_file
    from verifiers.code.tests import BadTests

    try:
        return read_pytest_file(tree, entry_point)
    except BadTests as error:
        raise BadInput(
            f"{path} cannot be used as tests: {error}.",
            "Import the functions by name (from solution import f), or give asserts.",
        ) from None


def count_of(tests: dict[str, Any]) -> str:
    """How much is tested, in words: ``3 asserts``, ``1 case``; empty where that cannot be told."""
    if tests.get("type") == "stdio":
        cases = tests.get("cases")
        count, word = (len(cases), "case") if isinstance(cases, list | tuple) else (0, "")
    else:
        try:
            tree = ast.parse(str(tests.get("code", "")))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ""
        count, word = sum(isinstance(node, ast.Assert) for node in ast.walk(tree)), "assert"
    return f"{count} {word}{'s' if count != 1 else ''}" if count else ""


def _as_json(text: str, path: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(text)
    except ValueError as error:
        raise BadInput(f"{path} is not valid JSON: {error}.", "Correct it, or give Python tests.") from None
    if not isinstance(found, dict) or found.get("type") not in ("python", "stdio"):
        raise BadInput(f'{path} has no "type" of tests.', 'Write "type": "python" or "stdio".')
    return found


def _parsed(text: str, path: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise BadInput(f"{path}{line} is not Python.", "Correct the tests.") from None


def _defines_check(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in tree.body)


def _called_in(tree: ast.Module) -> str | None:
    """The first function that an assert calls by its plain name and the file does not define itself."""
    mine = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    builtin = {"len", "sorted", "abs", "round", "list", "set", "tuple", "dict", "str", "int", "float", "sum"}
    for claim in (node for node in ast.walk(tree) if isinstance(node, ast.Assert)):
        for node in ast.walk(claim.test):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Name) and called.id not in mine | builtin:
                return called.id
    return None


def _named_in(prompt: str) -> str | None:
    found = _NAMED.search(prompt)
    return next((group for group in found.groups() if group), None) if found else None

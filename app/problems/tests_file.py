"""Tests that a user has in a file, as the tests of a problem.

Three things are taken: a problem file's ``tests`` object as JSON; Python that defines ``check(candidate)``;
and plain Python asserts about the function they call.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
from pathlib import Path
from typing import Any

import msgspec

from app.errors import BadInput
from app.problems.jsonl import decode_text, read_bytes
from app.problems.problem import Problem

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
    tests = _as_json(text, path)
    name = entry_point or problem.entry_point
    if tests is None:
        tree = _parsed(text, path)
        if _defines_check(tree):
            name = name or _named_in(problem.prompt)
        else:
            name = name or _called_in(tree)
            text = f"def check({name}):\n{textwrap.indent(text, '    ')}\n"
        if name is None or (not _defines_check(tree) and _called_in(tree) is None):
            raise BadInput(f"{path} does not say which function it tests.", "Name it: --entry-point NAME")
        tests = {"type": "python", "code": text}
    return msgspec.structs.replace(problem, kind="code", tests=tests, entry_point=name, answer=None)


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

"""The tests' side of a check: run the tests with the candidate behind a proxy, and report how they went.

The report is one JSON object on its own descriptor, written only when the tests have run to their end or
failed. Exit status, printed words and silence prove nothing. Assertions are rewritten a little before they
run, so that a failing one can say which case it was, what was expected and what was got.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import sys
from types import TracebackType
from typing import Any, Final, Literal

from verifiers.sandbox.inside import pytest_alike
from verifiers.sandbox.inside.link import Ended, Link, RaisedThere
from verifiers.sandbox.inside.program import new_module, open_streams
from verifiers.sandbox.inside.values import Foreign, NotPlain

READ, WRITE, REPORT = 3, 4, 5
TESTS: Final = "tests.py"
_LEFT, _RIGHT = "_left_side", "_right_side"
_SHOWN: Final = 300

Outcome = Literal["passed", "failed", "raised", "ended", "no calls", "bad tests"]
"""``raised``: the candidate raised; ``ended``: its program was gone; ``bad tests``: the tests themselves are
at fault."""


def check(tests: str, prelude: str, entry_point: str) -> int:
    """Run ``tests`` after ``prelude`` (the problem's own definitions) against the candidate on the link."""
    open_streams()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    seen = _Seen(Link(READ, WRITE))
    report = _outcome(tests, prelude, seen, entry_point.split(","))
    report |= {"calls": seen.calls, "functions_crossed": seen.link.functions_crossed}
    if seen.test:
        report["test"] = seen.test
    _write(report)
    return 0


class _Seen:
    """What the tests have done so far: their calls, the last of them, and the test at work."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.calls = 0
        self.last = ""
        self.test = ""
        self.raised: BaseException | None = None


class _Proxy:
    """Stands in the tests for one of the candidate's functions."""

    def __init__(self, seen: _Seen, name: str, number: int) -> None:
        self._seen = seen
        self._number = number
        self.__name__ = name

    def __call__(self, *args: Any, **named: Any) -> Any:
        seen = self._seen
        seen.calls += 1
        given = [_show(argument) for argument in args] + [f"{k}={_show(v)}" for k, v in named.items()]
        seen.last = f"{self.__name__}({', '.join(given)})"
        try:
            return seen.link.call(self._number, args, named)
        except BaseException as error:
            seen.raised = error
            raise


def _outcome(tests: str, prelude: str, seen: _Seen, entry_points: list[str]) -> dict[str, Any]:
    names = new_module(tests, "tests", TESTS)
    sys.modules["pytest"] = pytest_alike.module()
    # A problem is often told in words; where it is Python, its definitions belong to the tests.
    with contextlib.suppress(Exception):
        exec(compile(prelude, "problem.py", "exec", dont_inherit=True), names)  # noqa: S102
    try:
        code = compile(
            ast.fix_missing_locations(_KeepSides().visit(ast.parse(tests, TESTS))),
            TESTS,
            "exec",
            dont_inherit=True,
        )
    except Exception as error:  # noqa: BLE001  whatever is wrong with them is told
        return {"outcome": "bad tests", "why": f"{type(error).__name__}: {error}"}
    proxies = [_Proxy(seen, name, number) for number, name in enumerate(entry_points)]
    names |= {proxy.__name__: proxy for proxy in proxies} | {"candidate": proxies[0]}
    try:
        exec(code, names)  # noqa: S102
        whole = names.get("check")
        if callable(whole):
            whole(proxies[0])
        else:
            _run_collected(names, seen)
    except pytest_alike.Unsupported as unsupported:
        return {"outcome": "bad tests", "why": f"{unsupported} is not known here"}
    except BaseException as error:  # noqa: BLE001  the tests' failures are what we came for
        return _failure(error, seen, ast.parse(tests))
    return {"outcome": "passed" if seen.calls else "no calls"}


def _run_collected(names: dict[str, Any], seen: _Seen) -> None:
    """Run the tests of a file written for pytest, up to the first that fails."""
    for name, test in pytest_alike.collected(names):
        seen.test = name
        with contextlib.suppress(pytest_alike.Skipped):
            test()
    seen.test = ""


def _failure(error: BaseException, proxy: _Seen, tests: ast.Module) -> dict[str, Any]:
    if error is proxy.raised:
        if isinstance(error, Ended):
            return {"outcome": "ended", "case": proxy.last}
        shown = str(error) if isinstance(error, RaisedThere) else f"{type(error).__name__}: {error}"
        if isinstance(error, NotPlain):
            shown = "the arguments are too large to pass"
            return {"outcome": "bad tests", "why": f"{proxy.last}: {shown}"}
        return {"outcome": "raised", "case": proxy.last, "got": shown}
    if isinstance(error, AssertionError):
        return {"outcome": "failed", "case": proxy.last, **_sides(error, tests)}
    if proxy.calls == 0:
        return {"outcome": "bad tests", "why": f"{type(error).__name__}: {error}"}
    # The tests stumbled over what the candidate gave them ("'NoneType' object is not iterable").
    return {"outcome": "failed", "case": proxy.last, "why": f"{type(error).__name__}: {error}"}


def _sides(error: AssertionError, tests: ast.Module) -> dict[str, Any]:
    """What the failing assertion compared, out of the frame it failed in."""
    trace: TracebackType | None = error.__traceback__
    failing = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == TESTS:
            failing = trace
        trace = trace.tb_next
    if failing is None:
        return {}
    for node in ast.walk(tests):
        if isinstance(node, ast.Assert) and node.lineno <= failing.tb_lineno <= (node.end_lineno or 0):
            said: dict[str, Any] = {"assertion": ast.unparse(node.test)[:_SHOWN]}
            if isinstance(node.test, ast.Compare) and len(node.test.ops) == 1:
                left, right = node.test.left, node.test.comparators[0]
                seen = {**failing.tb_frame.f_globals, **failing.tb_frame.f_locals}
                got, expected = seen.get(_LEFT), seen.get(_RIGHT)
                if _is_fixed(left) and not _is_fixed(right):
                    left, got, expected = right, expected, got
                said["direct"] = isinstance(node.test.ops[0], ast.Eq) and isinstance(left, ast.Call)
                said |= {"got": _show(got), "expected": _show(expected)}
                if isinstance(got, Foreign):
                    said["foreign"] = got.type_name
            return said
    return {}


def _is_fixed(node: ast.expr) -> bool:
    return not any(isinstance(part, ast.Call | ast.Name) for part in ast.walk(node))


class _KeepSides(ast.NodeTransformer):
    """``assert a == b`` keeps both sides under names of ours while it is evaluated."""

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        if isinstance(node.test, ast.Compare) and len(node.test.ops) == 1:
            node.test.left = _kept(_LEFT, node.test.left)
            node.test.comparators[0] = _kept(_RIGHT, node.test.comparators[0])
        return node


def _kept(name: str, value: ast.expr) -> ast.expr:
    return ast.NamedExpr(target=ast.Name(id=name, ctx=ast.Store()), value=value)


def _show(value: Any) -> str:
    try:
        shown = repr(value)
    except Exception:  # noqa: BLE001  a number too long for decimal digits, for one
        return f"<{type(value).__name__}>"
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN // 2]} … {shown[-_SHOWN // 2 :]}"


def _write(report: dict[str, Any]) -> None:
    body = {key: value[:1000] if isinstance(value, str) else value for key, value in report.items()}
    os.write(REPORT, json.dumps(body).encode())

"""Does a program work its answer out, or does it only say it?

A program that prints a constant, however it dresses it up, bears nothing out. So what it prints is followed
back to where it comes from: at least one real operation must lie on the way, on a number that the solution
names. The text is parsed and never run here; it is hostile, so its size is bounded first.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from verifiers.normal import normal_form
from verifiers.spans import NUMBER

LONGEST: Final = 8_000
"""Characters of the longest program that is looked at."""
_HUGE: Final = 1e15
_IDENTITIES: Final[dict[type[ast.operator], int]] = {
    ast.Add: 0,
    ast.Sub: 0,
    ast.Mult: 1,
    ast.Div: 1,
    ast.FloorDiv: 1,
    ast.Pow: 1,
}
_COMPUTING: Final = frozenset(
    ("sum", "max", "min", "len", "range", "count", "divmod", "pow", "sqrt", "prod", "ceil", "floor")
) | {"gcd", "lcm", "comb", "perm", "factorial", "solve"}
"""Functions whose result is worked out. Others (``int``, ``round``, ``str``) only change how it looks."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Program:
    """A program that can be run: ``source`` ends with a print where the model forgot it.

    ``computes`` says whether what it prints is worked out; ``why_not`` says why not.
    """

    source: str
    computes: bool
    why_not: str = ""


def read_program(source: str, shown: str) -> Program | None:
    """``source`` made ready to run, judged beside the solution ``shown`` that it re-writes; ``None`` where it
    is no Python, is longer than ``LONGEST``, or prints nothing that could be found."""
    tree = _parsed(source)
    if tree is None:
        return None
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, Function)}
    ending = _ending(tree, functions)
    if ending is None:
        return None
    if ending:
        source = f"{source.rstrip()}\n{ending}\n"
        tree = _parsed(source)
        if tree is None:
            return None
    printed = [
        argument
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        for argument in node.args
    ]
    nodes = list(_behind(printed, tree, functions))
    if not any(_operates(node) for node in nodes):
        return Program(source, False, "the program prints a constant and works nothing out")
    named = {normal_form(match[0], "math") for match in NUMBER.finditer(shown)}
    if named and not named & {_key(node.value) for node in nodes if isinstance(node, ast.Constant)}:
        return Program(source, False, "the program uses none of the solution's numbers")
    return Program(source, True)


def _parsed(source: str) -> ast.Module | None:
    if len(source) > LONGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _ending(tree: ast.Module, functions: dict[str, Function]) -> str | None:
    """What has to be added so that the result is printed: nothing, a print, or a call; ``None`` if nothing
    is known that could be printed."""
    calls = list(_calls_in(tree))
    idle = [name for name, node in functions.items() if name not in calls and not _required(node)]
    if "print" in calls:
        inside = {call for node in functions.values() for call in _calls_in(node)}
        outside = [
            call
            for statement in tree.body
            if not isinstance(statement, Function)
            for call in _calls_in(statement)
        ]
        if "print" in outside or not idle or "print" not in inside or set(outside) & functions.keys():
            return ""
        return f"{idle[-1]}()"
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Assign) and isinstance(last.targets[0], ast.Name):
        return f"print({last.targets[0].id})"
    if isinstance(last, ast.AugAssign | ast.AnnAssign) and isinstance(last.target, ast.Name):
        return f"print({last.target.id})"
    if isinstance(last, ast.Expr):
        return f"print({ast.unparse(last.value)})"
    return f"print({idle[-1]}())" if idle else None


def _calls_in(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name):
            yield inner.func.id


def _required(function: Function) -> bool:
    """Whether it cannot be called without arguments."""
    arguments = function.args
    given = len(arguments.defaults)
    return len(arguments.posonlyargs) + len(arguments.args) > given or None in arguments.kw_defaults


def _behind(
    printed: Iterable[ast.expr], tree: ast.Module, functions: dict[str, Function]
) -> Iterator[ast.AST]:
    """Every node that what is printed comes from: names are followed to all that was ever assigned to them,
    calls of the program's own functions to their whole bodies."""
    sources = _assigned(tree)
    waiting: list[ast.AST] = list(printed)
    followed: set[str] = set()
    while waiting:
        for node in ast.walk(waiting.pop()):
            yield node
            if isinstance(node, ast.Name) and node.id not in followed:
                followed.add(node.id)
                waiting += sources.get(node.id, [])
                if node.id in functions:
                    waiting += functions[node.id].body


def _assigned(tree: ast.Module) -> dict[str, list[ast.AST]]:
    found: dict[str, list[ast.AST]] = {}

    def note(target: ast.AST, source: ast.AST) -> None:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                found.setdefault(node.id, []).append(source)

    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                note(target, node.value)
        elif isinstance(node, ast.AugAssign):
            note(node.target, node)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            note(node.target, node.value)
        elif isinstance(node, ast.For):
            note(node.target, node.iter)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            for argument in node.args:  # results.append(48 / 2)
                note(node.func.value, argument)
    return found


def _operates(node: ast.AST) -> bool:
    """Whether something is worked out here; ``72 + 0`` and ``72 * 1`` are ways of writing 72."""
    if isinstance(node, ast.BinOp):
        return not _idle(node.op, node.left, node.right)
    if isinstance(node, ast.AugAssign):
        return not _idle(node.op, None, node.value)
    if isinstance(node, ast.Call):
        name = node.func
        called = (
            name.id if isinstance(name, ast.Name) else name.attr if isinstance(name, ast.Attribute) else ""
        )
        return called in _COMPUTING
    return False


def _idle(operator: ast.operator, left: ast.expr | None, right: ast.expr) -> bool:
    if isinstance(operator, ast.Mod) and isinstance(left, ast.Constant) and isinstance(left.value, str):
        return True  # formatting
    if any(isinstance(side, ast.Constant | ast.JoinedStr) and _is_text(side) for side in (left, right)):
        return True  # joining texts
    identity = _IDENTITIES.get(type(operator))
    sides = [right] if isinstance(operator, ast.Sub | ast.Div | ast.FloorDiv | ast.Pow) else [left, right]
    return any(
        isinstance(side, ast.Constant) and type(side.value) in (int, float) and side.value == identity
        for side in sides
    )


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _key(value: object) -> str:
    """A number of the program as the solution's numbers are written; percentages as people write them."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if not abs(value) < _HUGE:
        return ""
    return normal_form(str(Fraction(str(value))), "math")

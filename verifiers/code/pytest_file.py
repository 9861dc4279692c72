"""A user's own pytest file as tests of a candidate.

Such a file imports what it tests: ``from solution import add``. Here the candidate runs in a box of its own,
so the import is taken out and the name stands for a proxy; the rest of the file stays as it is, and is run by
``sandbox.inside.pytest_alike``. Functions can be tested so, classes cannot: an object does not leave its box.
"""

from __future__ import annotations

import ast
import builtins
import sys
from dataclasses import dataclass
from typing import Final

from verifiers.code.tests import BadTests

_PROVIDED: Final = frozenset(("pytest", "numpy", "sympy", "mpmath", "scipy"))
_BUILTIN: Final = frozenset(dir(builtins))


@dataclass(frozen=True, slots=True)
class PytestFile:
    """``code`` is what runs in the tests' box; ``functions`` are the candidate's that it calls."""

    code: str
    functions: tuple[str, ...]


def is_pytest_file(tree: ast.Module) -> bool:
    """Whether a file defines tests for pytest or unittest to find."""
    return any(
        (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"))
        or (isinstance(node, ast.ClassDef) and (node.name.startswith("Test") or _is_test_case(node)))
        for node in tree.body
    )


def _is_test_case(node: ast.ClassDef) -> bool:
    return any("TestCase" in ast.unparse(base) for base in node.bases)


def read_pytest_file(tree: ast.Module, entry_point: str | None = None) -> PytestFile:
    """The tests of a parsed file. The candidate's functions are those it imports from a module that is
    neither Python's own nor a library of the sandbox, else ``entry_point``, else the one that it calls and
    nobody defines. Raises ``BadTests``."""
    imports = _Imports()
    changed = ast.fix_missing_locations(imports.visit(tree))
    if imports.starred:
        raise BadTests(f"they import * from {imports.starred}; name the functions")
    names = list(dict.fromkeys(imports.names)) or ([entry_point] if entry_point else _undefined(changed))
    classes = [name for name in names if name[:1].isupper()]
    if classes:
        raise BadTests(f"they use the class {classes[0]}; only functions can be called from another box")
    if not names:
        raise BadTests("they call no function of the candidate")
    if len(names) > 1 and not imports.names:
        raise BadTests(f"they call {', '.join(names[:3])}, and import none of them")
    return PytestFile(ast.unparse(changed), tuple(names))


class _Imports(ast.NodeTransformer):
    """Takes out the imports of the candidate's module, wherever they stand."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.starred = ""
        self._modules: set[str] = set()

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.stmt]:
        module = (node.module or "").partition(".")[0]
        if node.level == 0 and _is_library(module):
            return node
        lines: list[ast.stmt] = [ast.Pass()]
        for each in node.names:
            if each.name == "*":
                self.starred = node.module or "."
                continue
            self.names.append(each.name)
            if each.asname is not None:
                lines.append(_named(each.asname, ast.Name(each.name, ast.Load())))
        return lines

    def visit_Import(self, node: ast.Import) -> ast.AST | list[ast.stmt]:
        ours = [each for each in node.names if _is_library(each.name.partition(".")[0])]
        self._modules |= {each.asname or each.name for each in node.names if each not in ours}
        return ast.Import(ours) if ours else ast.Pass()

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """``solution.add`` is ``add``."""
        if isinstance(node.value, ast.Name) and node.value.id in self._modules:
            self.names.append(node.attr)
            return ast.Name(node.attr, ast.Load())
        return self.generic_visit(node)


def _is_library(module: str) -> bool:
    return module in sys.stdlib_module_names or module in _PROVIDED


def _named(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _undefined(tree: ast.Module) -> list[str]:
    """Functions that the file calls by their plain name and neither defines nor imports."""
    known = set(_BUILTIN)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            known.add(node.name)
        elif isinstance(node, ast.arg):
            known.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            known.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            known |= {(each.asname or each.name).partition(".")[0] for each in node.names}
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    found = (call.id for call in calls if isinstance(call, ast.Name) and call.id not in known)
    return list(dict.fromkeys(found))

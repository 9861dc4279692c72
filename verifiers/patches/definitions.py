"""Python functions and classes given anew, put in the place of those that the file has.

Small models often answer with the repaired function alone, in a block that names no file. Which lines it
replaces is plain as long as exactly one definition has its name.
"""

from __future__ import annotations

import ast
import textwrap
from typing import TypeAlias

_Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def replace_definitions(file: str, block: str) -> str | None:
    """``file`` with the definitions of ``block`` in the places of its own of the same names, new ones at its
    end and new imports in front. ``None`` where either is no Python, the block holds more than definitions
    and imports, or none of them has a place."""
    given, there = _parsed(textwrap.dedent(block)), _parsed(file)
    if given is None or there is None:
        return None
    block = textwrap.dedent(block)
    definitions = [node for node in given.body if isinstance(node, _Definition)]
    imports = [node for node in given.body if isinstance(node, ast.Import | ast.ImportFrom)]
    if not definitions or len(definitions) + len(imports) != len(given.body):
        return None
    places: list[tuple[int, int, str]] = []
    new: list[str] = []
    for node in definitions:
        own = _place(there, node.name)
        text = _lines_of(block, node)
        if own is None:
            new.append(text)
        else:
            indented = textwrap.indent(text, " " * own.col_offset)
            places.append((_first_line(own), own.end_lineno or own.lineno, indented))
    if not places:
        return None
    lines = file.split("\n")
    for first, last, text in sorted(places, reverse=True):
        lines[first - 1 : last] = text.rstrip("\n").split("\n")
    known = {ast.dump(node) for node in there.body if isinstance(node, ast.Import | ast.ImportFrom)}
    missing = [ast.unparse(node) for node in imports if ast.dump(node) not in known]
    if missing:
        at = _after_heading(there)
        lines[at:at] = missing
    changed = "\n".join(lines)
    if new:
        changed = "\n\n\n".join([changed.rstrip("\n"), *(text.rstrip("\n") for text in new)]) + "\n"
    return changed


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _place(tree: ast.Module, name: str) -> _Definition | None:
    """The definition of that name: at the top of the file, else the only one among all classes."""
    top = [node for node in tree.body if isinstance(node, _Definition) and node.name == name]
    inner = [
        node
        for holder in tree.body
        if isinstance(holder, ast.ClassDef)
        for node in holder.body
        if isinstance(node, _Definition) and node.name == name
    ]
    found = top or inner
    return found[0] if len(found) == 1 else None


def _first_line(node: _Definition) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _lines_of(text: str, node: _Definition) -> str:
    return "\n".join(text.split("\n")[_first_line(node) - 1 : node.end_lineno])


def _after_heading(tree: ast.Module) -> int:
    """How many lines the docstring and the imports for the future take."""
    end = 0
    for node in tree.body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not is_text and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        end = node.end_lineno or node.lineno
    return end

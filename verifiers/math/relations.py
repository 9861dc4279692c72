"""Equations and inequalities: what they say a thing is, or a part of the line, or their own key.

``x = 5`` is 5, ``y = 2x + 3`` is what y is, ``2x < 10`` is an interval, ``x^2 + y^2 = 1`` is an equation.
"""

from __future__ import annotations

from typing import Final

from verifiers.math import signature, values
from verifiers.math.formula import Node
from verifiers.math.things import (
    Interval,
    Named,
    Region,
    Relation,
    Thing,
    Values,
    intersection,
    without,
)
from verifiers.math.tokens import Unreadable

_MIRRORED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def worth(node: Node) -> Values:
    signs = (1, -1) if node.has("±", "∓") else (1,)
    keys = tuple(signature.formula_key(node, sign) for sign in signs)
    return Values(tuple(dict.fromkeys(key.text for key in keys)), keys)


def equation(sides: list[Node]) -> Thing:
    """``x = 5`` is 5, ``y = 2x + 3`` is what y is, ``x^2 + y^2 = 1`` is an equation."""
    left, right = sides[0], sides[-1]
    if len(sides) == 1:
        return worth(left)
    names = left.names() | right.names()
    if left.op == "name" and left.name not in right.names() and not _better_solved(left.name, names):
        return Named(left.name, worth(right))
    if right.op == "name" and right.name not in left.names() and len(sides) == 2:
        return equation([right, left])
    if not names - {"i", "e"}:
        return worth(right)
    if len(sides) > 2:
        raise Unreadable("a chain of equations")
    difference = Node("+", (left, Node("-", (right,))))
    solved = _solved(difference, names - {"i", "e"})
    if solved is not None:
        return solved
    return Relation(signature.equation_key(difference).text)


def _better_solved(name: str, names: frozenset[str]) -> bool:
    """A line is told by its y: ``x = 2y + 1`` and ``y = (x-1)/2`` are one."""
    return name == "x" and "y" in names


def _solved(difference: Node, names: frozenset[str]) -> Thing | None:
    """The equation solved for y, or for its only variable, where it is of first degree in it."""
    name = "y" if "y" in names else next(iter(names)) if len(names) == 1 else None
    if name is None or difference.has("±", "∓"):
        return None
    found = []
    for at in signature.points(names - {name}):
        root = signature.affine_root(difference, name, at)
        if root is None:
            return None
        found.append(root[0])
    key = signature.key_of_values(found, complex_numbers=False)
    return Named(name, Values((key.text,), (key,)))


def inequality(sides: list[Node | None], signs: list[str]) -> Thing:
    found: Region | None = None
    for left, sign, right in zip(sides, signs, sides[1:], strict=False):
        one = _single_inequality(left, sign, right)
        if not isinstance(one, Region):
            if len(signs) == 1:
                return one
            raise Unreadable("a chain of inequalities")
        found = one if found is None else intersection(found, one)
    if found is None:
        raise Unreadable("no inequality")
    return found


def _single_inequality(left: Node | None, sign: str, right: Node | None) -> Thing:
    if left is None and right is None:
        raise Unreadable("no inequality")
    if left is None:
        return _single_inequality(right, _MIRRORED.get(sign, sign), None)
    if right is None:  # x < ∞
        if left.op != "name" or sign not in ("<", "<=", ">", ">="):
            raise Unreadable("infinity in an inequality")
        return Region((Interval(None, None, (False, False)),))
    if sign == "=":
        raise Unreadable("an equation among inequalities")
    difference = Node("+", (left, Node("-", (right,))))
    names = difference.names() - {"i", "e"}
    if len(names) == 1:
        root = signature.affine_root(difference, next(iter(names)), {})
        if root is not None:
            return _half_line(root, sign)
    if sign == "≠":
        return Relation(signature.equation_key(difference, kind="neq").text)
    if sign in (">", ">="):
        difference, sign = Node("-", (difference,)), _MIRRORED[sign]
    kind = "less" if sign == "<" else "most"
    return Relation(signature.equation_key(difference, kind=kind, directed=True).text)


def _half_line(root: tuple[values.Value, values.Value], sign: str) -> Region:
    solution, slope = root
    if not (values.is_real(solution) and values.is_real(slope)):
        raise Unreadable("no real inequality")
    key = signature.number_key(solution)
    if sign == "≠":
        return without([key])
    if values.real(slope) < 0:
        sign = _MIRRORED[sign]
    closed = sign.endswith("=")
    if sign.startswith("<"):
        return Region((Interval(None, key, (False, closed)),))
    return Region((Interval(key, None, (closed, False)),))

"""Where in a file do these lines stand? First as they are, then as models misquote them.

    exact · without spaces at line ends · with another indentation · with single blank lines left out

Each step gives up a little of what was written, and the first that finds the lines decides. A step that
changes the indentation of what was searched changes that of the replacement alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """Lines ``start`` to ``end`` of the file, half-open. ``indent`` turns a line of the replacement into one
    that fits there."""

    start: int
    end: int
    indent: Callable[[str], str]


def find_lines(
    file: Sequence[str], wanted: Sequence[str], *, near: int | None = None, loosely: bool = True
) -> Found | None:
    """Where ``wanted`` stands in ``file``; of several places the one nearest to line index ``near``, without
    it the first. ``loosely`` allows for more than spaces at line ends."""
    if not wanted:
        return None
    for normal in (_same, str.rstrip):
        start = _place(file, wanted, normal, near)
        if start is not None:
            return Found(start, start + len(wanted), _same)
    if not loosely:
        return None
    start = _place(file, wanted, str.strip, near)
    if start is not None and any(line.strip() for line in wanted):
        there = file[start : start + len(wanted)]
        return Found(start, start + len(wanted), _shift(wanted, there))
    return _without_blanks(file, wanted, near)


def _same(line: str) -> str:
    return line


def _place(
    file: Sequence[str], wanted: Sequence[str], normal: Callable[[str], str], near: int | None
) -> int | None:
    target = [normal(line) for line in wanted]
    lines = [normal(line) for line in file]
    first, count = target[0], len(target)
    places = (
        at
        for at, line in enumerate(lines[: len(lines) - count + 1])
        if line == first and lines[at : at + count] == target
    )
    if near is None:
        return next(places, None)
    return min(places, key=lambda at: abs(at - near), default=None)


def _shift(wanted: Sequence[str], there: Sequence[str]) -> Callable[[str], str]:
    """What to do to indentation: as it was written, to what really stands there."""
    real: dict[str, str] = {}
    for one, other in zip(wanted, there, strict=True):
        if one.strip():
            real.setdefault(_indent(one), _indent(other))

    def shifted(line: str) -> str:
        if not line.strip():
            return line
        indent = _indent(line)
        known = [written for written in real if indent.startswith(written)]
        if known:
            nearest = max(known, key=len)
            return real[nearest] + line[len(nearest) :]
        shortest = min(real, key=len)
        surplus = len(shortest) - len(indent)
        return real[shortest][: max(0, len(real[shortest]) - surplus)] + line[len(indent) :]

    return shifted


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _without_blanks(file: Sequence[str], wanted: Sequence[str], near: int | None) -> Found | None:
    numbered = [(at, line.rstrip()) for at, line in enumerate(file) if line.strip()]
    target = [line.rstrip() for line in wanted if line.strip()]
    if not target:
        return None
    start = _place([line for _, line in numbered], target, _same, near)
    if start is None:
        return None
    return Found(numbered[start][0], numbered[start + len(target) - 1][0] + 1, _same)

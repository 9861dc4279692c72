"""Checks by machine every calculation that a solution writes out, such as ``48 / 2 = 24``.

A solution whose sums are wrong is seldom right, and that much can be known without any model. What is read is
arithmetic as people and models write it: currency signs and units stand between the numbers, ``x`` and ``of``
multiply, thousands have commas, calculator marks (``<<48/2=24>>``) are calculations like any other. What
cannot be read is left out, and is no evidence either way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

_LONGEST_TEXT = 20_000
_LONGEST_EXPRESSION = 40  # numbers, signs and brackets
_MOST_WORDS = 3  # of units between a number and the next sign

_TOKEN: Final = re.compile(
    r"(?<!\d)(?P<number>(?:\d{1,3}(?:,\d{3}){1,8}|\d{1,24})(?:\.\d{1,24})?|\.\d{1,24})(?!\d)(?P<percent>\s?%)?"
    r"|(?P<times>[x×*·](?=[\s$(]{0,3}[\d.])|\\times|\\cdot)"
    r"|(?P<sign>[-+/÷−–=()])"
    r"|(?P<word>[^\W\d_]+)"
    r"|(?P<other>[^\s$€£])"
)
_LATEX: Final = (
    (re.compile(r"\\[dt]?frac\{([\d.,\s]{1,30})\}\{([\d.,\s]{1,30})\}"), r"(\1/\2)"),
    (re.compile(r"\\(?:text|mathrm|mathbf)\{([^{}]{0,60})\}"), r" \1 "),
    (re.compile(r"\\[()\[\]]|\\[,;!]|\\left|\\right|\\(?=[$%])|\*\*"), " "),
)
_SIGNS: Final = {"÷": "/", "−": "-", "–": "-"}


@dataclass(frozen=True, slots=True)
class Calculation:
    """One written ``left = right``: the value of the left side, the number that is claimed, and whether they
    agree to the last place that is written."""

    value: Fraction
    claimed: Fraction
    right: bool


@dataclass(frozen=True, slots=True)
class _Number:
    value: Fraction
    places: int


def calculations(text: str) -> list[Calculation]:
    """Every calculation in ``text`` that can be read, in order."""
    found = []
    text = text[-_LONGEST_TEXT:]
    for pattern, plain in _LATEX:
        text = pattern.sub(plain, text)
    for line in re.split(r"\n|(?<=[^\d\s])[.;:!?]\s|(?<=\d)[.;:!?]\s|<<|>>", text):
        if "=" not in line:
            continue
        sides = _sides(line)
        for left, right in pairwise(sides):
            calculation = _compared(left, right)
            if calculation is not None:
                found.append(calculation)
    return found


def numbers_in(text: str) -> list[Fraction]:
    """Every number written in ``text``, in order."""
    return [_number(found).value for found in _TOKEN.finditer(text[-_LONGEST_TEXT:]) if found["number"]]


def _sides(line: str) -> list[list[_Number | str]]:
    """The tokens of ``line`` between its equals signs; a bar stands where a phrase begins anew."""
    sides: list[list[_Number | str]] = [[]]
    words = 0
    for found in _TOKEN.finditer(line):
        side = sides[-1]
        if found["number"]:
            if side and isinstance(side[-1], _Number):
                side.append("|")  # two numbers without a sign are two phrases
            side.append(_number(found))
        elif found["times"]:
            side.append("*")
        elif found["sign"] == "=":
            sides.append([])
        elif found["sign"]:
            side.append(_SIGNS.get(found["sign"], found["sign"]))
        elif found["word"] and found["word"].lower() == "of" and side and isinstance(side[-1], _Number):
            side.append("*")
        else:
            words += 1
            if found["other"] or words > _MOST_WORDS or (side and not isinstance(side[-1], _Number)):
                side.append("|")
            continue
        words = 0
    return sides


def _number(found: re.Match[str]) -> _Number:
    text = found["number"].replace(",", "")
    places = len(text.partition(".")[2])
    value = Fraction(text)
    if found["percent"]:
        return _Number(value / 100, places + 2)
    return _Number(value, places)


def _compared(left: list[_Number | str], right: list[_Number | str]) -> Calculation | None:
    expression = _last_phrase(left)
    if sum(isinstance(token, _Number) for token in expression) < 2:
        return None
    value = _value(expression)
    claim = next((token for token in right[:2] if isinstance(token, _Number)), None)
    if value is None or claim is None or (right[0] != claim and right[0] != "-"):
        return None
    sign = -1 if right[0] == "-" else 1
    claimed = sign * claim.value
    off = abs(value - claimed)
    near = off * 2 <= Fraction(1, 10**claim.places) if claim.places else off == 0
    in_percent = claim.places >= 2 and off * 100 == 0
    whole = _value(_first_phrase(right))
    return Calculation(value, claimed, near or in_percent or whole == value)


def _last_phrase(side: list[_Number | str]) -> list[_Number | str]:
    phrase: list[_Number | str] = []
    for part in reversed(side):
        if part == "|":
            break
        phrase.append(part)
    return phrase[::-1]


def _first_phrase(side: list[_Number | str]) -> list[_Number | str]:
    return side[: side.index("|")] if "|" in side else side


def _value(tokens: list[_Number | str]) -> Fraction | None:
    """The value of a plain expression, ``None`` where it is none or divides by zero."""
    if not 0 < len(tokens) <= _LONGEST_EXPRESSION:
        return None
    reader = _Expression(tokens)
    try:
        value = reader.sum()
    except (ValueError, ZeroDivisionError):
        return None
    return value if reader.at_end else None


class _Expression:
    """Reads numbers, the four operations and brackets, in the usual order. Raises ``ValueError``."""

    def __init__(self, tokens: list[_Number | str]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at == len(self._tokens)

    def sum(self) -> Fraction:
        value = self._product()
        while self._next() in ("+", "-"):
            sign = self._take()
            term = self._product()
            value = value + term if sign == "+" else value - term
        return value

    def _product(self) -> Fraction:
        value = self._factor()
        while self._next() in ("*", "/"):
            sign = self._take()
            factor = self._factor()
            value = value * factor if sign == "*" else value / factor
        return value

    def _factor(self) -> Fraction:
        part = self._take()
        if isinstance(part, _Number):
            return part.value
        if part == "-":
            return -self._factor()
        if part == "(":
            value = self.sum()
            if self._take() == ")":
                return value
        raise ValueError

    def _next(self) -> _Number | str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self) -> _Number | str:
        token = self._next()
        if token is None:
            raise ValueError
        self._at += 1
        return token

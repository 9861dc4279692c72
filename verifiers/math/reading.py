"""Reading a whole answer: a value with its name and its unit, several values, an inequality, a set, a matrix.

``read`` gives the answer's key, or ``None`` where this is no mathematics that we read.
Nothing here raises, evaluates more than formulas, or costs more than some milliseconds: see ``values``.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from verifiers.math import signature
from verifiers.math.answer_reader import AnswerReader
from verifiers.math.formula import Reader
from verifiers.math.gathering import table
from verifiers.math.things import (
    Named,
    Thing,
    Values,
)
from verifiers.math.tokens import Token, Unreadable, tokens, undressed
from verifiers.math_text import without_hedge

LONGEST: Final = 1_000
"""Characters of the longest answer that is read."""

CANONICAL: Final = re.compile(r"(?:[-\d/;∪(){}\[\]∞,]|(?:num|expr|eq|less|most|neq|matrix)\.[0-9a-f]{24})+")
DIGEST: Final = re.compile(r"(?:num|expr|eq|less|most|neq|matrix)\.[0-9a-f]{24}")
"""How our keys look; ``normal`` leaves them alone."""

_MOST_CELLS: Final = 64
_MATRIX: Final = re.compile(
    r"\\begin\s?\{\s?([pbvBV]?matrix|smallmatrix|array)\s?\}(?:\s?\{[lcr| ]*\})?(.*?)\\end\s?\{\s?\1\s?\}"
)
_OLD_MATRIX: Final = re.compile(r"\\[pbv]?matrix\s?\{((?:[^{}]|\{[^{}]*\})*)\}")
_SIZES: Final = re.compile(r"\\(?:left|right|[bB]igg?[lr]?)(?![A-Za-z])\s?\.?")
_ENDS: Final = re.compile(r"[ .,;:?]+$|^[ ,;:?]+")
_WRAPPED: Final = re.compile(r"(Matrix|matrix|array|np\.array|set|frozenset)\((?=\[)(.*)\)")
_SUCH_THAT: Final = re.compile(
    r"^(?:\{\s?)?all\s(?:real\s)?(?:numbers\s|values\sof\s)?\w\s"
    r"(?:such\sthat|where|with|for\swhich|satisfying)\s",
    re.IGNORECASE,
)
_TRANSPOSED: Final = re.compile(r"\^\s?\{?\s?(?:\\top|\\intercal|T)\s?\}?$")
_CUT_AT: Final = re.compile(r"\\approx|≈|\\simeq")
_IS: Final = frozenset(("is", "are", "equals", "be", "becomes", "answer", "answers", "exactly"))


def read(answer: str) -> str | None:
    """The key of ``answer``: equal for two answers exactly where they are the same mathematics."""
    if len(answer) > LONGEST:
        return None
    try:
        thing = _read(answer)
    except (Unreadable, RecursionError, OverflowError, MemoryError, ArithmeticError, ValueError):
        return None
    return thing.text if thing is not None else None


def is_beyond_reach(answer: str) -> bool:
    """Whether ``answer`` was read and is too large to be worked out: nobody else need be asked."""
    try:
        _read(answer[:LONGEST])
    except signature.TooLarge:
        return True
    except (Unreadable, RecursionError, OverflowError, MemoryError, ArithmeticError, ValueError):
        return False
    return False


def real_number(answer: str) -> Fraction | None:
    """The real number that ``answer`` is, exact or to 100 digits; ``None`` where it is none."""
    try:
        thing = _read(answer) if len(answer) <= LONGEST else None
    except (Unreadable, RecursionError, OverflowError, MemoryError, ArithmeticError, ValueError):
        return None
    while isinstance(thing, Named):
        thing = thing.thing
    return thing.sizes[0].size if isinstance(thing, Values) and len(thing.sizes) == 1 else None


def _read(answer: str) -> Thing | None:
    text = _TRANSPOSED.sub("", _ENDS.sub("", undressed(answer)))
    text = _OLD_MATRIX.sub(lambda found: _modern(found[1]), text)
    if "\\begin" in text:
        text = _SIZES.sub(" ", text)
        matrix = _MATRIX.search(text)
        if matrix is not None:
            return _matrix(text, matrix)
    text = _unwrapped(without_hedge(text))
    found = _without_sentence(tokens(exact_side(text)))
    _mark_unit(found)
    if not found:
        return None
    return AnswerReader(found).answer()


def _unwrapped(text: str) -> str:
    """Without what programs and old TeX put around a collection, and the words before a condition."""
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped is not None:
        inside = wrapped[2]
        return f"\\{{{inside[1:-1]}\\}}" if wrapped[1].endswith("set") else inside
    if text.startswith("<") and text.endswith(">") and "," in text:
        return f"({text[1:-1]})"
    return _SUCH_THAT.sub("", text)


def _mark_unit(found: list[Token]) -> None:
    """The last letter of ``9π m`` is no variable."""
    if len(found) < 2 or found[-1].sort != "name" or not found[-1].spaced:
        return
    name, before = found[-1].text, found[-2]
    alone = all(token.sort != "name" or token.text != name for token in found[:-1])
    value = before.sort in ("number", "constant") or before.text in (")", "}", "|")
    if alone and value and name in ("m", "g", "s", "h") and not any(t.sort == "name" for t in found[2:-1]):
        found[-1] = Token("word", name, spaced=True)


def exact_side(text: str) -> str:
    """``√2/20`` of ``√2/20 ≈ 0.0707``; the right side of ``x ≈ 5``."""
    cut = _CUT_AT.search(text)
    if cut is None:
        return text
    if "{" in text[: cut.start()] and text[: cut.start()].count("{") != text[: cut.start()].count("}"):
        try:
            text = undressed(text)
        except Unreadable:
            return text
        cut = _CUT_AT.search(text)
        if cut is None:
            return text
    left, right = text[: cut.start()].rstrip(), text[cut.end() :].strip()
    last = left.rpartition("=")[2]
    return left if re.search(r"[\dπ√]|\\(?:pi|sqrt|frac)", last) else right


def _without_sentence(found: list[Token]) -> list[Token]:
    """The tokens without the words that lead up to the answer: "the area is", "Total cost ="."""
    while found and found[0].sort == "word" and found[0].text.lower() not in ("all", "no"):
        depth, last = 0, -1
        for place, token in enumerate(found):
            depth += (token.text in ("(", "[", "\\{", "{")) - (token.text in (")", "]", "\\}", "}"))
            if depth:
                continue
            if token.text.lower() in _IS and token.sort == "word":
                last = place
            elif token.text in ("=", ":") and all(each.sort in ("word", "name") for each in found[:place]):
                last = place
                break
        if last < 0 or last + 1 >= len(found):
            break
        rest = found[last + 1 :]
        found = rest[1:] if rest[0].text == ":" and len(rest) > 1 else rest
    return found


def _modern(cells: str) -> str:
    rows = cells.replace("\\cr", "\\\\")
    return f"\\begin{{pmatrix}}{rows}\\end{{pmatrix}}"


def _matrix(text: str, match: re.Match[str]) -> Thing:
    before = re.sub(r"[A-Za-z_0-9{}\\]{1,12}\s?=\s?$", "", text[: match.start()].strip("()[] ")).strip()
    if before.strip("([{ ") or text[match.end() :].strip(")]}. "):
        raise Unreadable("more than a matrix")
    rows = [row for row in re.split(r"\\\\(?:\[[^\]]*\])?|\\cr", match[2]) if row.strip(" \\hline")]
    if match[2].count("&") + len(rows) > _MOST_CELLS:
        raise Unreadable("too large")
    cells = [[_cell(cell) for cell in row.split("&")] for row in rows]
    return table(cells, determinant=match[1] == "vmatrix")


def _cell(text: str) -> str:
    found = tokens(text.strip())
    reader = Reader(found)
    node = reader.expression()
    if reader.peek() is not None:
        raise Unreadable("more than a number in a cell")
    return signature.formula_key(node).text


__all__ = ["CANONICAL", "DIGEST", "exact_side", "is_beyond_reach", "read", "real_number"]

"""Reading a whole answer: a value with its name and its unit, several values, an inequality, a set, a matrix.

``read`` is the only door. It gives the answer's key, or ``None`` where this is no mathematics that we read.
It never raises, evaluates nothing but formulas, and costs at most some milliseconds: see ``values``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from verifiers.math import signature, values
from verifiers.math.formula import Node, Reader
from verifiers.math.signature import Key
from verifiers.math.things import (
    Interval,
    Named,
    Ordered,
    Region,
    Relation,
    Several,
    Thing,
    Values,
    complement,
    intersection,
    union,
    without,
)
from verifiers.math.tokens import Token, Unreadable, tokens, undressed
from verifiers.math_text import without_hedge
from verifiers.quantities import NOT_NOUNS
from verifiers.spelled_numbers import SCALES
from verifiers.units import find_unit

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
_CLOSERS: Final = {"(": ")", "{": "}"}
_RELATIONS: Final = ("=", "<", ">", "<=", ">=", "≠", "∈")
_MIRRORED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_IS: Final = frozenset(("is", "are", "equals", "be", "becomes", "answer", "answers", "exactly"))
_EXCEPT: Final = ("except", "but", "besides", "excluding", "without")
_NEVER_UNITS: Final = NOT_NOUNS | {"hundred", "dozen", *SCALES, "is", "or", "if", "where", "when", "for"}


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
    return _AnswerReader(found).answer()


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


def table(cells: Sequence[Sequence[str]], *, determinant: bool = False) -> Thing:
    """A matrix by rows. One row, or one column, is a vector, and a vector is a tuple."""
    if determinant or not cells or len({len(row) for row in cells}) != 1:
        raise Unreadable("no matrix")
    if len(cells) == 1 or len(cells[0]) == 1:
        return Ordered(tuple(cell for row in cells for cell in row))
    return Relation(signature.digest("matrix", (";".join(row) for row in cells)))


class _AnswerReader(Reader):
    """One answer's tokens."""

    def answer(self) -> Thing:
        self._open_wrapping()
        reals = self._all_reals()
        thing = reals if reals is not None else self._list(())
        if self.peek() is not None:
            raise Unreadable("more than an answer")
        return thing

    def _open_wrapping(self) -> None:
        """Drop brackets around the whole: ``{(1, 2)}``, ``(x = 5)``; not those of a set or a tuple."""
        while self.at("(", "{"):
            close, commas = self._reach()
            inside = self.tokens[1:-1]
            matched = _CLOSERS.get(self.tokens[0].text) == self.tokens[-1].text
            if close != len(self.tokens) - 1 or commas or not matched or not inside:
                return
            if self.tokens[0].text == "{" and any(token.text in (":", "|") for token in inside[1:2]):
                return
            self.tokens = inside

    # -- several ---------------------------------------------------------------------------------

    def _list(self, closers: tuple[str, ...]) -> Thing:
        items = [self._item()]
        joined: set[str] = set()
        while (token := self.peek()) is not None and not self.at(*closers):
            if not (token.text in (",", ";") or (token.sort == "word" and token.text in ("and", "or"))):
                raise Unreadable(f"unexpected {token.text}")
            while (token := self.peek()) is not None and token.text in (",", ";", "and", "or"):
                joined.add(self.take().text)
            items.append(self._item())
        return items[0] if len(items) == 1 else _gathered(items, joined)

    def _item(self) -> Thing:
        thing = self._operand()
        while self.at("∪", "∩", "\\") or self._letter_u() or (self.at("-") and isinstance(thing, Region)):
            sign = self.take().text
            other = self._operand()
            if sign in ("\\", "-"):
                thing = intersection(_region(thing), complement(_region(other)))
            elif isinstance(thing, Values) and isinstance(other, Values) and sign != "∩":
                thing = Values(thing.keys + other.keys, thing.sizes + other.sizes, listed=False)
            else:
                regions = [_region(thing), _region(other)]
                thing = intersection(*regions) if sign == "∩" else union(regions)
        self._unit()
        return thing

    def _letter_u(self) -> bool:
        """``(0, 1) U (2, 3)``."""
        token, before = self.peek(), self.tokens[self.place - 1]
        return (
            token is not None
            and token.text == "U"
            and before.text in (")", "]", "\\}")
            and (self.at("(", "[", "\\{", ahead=1))
        )

    def _operand(self) -> Thing:
        token = self.peek()
        if token is None:
            raise Unreadable("something is missing")
        if token.text == "∅" and token.sort == "constant":
            self.take()
            return Values((), listed=False)
        if token.text == "ℝ" and token.sort == "constant":
            self.take()
            return Region((Interval(None, None, (False, False)),))
        if self.at("\\{"):
            return self._set()
        if self.at("(", "[", "{"):
            kind = self._bracketed()
            if kind is not None:
                return kind
        return self._comparison()

    # -- brackets --------------------------------------------------------------------------------

    def _bracketed(self) -> Thing | None:
        """A tuple, an interval, a set or a matrix; ``None`` where the brackets belong to an expression."""
        close, commas = self._reach()
        if close is not None and self.tokens[self.place].text == "{":
            inside = self.tokens[self.place + 1 : close]
            if not inside or any(token.text in (":", "|") for token in inside[1:2]):
                return self._set()
        if close is None or not commas:
            return None
        opener, closer = self.tokens[self.place].text, self.tokens[close].text
        after = self.tokens[close + 1] if close + 1 < len(self.tokens) else None
        if after is not None and after.text in ("+", "-", "*", "/", "^", "_"):
            raise Unreadable("arithmetic of tuples")
        if opener == "{":
            return self._set()
        if opener == "[" and closer == "]" and self.at("[", ahead=1):
            return self._rows()
        names = self._names_of_tuple(close)
        if names:
            self.place = close + 2
            return self._operand()
        self.take()
        parts: list[Thing] = [self._part_of_tuple()]
        while self.at(",", ";"):
            self.take()
            parts.append(self._part_of_tuple())
        self.take(closer)
        if len(parts) == 2 and all(isinstance(part, Values) for part in parts):
            return _pair(parts, opener + closer)
        return Ordered(tuple(part.text for part in parts), "()" if len(parts) > 2 else opener + closer)

    def _rows(self) -> Thing:
        """``[[1, 2], [3, 4]]``."""
        self.take("[")
        rows: list[list[str]] = []
        while True:
            self.take("[")
            rows.append([self._value().text])
            while self.at(","):
                self.take()
                rows[-1].append(self._value().text)
            self.take("]")
            if not self.at(","):
                break
            self.take()
        self.take("]")
        return table(rows)

    def _reach(self) -> tuple[int | None, int]:
        """Where the bracket at this place closes, and how many commas stand in it."""
        depth = commas = 0
        for place in range(self.place, len(self.tokens)):
            token = self.tokens[place]
            if token.sort not in ("operator", "relation", "command"):
                continue
            if token.text in ("(", "[", "{", "\\{"):
                depth += 1
            elif token.text in (")", "]", "}", "\\}"):
                depth -= 1
                if depth == 0:
                    return place, commas
            elif token.text in (",", ";") and depth == 1:
                commas += 1
        return None, commas

    def _names_of_tuple(self, close: int) -> bool:
        """``(x, y) =``."""
        inside = self.tokens[self.place + 1 : close]
        equals = close + 1 < len(self.tokens) and self.tokens[close + 1].text in ("=", "∈")
        return equals and all(token.sort == "name" or token.text == "," for token in inside)

    def _part_of_tuple(self) -> Thing:
        if self.at("(", "[", "{", "\\{"):
            found = self._set() if self.at("\\{") else self._bracketed()
            if found is not None:
                return found
        infinite = self._infinity()
        if infinite is not None:
            return infinite
        return self._value()

    def _infinity(self) -> Values | None:
        ahead = 1 if self.at("+", "-") else 0
        token = self.peek(ahead)
        if token is None or token.sort != "constant" or token.text != "∞":
            return None
        negative = self.at("-")
        self.place += ahead + 1
        return Values(("-∞" if negative else "∞",))

    def _set(self) -> Thing:
        closer = "\\}" if self.take().text == "\\{" else "}"
        if self.at(closer):
            self.take()
            return Values((), listed=False)
        bar = self._bar(closer)
        if bar is not None:
            self.place = bar + 1
        inside = self._list((closer,))
        self.take(closer)
        if bar is not None:
            return inside
        if isinstance(inside, Named):
            inside = inside.thing
        if isinstance(inside, Values):
            return Values(inside.keys, inside.sizes, listed=False)
        if isinstance(inside, Several):
            return Values(tuple(each.text for each in inside.things), listed=False)
        if isinstance(inside, Ordered):
            return Values((inside.text,), listed=False)
        raise Unreadable("a set of something else")

    def _bar(self, closer: str) -> int | None:
        """Where the condition of ``{x | x > 2}`` begins."""
        depth = 0
        for place in range(self.place, len(self.tokens)):
            text = self.tokens[place].text
            depth += (text in ("(", "[", "\\{")) - (text in (")", "]", "\\}"))
            if depth < 0 or text == closer:
                return None
            if depth == 0 and text in ("|", ":") and place - self.place in (1, 3):
                return place
        return None

    # -- values and comparisons ------------------------------------------------------------------

    def _value(self) -> Values:
        return _worth(self.expression())

    def _comparison(self) -> Thing:
        infinite = self._infinity()
        if infinite is not None and not self.at(*_RELATIONS):
            return infinite
        here = self.place
        name = self._function_name() if infinite is None else None
        if name is not None:
            return Named(name, self._item())
        self.place = here
        sides: list[Node | None] = [None if infinite is not None else self.expression()]
        signs: list[str] = []
        while self.at(*_RELATIONS):
            signs.append(self.take().text)
            if signs[-1] == "∈":
                return self._member(sides)
            if signs == ["="] and self._collection_follows():
                return self._equal_to_collection(sides)
            sides.append(None if self._infinity() is not None else self.expression())
        if not signs:
            assert sides[0] is not None  # noqa: S101  an infinity without a sign was returned above
            return _worth(sides[0])
        if signs == ["≠"]:
            return self._more_exceptions(_inequality(sides, signs))
        if all(sign == "=" for sign in signs):
            return _equation([side for side in sides if side is not None])
        return _inequality(sides, signs)

    def _more_exceptions(self, thing: Thing) -> Thing:
        """``x ≠ -2, 3``."""
        while isinstance(thing, Region) and (token := self.peek()) is not None:
            here = self.place
            if token.text not in (",", "and", "or"):
                break
            self.take()
            try:
                value = self._value()
            except Unreadable:
                self.place = here
                break
            if self.at(*_RELATIONS):
                self.place = here
                break
            thing = without(value.sizes, thing)
        return thing

    def _function_name(self) -> str | None:
        """``f(x) =``, ``P(A) =``."""
        token = self.peek()
        if token is None or token.sort != "name" or not self.at("(", ahead=1):
            return None
        self.place += 1
        close, _commas = self._reach()
        if close is None or close + 1 >= len(self.tokens) or self.tokens[close + 1].text != "=":
            return None
        inside = "".join(each.text for each in self.tokens[self.place + 1 : close])
        self.place = close + 2
        return f"{token.text}({inside})"

    def _collection_follows(self) -> bool:
        token = self.peek()
        if token is None:
            return False
        if token.text in ("\\{", "∅", "ℝ"):
            return True
        close, commas = self._reach() if self.at("(", "[", "{") else (None, 0)
        return close is not None and commas > 0

    def _equal_to_collection(self, sides: list[Node | None]) -> Thing:
        side = sides[0]
        if side is None or side.op != "name":
            raise Unreadable("an equation of sets")
        return Named(side.name, self._item())

    def _member(self, sides: list[Node | None]) -> Thing:
        if len(sides) != 1 or sides[0] is None or sides[0].op != "name":
            raise Unreadable("a member of something")
        return self._item()

    # -- words -----------------------------------------------------------------------------------

    def _unit(self) -> None:
        """What stands behind a value and says nothing: ``cm^2``, ``square units``, ``%``, ``m``."""
        while True:
            if self.at("%", "°"):
                self.take()
            elif (token := self.peek()) is not None and token.sort == "word" and _may_be_unit(token.text):
                self.take()
                if self.at("^"):
                    self._power_of_unit()
                elif self.at("/"):
                    self.take()
            else:
                return

    def _power_of_unit(self) -> None:
        self.take("^")
        braced = self.at("{")
        if braced:
            self.take()
        if self.at("-"):
            self.take()
        token = self.take()
        if token.text not in ("1", "2", "3"):
            raise Unreadable("no power of a unit")
        if braced:
            self.take("}")

    def _all_reals(self) -> Thing | None:
        """``all real numbers``, ``all reals except 2 and 3``, ``no solution``."""
        words = [token.text.lower() for token in self.tokens[:4] if token.sort == "word"]
        if words[:1] == ["no"] and len(words) == len(self.tokens) and words[-1].startswith("solution"):
            self.place = len(self.tokens)
            return Values((), listed=False)
        if words[:1] != ["all"] or not any(word.startswith("real") for word in words[:2]):
            return None
        self.place = 3 if words[2:3] and words[2].startswith("number") else 2
        token = self.peek()
        if token is not None and token.sort == "name":
            self.take()
            token = self.peek()
        if token is None:
            return Region((Interval(None, None, (False, False)),))
        if token.sort != "word" or token.text.lower() not in (*_EXCEPT, "other"):
            raise Unreadable("some real numbers")
        while (token := self.peek()) is not None and token.text.lower() in (*_EXCEPT, "other", "than", "for"):
            self.take()
        left_out = self._list(())
        left_out = left_out.thing if isinstance(left_out, Named) else left_out
        if not isinstance(left_out, Values):
            raise Unreadable("real numbers without something")
        return without(left_out.sizes)


def _may_be_unit(word: str) -> bool:
    lower = word.lower()
    if lower in ("and", "or"):
        return False
    return lower not in _NEVER_UNITS and (
        find_unit(word) is not None or len(word) > 2 or lower in ("of", "a", "an", "in", "sq", "per")
    )


def _worth(node: Node) -> Values:
    signs = (1, -1) if node.has("±", "∓") else (1,)
    keys = tuple(signature.formula_key(node, sign) for sign in signs)
    return Values(tuple(dict.fromkeys(key.text for key in keys)), keys)


def _pair(parts: Sequence[Thing], brackets: str) -> Thing:
    """``(a, b)``, a point or an interval: one key for both, since only the question knows."""
    low, high = parts
    assert isinstance(low, Values)  # noqa: S101  asked by the caller
    assert isinstance(high, Values)  # noqa: S101
    closed = (brackets[0] == "[", brackets[1] == "]")
    low_end = None if low.text == "-∞" else low.sizes[0] if len(low.sizes) == 1 else Key(low.text)
    high_end = None if high.text == "∞" else high.sizes[0] if len(high.sizes) == 1 else Key(high.text)
    interval = Interval(low_end, high_end, closed)
    try:
        whole = Region((interval,)).text == interval.text
    except Unreadable:
        whole = False
    return Region((interval,)) if whole else Ordered((low.text, high.text), brackets)


def _region(thing: Thing) -> Region:
    if isinstance(thing, Region):
        return thing
    if isinstance(thing, Named):
        return _region(thing.thing)
    if isinstance(thing, Values):
        return Region(tuple(Interval(key, key, (True, True)) for key in thing.sizes))
    raise Unreadable("no region of the line")


def _gathered(items: list[Thing], joined: set[str]) -> Thing:
    """Several things as one: "x = 2 or x = 3", "x < 2 or x > 3", "x = 1, y = 2"."""
    bare = [item.thing if isinstance(item, Named) else item for item in items]
    names = [item.name for item in items if isinstance(item, Named)]
    names = [name.partition("_")[0] for name in names] if len(set(names)) > 1 else names
    if len(names) == len(items) and len(set(names)) == len(items):
        in_order = sorted(zip(names, bare, strict=True), key=lambda pair: pair[0])
        return _tuple([thing for _, thing in in_order])
    if len(set(names)) > 1:
        raise Unreadable("values of several things")
    regions = [thing for thing in bare if isinstance(thing, Region)]
    if len(regions) == len(bare) and not _are_points(regions):
        both = regions[0]
        for region in regions[1:]:
            both = intersection(both, region)
        # "x > 0, x < 1" is a part of the line, "x < 0, x > 1" are two.
        together = "or" not in joined and ("and" in joined or both.intervals)
        return both if together else union(regions)
    if all(isinstance(thing, Values) for thing in bare):
        found = [thing for thing in bare if isinstance(thing, Values)]
        return Values(
            tuple(key for thing in found for key in thing.keys),
            tuple(key for thing in found for key in thing.sizes),
        )
    return Several(tuple(bare))


def _are_points(regions: Sequence[Region]) -> bool:
    """Whether pairs in a list are points, ``(1,2), (3,4)``, and not intervals to be joined."""
    return all(
        len(region.intervals) == 1
        and region.intervals[0].closed == (False, False)
        and region.intervals[0].low is not None
        and region.intervals[0].high is not None
        for region in regions
    )


def _tuple(things: Sequence[Thing]) -> Thing:
    if len(things) == 2 and all(isinstance(thing, Values) for thing in things):
        return _pair(things, "()")
    return Ordered(tuple(thing.text for thing in things))


def _equation(sides: list[Node]) -> Thing:
    """``x = 5`` is 5, ``y = 2x + 3`` is what y is, ``x^2 + y^2 = 1`` is an equation."""
    left, right = sides[0], sides[-1]
    if len(sides) == 1:
        return _worth(left)
    names = left.names() | right.names()
    if left.op == "name" and left.name not in right.names() and not _better_solved(left.name, names):
        return Named(left.name, _worth(right))
    if right.op == "name" and right.name not in left.names() and len(sides) == 2:
        return _equation([right, left])
    if not names - {"i", "e"}:
        return _worth(right)
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


def _inequality(sides: list[Node | None], signs: list[str]) -> Thing:
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


__all__ = ["CANONICAL", "DIGEST", "exact_side", "is_beyond_reach", "read", "real_number"]

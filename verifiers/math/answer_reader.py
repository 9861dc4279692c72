"""One answer's tokens as the thing that they mean: lists, sets, tuples, intervals, comparisons, units.

On top of ``formula``, which reads the expressions in them.
"""

from __future__ import annotations

from typing import Final

from verifiers.math.formula import Node, Reader
from verifiers.math.gathering import gathered, pair, region_of, table
from verifiers.math.relations import equation, inequality, worth
from verifiers.math.things import (
    Interval,
    Named,
    Ordered,
    Region,
    Several,
    Thing,
    Values,
    complement,
    intersection,
    union,
    without,
)
from verifiers.math.tokens import Unreadable
from verifiers.quantities import NOT_NOUNS
from verifiers.spelled_numbers import SCALES
from verifiers.units import find_unit

_CLOSERS: Final = {"(": ")", "{": "}"}
_RELATIONS: Final = ("=", "<", ">", "<=", ">=", "≠", "∈")
_EXCEPT: Final = ("except", "but", "besides", "excluding", "without")
_NEVER_UNITS: Final = NOT_NOUNS | {"hundred", "dozen", *SCALES, "is", "or", "if", "where", "when", "for"}


class AnswerReader(Reader):
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
        return items[0] if len(items) == 1 else gathered(items, joined)

    def _item(self) -> Thing:
        thing = self._operand()
        while self.at("∪", "∩", "\\") or self._letter_u() or (self.at("-") and isinstance(thing, Region)):
            sign = self.take().text
            other = self._operand()
            if sign in ("\\", "-"):
                thing = intersection(region_of(thing), complement(region_of(other)))
            elif isinstance(thing, Values) and isinstance(other, Values) and sign != "∩":
                thing = Values(thing.keys + other.keys, thing.sizes + other.sizes, listed=False)
            else:
                regions = [region_of(thing), region_of(other)]
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
            return pair(parts, opener + closer)
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
        return worth(self.expression())

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
            return worth(sides[0])
        if signs == ["≠"]:
            return self._more_exceptions(inequality(sides, signs))
        if all(sign == "=" for sign in signs):
            return equation([side for side in sides if side is not None])
        return inequality(sides, signs)

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

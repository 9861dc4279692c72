"""Reading one expression: tokens in, a tree out.

The grammar is that of school: sums, products (with the sign left out: ``2k``, ``3(x+1)``), quotients from
left to right, powers to the right, functions, roots, fractions, absolute values. Nothing is evaluated here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from verifiers.math.tokens import Token, Unreadable

DEEPEST: Final = 40
"""Brackets, fractions and powers inside one another."""

TRIGONOMETRIC: Final = frozenset(("sin", "cos", "tan", "cot", "sec", "csc"))
_OPENERS: Final = {"(": ")", "[": "]", "{": "}", "⌊": "⌋", "⌈": "⌉"}
_SEVERAL: Final = frozenset(("gcd", "lcm", "min", "max"))
_INVERSE: Final = {"sin": "arcsin", "cos": "arccos", "tan": "arctan"}


@dataclass(frozen=True, slots=True)
class Node:
    """``op`` is ``number``, ``name``, ``constant``, ``+``, ``*``, ``/``, ``^``, ``-`` (of one), ``±``, ``∓``,
    ``!``, ``radians`` (of degrees) or a function's name."""

    op: str
    args: tuple[Node, ...] = ()
    value: Fraction = Fraction(0)
    name: str = ""

    def names(self) -> frozenset[str]:
        """The variables in it."""
        found: set[str] = set()
        stack = [self]
        while stack:
            node = stack.pop()
            stack += node.args
            if node.op == "name":
                found.add(node.name)
        return frozenset(found)

    def has(self, *ops: str) -> bool:
        stack = [self]
        while stack:
            node = stack.pop()
            if node.op in ops:
                return True
            stack += node.args
        return False


def number(value: Fraction | int) -> Node:
    return Node("number", value=Fraction(value))


class Reader:
    """Reads expressions off a list of tokens, from ``place`` on."""

    def __init__(self, found: Sequence[Token]) -> None:
        self.tokens = list(found)
        self.place = 0
        self._depth = 0
        self._bars = 0
        self._degrees_turn = False

    # -- looking ---------------------------------------------------------------------------------

    def peek(self, ahead: int = 0) -> Token | None:
        place = self.place + ahead
        return self.tokens[place] if place < len(self.tokens) else None

    def at(self, *texts: str, ahead: int = 0) -> bool:
        token = self.peek(ahead)
        return token is not None and token.sort in ("operator", "relation", "command") and token.text in texts

    def take(self, *texts: str) -> Token:
        token = self.peek()
        if token is None or (texts and token.text not in texts):
            raise Unreadable(f"expected {' or '.join(texts)}")
        self.place += 1
        return token

    # -- sums, products, powers ------------------------------------------------------------------

    def expression(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Unreadable("too deep")
        terms = [self._signed(first=True)]
        while self.at("+", "-", "±", "∓"):
            terms.append(self._signed(first=False))
        self._depth -= 1
        return terms[0] if len(terms) == 1 else Node("+", tuple(terms))

    def _signed(self, *, first: bool) -> Node:
        sign = None
        if self.at("+", "-", "±", "∓"):
            sign = self.take().text
        elif not first:
            raise Unreadable("expected a sign")
        term = self._product()
        return term if sign in (None, "+") else Node(sign or "", (term,))

    def _product(self) -> Node:
        result = self._factor()
        while True:
            if self.at("*"):
                self.take()
                result = Node("*", (result, self._factor()))
            elif self.at("/"):
                self.take()
                result = Node("/", (result, self._factor()))
            elif self._starts_factor():
                result = Node("*", (result, self._power()))
            else:
                return result

    def _starts_factor(self) -> bool:
        token = self.peek()
        if token is None:
            return False
        if token.sort == "number":
            before = self.tokens[self.place - 1]
            return before.text in (")", "}", "|", "]", "π")
        if token.sort in ("name", "function"):
            return True
        if token.sort == "constant":
            return token.text == "π"
        if token.sort == "command":
            return token.text in ("frac", "binom")
        return token.text in ("(", "[", "{", "⌊", "⌈") or (token.text == "|" and self._bars == 0)

    def _factor(self) -> Node:
        negative = False
        while self.at("+", "-"):
            negative ^= self.take().text == "-"
        power = self._power()
        return Node("-", (power,)) if negative else power

    def _power(self) -> Node:
        base = self._postfixed()
        if not self.at("^"):
            return base
        self.take()
        if self.at("°") or (self.at("{") and self.at("°", ahead=1) and self.at("}", ahead=2)):
            while self.at("{", "°", "}"):
                self.take()
            return self._degrees(base)
        self._depth += 1
        if self._depth > DEEPEST:
            raise Unreadable("too deep")
        exponent = self._exponent()
        self._depth -= 1
        return Node("^", (base, exponent))

    def _exponent(self) -> Node:
        if self.at("{"):
            return self._group()
        negative = False
        while self.at("+", "-"):
            negative ^= self.take().text == "-"
        power = self._power()
        return Node("-", (power,)) if negative else power

    def _postfixed(self) -> Node:
        node = self._primary()
        while True:
            if self.at("!"):
                self.take()
                node = Node("!", (node,))
            elif self.at("°"):
                self.take()
                node = self._degrees(node)
            else:
                return node

    def _degrees(self, node: Node) -> Node:
        return Node("radians", (node,)) if self._degrees_turn else node

    # -- what a product is made of ---------------------------------------------------------------

    def _primary(self) -> Node:
        token = self.peek()
        if token is None:
            raise Unreadable("something is missing")
        if token.sort == "number":
            return self._number()
        if token.sort == "name":
            return self._choices() if token.text == "C" and self.at("(", ahead=1) else self._name()
        if token.sort == "constant" and token.text in ("π", "∞"):
            self.take()
            return Node("constant", name=token.text)
        if token.sort == "function":
            return self._call()
        if token.sort == "command":
            return self._command()
        if token.text == "|":
            self.take()
            self._bars += 1
            inside = self.expression()
            self._bars -= 1
            self.take("|")
            return Node("abs", (inside,))
        if token.text == "{":
            return self._group()
        if token.text in _OPENERS:
            bars, self._bars = self._bars, 0
            self.take()
            inside = self.expression()
            self.take(_OPENERS[token.text])
            self._bars = bars
            return Node({"⌊": "floor", "⌈": "ceil"}[token.text], (inside,)) if token.text in "⌊⌈" else inside
        raise Unreadable(f"unexpected {token.text}")

    def _number(self) -> Node:
        token = self.take()
        assert token.value is not None  # noqa: S101  every number token has one
        if self.at("_"):
            raise Unreadable("a number in another base")
        here = self.place
        if token.whole and (part := self._part()) is not None:
            return number(token.value + part)
        self.place = here
        return number(token.value)

    def _part(self) -> Fraction | None:
        """The fraction of a mixed number: ``\\frac{3}{4}`` or `` 3/4``, less than one."""
        token = self.peek()
        if token is None:
            return None
        if token.sort == "command" and token.text == "frac":
            try:
                fraction = self._command()
            except Unreadable:
                return None
            over, under = fraction.args
            whole = over.op == under.op == "number" and over.value.denominator == 1
            proper = whole and under.value.denominator == 1 and 0 < over.value < under.value
            return over.value / under.value if proper else None
        if not (token.sort == "number" and token.whole and token.spaced and self.at("/", ahead=1)):
            return None
        below = self.peek(2)
        if below is None or not below.whole or below.value is None or token.value is None:
            return None
        if not 0 < token.value < below.value:
            return None
        self.place += 3
        return token.value / below.value

    def _name(self) -> Node:
        name = self.take().text
        if self.at("_"):
            self.take()
            if self.at("{"):
                self.take()
                inside: list[str] = []
                while not self.at("}"):
                    inside.append(self.take().text)
                self.take("}")
                name = f"{name}_{''.join(inside)}"
            else:
                name = f"{name}_{self.take().text}"
        return Node("name", name=name)

    def _choices(self) -> Node:
        """``C(10, 3)``; ``C(x + 1)`` is a product."""
        here = self.place
        self.place += 2
        above = self.expression()
        if self.at(","):
            self.take()
            below = self.expression()
            self.take(")")
            return Node("binom", (above, below))
        self.place = here
        return self._name()

    def _command(self) -> Node:
        token = self.take()
        if token.text == "frac":
            return Node("/", (self._argument(), self._argument()))
        if token.text == "binom":
            return Node("binom", (self._argument(), self._argument()))
        raise Unreadable(f"unexpected {token.text}")

    def _argument(self) -> Node:
        """What stands behind ``\\frac``: a group, or one sign, one digit of ``12``."""
        if self.at("{"):
            return self._group()
        token = self.peek()
        if token is not None and token.sort == "number" and token.whole and len(token.text) > 1:
            rest = token.text[1:]
            digit = Token("number", token.text[0], value=Fraction(token.text[0]), whole=True)
            self.tokens[self.place : self.place + 1] = [
                digit,
                Token("number", rest, value=Fraction(rest), whole=True),
            ]
            self.place += 1
            return number(Fraction(digit.text))
        return self._primary()

    def _group(self) -> Node:
        bars, self._bars = self._bars, 0
        self.take("{")
        inside = self.expression()
        if self.at("over", "choose"):
            op = "/" if self.take().text == "over" else "binom"
            inside = Node(op, (inside, self.expression()))
        self.take("}")
        self._bars = bars
        return inside

    def _call(self) -> Node:
        name = self.take().text
        if name in ("sqrt", "cbrt"):
            return self._root(name)
        base: Node | None = None
        exponent: Node | None = None
        token, bracket = self.peek(), self.peek(1)
        glued = token is not None and token.sort == "number" and token.whole and not token.spaced
        if name == "log" and glued and bracket is not None and bracket.text == "(":
            base = number(Fraction(self.take().text))  # log2(8)
        while self.at("_", "^"):
            if self.take().text == "_":
                base = self._group() if self.at("{") else self._primary()
            else:
                exponent = self._exponent()
        if name in _SEVERAL:
            return Node(name, self._several())
        inverse = exponent is not None and exponent.op == "-" and name in _INVERSE
        if inverse:
            name, exponent = _INVERSE[name], None
        turn, self._degrees_turn = self._degrees_turn, name in TRIGONOMETRIC
        argument = self._applied_to()
        self._degrees_turn = turn
        call = self._logarithm(name, base, argument)
        return call if exponent is None else Node("^", (call, exponent))

    def _logarithm(self, name: str, base: Node | None, argument: Node) -> Node:
        if name == "lg" or (name == "log" and base is None):
            base = number(10)
        elif base is not None and name != "log":
            raise Unreadable(f"{name} has no base")
        if base is None:
            return Node(name, (argument,))
        return Node("/", (Node("ln", (argument,)), Node("ln", (base,))))

    def _applied_to(self) -> Node:
        """``(x+1)``, or as much of a product as stands without brackets: ``sin 2x``."""
        if self.at("(", "[", "{", "|"):
            return self._postfixed()
        result = self._power()
        while (token := self.peek()) is not None and self._starts_factor():
            if token.sort == "function" or token.text in ("(", "[", "|"):
                break
            result = Node("*", (result, self._power()))
        return result

    def _root(self, name: str) -> Node:
        degree = number(3 if name == "cbrt" else 2)
        if self.at("["):
            self.take()
            degree = self.expression()
            self.take("]")
        if self.at("{"):
            inside = self._group()
        elif self.at("(", "|"):
            inside = self._primary()
        else:
            token = self.peek()
            if token is None or token.sort not in ("number", "name", "constant", "command"):
                raise Unreadable("a root of nothing")
            inside = self._primary()
        return Node("root", (inside, degree))

    def _several(self) -> tuple[Node, ...]:
        self.take("(", "{")
        found = [self.expression()]
        while self.at(","):
            self.take()
            found.append(self.expression())
        self.take(")", "}")
        return tuple(found)

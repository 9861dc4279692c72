"""The pieces of a formula as people and models type it: LaTeX, plain text and Unicode in any mixture.

``\\frac{\\sqrt2}{20}``, ``sqrt(2)/20`` and ``√2/20`` come out as nearly the same tokens, so that one reader
does for all. Dress that means nothing (``\\left``, ``\\text{...}``, dollars, thin spaces) is dropped here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from verifiers.math.numerals import meant_fraction, repeating_decimal
from verifiers.math_text import TYPOGRAPHY, without_layout
from verifiers.safe_text import clean
from verifiers.units import find_unit

MOST_TOKENS: Final = 400
MOST_FUNCTIONS: Final = 40
"""Longer formulas are not read; what they cost would be felt."""

Sort: TypeAlias = Literal["number", "name", "constant", "function", "command", "operator", "relation", "word"]


@dataclass(frozen=True, slots=True)
class Token:
    """``text`` is the spelling that the reader knows (``^`` for ``**``), ``value`` a number's. ``whole`` says
    that a number was written without a point, ``spaced`` that white space stands before it."""

    sort: Sort
    text: str
    spaced: bool = False
    value: Fraction | None = None
    whole: bool = False


class Unreadable(Exception):
    """This is no formula that we know how to read."""


FUNCTIONS: Final = frozenset(
    (
        *("sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"),
        *("ln", "log", "lg", "exp", "sqrt", "cbrt", "abs", "floor", "ceil", "gcd", "lcm", "min", "max"),
    )
)
_FUNCTION_SPELLINGS: Final = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "ctg": "cot", "tg": "tan", "cosec": "csc",
    "ceiling": "ceil", "root": "sqrt",
}  # fmt: skip
_GREEK: Final = frozenset(
    (
        *("alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "vartheta"),
        *("iota", "kappa", "lambda", "mu", "nu", "xi", "rho", "sigma", "tau", "phi", "varphi", "chi"),
        *("psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Sigma", "Phi", "Psi", "Omega", "ell"),
    )
)
_COMMANDS: Final = {
    "cdot": "*", "times": "*", "ast": "*", "div": "/", "pm": "±", "mp": "∓", "cup": "∪", "cap": "∩",
    "le": "<=", "leq": "<=", "leqslant": "<=", "ge": ">=", "geq": ">=", "geqslant": ">=", "lt": "<",
    "gt": ">", "ne": "≠", "neq": "≠", "in": "∈", "degree": "°", "degrees": "°", "circ": "°", "setminus": "\\",
    "backslash": "\\", "percent": "%", "lbrace": "\\{", "rbrace": "\\}", "langle": "(", "rangle": ")",
    "colon": ":", "mid": "|", "vert": "|", "lvert": "|", "rvert": "|", "lfloor": "⌊", "rfloor": "⌋",
    "lceil": "⌈", "rceil": "⌉", "lparen": "(", "rparen": ")", "lbrack": "[", "rbrack": "]", "approx": "≈",
    "to": "=", "rightarrow": "=", "Rightarrow": "=", "implies": "=", "longrightarrow": "=",
    "land": "and", "lor": "or", "wedge": "and", "vee": "or", "equiv": "≡", "sim": "~",
}  # fmt: skip
_NOTHING: Final = frozenset(
    (
        *("left", "right", "big", "Big", "bigl", "bigr", "Bigl", "Bigr", "bigg", "biggl", "biggr", "limits"),
        *("displaystyle", "textstyle", "quad", "qquad", "nonumber", "hfill", "mathopen", "mathclose"),
    )
)
_KEPT: Final = {
    "frac": "frac", "nicefrac": "frac", "sfrac": "frac", "flatfrac": "frac", "dfrac": "frac",
    "tfrac": "frac", "cfrac": "frac", "binom": "binom", "dbinom": "binom",
    "tbinom": "binom", "sqrt": "sqrt", "over": "over", "choose": "choose", "begin": "begin", "end": "end",
    "tan": "tan",
}  # fmt: skip
_WRAPPER: Final = re.compile(
    r"\\(?:text(?:rm|bf|it|tt|normal|sf)?|math(?:rm|bf|it|sf|cal|scr|tt)|[mh]box|operatorname\*?|boldsymbol|bm"
    r"|emph|boxed|fbox|underline|vec|hat|tilde|overrightarrow|overleftrightarrow|displaylines|ensuremath)"
    r"\s?\{"
)
_UNIT_MARK: Final = "\x03"
"""Stands before a letter that was written upright, ``\\text{m}``: a unit and no variable."""
_REALS: Final = re.compile(r"\\(?:mathbb|mathbf|Bbb)\s?\{?\s?R\s?\}?|\\R(?![A-Za-z])|ℝ")
_OVERLINED: Final = re.compile(r"\\(?:overline|bar)\s?\{\s?([A-Za-z]{1,3})\s?\}")
_BETWEEN_DIGITS: Final = re.compile(r"(?<=\d)(?:\{,\}|\\,|\\!|,\\!|\\ )(?=\d{3}(?!\d))")
_BINOMIAL: Final = re.compile(r"(?:\{\})?[_^]\s?\{?\s?(\w{1,4})\s?\}?\s?C\s?_\s?\{?\s?(\w{1,4})\s?\}?")
"""``_{10}C_3``."""
_SPOKEN_ROOT: Final = re.compile(
    r"\b(?:times\s)?(?:the\s)?(?:(square\s)|cube\s)root\s(?:of\s)?(\w+)", re.IGNORECASE
)
_OVER: Final = re.compile(r"^\s*\{?\s*(-?\d+)\s*\\over\s*(\d+)\s*\}?\s*$")
_SPACE: Final = re.compile(r"\\[,;:!> ]|~|\s+|\\\n")
_MONEY: Final = re.compile(r"\\?\$")
_NUMBER: Final = re.compile(r"(?:\d+\.\d+|\d+|\.\d+)(?:[eE][-+]?\d{1,3}(?![\w.]))?")
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?![\d])(?:\.\d+)?")
_WORD: Final = re.compile(r"[A-Za-z]+(?:['’][a-z]+)?")
_SIGNS: Final = re.compile(
    r"\*\*|<=|>=|=<|=>|!=|<>|->|\\\{|\\\}|\\\\|\\\||[-+*/^_=<>≠≈≡~∈∉∪∩±∓√∛!%°()\[\]{}|,;:&⌊⌋⌈⌉∅∞π→'¬∧∨]"
)
_SIGN_SPELLINGS: Final = {
    "**": "^", "=<": "<=", "=>": "=", "!=": "≠", "<>": "≠", "->": "=", "→": "=", "\\|": "|",
    "∧": "and", "∨": "or",
}  # fmt: skip
_RELATIONS: Final = frozenset(("=", "<", ">", "<=", ">=", "≠", "∈"))
_CONSTANTS: Final = {
    "pi": "π", "infinity": "∞", "infty": "∞", "inf": "∞", "oo": "∞", "emptyset": "∅", "varnothing": "∅",
    "π": "π", "∞": "∞", "∅": "∅", "Reals": "ℝ",
}  # fmt: skip
_GREEK_SIGNS: Final = {
    "θ": "theta", "α": "alpha", "β": "beta", "γ": "gamma", "λ": "lambda", "μ": "mu", "φ": "phi", "ω": "omega",
    "δ": "delta", "σ": "sigma", "Δ": "Delta", "ε": "epsilon", "τ": "tau", "ρ": "rho",
}  # fmt: skip
_SPLIT_FUNCTION: Final = re.compile(r"(arcsin|arccos|arctan|sin|cos|tan|cot|sec|csc|ln|log|sqrt)([a-z]|pi)")

_ENDS_IN_FUNCTION: Final = re.compile(r"([a-z]{1,2})(sqrt|sin|cos|tan|ln|log|pi)")


def undressed(answer: str) -> str:
    """``answer`` as one line of formula: without Markdown, mathematics' dollars and text wrappers."""
    text = (
        without_layout(clean(answer))
        .replace("≈", "\\approx ")
        .replace("\\cong", "\\approx ")
        .replace("≠", "\\ne ")
    )
    text = text.translate(TYPOGRAPHY)
    text = re.sub(r"\\[()\[\]](?!\d+(?:pt|em))", " ", text).replace("`", " ").replace('"', " ")
    text = re.sub(r"(?<=[\w)}])\*\*(?=[\w({\\-])", "^", text).replace("**", " ")
    text = text.replace("\\$", " ").replace("$", " ").replace("\\%", "%").replace("\\#", "#")
    for _ in range(8):
        opened = _WRAPPER.search(text)
        if opened is None:
            break
        close = _closing(text, opened.end())
        inside = text[opened.end() : close].strip()
        if len(inside) == 1 and find_unit(inside) is not None:
            inside = f"{_UNIT_MARK}{inside}"
        text = f"{text[: opened.start()]} {inside} {text[close + 1 :]}"
    text = _REALS.sub(" Reals ", text)
    text = _OVERLINED.sub(r" \1 ", text)
    text = _BINOMIAL.sub(r" \\binom{\1}{\2} ", text)
    text = _SPOKEN_ROOT.sub(lambda found: f" \\{'sqrt' if found[1] else 'cbrt'}{{{found[2]}}} ", text)
    text = _OVER.sub(r"\\frac{\1}{\2}", text)
    return " ".join(_BETWEEN_DIGITS.sub("", text).split())


def _closing(text: str, start: int) -> int:
    depth = 1
    for place in range(start, len(text)):
        if text[place] == "{" and text[place - 1] != "\\":
            depth += 1
        elif text[place] == "}" and text[place - 1] != "\\":
            depth -= 1
            if depth == 0:
                return place
    raise Unreadable("a brace is never closed")


def tokens(text: str) -> list[Token]:
    """The tokens of ``text`` as ``undressed`` leaves it. Raises ``Unreadable``."""
    found: list[Token] = []
    place = depth = 0
    spaced = False
    while place < len(text):
        if len(found) > MOST_TOKENS:
            raise Unreadable("too long")
        space = _SPACE.match(text, place)
        if space is not None:
            place, spaced = space.end(), True
            continue
        place, more = _next(text, place, spaced=spaced, inside=depth > 0)
        for token in more:
            depth += (token.text in ("(", "[", "\\{")) - (token.text in (")", "]", "\\}"))
        found += more
        spaced = False
    if sum(token.sort == "function" for token in found) > MOST_FUNCTIONS:
        raise Unreadable("too many functions")
    return found


def _next(text: str, place: int, *, spaced: bool, inside: bool) -> tuple[int, list[Token]]:
    sign = text[place]
    if sign.isdecimal() or (sign == "." and text[place + 1 : place + 2].isdecimal()):
        return _number(text, place, spaced=spaced, inside=inside)
    if sign == "\\" and text[place + 1 : place + 2].isalpha():
        return _command(text, place, spaced=spaced)
    if sign == _UNIT_MARK:
        return place + 2, [Token("word", text[place + 1], spaced=True)]
    word = _WORD.match(text, place)
    if word is not None:
        return _letters(text, word, spaced=spaced)
    if sign in _GREEK_SIGNS:
        return place + 1, [Token("name", _GREEK_SIGNS[sign], spaced)]
    match = _SIGNS.match(text, place)
    if match is None:
        raise Unreadable(f"unknown sign {sign!r}")
    spelled = _SIGN_SPELLINGS.get(match[0], match[0])
    if spelled in _CONSTANTS:
        return match.end(), [Token("constant", _CONSTANTS[spelled], spaced)]
    if spelled in ("√", "∛"):
        return match.end(), [Token("function", "sqrt" if spelled == "√" else "cbrt", spaced)]
    if spelled in ("and", "or"):
        return match.end(), [Token("word", spelled, spaced)]
    return match.end(), [Token("relation" if spelled in _RELATIONS else "operator", spelled, spaced)]


def _number(text: str, place: int, *, spaced: bool, inside: bool) -> tuple[int, list[Token]]:
    repeating = repeating_decimal(text, place)
    if repeating is not None:
        end, value = repeating
        return end, [Token("number", text[place:end], spaced, value)]
    match = None if inside else _THOUSANDS.match(text, place)
    match = match or _NUMBER.match(text, place)
    if match is None or len(match[0]) > 400:
        raise Unreadable("no number")
    digits = match[0].replace(",", "")
    whole = digits.isdecimal()
    places = len(digits.partition(".")[2]) if "e" not in digits.lower() else 0
    value = meant_fraction(Fraction(digits), places)
    return match.end(), [Token("number", digits, spaced, value, whole=whole)]


def _command(text: str, place: int, *, spaced: bool) -> tuple[int, list[Token]]:
    match = re.compile(r"[A-Za-z]+\*?").match(text, place + 1)
    name = match[0].rstrip("*") if match is not None else ""
    end = place + 1 + len(match[0] if match is not None else "")
    if name in _NOTHING:
        dot = re.compile(r"\s*\.").match(text, end) if name in ("left", "right") else None
        return (dot.end() if dot is not None else end), []
    if name in _KEPT and name not in FUNCTIONS:
        return end, [Token("command", _KEPT[name], spaced)]
    if name == "sqrt":
        return end, [Token("function", "sqrt", spaced)]
    if name in _COMMANDS:
        sign = _COMMANDS[name]
        sort: Sort = "word" if sign in ("and", "or") else "relation" if sign in _RELATIONS else "operator"
        return end, [Token(sort, sign, spaced)]
    if name in _CONSTANTS:
        return end, [Token("constant", _CONSTANTS[name], spaced)]
    if name in FUNCTIONS or name in _FUNCTION_SPELLINGS:
        return end, [Token("function", _FUNCTION_SPELLINGS.get(name, name), spaced)]
    if name in _GREEK:
        return end, [Token("name", name, spaced)]
    raise Unreadable(f"unknown command {name}")


def _letters(text: str, match: re.Match[str], *, spaced: bool) -> tuple[int, list[Token]]:
    """A run of letters: a function, a constant, a variable with its number, a few variables side by side, or
    a word."""
    letters, end = match[0], match.end()
    lower = letters.lower()
    if letters in FUNCTIONS or letters in _FUNCTION_SPELLINGS:
        return end, [Token("function", _FUNCTION_SPELLINGS.get(letters, letters), spaced)]
    if letters in _CONSTANTS or lower in ("pi", "infinity"):
        return end, [Token("constant", _CONSTANTS.get(letters) or _CONSTANTS[lower], spaced)]
    if letters in _GREEK and len(letters) > 2:
        return end, [Token("name", letters, spaced)]
    if letters == "I":
        letters = "i"
    if len(letters) == 1:
        digits = re.compile(r"\d+").match(text, end)
        if digits is not None:
            if letters in ("e", "E"):
                raise Unreadable("a number too long to be written out")
            return digits.end(), [Token("name", f"{letters}_{digits[0]}", spaced)]
        return end, [Token("name", letters, spaced)]
    joined = _SPLIT_FUNCTION.fullmatch(letters)
    if joined is not None:
        argument = Token("constant", "π") if joined[2] == "pi" else Token("name", joined[2])
        return end, [Token("function", joined[1], spaced), argument]
    before = _ENDS_IN_FUNCTION.fullmatch(letters)
    if before is not None:
        names = [Token("name", letter, spaced and not at) for at, letter in enumerate(before[1])]
        last = Token("constant", "π") if before[2] == "pi" else Token("function", before[2])
        return end, [*names, last]
    if len(letters) <= 3 and not _is_english(letters):
        return end, [Token("name", letter, spaced and not at) for at, letter in enumerate(letters)]
    return end, [Token("word", letters, spaced)]


_SHORT_WORDS: Final = frozenset(
    (
        *("a", "an", "the", "is", "are", "was", "or", "and", "of", "to", "in", "if", "for", "all", "no"),
        *("so", "at", "by", "we", "it", "its", "not", "per", "sq", "odd", "any", "but", "one", "two", "six"),
        *("ten", "mod", "as", "on", "be", "has", "cup", "st", "nd", "rd", "th", "am", "pm", "my", "she"),
        *("he", "you", "let", "get", "men", "day", "hrs", "mph", "kph", "cm", "mm", "km", "kg", "lb", "lbs"),
        *("oz", "ft", "mi", "yd", "ml", "deg", "rad", "sec", "min", "hr", "usd", "eur", "gbp", "pct", "gal"),
        *("det", "lim"),
    )
)


def _is_english(letters: str) -> bool:
    return letters.lower() in _SHORT_WORDS or (len(letters) == 3 and find_unit(letters) is not None)

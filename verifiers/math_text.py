"""Mathematics as models write it, brought to one plain spelling.

LaTeX, Markdown and typography are three ways of dressing the same answer: ``$\\dfrac{1}{2}$``, ``**1/2**``,
``½``. ``plain_math`` takes the dress off; ``compact`` brings what is left, an expression, to one spacing.
Both only rewrite text, by substitutions that are linear in its length, and neither evaluates anything.
"""

from __future__ import annotations

import re
from typing import Final

from verifiers.safe_text import clean

TYPOGRAPHY: Final = str.maketrans(
    {
        "−": "-", "﹣": "-", "–": "-", "‐": "-", "‑": "-", "×": "*", "⋅": "*", "·": "*", "∙": "*", "∗": "*",
        "÷": "/", "⁄": "/", "∕": "/", "²": "^2", "³": "^3", "⁴": "^4", "⁵": "^5", "⁶": "^6", "ⁿ": "^n",
        "º": "°", "˚": "°", "“": '"', "”": '"', "„": '"', "’": "'", "‘": "'", "≤": "<=", "≥": ">=", "≈": "=",
        "≅": "=", "∼": "~",
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u200a\u202f", " "),
        "½": " 1/2", "⅓": " 1/3", "⅔": " 2/3", "¼": " 1/4", "¾": " 3/4", "⅕": " 1/5", "⅖": " 2/5",
        "⅗": " 3/5", "⅘": " 4/5", "⅙": " 1/6", "⅚": " 5/6", "⅛": " 1/8", "⅜": " 3/8", "⅝": " 5/8",
        "⅞": " 7/8",
        **{chr(wide): chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)},
    }
)  # fmt: skip

_COMMANDS: Final = {
    "cdot": "*", "times": "*", "ast": "*", "div": "/", "pi": "π", "infty": "∞", "pm": "±", "cup": "∪",
    "cap": "∩", "le": "<=", "leq": "<=", "leqslant": "<=", "ge": ">=", "geq": ">=", "geqslant": ">=",
    "lt": "<", "gt": ">", "approx": "=", "degree": "°", "degrees": "°", "circ": "°", "quad": " ",
    "qquad": " ", "left": "", "right": "", "big": "", "Big": "", "bigl": "", "bigr": "", "limits": "",
    "displaystyle": "", "textstyle": "", "lbrace": "{", "rbrace": "}", "colon": ":", "percent": "%",
    "euro": "€", "pounds": "£", "dfrac": r"\frac", "tfrac": r"\frac", "cfrac": r"\frac",
    "nicefrac": r"\frac", "sfrac": r"\frac", "fbox": r"\boxed",
}  # fmt: skip
_WRAPPERS: Final = (
    "text|textrm|textbf|textit|texttt|textnormal|textsf|mathrm|mathbf|mathit|mathsf|mathbb|mathcal|mbox|hbox"
    "|operatorname|boldsymbol|emph|boxed|underline"
)
_WRAPPED: Final = re.compile(rf"\\(?:{_WRAPPERS})\s?\{{([^{{}}]*)\}}")
_COMMAND: Final = re.compile(r"\\([A-Za-z]+)")
_FRACTION: Final = re.compile(r"(?:(\d)\s?)?\\frac\s?\{([^{}]*)\}\s?\{([^{}]*)\}")
_ROOT: Final = re.compile(r"(?:\\sqrt|√)\s?(?:\{([^{}]*)\}|\(([^(){}]*)\))|(?<!\\)sqrt\s?\(([^(){}]*)\)")
_ATOM: Final = re.compile(r"-?[\w.π√∞°]+")
_MARKS: Final = re.compile(r"\*\*|__|`|\\[()\[\]]|\\displaystyle")
_DEPTH: Final = 6
"""Nested fractions and roots are opened this deep; deeper ones stay as they are."""


_HEDGE: Final = re.compile(
    r"(?:(?:so|thus|hence|therefore|finally)\s?,?\s)?"
    r"(?:(?:it|this|that|which|we|i|you)(?:'s|\s(?:is|gives?|get|have|find|obtain|equals|means))\s)?"
    r"(?:(?:so|thus|hence|therefore)?,?\s?(?:the\s)?(?:final\s)?answer(?:\sis\b|\s?[:=])\s?)?"
    r"(?:(?:is|are|was|about|approximately|approx\.?|around|roughly|nearly|exactly|only|just|a total of"
    r"|equals?|equal to)\s|[=:~]\s?)*",
    re.IGNORECASE,
)
"""Words that lead up to an answer and are no part of it."""
_LAYOUT: Final = re.compile(
    r"\\(?:[hv]?phantom|[hv]space|tag|label|(?:text)?colou?r)\*?\s?\{[^{}]*\}"
    r"|\\(?:tiny|small|normalsize|[lL]arge|LARGE|[hH]uge|bf|rm|it|sf|tt|scriptstyle|centering|noindent)(?![A-Za-z])"
    r"|[✓✔☑✅]"
)


def without_layout(text: str) -> str:
    """``text`` without what only says how it looks: sizes, colours, empty space, a tick behind it."""
    return _LAYOUT.sub(" ", text)


def without_hedge(text: str) -> str:
    """``72`` of ``Therefore, the answer is 72``."""
    hedge = _HEDGE.match(text)
    return text[hedge.end() :] if hedge is not None and hedge.end() < len(text) else text


def plain_math(text: str) -> str:
    """``text`` without LaTeX, Markdown and typographic dress, on one line, white space collapsed."""
    text = without_layout(clean(text)).translate(TYPOGRAPHY)
    if "**" in text:
        text = re.sub(r"(?<=[\w)])\*\*(?=[\w(-])", "^", text)
    text = _MARKS.sub(" ", text).replace('"', " ")
    if "$" in text:
        text = _without_math_dollars(text)
    if "\\" in text or "{" in text or "√" in text or "sqrt" in text:
        text = _without_latex(text)
    return " ".join(text.split())


def _without_math_dollars(text: str) -> str:
    """Pairs of dollars are LaTeX and go; a dollar left over, or an escaped one, is money and stays."""
    text = text.replace("\\$", "\x01")
    text = text.replace("$$", "$")
    parts = text.split("$")
    if len(parts) % 2 == 0:
        # An odd dollar: the last one that stands right before a digit is money ("$18"), the others pair up.
        return (
            "$".join(parts).replace("\x01", "$") if len(parts) == 2 else " ".join(parts).replace("\x01", "$")
        )
    return " ".join(parts).replace("\x01", "$")


def _without_latex(text: str) -> str:
    text = (
        text.replace("\\!", "")
        .replace("{,}", ",")
        .replace("\\%", "%")
        .replace("\\#", "#")
        .replace("\\&", "&")
    )
    text = re.sub(r"\\[,;:> ]|~|\\\\", " ", text)
    text = re.sub(r"\^\s?\{?\s?\\(?:circ|degree)\s?\}?", "°", text)
    text = re.sub(r"\\over(?:line|rightarrow|leftrightarrow)\s?\{\s?([A-Za-z]{1,3})\s?\}", r" \1 ", text)
    text = _COMMAND.sub(lambda match: _COMMANDS.get(match[1], match[0]), text)
    text = re.sub(r"\\frac\s?(\d)\s?(\d)", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\frac\s?(\d)\s?\{", r"\\frac{\1}{", text)
    text = re.sub(r"(\\frac\s?\{[^{}]*\})\s?(\w)", r"\1{\2}", text)
    text = re.sub(r"\\sqrt\s?(\d|[a-z])(?![a-z])", r"√{\1}", text)
    for _ in range(_DEPTH):
        before = text
        text = _WRAPPED.sub(r" \1 ", text)
        text = _ROOT.sub(_plain_root, text)
        text = _FRACTION.sub(_plain_fraction, text)
        text = re.sub(r"([\^_])\s?\{\s?(-?\w+)\s?\}", r"\1\2", text)
        if text == before:
            break
    return text.replace("\\{", "{").replace("\\}", "}").replace(" ^", "^")


def _plain_root(match: re.Match[str]) -> str:
    inside = "".join((match[1] or match[2] or match[3] or "").split())
    return f"√{inside}" if inside.isdecimal() or len(inside) == 1 else f"√({inside})"


def _plain_fraction(match: re.Match[str]) -> str:
    over, under = ("".join(part.split()) for part in (match[2], match[3]))
    lead = f"{match[1]} " if match[1] else ""
    return f"{lead}{_factor(over, signed=True)}/{_factor(under)}"


def _factor(part: str, *, signed: bool = False) -> str:
    atom = part if signed else part.removeprefix("-")
    return part if _ATOM.fullmatch(part) and (signed or atom == part) else f"({part})"


def compact(expression: str) -> str:
    """One spacing for an expression: no spaces, no needless ``*``, ``^{2}`` as ``^2``, one leading sign."""
    text = "".join(expression.split())
    text = re.sub(r"(?<=[\w)π°])\*(?=[A-Za-z(√π])", "", text)
    text = re.sub(r"\^[({](-?\w+)[)}]", r"^\1", text)
    return text.removeprefix("+")


def outer_brackets(text: str) -> str | None:
    """The bracket pair that holds all of ``text`` (``"()"``, ``"(]"``, ``"{}"`` ...), or ``None``."""
    if len(text) < 2 or text[0] not in "([{" or text[-1] not in ")]}":
        return None
    depth = 0
    for place, character in enumerate(text):
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth == 0 and place < len(text) - 1:
                return None
    return text[0] + text[-1] if depth == 0 else None


def split_list(text: str) -> list[str]:
    """``text`` cut at its commas, semicolons, "and" and "or" that stand in no bracket."""
    parts: list[str] = []
    depth = start = 0
    for match in re.finditer(r"[()\[\]{}]|[,;]|\s(?:and|or)\s", text):
        sign = match[0]
        if sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif depth == 0:
            parts.append(text[start : match.start()])
            start = match.end()
    parts.append(text[start:])
    return [part for part in (part.strip() for part in parts) if part]

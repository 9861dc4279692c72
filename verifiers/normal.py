"""When are two answers the same? When their normal forms are equal strings.

The rules are fast and safe rather than clever; what they cannot decide stays different:

* numbers are compared exactly: ``0.50``, ``.5``, ``1/2`` and ``\\frac12`` are one, ``0.333`` and ``1/3`` are
  two; money signs, thousands commas, trailing zeros and dots say nothing;
* what stands behind a number says nothing: ``72 clips``, ``72 km``, ``$72`` and ``72%`` are all ``72`` (a
  sample that leaves the unit out must meet one that writes it, and sameness must carry over from one to the
  next); ``known.judge_answer``, which sees the known answer, does tell ``5 km`` from ``5 m``;
* a letter glued to a number is algebra (``4t``), a name before an equals sign is dropped (``x = 5``);
* times keep their half of the day, ratios are not reduced, sets and bare lists have no order, tuples do;
* words are compared without case; what is none of all this is compared as text without spaces.

``normal_form`` never evaluates, is linear in the length of the answer, never raises, and is idempotent.
"""

from __future__ import annotations

import hashlib
import re
from fractions import Fraction
from functools import lru_cache
from typing import Final

from verifiers.math.reading import CANONICAL, DIGEST, exact_side, read
from verifiers.math_text import compact, outer_brackets, plain_math, split_list, without_hedge
from verifiers.program_text import normal_program
from verifiers.quantities import read_quantity
from verifiers.safe_text import clean
from verifiers.verdicts import Kind

LONGEST: Final = 2_000
"""Characters of the longest answer that the rules look at; beyond it only white space is evened out."""

_TIME: Final = re.compile(r"\d{1,2}:\d\d[ap]m")
_ALGEBRA: Final = re.compile(
    r"[A-Za-zπ√∞]\s?[-+*/^_({=]|[-+*/^})\d]\s?[A-Za-zπ√({\\]|\\|[\d)]\s?[-+*^]\s?[\d(]|!"
)
_ROUNDS: Final = 6
"""Times the rules are applied until nothing changes; one or two do, more are a hostile answer."""

_NUMBER: Final = re.compile(r"-?\d+(?:/[1-9]\d*)?")
"""A number; in lowest terms it is a form that the rules are known to leave alone."""


def normal_form(answer: str, kind: Kind) -> str:
    """The key under which ``answer`` votes: equal for two answers exactly where they count as the same."""
    if len(answer) <= 200:
        return _cached_form(answer, kind)
    return _form(answer, kind)


def same_answer(one: str, other: str, kind: Kind) -> bool:
    """Whether two answers count as the same; an equivalence, so votes can be grouped by it."""
    return normal_form(one, kind) == normal_form(other, kind)


def is_algebra(form: str) -> bool:
    """Whether a normal form is a formula that could not be read, so that another one may yet be equal to it:
    more than literals, and none of our keys."""
    if CANONICAL.fullmatch(form) or _TIME.fullmatch(form):
        return False
    return _ALGEBRA.search(form) is not None


@lru_cache(maxsize=32_768)
def _cached_form(answer: str, kind: Kind) -> str:
    return _form(answer, kind)


def forget_forms() -> None:
    """Empty the cache of normal forms, for measurements."""
    _cached_form.cache_clear()


def _form(answer: str, kind: Kind) -> str:
    if kind in ("code", "proof", "patch"):
        return normal_program(answer, keep_comments=kind != "code", keep_blank_lines=kind == "patch")
    if answer.isdecimal() and answer.isascii() and len(answer) < 19:
        return str(int(answer))
    if len(answer) > LONGEST:
        return _digest(answer)
    step = _math_form if kind == "math" else _open_form
    form = step(answer)
    if len(form) < 100 and _NUMBER.fullmatch(form) and str(Fraction(form)) == form:
        return form
    for _ in range(_ROUNDS):
        again = step(form)
        if again == form:
            return form
        form = again
    return _digest(form)


def _digest(text: str) -> str:
    """A short key of a text too long or too twisted for the rules; a fixed point of all of them."""
    digest = hashlib.sha256(" ".join(text.split()).encode("utf-8", "replace")).hexdigest()
    return text if re.fullmatch(r"text\.[0-9a-f]{64}", text) else f"text.{digest}"


# ---------------------------------------------------------------- mathematics

_NAME: Final = re.compile(r"[^\d+\-*/^<>=,;]{1,60}|[A-Za-z]\w{0,10}\([^()=<>]{1,30}\)")
_SUM: Final = re.compile(r"[\d\s+\-*/().,$%^]{1,200}")
_LETTERS: Final = re.compile(r"(?!is|no|am|pm|an|at|my|by|we|us|ax|ab\b)[a-dk-np-z]{2}|abc|xyz|pqr")
"""Variables side by side: a product, and no word."""
_CLOCK: Final = re.compile(
    r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?(?::\d{2})?\s?(?P<half>[ap])\.?\s?(?P<m>m\.?)?",
    re.IGNORECASE,
)
_RATIO: Final = re.compile(r"\d+(?:\.\d+)?(?:(?:\s?:\s?|\sto\s)\d+(?:\.\d+)?){1,4}")
_CHOICE: Final = re.compile(r"[(\[]?\s?([A-Za-z])\s?[)\].]?")
_WORDY: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|['’-])*\.?(?:\s[^\W\d_](?:[^\W\d_]|['’-])*\.?)*")
_YES_OR_NO: Final = re.compile(r"(yes|no)\s?[,.;:]\s?", re.IGNORECASE)
_SAID_TWICE: Final = re.compile(r"^(-?[\d.,/]+)\s\([A-Za-z][A-Za-z -]*\)$")
"""``8 (eight)``."""
_LETTER_LIST: Final = re.compile(r"\(?[A-J]\)?(?:(?:\s?,\s?(?:and\s)?|\sand\s|\s?&\s?)\(?[A-J]\)?)+")
_FUNCTION: Final = re.compile(r"(?:arc)?(?:sin|cos|tan|cot|sec|csc)\b|(?:ln|log|sqrt|exp)\b")
_BASED: Final = re.compile(
    r"\(?([0-9A-Fa-f]{1,60})\)?\s?(?:_\s?[{(]?\s?|(?:in\s)?base[\s-])(\d{1,2}|[a-z]+)\s?[})]?", re.IGNORECASE
)
_BASES: Final = {"two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
                 "nine": "9", "ten": "10", "sixteen": "16"}  # fmt: skip
_OUT_OF: Final = re.compile(r"(\d+)\s(?:out\sof|in|over)\s(?:every\s)?(\d+)")
_NOTHING: Final = re.compile(
    r"(?:there (?:is|are) )?"
    r"(?:no (?:real )?(?:solutions?|answers?|roots?|values?)|none|(?:the )?empty set|nothing)"
)
_ARTICLE: Final = re.compile(r"(?:the|a|an|on|(?:line )?segment|side|point)\s(?=\w)")
_DIFFERENCE: Final = re.compile(r"\b[^\W\d_]{1,2}-[^\W\d_]{1,2}\b|-\d")
"""``b-1`` and ``x-y``, which look like hyphenated words."""


def _math_form(answer: str) -> str:
    if DIGEST.search(answer) is not None and CANONICAL.fullmatch(answer):
        return answer
    if "≈" in answer or "approx" in answer:
        answer = exact_side(answer)
    text = _trimmed(plain_math(answer))
    text = without_hedge(text)
    if text.endswith(")"):
        text = _SAID_TWICE.sub(r"\1", text)
        if "=" in text and "," not in text and outer_brackets(text) == "()":
            text = text[1:-1].strip()
    text = _right_side(text)
    if _LETTERS.fullmatch(text):
        return read(text) or compact(text)
    letters = _LETTER_LIST.fullmatch(text)
    if letters is not None:
        return "{" + ";".join(sorted({each.lower() for each in re.findall(r"\b[A-Z]\b", text)})) + "}"
    return _simple(text) or read(answer) or _collection(text) or compact(text)


def _simple(text: str) -> str | None:
    """A number, a time, a ratio, a letter or words; ``None`` for anything that is more than that."""
    return _clock(text) or _ratio(text) or _number(text) or _based(text) or _words(text)


def _trimmed(text: str) -> str:
    text = text.rstrip(" .,;:?").lstrip(" ,;:?")
    if text.endswith("!") and re.search(r"[^\W\d]{2}!+$", text):
        text = text.rstrip("!")
    return text


def _right_side(text: str) -> str:
    """What an equation says something is: ``x = 5``, ``Total cost = $72``, ``48 + 24 = 72``, ``x is 5``."""
    left, sign, right = text.rpartition("=")
    if not sign:
        left, sign, right = text.rpartition(" equals " if " equals " in text else " is ")
        if not sign and re.match(r"[A-Za-z]:\s", text):
            left, sign, right = text.partition(": ")
        named = sign and _NAME.fullmatch(left) is not None and _number(right) is not None
        return right if named else text
    left, right = left.rstrip(": "), right.strip()
    opened = sum(map(right.count, "([{"))
    if opened != sum(map(right.count, ")]}")) or right.count("{") != right.count("}"):
        return text  # the sign stands inside something: \sum_{k=1}^{n}
    if left.lower().startswith("all "):  # "all real numbers except x = 0"
        return text
    if not right or not left or left[-1] in "<>!=":
        return text
    if _NAME.fullmatch(left):
        return right
    name, _, middle = left.rpartition("=")
    total = middle if _NAME.fullmatch(name.rstrip()) else left
    return right if _SUM.fullmatch(total) and _number(right) is not None else text


def _number(text: str) -> str | None:
    if len(text) < 30 and (out_of := _OUT_OF.fullmatch(text)) is not None:
        text = f"{out_of[1]}/{out_of[2]}"
    elif text.startswith(("minus ", "negative ")) and text[-1].isdecimal():
        text = f"-{text.partition(' ')[2]}"
    quantity = read_quantity(text)
    return None if quantity is None else quantity.key()


def _based(text: str) -> str | None:
    """``1010_2``: digits in a base of their own."""
    match = _BASED.fullmatch(text) if len(text) < 80 and text[-1:] not in "abcdef" else None
    if match is None:
        return None
    base = _BASES.get(match[2].lower(), match[2])
    return f"{match[1].upper()}_{base}" if base.isdecimal() and match[1][0].isdecimal() else None


def _ratio(text: str) -> str | None:
    if len(text) > 60 or _RATIO.fullmatch(text) is None:
        return None
    first, *others = re.split(r"\s?:\s?|\sto\s", text)
    return ":".join([first.lstrip("0") or "0", *others])


def _clock(text: str) -> str | None:
    """A time of day with its half: ``3:30pm``. Without "am" or "pm" it could as well be a ratio."""
    if text in ("noon", "Noon", "midnight", "Midnight"):
        return "12:00pm" if text.lower() == "noon" else "12:00am"
    match = _CLOCK.fullmatch(text) if len(text) < 20 else None
    if match is None or int(match["hour"]) > 12 or (match["minute"] is None and match["m"] is None):
        return None
    return f"{int(match['hour'])}:{match['minute'] or '00'}{match['half'].lower()}m"


def _words(text: str) -> str | None:
    """Plain words, in lower case and without an article; a lone letter is a choice."""
    choice = _CHOICE.fullmatch(text)
    if choice is not None:
        return choice[1].lower()
    lead = _YES_OR_NO.match(text)
    if lead is not None:
        return lead[1].lower()
    if (
        _FUNCTION.match(text) is not None
        or _WORDY.fullmatch(text) is None
        or _DIFFERENCE.search(text) is not None
    ):
        return None
    words = _ARTICLE.sub("", text.casefold(), count=1)
    if _NOTHING.fullmatch(words.rstrip(".")) is not None:
        return "∅"
    return {"infinity": "∞", "negative infinity": "-∞", "minus infinity": "-∞"}.get(words, words)


def _collection(text: str) -> str | None:
    """Tuples, intervals, sets and bare lists, element by element. Parentheses or braces around one thing
    are dropped: ``(4x - 7)`` is ``4x - 7``."""
    brackets = outer_brackets(text)
    parts = split_list(text[1:-1] if brackets else text)
    if len(parts) < 2:
        return _element(parts[0]) if parts and brackets in ("()", "{}") else None
    elements = [_element(part) for part in parts]
    if brackets is None:
        return ";".join(sorted(_without_common_name(elements)))
    if brackets == "{}":
        return "{" + ";".join(sorted(set(elements))) + "}"
    return brackets[0] + ";".join(elements) + brackets[1]


def _element(text: str) -> str:
    text = _trimmed(text)
    return _simple(text) or compact(text)


def _without_common_name(elements: list[str]) -> list[str]:
    """``x=2;x=3`` without the name; different names stay."""
    names = {element.partition("=")[0] for element in elements if "=" in element}
    if len(names) != 1:
        return elements
    name = f"{names.pop()}="
    return [element.removeprefix(name) for element in elements]


# ---------------------------------------------------------------- open questions


def _open_form(answer: str) -> str:
    """Text without case, quotes, Markdown and closing punctuation; a number alone counts as a number."""
    text = clean(answer).replace("’", "'")
    text = re.sub(r"\*\*|__|`", "", text)
    text = " ".join(text.split()).rstrip(" .,;:!?\"'“”‘*_$").lstrip(" ,;:!?\"'“”‘*_")
    text = re.sub(r"^\\(?:boxed|text)\s?\{([^{}]*)\}$", r"\1", text)
    if text[:1].isdecimal() or text[:1] in ("-", "−", "+", "$", "€", "£", "."):
        plain = plain_math(text)
        quantity = read_quantity(plain)
        if quantity is not None and not quantity.noun:
            return quantity.key()
        clock = _clock(plain)
        if clock is not None:
            return clock
    lead = _YES_OR_NO.match(text)
    return lead[1].lower() if lead is not None else _ARTICLE.sub("", text.casefold(), count=1)

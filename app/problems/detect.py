"""Which kind of problem is this? Plain rules over the text, each of which can say why it decided.

A guess that explains itself can be corrected at a glance, so there is no scoring and no model here: the rules
stand in one list, the first that finds its mark decides, and what it found is the reason. The order is the
argument: formal statements and program text are unmistakable, LaTeX is mathematics whatever it asks, "how
many" wants a number even where the text is about letters, and only then do single words count.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, TypeAlias

from app.problems.problem import Kind

Language: TypeAlias = Literal["lean4", "rocq"]


class Detection(NamedTuple):
    """``reason`` completes the sentence "This looks like math: it ...". ``language`` is the proof checker's,
    for proofs only."""

    kind: Kind
    reason: str
    language: Language | None = None


class _Rule(NamedTuple):
    kind: Kind
    reason: str
    mark: re.Pattern[str]
    language: Language | None = None


_ANY_CASE = re.IGNORECASE
_LINES = re.MULTILINE
_ACROSS = re.MULTILINE | re.DOTALL


def _mark(*alternatives: str, flags: int = _ANY_CASE) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), flags)


_NAME = r"[A-Za-z_][\w.']*"
_SENTENCE = r"(?:^|[.!?]\s{1,3})"
_NUMBER_WORD = (
    r"\b(?:numbers?|values?|integers?|digits?|fractions?|percent(?:age)?|average|mean|median|total|sum|product"
    r"|difference|remainder|quotient|probability|area|perimeter|volume|ratio|profit|cost|price|speed|distance"
    r"|equations?|square root|primes?|multiples?|divisible|divisors?|times|plus|minus|fewest|most|least)\b"
)
_SIZE = r"(?:many|much|far|long|old|tall|fast|heavy|big|large|high|deep|wide|few)"
_REPAIR = r"\b(?:fix|patch|resolve|close)\b.{0,40}\b(?:issue|bug|repository|repo|regression|pull request)\b"
_WRITE = r"\b(?:write|implement|code|create|define|complete|finish|develop|design)"
_PROGRAM = r"(?:function|program|script|method|class|subroutine|one-liner|code|regex|decorator|generator)\b"
_WORDS = (
    r"\b(?:letters?|spell(?:ed|s|ing)?|anagram|concatenate|rhymes?|vowels?|opposite of|synonym|antonym"
    r"|plural of|backwards)\b"
)
_YES_NO = rf"{_SENTENCE}(?:is|are|was|were|does|do|did|can|could|must)\b[^.!?]{{0,300}}\?$"

_PROOFS = (
    _Rule(
        "proof",
        "loads a Rocq library",
        _mark(r"^[ \t]*(?:From \w+ )?Require (?:Import|Export)\b", flags=_LINES),
        "rocq",
    ),
    _Rule(
        "proof",
        "states a Rocq theorem",
        _mark(rf"^[ \t]*(?:Theorem|Lemma|Corollary|Proposition) {_NAME}\s*[:({{\[]", flags=_LINES),
        "rocq",
    ),
    _Rule("proof", "imports Lean's Mathlib", _mark(r"^[ \t]*import Mathlib\b", flags=_LINES), "lean4"),
    _Rule(
        "proof",
        "states a Lean theorem",
        _mark(
            rf"^[ \t]*(?:theorem|lemma) {_NAME}[\s:({{\[].*:=",
            r"^[ \t]*example\s*[:({\[].*:=\s*by\b",
            flags=_ACROSS,
        ),
        "lean4",
    ),
)
_PATCHES = (
    _Rule("patch", "holds a diff", _mark(r"^(?:diff --git |@@ -\d+(?:,\d+)? \+\d+)", flags=_LINES)),
    _Rule(
        "patch",
        "reports a failing test",
        _mark(
            r"^(?:FAILED|ERROR) \S+\.py::",
            r"\bfix (?:the|this|these|a) failing tests?\b",
            flags=_ANY_CASE | _LINES,
        ),
    ),
    _Rule(
        "patch",
        "holds a traceback from a file",
        _mark(r"^Traceback \(most recent call last\):.{0,4000}^[ \t]+File \"[^\"<]*/", flags=_ACROSS),
    ),
    _Rule("patch", "asks for a repair of a repository", _mark(_REPAIR)),
)
_CODE = (
    _Rule(
        "code",
        "holds a function to complete",
        _mark(r"^[ \t]*(?:async )?def \w+\(.*\)\s*(?:->.*)?:\s*$", r"^class \w+.*:\s*$", flags=_LINES),
    ),
    _Rule("code", "holds a code block", _mark(r"^```", flags=_LINES)),
    _Rule("code", "states tests as assertions", _mark(r"^[ \t]*assert \w+", flags=_LINES)),
    _Rule(
        "code",
        "asks for a program",
        _mark(rf"{_WRITE}\s{{1,3}}(?:(?:an?|the|some|this|me)\s{{1,3}})?(?:\w+\s{{1,3}}){{0,2}}?{_PROGRAM}"),
    ),
    _Rule(
        "code",
        "reads input and prints output",
        _mark(
            r"\b(?:stdin|stdout|standard (?:input|output))\b",
            r"^[ \t]*(?:sample |example )?input:?\s*$",
            flags=_ANY_CASE | _LINES,
        ),
    ),
    _Rule(
        "code",
        "names a programming language",
        _mark(r"\b(?:in|using) (?:python|javascript|rust|haskell|c\+\+)(?!\w)"),
    ),
)
_WORDS_AND_NUMBERS = (
    _Rule(
        "math",
        "is written in LaTeX",
        _mark(r"\$[^$\n]*[\\^_=+*/<>a-z0-9-][^$\n]*\$", r"\\(?:frac|boxed|sqrt|cdot|times|\(|\[)"),
    ),
    _Rule("math", "asks for a quantity", _mark(rf"\bhow {_SIZE}\b")),
    _Rule("open", "asks about letters or words", _mark(_WORDS)),
    _Rule(
        "open",
        "asks for a day or a date",
        _mark(r"\b(?:what|which) (?:day|month|date|weekday|season)\b(?! number)"),
    ),
    _Rule("open", "asks yes or no", _mark(r"\b(?:yes or no|true or false|yes/no)\b", _YES_NO)),
    _Rule("open", "asks who, where or why", _mark(rf"{_SENTENCE}(?:who|whose|where|why)\b[^.!]{{0,300}}\?")),
    _Rule("math", "asks for a number", _mark(rf"\b(?:what|which)\b[^.!?]{{0,300}}{_NUMBER_WORD}")),
    _Rule("open", "asks which of several things", _mark(r"(?:^|[.!?,]\s{1,3})which\b[^.!?]{0,300}\?")),
    _Rule("math", "speaks of quantities", _mark(_NUMBER_WORD)),
    _Rule(
        "math",
        "asks to work something out",
        _mark(r"\b(?:solve|compute|calculate|evaluate|simplify|factor|determine)\b"),
    ),
    _Rule("math", "holds numbers", _mark(r"\d")),
)
_HEAD, _TAIL = 8_000, 2_000
"""Characters read of a long text. The question stands at one of its ends, and typing must stay fluent."""

_RULES = (*_PROOFS, *_PATCHES, *_CODE, *_WORDS_AND_NUMBERS)


def detect(text: str) -> Detection:
    """The kind of ``text`` and why. Without any mark it is ``open``, which is judged as plain text."""
    text = text.strip()
    if len(text) > _HEAD + _TAIL:
        text = f"{text[:_HEAD]}\n{text[-_TAIL:]}"
    for rule in _RULES:
        if rule.mark.search(text):
            return Detection(rule.kind, rule.reason, rule.language)
    return Detection("open", "asks in words, without numbers or code")

"""Which kind of problem is this? Plain rules over the text, each of which can say why it decided.

A guess that explains itself can be corrected at a glance, so there is no scoring and no model here: the rules
stand in one list, the first that finds its mark decides, and what it found is the reason. The order is the
argument: formal statements and program text are unmistakable, LaTeX is mathematics even where it asks "who",
and only then do single words count.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, TypeAlias

from app.problems.problem import Kind

Language: TypeAlias = Literal["lean4", "rocq"]


class Detection(NamedTuple):
    """``reason`` completes the sentence "This looks like ... because it ...". ``language`` is the proof
    checker's, for proofs only."""

    kind: Kind
    reason: str
    language: Language | None = None


class _Rule(NamedTuple):
    kind: Kind
    reason: str
    mark: re.Pattern[str]
    language: Language | None = None


_LINES = re.MULTILINE
_ANY_CASE = re.IGNORECASE


def _mark(pattern: str, flags: int = _ANY_CASE) -> re.Pattern[str]:
    return re.compile(pattern, flags)


_NAME = r"[A-Za-z_][\w.']*"
_NUMBER_WORDS = (
    r"(?:numbers?|values?|integers?|digits?|fractions?|percent(?:age)?|average|mean|median|total|sum|product"
    r"|difference|remainder|quotient|probability|area|perimeter|volume|ratio|profit|cost|price|speed|distance"
    r"|equations?|square root|primes?|multiples?|divisible|divisors?|times|plus|minus|fewest|greatest|least)"
)
_PROGRAM = r"(?:function|program|script|method|class|subroutine|one-liner|code|regex|decorator|generator)\b"
_WRITE = r"\b(?:write|implement|code|create|define|complete|finish|develop|design)\b"

_RULES: tuple[_Rule, ...] = (
    _Rule("proof", "loads a Rocq library", _mark(r"^\s*(?:From \w+ )?Require (?:Import|Export)\b", _LINES), "rocq"),
    _Rule("proof", "states a Rocq theorem", _mark(rf"^\s*(?:Theorem|Lemma|Corollary|Proposition) {_NAME}\s*[:({{\[]", _LINES), "rocq"),
    _Rule("proof", "imports Lean's Mathlib", _mark(r"^\s*import Mathlib\b", _LINES), "lean4"),
    _Rule("proof", "states a Lean theorem", _mark(rf"^\s*(?:theorem|lemma) {_NAME}[\s:({{\[].*:=", _LINES | re.DOTALL), "lean4"),
    _Rule("proof", "states a Lean example", _mark(r"^\s*example\s*[:({\[].*:=\s*by\b", _LINES | re.DOTALL), "lean4"),
    _Rule("patch", "holds a diff", _mark(r"^(?:diff --git |@@ -\d+(?:,\d+)? \+\d+)", _LINES)),
    _Rule("patch", "reports a failing test", _mark(r"^(?:FAILED|ERROR) \S+\.py::|\bfix (?:the|this|these|a) failing tests?\b", _ANY_CASE | _LINES)),
    _Rule("patch", "holds a traceback from a file", _mark(r"^Traceback \(most recent call last\):.*^\s+File \"[^\"<]*/", _LINES | re.DOTALL)),
    _Rule("patch", "asks for a repair of a repository", _mark(r"\b(?:fix|patch|resolve|close)\b.{0,40}\b(?:issue|bug|repository|repo|regression|pull request)\b")),
    _Rule("code", "holds a function to complete", _mark(r"^\s*(?:async )?def \w+\(.*\)\s*(?:->.*)?:\s*$|^class \w+.*:\s*$", _LINES)),
    _Rule("code", "holds a code block", _mark(r"^```", _LINES)),
    _Rule("code", "states tests as assertions", _mark(r"^\s*assert \w+", _LINES)),
    _Rule("code", "asks for a program", _mark(rf"{_WRITE}\s+(?:an?|the|some|this|me)?\s*(?:\w+\s+){{0,2}}?{_PROGRAM}")),
    _Rule("code", "reads input and prints output", _mark(r"\b(?:stdin|stdout|standard (?:input|output))\b|^\s*(?:sample |example )?input:?\s*$", _ANY_CASE | _LINES)),
    _Rule("code", "names a programming language", _mark(r"\b(?:in|using) (?:python|javascript|rust|haskell|c\+\+)(?!\w)")),
    _Rule("math", "is written in LaTeX", _mark(r"\$[^$\n]*[\\^_=+*/<>a-z0-9-][^$\n]*\$|\\(?:frac|boxed|sqrt|cdot|times|\(|\[)")),
    _Rule("math", "asks for a quantity", _mark(r"\bhow (?:many|much|far|long|old|tall|fast|heavy|big|large|high|deep|wide|few)\b")),
    _Rule("open", "asks about letters or words", _mark(r"\b(?:letters?|spell(?:ed|s|ing)?|anagram|concatenate|rhymes?|vowels?|opposite of|synonym|antonym|plural of|backwards)\b")),
    _Rule("open", "asks for a day or a date", _mark(r"\b(?:what|which) (?:day|month|date|weekday|season)\b(?! number)")),
    _Rule("open", "asks yes or no", _mark(r"\b(?:yes or no|true or false|yes/no)\b|(?:^|[.!?]\s+)(?:is|are|was|were|does|do|did|can|could|must)\b[^.!?]*\?\s*$")),
    _Rule("open", "asks who, where or why", _mark(r"(?:^|[.!?]\s+)(?:who|whose|where|why)\b[^.!]*\?")),
    _Rule("math", "asks for a number", _mark(rf"\b(?:what|which)\b[^.!?]*\b{_NUMBER_WORDS}\b")),
    _Rule("open", "asks which or what thing", _mark(r"(?:^|[.!?,]\s+)which\b[^.!?]*\?")),
    _Rule("math", "speaks of quantities", _mark(rf"\b{_NUMBER_WORDS}\b")),
    _Rule("math", "asks to work something out", _mark(r"\b(?:solve|compute|calculate|evaluate|simplify|factor|determine)\b")),
    _Rule("math", "holds numbers", _mark(r"\d")),
)  # fmt: skip


def detect(text: str) -> Detection:
    """The kind of ``text`` and why. Without any mark it is ``open``, which is judged as plain text."""
    for rule in _RULES:
        if rule.mark.search(text):
            return Detection(rule.kind, rule.reason, rule.language)
    return Detection("open", "asks in words, without numbers or code")

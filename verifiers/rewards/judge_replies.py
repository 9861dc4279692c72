"""Reads what a judge wrote, who seldom keeps to the form that was asked for.

The line asked for is believed first, wherever it stands; the last one counts, because a judge that reasons
changes its mind on the way. Without it a plain statement near the end is believed ("the solution is
incorrect", "7/10", "85%"). A reply that says nothing of the kind has no score, and the reader says why; it is
never taken for a middling one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from verifiers.rewards.quoting import without_quotations
from verifiers.safe_text import clean

BEST: Final = 10
"""The highest score that is asked for."""

_LONGEST = 20_000  # characters of a reply that are read, from its end
_LAST_WORDS = 400  # characters in which a statement without the form is believed

_THOUGHTS = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL | re.IGNORECASE)
_NUMBER = r"(?P<number>-?\d{1,4}(?:\.\d{1,4})?)"
_OF = r"(?:\s{0,3}(?:/|out of|of)\s{0,3}(?P<of>\d{1,3})|\s{0,3}(?P<percent>%))?"
_NO_RANGE = r"(?!\s{0,3}(?:-|–|to\b|\d|\.\d))"
_SIGNS = r"[\s*_`\"'\[\](){}$\\:=]{0,8}"
_SCORE = re.compile(
    rf"\b(?:score|rating|grade){_SIGNS}(?:is{_SIGNS}|of{_SIGNS})?{_NUMBER}{_OF}{_NO_RANGE}", re.IGNORECASE
)
_VERDICT = re.compile(
    rf"\b(?:verdict|judg[e]?ment|conclusion|score){_SIGNS}(?:is{_SIGNS})?"
    r"(?P<word>in ?correct|not (?:correct|right)|correct|right|wrong|true|false|yes|no)\b",
    re.IGNORECASE,
)
_STATEMENT = re.compile(
    r"\b(?:solution|answer|reasoning|it|this)\b(?: \w+){0,3}?"
    r" (?:is(?:n't)?|was(?:n't)?|seems|appears(?: to be)?)"
    r"(?: \w+){0,2}? (?P<word>in ?correct|not (?:correct|right)|correct|right|wrong)\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(r"\bnot\b|n't\b|\bnever\b|\bhardly\b", re.IGNORECASE)
_FRACTION = re.compile(
    rf"(?<![\d/.]){_NUMBER}(?:\s{{0,3}}(?:/|out of)\s{{0,3}}(?P<of>10|100|5)\b(?![/\d])|(?P<percent>%))"
)
_LONE_WORD = re.compile(
    r"\W{0,6}(?P<word>in ?correct|not correct|correct|right|wrong|true|false|yes|no)\W{0,6}", re.IGNORECASE
)
_LONE_NUMBER = re.compile(rf"\W{{0,4}}{_NUMBER}{_OF}\W{{0,4}}", re.IGNORECASE)
_BETTER = re.compile(
    rf"\b(?:better|winner|best|choice|verdict|correct(?: one)?)(?: (?:solution|one|answer|is))?{_SIGNS}"
    rf"(?:is{_SIGNS})?(?:solution )?{_SIGNS}(?P<letter>[AB])\b(?!\s?(?:and|or|/)\s?[AB]\b)",
    re.IGNORECASE,
)
_CLAIM = re.compile(r"\bsolution (?P<letter>[AB]) is (?:the )?(?:better|right|correct)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """``score`` is in 0..1, ``None`` where there is none, and ``why`` says so in one line."""

    score: float | None
    why: str = ""


def read_score(reply: str, *, cut_off: bool = False) -> Reading:
    """The score that ``reply`` gives, of whatever form."""
    text = _readable(reply)
    if not text.strip():
        return Reading(None, "the judge wrote nothing")
    found = [*_SCORE.finditer(text), *_VERDICT.finditer(text)]
    if found:
        return _value(max(found, key=re.Match.start))
    if cut_off:
        return Reading(None, "the judge wrote on to its limit without a score")
    last = _last_line(text)
    if lone := _LONE_WORD.fullmatch(last) or _LONE_NUMBER.fullmatch(last):
        return _value(lone)
    found = [*_FRACTION.finditer(text[-_LAST_WORDS:]), *_STATEMENT.finditer(text[-_LAST_WORDS:])]
    if found:
        return _value(max(found, key=re.Match.start))
    return Reading(None, "the judge's reply holds no score")


def read_choice(reply: str) -> Literal["A", "B"] | None:
    """Which of two solutions ``reply`` prefers, ``None`` where it does not say."""
    text = _readable(reply)
    found = [*_BETTER.finditer(text), *_CLAIM.finditer(text)]
    said = max(found, key=re.Match.start)["letter"] if found else _last_line(text).strip(" *_`.()[]")
    return "A" if said.upper() == "A" else "B" if said.upper() == "B" else None


def _readable(reply: str) -> str:
    text = clean(reply[-_LONGEST:])
    if "</think>" in text and "<think>" not in text:
        text = text.rpartition("</think>")[2]
    return without_quotations(_THOUGHTS.sub("", text))


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def _value(found: re.Match[str]) -> Reading:
    parts = found.groupdict()
    if (word := parts.get("word")) is not None:
        praised = word.lower().removeprefix("not ") in ("correct", "right", "true", "yes")
        return Reading(float(praised != bool(_NEGATION.search(found.group()))))
    number = float(parts["number"])
    whole = 100.0 if parts.get("percent") else float(parts.get("of") or BEST)
    if not whole or not 0 <= number <= whole:
        return Reading(None, f"the judge's score of {number:g} is off its scale of 0 to {whole:g}")
    return Reading(number / whole)

"""Why a sample is right or wrong: the checker's line, taken apart into what a reader looks for.

Checkers say everything in one line. Where it names a case, what was got and what was expected, these are set
one under the other; any other line is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from app.runs.state import Sample
from app.tui.text import fit

LONGEST_REASON: Final = 48
"""Cells of a reason in a row of the list."""

_CASE = re.compile(
    r"(?P<where>case \d+ of \d+): got (?P<got>.*), expected (?P<expected>.*) \(input (?P<input>.*)\)"
)
_GAVE = re.compile(r"(?P<call>.+) gave (?P<got>.*), expected (?P<expected>.*)")
_FAILS = re.compile(r"fails (?P<test>.+?)(?:: (?P<got>.*) against (?P<expected>.*))?, after (?P<call>.*)")
_RAISED = re.compile(r"(?P<call>.+?) raised (?P<raised>.*)")
_CRASHED = re.compile(r"(?:(?P<where>case \d+ of \d+): )?the program failed: (?P<raised>.*)")
_PATTERNS = (_CASE, _CRASHED, _FAILS, _GAVE, _RAISED)
_NAMES = {
    "where": "case",
    "call": "call",
    "test": "test",
    "input": "input",
    "got": "got",
    "expected": "expected",
    "raised": "raised",
}
_ORDER: Final = ("where", "test", "call", "input", "got", "expected", "raised")
_OBVIOUS: Final = "known answer"


def reason_facts(reason: str) -> Sequence[tuple[str, str]]:
    """(name, value) of the failing case in ``reason``, in reading order; none where it names no case."""
    for pattern in _PATTERNS:
        found = pattern.fullmatch(reason)
        if found is not None:
            parts = found.groupdict()
            return [(_NAMES[name], parts[name]) for name in _ORDER if parts.get(name)]
    return ()


def short_reason(sample: Sample) -> str:
    """Why a sample is not right, in a few words for its row; nothing where its answer says so already."""
    obvious = sample.verdict == "wrong" and sample.checker == _OBVIOUS
    if sample.verdict in (None, "right") or obvious:
        return ""
    facts = dict(reason_facts(sample.reason))
    if "raised" in facts:
        return fit.head(facts["raised"], LONGEST_REASON)
    if "got" in facts:
        told = f"got {facts['got']}, expected {facts['expected']}"
        where = f"{facts['case']}: " if "case" in facts else ""
        return fit.head(where + told, LONGEST_REASON)
    return fit.head(sample.reason, LONGEST_REASON)

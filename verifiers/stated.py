"""Where a reply states its answer: the box, the ``####`` line, the words "the answer is".

Every finder returns spans in the reply as it came, so that the screen can show where an answer was found.
Boxes are matched in one pass; of the announcements only the last few are looked at, and only a bounded piece
behind each. A reply of a megabyte costs one pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple


class Span(NamedTuple):
    """A half-open range of characters in the reply."""

    start: int
    end: int


MOST_CUES: Final = 40
"""Cues looked at, from the last one back. What these do not state is not stated."""

REACH: Final = 1_000
"""Characters behind a cue in which its answer must stand."""

# ---------------------------------------------------------------- boxes

_BRACES: Final = re.compile(r"\\\\|\\[{}]|\\(?:boxed|fbox)\s?\{|[{}]")
_BARE_BOX: Final = re.compile(r"\\boxed\s(\w+)")
_PLACEHOLDER: Final = re.compile(
    r"(?i)\W*(?:(?:your|the|numerical|\.\.\.|…)[\s_]*)?(?:final[\s_]*)?(?:answer|result|number|value)?(?:[\s_]*here)?\W*"
)


def boxes(text: str) -> list[Span]:
    """The contents of all closed ``\\boxed{...}``, in the order in which they open. Braces are matched in one
    pass with a stack, so a box that is never closed hides nothing and costs nothing."""
    if "boxed" not in text and "\\fbox" not in text:
        return []
    opened: list[int | None] = []
    found: list[Span] = []
    for match in _BRACES.finditer(text):
        sign = match[0]
        if sign == "}":
            start = opened.pop() if opened else None
            if start is not None:
                found.append(Span(start, match.start()))
        elif sign == "{":
            opened.append(None)
        elif sign not in ("\\\\", "\\{", "\\}"):
            opened.append(match.end())
    found.extend(Span(*match.span(1)) for match in _BARE_BOX.finditer(text))
    return sorted(span for span in found if not is_placeholder(text[span.start : span.end]))


def is_placeholder(text: str) -> bool:
    """Whether this is an echo of the instructions ("your answer here") and no answer."""
    return len(text) < 60 and not text.strip("-+.").isdigit() and _PLACEHOLDER.fullmatch(text) is not None


# ---------------------------------------------------------------- words that announce an answer

_EMPHASIS: Final = r"[*_`\s]{0,6}"
_CUES: Final = re.compile(
    rf"""
    (?P<hashes>^[ \t]{{0,3}}\#\#\#\#[ \t]*+)(?![*_]{{0,2}}(?:final[ ])?(?:answer|ans|solution|result)\b)
  | <answer>\s{{0,6}}
  | "(?:final[_ ])?answer"\s?:\s?
  | \b(?:answers?|final[ ]result)\b(?:[ ](?:to|for|of|in)(?:[ ]\w{{1,30}}){{1,8}}?)?(?:,[^,\n]{{1,30}},)?
      (?:[ ]\([^()\n]{{1,30}}\))?
      {_EMPHASIS}
      (?:is(?!n['’]t)|are|was|(?:would|will|should|must|has\ to)\ be|becomes|comes\ to|equals|=|:|：|->|→)
      {_EMPHASIS}
      (?:(?:that|therefore|thus|then|so|hence|simply|just|indeed|equal\ to|as\ follows|is)\b{_EMPHASIS})*
      :?{_EMPHASIS}
  | ^[ \t*_>\#]{{0,8}}(?:final[ ])?(?:answer|ans|solution|result){_EMPHASIS}(?:[:.=：]|(?=\n)){_EMPHASIS}
  | ^[ \t*_>]{{0,6}}A{_EMPHASIS}[:：]{_EMPHASIS}
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_AFTERWARDS: Final = re.compile(
    r"[*_]{0,2}\s(?:is|must be|would be)\s(?:the|our|my)\s(?:final\s|correct\s|right\s)?answer\b",
    re.IGNORECASE,
)
_LAST_WORD: Final = re.compile(r"[^\s*_]+$")


_VERB: Final = re.compile(r"\b(?:is|are|was|be|becomes|comes|equals)\b|[=>→]", re.IGNORECASE)


class Cue(NamedTuple):
    """Words that announce an answer. ``start`` is where what they announce may start; a ``label`` ("Answer:",
    "A:") may as well announce the whole reasoning, a sentence ("the answer is") does not."""

    start: int
    hashes: bool
    label: bool


def cues(text: str) -> Iterator[Cue]:
    """The announcements in ``text``, the last first."""
    for match in reversed(list(_CUES.finditer(text))[-MOST_CUES:]):
        hashes = match["hashes"] is not None
        yield Cue(match.end(), hashes, not hashes and _VERB.search(match[0]) is None)


def said_afterwards(text: str) -> Span | None:
    """The answer in "72 is the answer"."""
    found = list(_AFTERWARDS.finditer(text))
    if not found:
        return None
    end = found[-1].start()
    word = _LAST_WORD.search(text, max(0, end - 60), end)
    return Span(*word.span()) if word is not None else None

"""When a program's output is the expected one, by the rules of CodeContests.

Words are compared, however they are spaced and in whatever case; numbers may differ by 1e-5 (Li et al. 2022,
AlphaCode, arXiv 2203.07814, and its published checker). Whole numbers must be equal to the last digit, where
that checker, which compares doubles, lets long ones pass.
"""

from __future__ import annotations

import re
from typing import Final

TOLERANCE: Final = 1e-5
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,4})?")
_WHOLE: Final = re.compile(r"[+-]?\d+")
_LONGEST_NUMBER: Final = 400


def first_difference(got: str, expected: str) -> tuple[str | None, str | None] | None:
    """The first words that differ, ``None`` for one that is missing; ``None`` if the outputs match."""
    words, wanted = got.lower().split(), expected.lower().split()
    for place in range(max(len(words), len(wanted))):
        word = words[place] if place < len(words) else None
        want = wanted[place] if place < len(wanted) else None
        if word is None or want is None or not words_match(word, want):
            return word, want
    return None


def words_match(word: str, want: str) -> bool:
    if word == want:
        return True
    if max(len(word), len(want)) > _LONGEST_NUMBER:
        return False
    if _NUMBER.fullmatch(word) is None or _NUMBER.fullmatch(want) is None:
        return False
    if _WHOLE.fullmatch(word) and _WHOLE.fullmatch(want):
        return int(word) == int(want)
    return abs(float(word) - float(want)) < TOLERANCE

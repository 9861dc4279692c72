"""Tests that nothing passes may be wrong themselves.

On CodeContests 35 of 122 problems have correct solutions that fail the tests (Brown et al. 2024, arXiv
2407.21787, section 4.2). A model that is too weak looks the same from here, so this only ever warns: early
where one failure repeats to the letter, later where the programs fail in different ways.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from verifiers.verdicts import Judgement

CHECKER: Final = "tests"
"""Whose verdicts are watched; ``code.checks`` signs with this name."""
SAME_FAILURES: Final = 8
ANY_FAILURES: Final = 24
_NO_PROGRAM: Final = ("the reply", "the program failed: SyntaxError", "the program failed: IndentationError")
"""Failures that show something about the reply and nothing about the tests."""
_NO_TESTS: Final = ("the tests cannot", "the tests never call", "the problem names no entry_point")
"""Reasons for deciding nothing that will be the same for every sample."""


class Suspicion:
    """Watches the verdicts on one problem's samples."""

    def __init__(self) -> None:
        self._failures: Counter[str] = Counter()
        self._over = False

    def note(self, judgement: Judgement) -> str | None:
        """Take note of a verdict. What to tell the user, once; ``None`` as long as there is nothing."""
        if self._over or judgement.checker != CHECKER:
            return None
        if judgement.verdict == "undecided" and judgement.reason.startswith(_NO_TESTS):
            self._over = True
            return f"No sample can be judged: {judgement.reason}. Correct the problem's tests."
        if judgement.verdict == "right":
            self._over = True
        elif judgement.verdict == "wrong" and not judgement.reason.startswith(_NO_PROGRAM):
            self._failures[judgement.reason] += 1
        total = self._failures.total()
        if total < SAME_FAILURES:
            return None
        reason, times = self._failures.most_common(1)[0]
        if times >= SAME_FAILURES and 4 * times >= 3 * total:
            self._over = True
            alike = f"{times} of them alike ({reason})"
            return f"All {total} programs fail the tests, {alike}. The tests may be wrong."
        if total >= ANY_FAILURES:
            self._over = True
            return (
                f"None of {total} programs passes the tests. The tests may be wrong, or the model too weak."
            )
        return None

"""The filter's precision and recall, by hand."""

from __future__ import annotations

from verifiers.candidates import Candidate, ProgramStatus, candidate
from verifiers.survivors import FilterReport, filter_report
from verifiers.verdicts import Verdict


def one(program: ProgramStatus | None, verdict: Verdict | None) -> Candidate:
    return candidate(0, "72", "math", program=program, verdict=verdict)


def test_the_kept_are_counted_against_the_truth() -> None:
    problems = [
        [one("agrees", "right"), one("agrees", "wrong"), one("agrees", "undecided"), one("differs", "right")],
        [one("failed", "right"), one("not-run", "right"), one(None, "wrong")],
    ]

    assert filter_report(problems) == FilterReport(
        kept=3, dropped=1, failed=1, not_run=2, fallbacks=1, precision=1 / 2, recall=1 / 4
    )


def test_nothing_to_share_is_no_share() -> None:
    assert filter_report([[one("failed", "wrong")]]) == FilterReport(0, 0, 1, 0, 1, None, None)
    assert filter_report([[one(None, "right"), one("not-run", "wrong")]]) is None
    assert filter_report([]) is None

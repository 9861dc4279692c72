"""What the CoTnPoT filter does to samples whose truth is known: which it keeps, which it should have kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from verifiers.candidates import Candidate


@dataclass(frozen=True, slots=True)
class FilterReport:
    """Samples by what their program did (Liang et al. 2024, arXiv 2410.05318, keep those it agrees with).

    ``precision`` is the share of the kept that are right, ``recall`` the share of the right that are kept;
    ``None`` where there are none. Undecided samples are in neither. ``fallbacks`` counts the problems that
    keep no sample."""

    kept: int
    dropped: int
    failed: int
    not_run: int
    fallbacks: int
    precision: float | None
    recall: float | None


def filter_report(problems: Sequence[Sequence[Candidate]]) -> FilterReport | None:
    """How the filter fares on whole problems; ``None`` where no program ran."""
    samples = [each for candidates in problems for each in candidates]
    statuses = Counter(each.program or "not-run" for each in samples)
    if not statuses["agrees"] + statuses["differs"] + statuses["failed"]:
        return None
    kept = Counter(each.verdict for each in samples if each.program == "agrees")
    right = sum(each.verdict == "right" for each in samples)
    decided = kept["right"] + kept["wrong"]
    return FilterReport(
        kept=statuses["agrees"],
        dropped=statuses["differs"],
        failed=statuses["failed"],
        not_run=statuses["not-run"],
        fallbacks=sum(not any(each.program == "agrees" for each in candidates) for candidates in problems),
        precision=kept["right"] / decided if decided else None,
        recall=kept["right"] / right if right else None,
    )

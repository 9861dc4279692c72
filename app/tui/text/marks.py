"""How a sample stands, as one sign and one name. The sign alone says it; colour only repeats it."""

from __future__ import annotations

from typing import Literal

from app.runs.state import Sample

Standing = Literal["live", "right", "wrong", "undecided", "unverified", "cancelled", "failed"]

SIGNS: dict[Standing, str] = {
    "live": "●",
    "right": "✓",
    "wrong": "✗",
    "undecided": "?",
    "unverified": "·",
    "cancelled": "–",
    "failed": "!",
}

MEANINGS: dict[Standing, str] = {
    "live": "being written",
    "right": "right",
    "wrong": "wrong",
    "undecided": "undecided",
    "unverified": "not checked",
    "cancelled": "cancelled",
    "failed": "failed",
}


def standing(sample: Sample) -> Standing:
    if sample.status != "finished":
        return sample.status
    return sample.verdict or "unverified"


def number(index: int) -> int:
    """What people call a sample on the screen: the first is number 1. Files and the command line have its
    index, which begins at 0."""
    return index + 1

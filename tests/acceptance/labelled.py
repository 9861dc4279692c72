"""Labelled samples of several systems, as groups of equal answers: what fits and tests read.

The folder in MONKEYS_TEST_DATA (by default ``../shared/data`` beside the repository) holds the public sets;
``own_samples`` beside this file holds what local models answered to GSM8K training problems
(``tests/benchmarks/sample_gsm8k.py`` makes it).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from verifiers.answers import extract_answer
from verifiers.normal import normal_form

DATA = Path(
    os.environ.get("MONKEYS_TEST_DATA") or Path(__file__).resolve().parents[2].parent / "shared" / "data"
)
OWN = Path(__file__).with_name("own_samples")


@dataclass(frozen=True, slots=True)
class Labelled:
    """One problem: the group of each sample in the order given (-1: no answer), and the right groups."""

    name: str
    groups: tuple[int, ...]
    right: frozenset[int]


def leading(groups: Sequence[int]) -> int | None:
    """The group with most votes, the first seen on a tie."""
    counts: dict[int, int] = {}
    for group in groups:
        if group >= 0:
            counts[group] = counts.get(group, 0) + 1
    return max(counts, key=lambda group: counts[group]) if counts else None


def votes_of(groups: Sequence[int]) -> list[int]:
    counts: dict[int, int] = {}
    for group in groups:
        if group >= 0:
            counts[group] = counts.get(group, 0) + 1
    return list(counts.values())


def public_set(name: str) -> list[Labelled]:
    """A set of problems and samples. Skips the test where it is missing."""
    problems = {row["id"]: row for row in _lines(f"{name}_problems")}
    drawn: dict[str, list[dict[str, Any]]] = {}
    for row in _lines(f"{name}_samples"):
        drawn.setdefault(row["problem_id"], []).append(row)
    return [_labelled(problems[name], rows) for name, rows in drawn.items()]


def own_set(name: str) -> list[Labelled]:
    """What a local model answered."""
    told = json.loads((OWN / f"{name}.json").read_text(encoding="utf-8"))
    return [
        Labelled(row["problem"], tuple(row["groups"]), frozenset(row["right"])) for row in told["problems"]
    ]


def _labelled(problem: dict[str, Any], rows: list[dict[str, Any]]) -> Labelled:
    kind = problem["kind"]
    numbers: dict[str, int] = {}
    said_right: dict[int, list[bool]] = {}
    groups = []
    for row in sorted(rows, key=lambda row: row["index"]):
        answer = extract_answer(row["text"], kind).answer if "text" in row else row["answer"]
        if answer is None:
            groups.append(-1)
            continue
        number = numbers.setdefault(normal_form(answer, kind), len(numbers))
        groups.append(number)
        said_right.setdefault(number, []).append(row["verdict"] == "right")
    right = frozenset(group for group, labels in said_right.items() if 2 * sum(labels) >= len(labels))
    return Labelled(problem["id"], tuple(groups), right)


def _lines(name: str) -> Iterator[dict[str, Any]]:
    path = DATA / f"{name}.jsonl"
    if not path.exists():
        pytest.skip(f"NOT CHECKED: {path} is missing; set MONKEYS_TEST_DATA to the folder that holds it")
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)

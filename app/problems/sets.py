"""Problem sets by name or file, and the part of one that is asked for.

A name is looked up in this order: the starter set that ships with the program, a file of that name, and the
sets that the field knows by name, which are fetched from a model hub through the ``datasets`` library (extra
``data``) the first time.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.errors import BadInput, PartMissing
from app.problems.load import STDIN, load_problems
from app.problems.problem import Problem
from app.problems.rows import problem_from_row
from app.problems.starter import starter_problems

STARTER: Final = "starter"


@dataclass(frozen=True, slots=True)
class HubSet:
    """Where a known set lies on the hub: ``path``, its ``config`` and the ``split`` people report on."""

    path: str
    config: str | None
    split: str


KNOWN: Final[dict[str, HubSet]] = {
    "gsm8k": HubSet("openai/gsm8k", "main", "test"),
    "math": HubSet("HuggingFaceH4/MATH-500", None, "test"),
    "humaneval": HubSet("openai/openai_humaneval", None, "test"),
    "mbpp": HubSet("google-research-datasets/mbpp", "full", "test"),
}
FILES_ONLY: Final = ("codecontests", "minif2f")
"""Sets that people know by name, whose rows on a hub are not read here: they are given as files."""


def load_set(name: str) -> tuple[str, list[Problem]]:
    """A set's short name and its problems. Raises ``BadInput`` for a name that is neither a file nor a known
    set, ``PartMissing`` where a known one cannot be fetched."""
    if name.strip().lower() == STARTER:
        return STARTER, list(starter_problems())
    if name == STDIN:
        return "standard input", load_problems(STDIN)
    path = Path(name)
    if path.is_file():
        return path.stem, load_problems(path)
    known = KNOWN.get(name.strip().lower())
    if name.strip().lower() in FILES_ONLY:
        raise BadInput(
            f"The set {name} is not fetched by name.", "Give it as a JSONL file of problems; see the README."
        )
    if known is None:
        names = ", ".join([STARTER, *KNOWN])
        raise BadInput(
            f"There is no problem set {name}: it is no file, and no set of that name is known.",
            f"Give a JSONL file of problems, or one of {names}.",
        )
    return name.strip().lower(), _from_hub(name.strip().lower(), known)


def part_of(problems: Sequence[Problem], limit: int | None, seed: int | None) -> list[Problem]:
    """The first ``limit`` problems, or with a ``seed`` so many at random, in the set's own order.

    Raises ``BadInput`` where the set has fewer.
    """
    if limit is None:
        return list(problems)
    if limit > len(problems):
        raise BadInput(
            f"The set has {len(problems)} problems, not {limit}.", f"Give --limit {len(problems)}."
        )
    if seed is None:
        return list(problems[:limit])
    drawn = random.Random(seed).sample(range(len(problems)), limit)  # noqa: S311 - a choice of problems
    return [problems[place] for place in sorted(drawn)]


def _from_hub(name: str, known: HubSet) -> list[Problem]:
    try:
        from datasets import load_dataset
    except ImportError:
        raise PartMissing(
            f"The set {name} is fetched by the datasets library, which is not installed.",
            "Install it with: pip install 'manymonkeys[data]', or give the set as a JSONL file.",
        ) from None
    try:
        rows: Any = load_dataset(known.path, known.config, split=known.split)
    except Exception as error:  # noqa: BLE001 - whatever the library raises, the set is not to be had
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise PartMissing(
            f"The set {name} could not be fetched from {known.path}: {first[:200]}",
            "Check the network, or download it elsewhere and give the JSONL file.",
        ) from None
    return [
        problem_from_row(dict(row), fallback_id=f"{name}/{place}", where=f"{name}, row {place}")
        for place, row in enumerate(rows)
    ]

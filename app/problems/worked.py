"""Worked examples drawn from a training split: questions with a solution, chosen by a seed.

Their solutions go into prompts on purpose. GSM8K (``question``, ``answer`` ending in ``#### N``)
and MATH (``problem``, ``solution`` with a box) are taken as they are; other files need ``prompt`` and
``solution``, and an ``answer`` to end with. A question that is also asked must not be among them, which
whoever asks has to see to: ``without`` leaves such ones out.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from app.errors import BadInput
from app.problems.jsonl import decode_line, decode_text, numbered_lines, read_bytes
from app.problems.problem import Worked
from app.problems.rows import last_boxed

_ROW: Final = msgspec.json.Decoder(dict[str, Any])
_CALCULATOR: Final = re.compile(r"<<[^<>\n]*>>")
_FINAL: Final = re.compile(r"\n?####\s*(.+?)\s*$")


def draw_examples(path: Path, count: int, seed: int, *, without: Iterable[str] = ()) -> tuple[Worked, ...]:
    """``count`` examples of the file, none with a question of ``without``. The same arguments draw the same.

    Raises ``BadInput`` where the file has too few, or none with a solution.
    """
    asked = {_key(text) for text in without}
    found = []
    for number, line in numbered_lines(decode_text(read_bytes(path), str(path))):
        example = _example(decode_line(line, _ROW, f"{path}, line {number}"))
        if example is not None and _key(example.question) not in asked:
            found.append(example)
    if not found:
        raise BadInput(
            f"{path} holds no worked examples.", "Give a training split with solutions, such as GSM8K's."
        )
    if count > len(found):
        raise BadInput(
            f"{path} holds {len(found)} worked examples, not {count}.", f"Give --shots {len(found)}."
        )
    return tuple(random.Random(seed).sample(found, count))  # noqa: S311 - a choice of examples


def _example(row: dict[str, Any]) -> Worked | None:
    question = row.get("question") or row.get("problem") or row.get("prompt")
    solution = row.get("solution")
    answer = row.get("answer")
    if not isinstance(question, str):
        return None
    if not isinstance(solution, str) and isinstance(answer, str) and (last := _FINAL.search(answer)):
        solution, answer = answer[: last.start()], last.group(1)
    if not isinstance(solution, str) or not solution.strip():
        return None
    if answer is None:
        answer = last_boxed(solution)
    told = _CALCULATOR.sub("", solution).strip()
    ending = f"The answer is {answer}."
    return Worked(question.strip(), told if answer is None or told.endswith(ending) else f"{told}\n{ending}")


def _key(text: str) -> str:
    return " ".join(text.split()).casefold()

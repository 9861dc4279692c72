"""Problems from files: our own format, the field's usual ones as they are, and plain text.

A row is recognised by its keys, never by its file's name, so a renamed or cut-down benchmark file still
loads. What a row does not say (its id, its kind) is made from the file's name and the text; what it says
wrongly is refused with the file and the line, because a problem that is quietly skipped changes every
average drawn from the set.

    our own      prompt, kind, answer, tests, ...           MBPP    text or prompt, test_list
    HumanEval    task_id, prompt, test, entry_point         GSM8K   question, answer ending in "#### N"
    MATH         problem, and solution or answer
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from app.errors import BadInput
from app.problems.detect import detect
from app.problems.jsonl import decode_line, decode_text, explain, numbered_lines, read_bytes
from app.problems.problem import KINDS, Problem
from app.problems.rows import problem_from_row

STDIN = "-"

_LOOKS_LIKE_JSON = re.compile(r'\s*(?:\[\s*)?\{\s*["}]')
_ROW = msgspec.json.Decoder(dict[str, Any])
_ROWS = msgspec.json.Decoder(dict[str, Any] | list[dict[str, Any]])


class _Row(NamedTuple):
    where: str
    fields: dict[str, Any]


def load_problems(path: Path | str) -> list[Problem]:
    """Every problem of a file, or of standard input for ``-``. Raises ``BadInput``."""
    if str(path) == STDIN:
        return parse_problems(sys.stdin.buffer.read(), "standard input")
    path = Path(path)
    return parse_problems(read_bytes(path), str(path))


def load_problem(path: Path | str) -> Problem:
    """The one problem of a file, or of standard input for ``-``. Raises ``BadInput`` if there are several."""
    problems = load_problems(path)
    if len(problems) > 1:
        raise BadInput(f"{path} holds {len(problems)} problems, not one.", "Give a file with one of them.")
    return problems[0]


def parse_problems(data: bytes, source: str) -> list[Problem]:
    """The problems in ``data``: JSON, JSONL or plain text. ``source`` names it in messages."""
    text = decode_text(data, source)
    name = Path(source).name
    if not (_LOOKS_LIKE_JSON.match(text) or name.endswith((".json", ".jsonl"))):
        return [problem_from_text(text)]
    rows = _read_rows(text, source)
    if not rows:
        raise BadInput(f"{source} holds no problems.", 'Add a line such as {"id": "p1", "prompt": "..."}.')
    stem = name.split(".")[0] or "problem"
    seen: dict[str, str] = {}
    problems: list[Problem] = []
    for index, row in enumerate(rows):
        problem = problem_from_row(row.fields, fallback_id=f"{stem}/{index}", where=row.where)
        if problem.id in seen:
            raise BadInput(
                f"{row.where}: the id {problem.id} is taken already ({seen[problem.id]}).",
                "Give every problem an id of its own.",
            )
        seen[problem.id] = row.where
        problems.append(problem)
    return problems


def problem_from_text(text: str, *, kind: str = "auto", answer: str | None = None) -> Problem:
    """A problem typed or pasted by hand. ``kind`` is one of ``KINDS`` or ``auto``. Raises ``BadInput``."""
    prompt = text.strip()
    if not prompt:
        raise BadInput("The problem is empty.", "Type a problem, or choose one of the starter set.")
    found = detect(prompt)
    if kind != "auto" and kind not in KINDS:
        raise BadInput(f"There is no kind {kind}.", f"Choose auto, {', '.join(KINDS)}.")
    fields: dict[str, Any] = {"kind": found.kind if kind == "auto" else kind, "prompt": prompt}
    if fields["kind"] == "proof":
        fields |= {"language": found.language or "lean4"}
        if found.language is not None:
            fields |= {"statement": prompt}
    if answer is not None and answer.strip():
        fields["answer"] = answer.strip()
    return msgspec.convert({"id": "typed", **fields}, Problem)


def _read_rows(text: str, source: str) -> list[_Row]:
    try:
        whole = _ROWS.decode(text)
    except msgspec.ValidationError as error:
        raise BadInput(f"{source}: {explain(error)}.", "A problem file holds one object a line.") from None
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        whole = None  # more than one value: lines of JSON, whose faults have line numbers
    if isinstance(whole, dict):
        return [_Row(source, whole)]
    if whole is not None:
        return [_Row(f"{source}, item {number}", fields) for number, fields in enumerate(whole, start=1)]
    rows = []
    for number, line in numbered_lines(text):
        where = f"{source}, line {number}"
        rows.append(_Row(where, decode_line(line, _ROW, where)))
    return rows

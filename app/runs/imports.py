"""Samples that other programs made, read as problems and samples of the project's own format.

    monkey_business   the samples released with Large Language Monkeys: one row a problem, with lists of
                      ``samples`` and ``is_corrects`` (JSON, JSONL); the model is in the file's name
    lm-eval           lm-evaluation-harness's ``--log_samples`` JSONL: ``doc``, ``resps``, ``target``
    inspect           inspect_ai's JSON logs: ``eval`` and ``samples`` with ``epoch``, ``output``, ``scores``

A row is recognised by its keys. Verdicts come from the file; where it has none they are found by the known
answer, as for samples of our own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import msgspec

from app.errors import BadInput
from app.problems.detect import detect
from app.problems.jsonl import decode_text, numbered_lines, read_bytes
from app.problems.problem import Problem

Layout = Literal["monkey_business", "lm-eval", "inspect"]
LAYOUTS: Final[tuple[Layout, ...]] = get_args(Layout)

_SETS: Final = ("GSM8K", "MATH", "CodeContests", "MiniF2F-MATH", "MiniF2F")
_FINAL: Final = re.compile(r"####\s*(.+?)\s*$")
_RIGHT: Final = {"C": "right", "I": "wrong", "P": "undecided", "N": "undecided"}


@dataclass(frozen=True, slots=True)
class Imported:
    """``samples`` are rows of the sample format, ``problem_id`` and ``model`` set in each."""

    problems: list[Problem]
    samples: list[dict[str, Any]]


def read_foreign(path: Path, layout: Layout | None = None) -> Imported:
    """One file. Raises ``BadInput`` for one that is none of these, naming the line where it can."""
    text = decode_text(read_bytes(path), str(path))
    rows = _rows(text, str(path))
    if not rows:
        raise BadInput(f"{path} holds no samples.", "Give a log with at least one.")
    found = layout or _layout_of(rows[0][1])
    if found is None:
        raise BadInput(
            f"{path} is no layout that is known here.",
            f"Known are {', '.join(LAYOUTS)}, and monkeys' own JSONL.",
        )
    problems: dict[str, Problem] = {}
    samples: list[dict[str, Any]] = []
    for where, row in rows:
        try:
            for problem, sample in _READERS[found](row, path):
                problems.setdefault(problem.id, problem)
                samples.append(sample)
        except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
            raise BadInput(
                f"{where}: not a row of {found} ({type(error).__name__}: {error}).", "Export the log again."
            ) from None
    if not samples:
        raise BadInput(f"{path} holds problems without samples.", "Give a log with at least one sample.")
    return Imported(list(problems.values()), samples)


def _rows(text: str, source: str) -> list[tuple[str, dict[str, Any]]]:
    try:
        whole = msgspec.json.decode(text)
    except msgspec.DecodeError:
        whole = None
    if isinstance(whole, dict):
        return [(source, whole)]
    if isinstance(whole, list):
        return [
            (f"{source}, item {place}", row) for place, row in enumerate(whole, 1) if isinstance(row, dict)
        ]
    found = []
    for number, line in numbered_lines(text):
        where = f"{source}, line {number}"
        try:
            row = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            raise BadInput(f"{where} is not JSON ({error}).", "Correct or remove that line.") from None
        if isinstance(row, dict):
            found.append((where, row))
    return found


def _layout_of(row: dict[str, Any]) -> Layout | None:
    if isinstance(row.get("samples"), list) and "is_corrects" in row:
        return "monkey_business"
    if "doc" in row and "resps" in row:
        return "lm-eval"
    if isinstance(row.get("eval"), dict) and "samples" in row:
        return "inspect"
    return None


# -- one row of each layout ---------------------------------------------------------------------------------

_Found = Iterator[tuple[Problem, dict[str, Any]]]


def _monkey_business(row: dict[str, Any], path: Path) -> _Found:
    name = path.name.split(".")[0]
    task = next((known for known in _SETS if name.startswith(f"{known}_")), "")
    model = name.removeprefix(f"{task}_") if task else name
    place = row.get("orig_dset_idx")
    split = row.get("orig_dset_split") or "set"
    prompt = row.get("question") or row.get("problem") or row.get("name")
    known = row.get("gt_answer", row.get("answer"))
    code = task == "CodeContests"
    problem = _problem(
        f"{task or name}/{split}/{place}" if place is not None else f"{task or name}/{prompt}"[:80],
        str(prompt or place),
        None if known is None or code or task.startswith("MiniF2F") else str(known),
        kind="code" if code else "proof" if task.startswith("MiniF2F") else "math" if task else None,
    )
    for text, right in zip(row["samples"], row["is_corrects"], strict=True):
        yield problem, _sample(problem, model, str(text), "right" if right else "wrong")


def _lm_eval(row: dict[str, Any], path: Path) -> _Found:
    doc = row["doc"]
    known = row.get("target", doc.get("answer"))
    prompt = doc.get("question") or doc.get("problem") or doc.get("prompt") or _first_argument(row)
    problem = _problem(f"{_task_of(path)}/{row.get('doc_id', 0)}", str(prompt), _last(known))
    model = str(row.get("model_name") or row.get("model") or path.parent.name or "model")
    replies = row["resps"][0] if row["resps"] and isinstance(row["resps"][0], list) else row["resps"]
    scores = _first_score(row)
    for place, text in enumerate(replies):
        right = scores[place] if place < len(scores) and len(scores) == len(replies) else None
        yield problem, _sample(problem, model, _text_of(text), None if right is None else _graded(right))


def _inspect(row: dict[str, Any], path: Path) -> _Found:
    about = row["eval"]
    model, task = str(about.get("model", "model")), str(about.get("task", path.stem))
    for one in row["samples"] or ():
        target = one.get("target")
        known = target[0] if isinstance(target, list) and target else target
        problem = _problem(
            f"{task}/{one['id']}", _text_of(one.get("input")), None if known is None else str(known)
        )
        output = one.get("output") or {}
        usage = output.get("usage") or {}
        scores = list((one.get("scores") or {}).values())
        verdict = _graded(scores[0].get("value")) if scores else None
        for choice in output.get("choices") or ():
            sample = _sample(problem, model, _text_of(choice["message"].get("content")), verdict)
            yield (
                problem,
                sample
                | {
                    "prompt_tokens": usage.get("input_tokens"),
                    "completion_tokens": usage.get("output_tokens"),
                    "finish_reason": {"max_tokens": "length"}.get(choice.get("stop_reason"), "stop"),
                },
            )


_READERS: Final[dict[Layout, Callable[[dict[str, Any], Path], _Found]]] = {
    "monkey_business": _monkey_business,
    "lm-eval": _lm_eval,
    "inspect": _inspect,
}


def _problem(name: str, prompt: str, answer: str | None, kind: str | None = None) -> Problem:
    chosen = kind or detect(prompt).kind
    return msgspec.convert(
        {"id": name, "kind": chosen, "prompt": prompt or name, "answer": answer or None}, Problem
    )


def _sample(problem: Problem, model: str, text: str, verdict: str | None) -> dict[str, Any]:
    return {"problem_id": problem.id, "model": model, "text": text, "verdict": verdict}


def _graded(value: Any) -> str | None:
    """A score as a verdict: C and I, true and false, 1 and 0; what lies between is undecided."""
    if isinstance(value, str):
        return _RIGHT.get(value, "undecided")
    if isinstance(value, bool) or value in (0, 1):
        return "right" if value else "wrong"
    return None if value is None else "undecided"


def _first_score(row: dict[str, Any]) -> list[Any]:
    """The metric of a harness row: a number for its one reply, or one for each."""
    for name in ("exact_match", "acc", "pass@1", "math_verify", "prompt_level_strict_acc"):
        if name in row:
            value = row[name]
            return value if isinstance(value, list) else [value]
    return []


def _last(known: Any) -> str | None:
    """GSM8K's targets end in ``#### N``; others are the answer itself."""
    if known is None or isinstance(known, dict | list):
        return None
    text = str(known).strip()
    found = _FINAL.search(text)
    return found.group(1) if found else text if len(text) <= 200 else None


def _first_argument(row: dict[str, Any]) -> str:
    arguments = row.get("arguments")
    if isinstance(arguments, list) and arguments and isinstance(arguments[0], list) and arguments[0]:
        return str(arguments[0][0])
    if isinstance(arguments, dict):
        first: Any = next(iter(arguments.values()), {})
        return str(first.get("arg_0", "")) if isinstance(first, dict) else ""
    return ""


def _task_of(path: Path) -> str:
    """``samples_gsm8k_2024-05-01T10-00-00.jsonl`` is of gsm8k."""
    return re.sub(r"_\d{4}-\d{2}-\d{2}T.*$", "", path.stem.removeprefix("samples_")) or "task"


def _text_of(content: Any) -> str:
    """A message's text, which may come in parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = (
            each if isinstance(each, str) else each.get("text") or each.get("content") or ""
            for each in content
        )
        return "\n".join(part if isinstance(part, str) else _text_of(part) for part in parts)
    return "" if content is None else str(content)

"""One row of a problem file, whatever format it came in, as a ``Problem``.

Each foreign format has one function that says which of its fields mean what. Reference solutions are read for
their final answer at most: none of their text may reach a prompt.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Callable
from typing import Any

import msgspec

from app.errors import BadInput
from app.problems.detect import detect
from app.problems.jsonl import explain
from app.problems.problem import KINDS, Problem

Fields = dict[str, Any]

_LANGUAGES = {"lean4": "lean4", "lean": "lean4", "rocq": "rocq", "coq": "rocq"}
_PYTHONS_OWN = r"(?:set|sorted|list|tuple|round|str|len|abs|isclose|not|assert)"
_CALLED = re.compile(rf"(?<![\w.])(?!{_PYTHONS_OWN}\b)([A-Za-z_]\w*)\(")
"""The first function called in an assertion that is not one of Python's own, as in ``sorted(f(x)) == y``."""

_SAMPLE_KEYS = {"problem_id", "verdict"}


def problem_from_row(row: Fields, *, fallback_id: str, where: str) -> Problem:
    """A row as a problem. ``fallback_id`` is used where the format has none. Raises ``BadInput``."""
    fields = _reader(row, where)(row, where)
    given_id = fields.get("id")
    fields["id"] = fallback_id if given_id is None else str(given_id).strip()
    if not fields["id"]:
        raise BadInput(f"{where}: the id is empty.", "Give the problem a name, or leave `id` out.")
    prompt = fields.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise BadInput(f"{where}: the problem is empty.", "Give it a `prompt`.")
    _settle_kind(fields, where)
    _settle_answer(fields, where)
    try:
        problem = msgspec.convert(fields, Problem)
    except msgspec.ValidationError as error:
        raise BadInput(f"{where}: {explain(error)}.", "Correct that problem.") from None
    _check_tests(problem, where)
    _check_patch(problem, where)
    return problem


def _reader(row: Fields, where: str) -> Callable[[Fields, str], Fields]:
    keys = row.keys()
    if {"instance_id", "problem_statement"} <= keys:
        return _swebench
    if {"prompt", "test", "entry_point"} <= keys:
        return _humaneval
    if "test_list" in keys and keys & {"text", "prompt"}:
        return _mbpp
    if "prompt" in keys:
        return _own
    if "question" in keys:
        return _gsm8k
    if "problem" in keys:
        return _math
    if keys & _SAMPLE_KEYS:
        raise BadInput(f"{where}: this is a sample, not a problem.", "Give samples with --samples.")
    raise BadInput(
        f"{where}: this is no problem: it has no `prompt`.", "See the problem formats in the README."
    )


def _swebench(row: Fields, where: str) -> Fields:
    """A row of SWE-bench. Its ``repo`` is a name on GitHub: give the folder of your own clone instead, at any
    commit, since ``base_commit`` says where to start. Without a ``test_command`` of your own, pytest runs the
    files that the test patch touches."""
    test_patch = row.get("test_patch")
    touched = re.findall(r"^\+\+\+ b/(\S+\.py)$", str(test_patch or ""), re.MULTILINE)
    command = row.get("test_command") or (
        f"pytest {' '.join(map(shlex.quote, touched))}" if touched else None
    )
    return {
        "id": row["instance_id"],
        "kind": "patch",
        "prompt": row["problem_statement"],
        "repo": row.get("repo"),
        "test_command": command,
        "fail_to_pass": _test_names(row.get("FAIL_TO_PASS", row.get("fail_to_pass")), where),
        "pass_to_pass": _test_names(row.get("PASS_TO_PASS", row.get("pass_to_pass")), where),
        "base_commit": row.get("base_commit"),
        "test_patch": test_patch,
        "files": row.get("files") or (),
        "test_seconds": row.get("test_seconds"),
    }


def _test_names(value: object, where: str) -> list[str]:
    """A list, or the same as the JSON text that the data set holds."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except msgspec.DecodeError:
            raise BadInput(f"{where}: the list of tests cannot be read.", "Write it as JSON.") from None
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise BadInput(f"{where}: the lists of tests must hold names.", "Correct that problem.")
    return value


def _own(row: Fields, where: str) -> Fields:
    return dict(row)


def _humaneval(row: Fields, where: str) -> Fields:
    return {
        "id": row.get("task_id"),
        "kind": "code",
        "prompt": row["prompt"],
        "entry_point": row["entry_point"],
        "tests": {"type": "python", "code": row["test"]},
    }


def _mbpp(row: Fields, where: str) -> Fields:
    """The visible assertions go into the prompt, as in the benchmark's own protocol: nothing else says what
    the function is called."""
    asserts = row["test_list"]
    if not isinstance(asserts, list) or not asserts or not all(isinstance(line, str) for line in asserts):
        raise BadInput(f"{where}: `test_list` must hold at least one assertion.", "Correct that problem.")
    wanted = row.get("prompt") or row.get("text")
    setup = [*_texts(row.get("test_imports")), *_texts([row.get("test_setup_code")])]
    body = textwrap.indent("\n".join((*asserts, *_texts(row.get("challenge_test_list")))), "    ")
    called = re.search(
        r"assert\s+(?:\w+\()*?(?!set\(|sorted\(|list\(|tuple\(|round\(|not\b|math\.)([A-Za-z_]\w*)\(",
        asserts[0],
    )
    shown = "\n".join(asserts)
    task = row.get("task_id")
    return {
        "id": None if task is None else f"mbpp/{task}",
        "kind": "code",
        "prompt": f"{wanted}\nYour code should pass these tests:\n{shown}" if wanted else "",
        "entry_point": called.group(1) if called else None,
        "tests": {"type": "python", "code": "\n".join((*setup, "def check(candidate):", body, ""))},
    }


def _gsm8k(row: Fields, where: str) -> Fields:
    answer = row.get("answer")
    fields = {"id": row.get("id"), "kind": row.get("kind"), "prompt": row["question"], "answer": answer}
    if isinstance(answer, str) and "####" in answer:
        final = answer.rsplit("####", 1)[1].strip()
        fields |= {"kind": "math", "answer": re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", final)}
    return fields


def _math(row: Fields, where: str) -> Fields:
    answer = row.get("answer")
    if answer is None and isinstance(solution := row.get("solution"), str):
        answer = last_boxed(solution)
        if answer is None:
            raise BadInput(f"{where}: the solution boxes no answer.", "Give the `answer` itself.")
    name = row.get("unique_id", row.get("id"))
    return {"id": name, "kind": "math", "prompt": row["problem"], "answer": answer}


def last_boxed(solution: str) -> str | None:
    """What stands in the last ``\\boxed{...}`` (or ``\\boxed 3``) of a reference solution."""
    start = max(solution.rfind("\\boxed"), solution.rfind("\\fbox"))
    if start < 0:
        return None
    brace = re.compile(r"\\(?:boxed|fbox)\s*").match(solution, start)
    at = brace.end() if brace else start
    if at >= len(solution):
        return None
    if solution[at] != "{":
        return solution[at:].split("$")[0].partition(" ")[0].rstrip(".") or None
    depth = 0
    for end in range(at, len(solution)):
        depth += {"{": 1, "}": -1}.get(solution[end], 0)
        if depth == 0:
            return solution[at + 1 : end].strip() or None
    return None


def _settle_kind(fields: Fields, where: str) -> None:
    kind = fields.get("kind")
    if kind is None or kind == "auto":
        fields["kind"] = _kind_of(fields)
    elif not _is_text(kind) or kind not in KINDS:
        raise BadInput(f"{where}: there is no kind {kind!r}.", f"Use one of {', '.join(KINDS)}.")
    if fields["kind"] != "proof":
        return
    formal = str(fields.get("statement") or fields["prompt"])
    language = fields.get("language") or detect(formal).language or "lean4"
    if not _is_text(language) or language not in _LANGUAGES:
        raise BadInput(f"{where}: the proof language {language!r} is unknown.", "Use lean4 or rocq.")
    fields["language"] = _LANGUAGES[language]


def _kind_of(fields: Fields) -> str:
    if fields.get("tests") or fields.get("entry_point"):
        return "code"
    if fields.get("statement"):
        return "proof"
    if fields.get("repo"):
        return "patch"
    return detect(fields["prompt"]).kind


def _settle_answer(fields: Fields, where: str) -> None:
    answer = fields.get("answer")
    if answer is None:
        return
    if isinstance(answer, bool) or not isinstance(answer, str | int | float):
        raise BadInput(f"{where}: `answer` must be text or a number.", "Write it in quotation marks.")
    fields["answer"] = str(answer).strip() or None


def _check_tests(problem: Problem, where: str) -> None:
    tests = problem.tests
    if tests is None:
        return
    if tests.get("type") == "python":
        if not isinstance(tests.get("code"), str) or not tests["code"].strip():
            raise BadInput(f"{where}: `tests` of type python need `code`.", "Give a program that checks.")
        return
    if tests.get("type") != "stdio":
        raise BadInput(f"{where}: `tests` have no type {tests.get('type')!r}.", "Use python or stdio.")
    cases = tests.get("cases")
    if not isinstance(cases, list) or not cases:
        raise BadInput(f"{where}: `tests` of type stdio need `cases`.", "Give at least one input and output.")
    for number, case in enumerate(cases, start=1):
        whole = isinstance(case, dict) and all(isinstance(case.get(key), str) for key in ("input", "output"))
        if not whole:
            raise BadInput(
                f"{where}: case {number} needs `input` and `output` as text.", "Correct that case."
            )
    seconds = tests.get("seconds")
    if seconds is not None and not (isinstance(seconds, int | float) and 0 < seconds < 3600):
        raise BadInput(f"{where}: `seconds` of the tests must be above 0.", "Correct that problem.")


def _check_patch(problem: Problem, where: str) -> None:
    if problem.test_seconds is not None and not 0 < problem.test_seconds <= 86_400:
        raise BadInput(f"{where}: `test_seconds` must be above 0.", "Correct that problem.")
    if not 1 <= problem.repeat_tests <= 1000:
        raise BadInput(f"{where}: `repeat_tests` must be 1 or more.", "Correct that problem.")
    if problem.test_command is not None and not problem.test_command.strip():
        raise BadInput(f"{where}: the test command is empty.", "Write one, or leave it out.")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _texts(value: object) -> list[str]:
    return [line for line in value if isinstance(line, str) and line] if isinstance(value, list) else []

"""Problem files: every format the field uses, and every way in which a file can be wrong."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInput
from app.problems.load import load_problem, load_problems, parse_problems, problem_from_text
from app.problems.problem import Problem
from app.problems.rows import last_boxed


def parse(text: str, source: str = "set.jsonl") -> list[Problem]:
    return parse_problems(text.encode(), source)


def row(**fields: object) -> str:
    return json.dumps(fields)


def test_our_own_format() -> None:
    first, second, third = parse(
        row(id="p1", kind="math", prompt="1 + 1?", answer="2", level=3)
        + "\n"
        + row(
            id="p2",
            kind="code",
            prompt="f",
            entry_point="f",
            tests={"type": "python", "code": "def check"},
        )
        + "\n"
        + row(id="p5", kind="patch", prompt="fix", repo="r", test_command="pytest -q", fail_to_pass=["t"])
    )
    assert (first.id, first.kind, first.prompt, first.answer) == ("p1", "math", "1 + 1?", "2")
    assert (second.entry_point, second.tests) == ("f", {"type": "python", "code": "def check"})
    assert third.fail_to_pass == ("t",)


def test_what_a_row_leaves_out_is_made_up() -> None:
    problems = parse(
        row(prompt="What is 1 + 1?")
        + "\n"
        + row(prompt="Say hello", tests={"type": "stdio", "cases": [{"input": "", "output": "hello"}]})
        + "\n"
        + row(prompt="Prove it.", statement="Theorem t : 1 = 1.")
        + "\n"
        + row(prompt="It fails.", repo="here", answer=None)
    )
    assert [(problem.id, problem.kind) for problem in problems] == [
        ("set/0", "math"),
        ("set/1", "code"),
        ("set/2", "proof"),
        ("set/3", "patch"),
    ]
    assert problems[2].language == "rocq"


@pytest.mark.parametrize(
    ("given_answer", "kept"), [(72, "72"), (0.5, "0.5"), (" 3 ", "3"), ("", None), (0, "0")]
)
def test_answers_are_text(given_answer: object, kept: str | None) -> None:
    assert parse(row(id="a", kind="math", prompt="?", answer=given_answer))[0].answer == kept


def test_humaneval() -> None:
    check = "def check(candidate):\n    assert candidate(2) == 4\n"
    line = row(
        task_id="HumanEval/0",
        prompt='def f(x):\n    """Twice x."""\n',
        entry_point="f",
        canonical_solution="    return 2 * x\n",
        test=check,
    )
    (problem,) = parse(line)
    assert (problem.id, problem.kind, problem.entry_point) == ("HumanEval/0", "code", "f")
    assert problem.tests == {
        "type": "python",
        "code": "def check(candidate):\n    assert candidate(2) == 4\n",
    }
    assert "2 * x" not in repr(problem)


def test_mbpp() -> None:
    line = row(
        task_id=11,
        text="Write a function to remove an odd item.",
        code="def odd_out(x): return SECRET",
        test_setup_code="import math",
        test_list=["assert sorted(odd_out([1, 2])) == [2]", "assert odd_out([]) == []"],
        challenge_test_list=["assert odd_out([3]) == []"],
    )
    (problem,) = parse(line)
    assert (problem.id, problem.kind, problem.entry_point) == ("mbpp/11", "code", "odd_out")
    assert problem.prompt.endswith("assert sorted(odd_out([1, 2])) == [2]\nassert odd_out([]) == []")
    assert "SECRET" not in repr(problem)
    assert problem.tests is not None
    scope: dict[str, object] = {}
    solution = "def odd_out(items):\n    return [item for item in items if item % 2 == 0]"
    exec("\n".join((solution, problem.tests["code"], "check(odd_out)")), scope)  # noqa: S102 -- our own text
    assert scope["math"]


def test_the_sanitized_mbpp() -> None:
    line = row(
        source_file="x",
        task_id=2,
        prompt="Write a function to find shared elements.",
        code="...",
        test_imports=["import math"],
        test_list=["assert set(similar((3, 4), (4, 5))) == set((4,))"],
    )
    (problem,) = parse(line)
    assert (problem.id, problem.entry_point) == ("mbpp/2", "similar")


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ("48/2 = <<48/2=24>>24\n#### 72", "72"),
        ("#### 1,234,567", "1234567"),
        ("x\n####  -5 ", "-5"),
        ("#### $1,000.50", "$1000.50"),
        ("#### 1,2,3", "1,2,3"),
    ],
)
def test_gsm8k_keeps_the_final_answer_only(answer: str, kept: str) -> None:
    (problem,) = parse(row(question="How many?", answer=answer), "gsm8k_test.jsonl")
    assert (problem.id, problem.kind, problem.answer) == ("gsm8k_test/0", "math", kept)
    assert problem.prompt == "How many?"


def test_math_takes_the_boxed_answer_of_the_solution() -> None:
    first, second = parse(
        row(problem="Find x.", solution="So \\boxed{1}, no: $\\boxed{\\frac{1}{2}}$.", level="Level 4")
        + "\n"
        + row(problem="Find y.", solution="...", answer="7", unique_id="test/algebra/1.json")
    )
    assert (first.kind, first.answer) == ("math", "\\frac{1}{2}")
    assert (second.id, second.answer) == ("test/algebra/1.json", "7")


@pytest.mark.parametrize(
    ("solution", "answer"),
    [
        ("\\boxed{a{b}c}", "a{b}c"),
        ("\\boxed 3$ and so", "3"),
        ("\\fbox{x}", "x"),
        ("\\boxed{open", None),
        ("\\boxed", None),
        ("\\boxed ", None),
        ("\\boxed{}", None),
        ("\\boxed $", None),
        ("nothing", None),
    ],
)
def test_the_last_box(solution: str, answer: str | None) -> None:
    assert last_boxed(solution) == answer


def test_an_array_and_a_single_object() -> None:
    assert [
        p.id for p in parse('[{"id": "a", "prompt": "x"},\n {"id": "b", "prompt": "y"}]', "set.json")
    ] == ["a", "b"]
    assert [p.id for p in parse('{\n  "id": "a",\n  "prompt": "x"\n}\n', "one.json")] == ["a"]


def test_lines_end_as_they_do_on_any_system() -> None:
    data = b'\xef\xbb\xbf{"id": "a", "prompt": "x"}\r\n\r\n  \r\n{"id": "b", "prompt": "\xe2\x80\xa8y"}\r\n'
    assert [problem.id for problem in parse_problems(data, "set.jsonl")] == ["a", "b"]
    utf16 = '{"id": "a", "prompt": "é"}\r\n{"id": "b", "prompt": "y"}'.encode("utf-16")
    assert [problem.prompt for problem in parse_problems(utf16, "set.jsonl")] == ["é", "y"]


def test_plain_text_is_one_problem() -> None:
    (problem,) = parse("  What is\n17 + 26?\n", "question.txt")
    assert (problem.id, problem.kind, problem.prompt) == ("typed", "math", "What is\n17 + 26?")
    assert parse("[1, 2, 3] has which sum?", "standard input")[0].prompt.startswith("[1, 2")


def test_a_typed_proof_is_its_own_statement() -> None:
    problem = problem_from_text("theorem t : 1 = 1 := by")
    assert (problem.kind, problem.language, problem.statement) == (
        "proof",
        "lean4",
        "theorem t : 1 = 1 := by",
    )
    corrected = problem_from_text("What is 1 + 1?", kind="open", answer=" 2 ")
    assert (corrected.kind, corrected.answer) == ("open", "2")


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"What is 2 + 2?\n")))
    assert load_problem("-").prompt == "What is 2 + 2?"


def test_one_problem_is_not_a_set(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(row(id="a", prompt="x") + "\n" + row(id="b", prompt="y"))
    assert len(load_problems(path)) == 2
    with pytest.raises(BadInput, match="holds 2 problems"):
        load_problem(path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "set.jsonl holds no problems"),
        ("\n\n", "set.jsonl holds no problems"),
        ("[]", "set.jsonl holds no problems"),
        (
            '{"id": "a", "prompt": "x"}\n{"id": "a", "prompt": "y"}',
            "line 2: the id a is taken already (set.jsonl, line 1)",
        ),
        ('{"id": "a", "prompt": "x"}\n\n{"id": "b", "prompt": " "}', "line 3: the problem is empty"),
        ('{"id": "a", "prompt": null}', "the problem is empty"),
        ('{"id": "a", "prompt": "x"}\n{"id": "b", "prompt": ', "line 2: this is not JSON"),
        ('{"id": "a", "prompt": "x"}\n7', "line 2: expected `object`, got `int`"),
        ('{"id": "", "prompt": "x"}', "the id is empty"),
        ('{"id": "a", "kind": "riddle", "prompt": "x"}', "there is no kind 'riddle'"),
        ('{"id": "a", "kind": ["math"], "prompt": "x"}', "there is no kind"),
        ('{"id": "a", "prompt": "x", "answer": true}', "`answer` must be text or a number"),
        ('{"id": "a", "prompt": "x", "answer": ["1"]}', "`answer` must be text or a number"),
        (
            '{"id": "a", "kind": "code", "prompt": "x", "entry_point": 3}',
            "`entry_point`: expected `str | null`",
        ),
        (
            '{"id": "a", "kind": "code", "prompt": "x", "tests": "assert"}',
            "`tests`: expected `object | null`",
        ),
        ('{"id": "a", "kind": "code", "prompt": "x", "tests": {"type": "java"}}', "no type 'java'"),
        ('{"id": "a", "kind": "code", "prompt": "x", "tests": {"type": "python"}}', "need `code`"),
        (
            '{"id": "a", "kind": "code", "prompt": "x", "tests": {"type": "stdio", "cases": []}}',
            "need `cases`",
        ),
        (
            '{"id": "a", "prompt": "x", "tests": {"type": "stdio", "cases": [{"input": 1, "output": ""}]}}',
            "case 1",
        ),
        ('{"id": "a", "kind": "proof", "prompt": "x", "language": "agda"}', "language 'agda' is unknown"),
        ('{"id": "a", "kind": "proof", "prompt": "x", "language": ["lean4"]}', "is unknown"),
        ('{"id": "a", "kind": "proof", "prompt": "x", "statement": 5}', "`statement`: expected `str | null`"),
        ('{"problem_id": "a", "text": "x"}', "this is a sample, not a problem"),
        ('{"name": "a"}', "it has no `prompt`"),
        ('{"problem": "a", "solution": "no box"}', "boxes no answer"),
        ('{"text": "a", "test_list": []}', "`test_list` must hold"),
        ('{"text": "", "test_list": ["assert f(1)"]}', "the problem is empty"),
        ('{"prompt": "x", "test": 1, "entry_point": "f"}', "`tests` of type python need `code`"),
        ('{"prompt": "x", "a": ' + "[" * 5000, "set.jsonl"),
        ('{"prompt": "\\ud800"}', "set.jsonl"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_where_it_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text)
    assert complaint in caught.value.message
    assert caught.value.fix
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("data", [b"\x7fELF\0\0", b"caf\xe9 costs 2", b"\xff\xfe\x00\xd8"])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        parse_problems(data, "file.txt")


def test_an_empty_problem_is_refused() -> None:
    for text in ("", "  \n\t"):
        with pytest.raises(BadInput, match="The problem is empty"):
            problem_from_text(text)
    with pytest.raises(BadInput, match="no kind riddle"):
        problem_from_text("x", kind="riddle")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no file"):
        load_problems(tmp_path / "absent.jsonl")
    with pytest.raises(BadInput, match="is a folder"):
        load_problems(tmp_path)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
_KEYS = st.sampled_from(
    [
        "id",
        "kind",
        "prompt",
        "answer",
        "tests",
        "test",
        "entry_point",
        "test_list",
        "text",
        "test_imports",
        "question",
        "problem",
        "solution",
        "language",
        "statement",
        "repo",
        "task_id",
        "unique_id",
        "title",
    ]
)


@given(st.lists(st.dictionaries(_KEYS, _JSON, max_size=6), max_size=3))
def test_no_file_gets_more_than_a_refusal(rows: list[dict[str, object]]) -> None:
    text = "\n".join(json.dumps(fields) for fields in rows)
    try:
        problems = parse(text)
    except BadInput:
        return
    assert all(problem.prompt.strip() for problem in problems)

"""Samples files as people make them: what is read, what is refused, and with which words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.errors import BadInput
from app.runs.samples_file import load_samples, of_known_problems, parse_samples, refuse_twins

GOOD = b'{"problem_id": "p", "text": "It is 72."}\n'


def test_little_is_required_and_nothing_is_lost() -> None:
    row = {"problem_id": "p", "answer": 72, "colour": "red", "reward": 1, "usd": "0.01"}
    (sample,) = parse_samples(json.dumps(row).encode(), "f")

    assert sample.row == row
    assert (sample.where, sample.problem_id, sample.answer, sample.model) == ("f, line 1", "p", "72", "")
    assert (sample.fields.reward, sample.fields.text, sample.fields.verdict) == (1.0, None, None)


def test_an_answer_keeps_its_indentation() -> None:
    rows = b'[{"problem_id": "p", "answer": "    return 1\\n"}, {"problem_id": "p", "answer": " "}]'

    assert [each.answer for each in parse_samples(rows, "f")] == ["    return 1\n", None]


def test_an_index_is_the_place_within_the_problem_unless_it_is_given() -> None:
    lines = b"".join(
        json.dumps(row | {"text": ""}).encode() + b"\r\n"
        for row in (
            {"problem_id": "p"},
            {"problem_id": "q"},
            {"problem_id": "p"},
            {"problem_id": "p", "index": 9},
            {"problem_id": "p"},
        )
    )
    samples = parse_samples(b"\xef\xbb\xbf" + lines, "f")

    assert [(each.problem_id, each.index) for each in samples] == [
        ("p", 0), ("q", 0), ("p", 1), ("p", 9), ("p", 3),
    ]  # fmt: skip


def test_an_array_is_read_like_lines() -> None:
    samples = parse_samples(b' [{"problem_id": "p", "answer": null}, {"problem_id": "q", "text": "x"}]', "f")

    assert [(each.where, each.answer) for each in samples] == [("f, item 1", None), ("f, item 2", None)]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"hello", "f, line 2: this is not JSON"),
        (b"[1]", "f, line 2"),
        (b'{"text": "x"}', "f, line 2: the sample has no `problem_id`"),
        (b'{"problem_id": "p"}', "f, line 2: the sample has neither `text` nor `answer`"),
        (b'{"problem_id": "p", "text": null}', "f, line 2: the sample has neither"),
        (b'{"problem_id": "", "text": "x"}', "f, line 2: the `problem_id` is empty"),
        (b'{"problem_id": 3, "text": "x"}', "f, line 2: `problem_id`: expected `str`"),
        (b'{"problem_id": "p", "text": "x", "verdict": "yes"}', "f, line 2: `verdict`: invalid"),
        (b'{"problem_id": "p", "text": "x", "reward": "high"}', "f, line 2: `reward`: expected"),
        (b'{"problem_id": "p", "text": "x", "reward": NaN}', "f, line 2: this is not JSON"),
        (b'{"problem_id": "p", "text": "x", "reward": 1e999}', "f, line 2"),
        (b'{"problem_id": "p", "answer": true}', "f, line 2: `answer`: expected"),
        (b'{"problem_id": "p", "text": "x", "program_status": "fine"}', "f, line 2: `program_status`"),
        (b'{"prompt": "What?", "id": "p"}', "f, line 2: this is a problem, not a sample"),
        (b'{"type": "delta", "at": 1}', "f, line 2: this is an event of a recorded run"),
        (b'{"problem_id": "p", "text": "' + b"\xff" + b'"}', "f, line 2: this is not UTF-8"),
        (b'{"a":' * 100_000, "f, line 2"),
    ],
)
def test_a_bad_line_is_named(line: bytes, complaint: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_samples(GOOD + line, "f")

    assert refused.value.message.startswith(complaint)
    assert refused.value.fix


@pytest.mark.parametrize("data", [b"", b"\n \n", b"[]"])
def test_an_empty_file_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="f holds no samples"):
        parse_samples(data, "f")


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no file"):
        load_samples(tmp_path / "missing.jsonl")
    with pytest.raises(BadInput, match="is a folder"):
        load_samples(tmp_path)
    (tmp_path / "image.png").write_bytes(b"\x89PNG\0\0")
    with pytest.raises(BadInput, match="binary"):
        load_samples(tmp_path / "image.png")


def test_whoever_takes_the_bad_lines_gets_the_good_ones() -> None:
    bad: list[BadInput] = []
    samples = parse_samples(GOOD + b"oops\n" + GOOD + b"{}\n", "f", on_bad=bad.append)

    assert [each.where for each in samples] == ["f, line 1", "f, line 3"]
    assert [fault.message.partition(":")[0] for fault in bad] == ["f, line 2", "f, line 4"]
    with pytest.raises(BadInput, match=r"f holds no good sample \(1 bad lines\)"):
        parse_samples(b"oops", "f", on_bad=bad.append)


def test_samples_of_unknown_problems_are_refused_or_handed_out() -> None:
    samples = parse_samples(GOOD + b'{"problem_id": "q", "text": ""}\n', "f")

    with pytest.raises(BadInput, match="f, line 2: there is no problem q in problems"):
        of_known_problems(samples, {"p"}, "problems")
    bad: list[BadInput] = []
    assert of_known_problems(samples, {"p"}, "problems", on_bad=bad.append) == samples[:1]
    assert len(bad) == 1
    with pytest.raises(BadInput, match="No sample belongs to a problem"):
        of_known_problems(samples, {"r"}, "problems", on_bad=bad.append)


def test_a_sample_counts_once() -> None:
    def lines(*rows: dict[str, object]) -> bytes:
        return b"".join(json.dumps({"problem_id": "p", "text": ""} | row).encode() + b"\n" for row in rows)

    refuse_twins(parse_samples(lines({}, {}, {"model": "m"}, {"model": "m", "index": 0}), "f"))
    with pytest.raises(BadInput, match=r"f, line 2: sample 0 of p came already \(f, line 1\)"):
        refuse_twins(parse_samples(lines({}, {"index": 0}), "f"))

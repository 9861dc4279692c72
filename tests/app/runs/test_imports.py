"""Samples that other programs made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.errors import BadInput
from app.runs.compare.imported import imported_events
from app.runs.compare.launch import fold
from app.runs.compare.result import comparison_lines
from app.runs.imports import read_foreign

MONKEYS: list[dict[str, Any]] = [
    {
        "question": "What is 17 + 26?",
        "samples": ["The answer is 43.", "The answer is 33.", "It is 43."],
        "is_corrects": [True, False, True],
        "orig_dset_split": "test",
        "orig_dset_idx": 5,
        "gt_answer": "43",
    },
    {
        "question": "What is 2 + 2?",
        "samples": ["4", "5", "6"],
        "is_corrects": [True, False, False],
        "orig_dset_split": "test",
        "orig_dset_idx": 9,
        "gt_answer": "4",
    },
]
HARNESS: list[dict[str, Any]] = [
    {
        "doc_id": 3,
        "doc": {"question": "What is 6 times 7?", "answer": "6 * 7 = 42\n#### 42"},
        "target": "6 * 7 = 42\n#### 42",
        "arguments": [["Q: What is 6 times 7?", {"until": ["\n"]}]],
        "resps": [["The answer is 42.", "The answer is 41."]],
        "filtered_resps": ["42"],
    },
    {
        "doc_id": 4,
        "doc": {"question": "What is 5 + 5?"},
        "target": "10",
        "resps": [["The answer is 10."]],
        "exact_match": 1.0,
    },
]
INSPECT: dict[str, Any] = {
    "version": 2,
    "eval": {"task": "arithmetic", "model": "openai/gpt-4o-mini"},
    "samples": [
        {
            "id": 1,
            "epoch": epoch,
            "input": [{"role": "user", "content": "What is 17 + 26?"}],
            "target": "43",
            "output": {
                "choices": [
                    {"message": {"content": [{"type": "text", "text": text}]}, "stop_reason": "stop"}
                ],
                "usage": {"input_tokens": 12, "output_tokens": 6},
            },
            "scores": {"match": {"value": value}},
        }
        for epoch, (text, value) in enumerate([("ANSWER: 43", "C"), ("ANSWER: 44", "I")], 1)
    ],
}


def written(folder: Path, name: str, rows: Any, *, lines: bool) -> Path:
    path = folder / name
    path.write_text("\n".join(map(json.dumps, rows)) if lines else json.dumps(rows))
    return path


@pytest.mark.parametrize("lines", [True, False])
def test_the_first_papers_samples(tmp_path: Path, lines: bool) -> None:
    found = read_foreign(written(tmp_path, "GSM8K_Llama-3-8B-Instruct.json", MONKEYS, lines=lines))
    assert [problem.id for problem in found.problems] == ["GSM8K/test/5", "GSM8K/test/9"]
    assert [problem.answer for problem in found.problems] == ["43", "4"]
    assert {sample["model"] for sample in found.samples} == {"Llama-3-8B-Instruct"}
    verdicts = [sample["verdict"] for sample in found.samples]
    assert verdicts == ["right", "wrong", "right", "right", "wrong", "wrong"]


def test_the_harness(tmp_path: Path) -> None:
    path = written(tmp_path, "samples_gsm8k_2024-05-01T10-00-00.123.jsonl", HARNESS, lines=True)
    found = read_foreign(path)
    assert [problem.id for problem in found.problems] == ["gsm8k/3", "gsm8k/4"]
    assert found.problems[0].answer == "42"
    assert [sample["verdict"] for sample in found.samples] == [None, None, "right"]


def test_inspect(tmp_path: Path) -> None:
    found = read_foreign(written(tmp_path, "log.json", INSPECT, lines=False))
    assert [(sample["text"], sample["verdict"]) for sample in found.samples] == [
        ("ANSWER: 43", "right"),
        ("ANSWER: 44", "wrong"),
    ]
    assert found.samples[0]["completion_tokens"] == 6
    assert found.problems[0].prompt == "What is 17 + 26?"


async def test_imported_samples_are_a_comparison(tmp_path: Path) -> None:
    found = read_foreign(written(tmp_path, "samples_gsm8k.jsonl", HARNESS, lines=True))
    batches = [
        batch async for batch in imported_events(found.problems, found.samples, name="gsm8k", run_id="i1")
    ]
    state = fold([event for batch in batches for event in batch])
    (cells,) = state.cells.values()
    assert [(cell.decided, cell.right) for cell in cells] == [(2, 1), (1, 1)]
    assert state.status == "completed"


async def test_samples_of_other_problems_are_refused(tmp_path: Path) -> None:
    found = read_foreign(written(tmp_path, "log.json", INSPECT, lines=False))
    with pytest.raises(BadInput, match="not in the set"):
        async for _ in imported_events([], found.samples, name="x", run_id="i1"):
            pass


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no samples"),
        ("[]", "holds no samples"),
        ('{"what": 1}', "no layout that is known"),
        ('{"question": "q", "samples": ["a"], "is_corrects": []}', "not a row of monkey_business"),
        ('{"doc": {}, "resps": []}\nnot json', "line 2 is not JSON"),
        ('{"eval": {"model": "m"}, "samples": []}', "problems without samples"),
    ],
)
def test_broken_files(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "GSM8K_m.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=message):
        read_foreign(path)


@pytest.mark.parametrize(
    "wrong", [{"usd": "nan"}, {"usd": "-1"}, {"flops": "many"}, {"prompt_tokens": "x"}, {"flops": 1e400}]
)
async def test_a_cost_that_is_no_number_is_refused_before_anything_is_kept(
    tmp_path: Path, wrong: dict[str, Any]
) -> None:
    found = read_foreign(written(tmp_path, "log.json", INSPECT, lines=False))
    samples = [found.samples[0], found.samples[1] | wrong]
    with pytest.raises(BadInput, match="no number"):  # at the first transaction, not at the bad sample's
        await anext(imported_events(found.problems, samples, name="x", run_id="i1"))


async def test_a_model_s_name_from_a_log_cannot_act_in_a_terminal(tmp_path: Path) -> None:
    found = read_foreign(written(tmp_path, "log.json", INSPECT, lines=False))
    samples = [sample | {"model": "\x1b[31mred\u202e[/b]"} for sample in found.samples]
    batches = [b async for b in imported_events(found.problems, samples, name="x", run_id="i1")]
    shown = "\n".join(comparison_lines(fold([event for batch in batches for event in batch])))
    assert "\x1b" not in shown
    assert "\u202e" not in shown

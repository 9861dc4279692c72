"""A run's samples as files that other programs read: JSONL in the project's own sample format, or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from app.runs.state import RunState, Sample
from budgets.amounts import usd_text

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def sample_rows(state: RunState) -> Iterator[dict[str, Any]]:
    """Samples that ended by themselves, in order of their index. One that was lost has its ``error``; one
    that was cut short counts nowhere, so it is not here."""
    problem_id = state.problem.id if state.problem is not None else ""
    for sample in state.every_sample():
        if sample.status in ("finished", "failed"):
            yield _row(sample, problem_id)


def _row(sample: Sample, problem_id: str) -> dict[str, Any]:
    known = sample.known
    return {
        "problem_id": problem_id,
        "index": sample.index,
        "model": sample.model,
        "text": sample.text,
        "answer": sample.answer,
        "verdict": sample.verdict,
        "reward": sample.reward,
        "reward_model": sample.reward_model,
        "program_answer": sample.program_answer,
        "program_status": sample.program_status,
        "prompt_tokens": sample.prompt_tokens,
        "completion_tokens": sample.tokens,
        "usd": None if known.usd is None else usd_text(known.usd),
        "estimated": sample.estimated,
        "flops": None if known.flops is None else float(known.flops),
        "finish_reason": sample.finish_reason,
        "error": sample.error,
        "mean_logprob": sample.mean_logprob,
        "program_reason": sample.program_reason or None,
        "program": sample.program or None,
        **program_cost(sample),
    }


def program_cost(sample: Sample) -> dict[str, Any]:
    """What the sample's program cost: nothing where it shares another's, ``None`` where there is none."""
    cost = sample.program_cost if sample.program_status is not None else None
    return {
        "program_tokens": None if cost is None else cost.tokens,
        "program_usd": None if cost is None or cost.usd is None else usd_text(cost.usd),
        "program_flops": None if cost is None or cost.flops is None else float(cost.flops),
    }


def to_jsonl(state: RunState) -> bytes:
    """One sample a line."""
    return rows_to_jsonl(sample_rows(state))


def to_csv(state: RunState) -> bytes:
    """One sample a row under a header."""
    return rows_to_csv(list(sample_rows(state)))


def rows_to_jsonl(rows: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def rows_to_csv(rows: list[dict[str, Any]]) -> bytes:
    """UTF-8 under a header. Text that a spreadsheet would run as a formula gets a leading apostrophe: models
    wrote it."""
    out = io.StringIO(newline="")
    header = list(rows[0]) if rows else list(_row(Sample(0, "", 0, 0.0, 0), ""))
    writer = csv.DictWriter(out, header, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _harmless(value) for name, value in row.items()})
    return out.getvalue().encode()


def _harmless(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA) and not _is_number(value):
        return f"'{value}"
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

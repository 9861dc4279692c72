"""What ``monkeys pick`` does to samples before it picks: programs and rewards for those that have none.

It may take hours, so each problem's samples are written as soon as they are done; given again as --samples,
the file goes on where it ended.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from app.cli import out
from app.cli.options import helper, limit
from app.errors import BadInput
from app.problems.problem import Problem
from app.runs.afterwards import Worked, work_through
from app.runs.grading import Grader
from app.runs.plan import Plan
from app.runs.samples_file import GivenSample, parse_samples
from app.runs.state import Books
from budgets.amounts import Budget, parse_count, parse_flops, parse_seconds, parse_usd, show_flops, show_usd


def worked_through(
    known: dict[str, Problem],
    given: list[GivenSample],
    translator: str | None,
    reward: str | None,
    limits: tuple[str | None, str | None, str | None, str | None],
    *,
    seed: int,
    price: str | None,
    base_url: Sequence[str] | None,
    write: Path | None,
) -> list[GivenSample]:
    """``given`` with programs and rewards, in the order of their problems."""
    from app import settings
    from app.cli.session import launcher_for

    max_cost, max_flops, max_total_tokens, max_seconds = limits
    plan = Plan(
        models=(),
        budget=Budget(
            usd=limit("--max-cost", max_cost, parse_usd),
            flops=limit("--max-flops", max_flops, parse_flops),
            tokens=limit("--max-total-tokens", max_total_tokens, parse_count),
            seconds=limit("--max-seconds", max_seconds, parse_seconds),
        ),
        seed=seed,
        reward=helper("--reward", reward, None),
        translator=helper("--translator", translator, None),
        translation_share=1.0,
    )
    if not any(sample.fields.text for sample in given):
        raise BadInput("The samples have no text to re-write or score.", "Give samples with their `text`.")
    launcher = launcher_for(plan, price, settings.load().settings.prices, base_url)
    file = _opened(write)
    rows: list[dict[str, object]] = []
    spent: list[Worked] = []

    async def work() -> None:
        async for done in work_through(given, Grader(known), launcher, plan):
            rows.extend(done.rows)
            spent.append(done)
            if file is not None:
                file.write(b"".join(msgspec.json.encode(row) + b"\n" for row in done.rows))
                file.flush()
            _tell(done, len(spent), len({sample.problem_id for sample in given}))

    async def whole() -> None:
        task = asyncio.ensure_future(work())
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError):
            loop.add_signal_handler(signal.SIGINT, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            await launcher.close()

    try:
        asyncio.run(whole())
    finally:
        if file is not None:
            file.close()
    _tell_spend(spent)
    data = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    return parse_samples(data, "the samples with what was found")


def _opened(write: Path | None) -> IO[bytes] | None:
    try:
        return None if write is None else write.open("wb")
    except OSError as error:
        raise BadInput(f"{write} cannot be written: {error.strerror}.", "Give another --write.") from None


def _tell(done: Worked, number: int, problems: int) -> None:
    statuses = [row.get("program_status") for row in done.rows]
    kept = f", {statuses.count('agrees')} of {len(statuses)} programs agree" if any(statuses) else ""
    sys.stderr.write(f"{number} of {problems} problems: {done.problem.id}{kept}, {done.seconds:.0f} s\n")
    for notice in dict.fromkeys(done.notices):
        out.warn(notice)
    sys.stderr.flush()


def _tell_spend(spent: Sequence[Worked]) -> None:
    for purpose, name in (("translation", "Programs"), ("reward", "Rewards")):
        total = Books()
        for done in spent:
            books = next(books for known, books in done.spent.items() if known == purpose)
            total.known = total.known + books.known
            total.prompt_tokens += books.prompt_tokens
            total.completion_tokens += books.completion_tokens
        if total.known.tokens:
            usd = "" if total.known.usd is None else f", {show_usd(total.known.usd)}"
            flops = "" if total.known.flops is None else f", {show_flops(total.known.flops)}"
            tokens = f"{total.prompt_tokens:,} tokens read, {total.completion_tokens:,} written"
            sys.stderr.write(f"{name}: {tokens}{flops}{usd}.\n")

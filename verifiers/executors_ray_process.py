"""The process that joins a Ray cluster for a program, and serves jobs that come as lines of JSON.

``executors_cluster`` starts it and says why it stands apart.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any, Final, TextIO

from verifiers.executors import Job, Missing, to_answer
from verifiers.executors_ray import RayWorkers
from verifiers.executors_work import Means

_LONGEST_LINE: Final = 64 << 20


def main() -> None:
    """Join a cluster and serve jobs, for whoever started this process. Its standard output is the pipe for
    answers, which nothing else may write to: Ray prints the deaths of its nodes there."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    asyncio.run(_serve_lines(answers))


async def _serve_lines(answers: TextIO) -> None:
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )

    def say(number: int, answer: dict[str, Any]) -> None:
        answers.write(json.dumps({"id": number, **answer}) + "\n")
        answers.flush()

    first = json.loads(await reader.readline())
    workers = RayWorkers(first["address"], Means(**first["means"]))
    try:
        try:
            await workers.open()
        except Missing as missing:
            say(first["id"], {"missing": (missing.message, missing.fix)})
            return
        say(first["id"], {"workers": workers.at_once})
        asked: set[asyncio.Task[None]] = set()

        async def judge(number: int, job: dict[str, Any]) -> None:
            try:
                answer = to_answer(await workers.submit(Job(**job)))
            except Missing as missing:
                answer = {"missing": (missing.message, missing.fix)}
            say(number, {"answer": answer})

        while line := await reader.readline():
            question = json.loads(line)
            if "pids" in question:
                say(question["id"], {"pids": await workers.worker_pids()})
                continue
            task = asyncio.create_task(judge(question["id"], question["job"]))
            asked.add(task)
            task.add_done_callback(asked.discard)
        for task in asked:
            task.cancel()
    finally:
        await workers.close()

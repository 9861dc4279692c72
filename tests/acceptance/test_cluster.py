"""Checking on a real Ray cluster of two workers, one of which is killed.

    python -m pytest tests/acceptance/test_cluster.py -q -s

Runs in an interpreter that has Ray (``pip install ray``, the extra ``cluster``); skips loudly elsewhere. The
cluster is Ray's own, of two nodes on this machine, and goes when the tests are done.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from verifiers.executors import Finding, Job, Missing
from verifiers.executors_cluster import ClusterExecutor
from verifiers.executors_work import Means
from verifiers.sandbox import NoSandbox, Sandbox

pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).resolve().parents[2]
JOBS = 24


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    try:
        from ray.cluster_utils import Cluster
    except ImportError:
        pytest.skip("NOT CHECKED: Ray is not installed in this interpreter: pip install ray")
    try:
        asyncio.run(_probe())
    except NoSandbox as missing:
        pytest.skip(f"NOT CHECKED: {missing.message} {missing.fix}")
    found = Cluster(initialize_head=True, head_node_args=_node())
    found.add_node(**_node())
    found.wait_for_nodes()
    yield found
    found.shutdown()


async def _probe() -> None:
    async with Sandbox(1) as sandbox:
        await sandbox.probe()


def _node() -> dict[str, Any]:
    return {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}


def job(number: int, *, sleep: float = 0.2) -> Job:
    """A program that is right for even numbers."""
    problem = {
        "id": f"p{number}",
        "kind": "code",
        "prompt": "Add.",
        "entry_point": "add",
        "tests": {"type": "python", "code": "def check(candidate):\n    assert candidate(2, 3) == 5\n"},
    }
    wrong = number % 2
    body = f"import time\ndef add(a, b):\n    time.sleep({sleep})\n    return a + b + {wrong}  # {number}\n"
    return Job(problem, f"```python\n{body}```")


def verdicts(found: list[Finding]) -> list[str]:
    return [one.judgement.verdict for one in found]


async def answered(waiting: list[asyncio.Task[Finding]], count: int) -> None:
    """Wait until so many jobs are done, and others are not."""
    for done in itertools.islice(asyncio.as_completed(waiting), count):
        await done
    assert not all(task.done() for task in waiting)


EXPECTED = ["wrong" if number % 2 else "right" for number in range(JOBS)]


async def test_every_worker_judges_in_a_sandbox_of_its_own(cluster: Any) -> None:
    executor = ClusterExecutor(cluster.address, Means())
    try:
        assert len(set(await executor.worker_pids())) == 2
        started = time.perf_counter()
        found = await asyncio.gather(*(executor.submit(job(number)) for number in range(JOBS)))
        print(f"\n{JOBS} programs on 2 workers: {time.perf_counter() - started:.1f} s")
        assert verdicts(found) == EXPECTED
        assert all("bubblewrap" in one.box for one in found)
        assert executor.behind == 0
    finally:
        await executor.close()


async def test_killed_worker_loses_no_job(cluster: Any) -> None:
    executor = ClusterExecutor(cluster.address, Means())
    try:
        victim = (await executor.worker_pids())[0]
        waiting = [asyncio.create_task(executor.submit(job(number))) for number in range(JOBS)]
        await answered(waiting, 4)
        assert executor.behind > 0
        os.kill(victim, signal.SIGKILL)
        found = await asyncio.gather(*waiting)
        assert verdicts(found) == EXPECTED
        assert victim not in await executor.worker_pids(), "another worker stands in its place"
    finally:
        await executor.close()


async def test_job_that_outlives_three_workers_is_undecided(cluster: Any) -> None:
    executor = ClusterExecutor(cluster.address, Means())
    try:
        waiting = asyncio.create_task(executor.submit(job(0, sleep=3.0)))
        while not waiting.done():
            for pid in await executor.worker_pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.5)
        found = await waiting
        assert found.judgement.verdict == "undecided"
        assert "ended 3 times" in found.judgement.reason
    finally:
        await executor.close()


async def test_address_where_nothing_answers_is_told_at_once(cluster: Any) -> None:
    executor = ClusterExecutor("127.0.0.1:1", Means())
    started = time.perf_counter()
    with pytest.raises(Missing, match="Nothing answers at"):
        await executor.submit(job(0))
    assert time.perf_counter() - started < 10
    await executor.close()


def test_samples_are_verified_on_the_cluster_from_the_command_line(cluster: Any, tmp_path: Path) -> None:
    problems, samples = tmp_path / "problems.jsonl", tmp_path / "samples.jsonl"
    problems.write_text("".join(json.dumps(job(number).problem) + "\n" for number in range(4)))
    rows = ({"problem_id": f"p{number}", "text": job(number).text} for number in range(4))
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "app", "verify", "--problems", str(problems), "--samples", str(samples)]
    ended = subprocess.run(
        [*command, "--cluster", cluster.address, "--output", "jsonl"],
        cwd=ROOT,
        env={**os.environ, "MONKEYS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [row["verdict"] for row in found] == EXPECTED[:4]
    assert all("bubblewrap" in row["detail"]["box"] for row in found)


async def test_node_that_is_lost_loses_no_job(cluster: Any) -> None:
    """The last test: it takes a node from the cluster."""
    executor = ClusterExecutor(cluster.address, Means())
    try:
        await executor.worker_pids()
        waiting = [asyncio.create_task(executor.submit(job(number))) for number in range(JOBS)]
        await answered(waiting, 4)
        lost = next(node for node in cluster.list_all_nodes() if node != cluster.head_node)
        await asyncio.to_thread(cluster.remove_node, lost, allow_graceful=False)
        assert verdicts(await asyncio.gather(*waiting)) == EXPECTED
    finally:
        await executor.close()

"""Executors: nothing waits longer than it must, nothing is lost, and what is missing is told."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest

from verifiers import executors_cluster, executors_ray
from verifiers.executors import Finding, Job, LocalExecutor, Missing, from_answer, to_answer
from verifiers.executors_cluster import ClusterExecutor
from verifiers.executors_ray import RayWorkers
from verifiers.executors_work import Means, Workbench
from verifiers.verdicts import Judgement

RIGHT = Finding(Judgement("right", "it is", "tests"), "out", 1.5, 30.0, "bubblewrap")
JOB = Job({"id": "p", "kind": "code", "prompt": "?"}, "text")


class SlowWorker:
    """Judges when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.at_work = 0
        self.most = 0
        self.closed = False

    async def judge(self, job: Job) -> Finding:
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        await self.go.wait()
        self.at_work -= 1
        return RIGHT

    async def close(self) -> None:
        self.closed = True


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_local_executor_says_how_far_behind_it_is() -> None:
    worker = SlowWorker()
    executor = LocalExecutor(worker, at_once=2, waiting=3)
    tasks = [asyncio.create_task(executor.submit(JOB)) for _ in range(9)]
    await turns()
    assert (executor.at_once, worker.at_work, executor.behind) == (2, 2, 5), "what is above waits outside"
    worker.go.set()
    assert await asyncio.gather(*tasks) == [RIGHT] * 9
    assert (executor.behind, worker.most) == (0, 2)
    await executor.close()
    assert worker.closed


async def test_job_that_is_cancelled_makes_room() -> None:
    worker = SlowWorker()
    executor = LocalExecutor(worker, at_once=1, waiting=0)
    first, second = (asyncio.create_task(executor.submit(JOB)) for _ in range(2))
    await turns()
    first.cancel()
    await turns()
    worker.go.set()
    assert await second == RIGHT
    assert executor.behind == 0


def test_findings_travel_as_plain_data() -> None:
    assert from_answer(json.loads(json.dumps(to_answer(RIGHT)))) == RIGHT
    with pytest.raises(Missing, match="no sandbox") as missing:
        from_answer(json.loads(json.dumps({"missing": ("no sandbox", "get one")})))
    assert missing.value.fix == "get one"


async def test_kind_that_nothing_here_judges_is_undecided() -> None:
    bench = Workbench(Means())
    found = await bench.judge(Job({"id": "p", "kind": "patch", "prompt": "?"}, "text"))
    assert found.judgement.verdict == "undecided"
    await bench.close()


class Remote:
    """A method of an actor, as Ray offers it."""

    def __init__(self, call: Any) -> None:
        self.remote = call


class FakeActor:
    """A worker on a cluster that dies when it is told to."""

    def __init__(self, cluster: FakeRay) -> None:
        self.cluster = cluster
        self.judge = Remote(self._judge)
        self.pid = Remote(self._pid)

    async def _judge(self, job: dict[str, Any]) -> Any:
        self.cluster.judged.append(job["text"])
        await asyncio.sleep(0)
        if self.cluster.deaths > 0:
            self.cluster.deaths -= 1
            raise RuntimeError("the actor died")
        return to_answer(RIGHT)

    async def _pid(self) -> int:
        if not self.cluster.comes_back:
            raise RuntimeError("the actor is unavailable")
        return 7


class FakeRay:
    """As much of Ray as an executor asks for."""

    def __init__(self, processors: int = 2) -> None:
        self.processors = processors
        self.deaths = 0
        self.comes_back = True
        self.judged: list[str] = []
        self.killed = 0
        self.left = False

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": float(self.processors)}

    def remote(self, **_options: Any) -> Any:
        return lambda _actor: Remote(lambda _means: FakeActor(self))

    def kill(self, _actor: FakeActor) -> None:
        self.killed += 1

    def shutdown(self) -> None:
        self.left = True


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    found = FakeRay()
    monkeypatch.setattr(executors_ray, "_joined", lambda _address: found)
    return found


async def test_every_processor_of_a_cluster_gets_a_worker(ray: FakeRay) -> None:
    workers = RayWorkers("auto", Means())
    jobs = [Job(JOB.problem, str(number)) for number in range(10)]
    assert await asyncio.gather(*map(workers.submit, jobs)) == [RIGHT] * 10
    assert (workers.at_once, workers.behind) == (2, 0)
    await workers.close()
    assert (ray.killed, ray.left) == (2, True)


async def test_job_of_a_worker_that_died_goes_to_another(ray: FakeRay) -> None:
    ray.deaths = 2
    workers = RayWorkers("auto", Means())
    jobs = [Job(JOB.problem, str(number)) for number in range(6)]
    assert await asyncio.gather(*map(workers.submit, jobs)) == [RIGHT] * 6
    assert len(ray.judged) == 8
    await workers.close()


async def test_job_that_ends_three_workers_is_undecided(ray: FakeRay) -> None:
    ray.deaths = 3
    workers = RayWorkers("auto", Means(), workers=1)
    found = await workers.submit(JOB)
    assert found.judgement.verdict == "undecided"
    assert found.judgement.reason == "the workers that judged it ended 3 times (RuntimeError)"
    assert await workers.submit(JOB) == RIGHT
    await workers.close()


async def test_jobs_do_not_wait_for_ever_where_no_worker_comes_back(ray: FakeRay) -> None:
    ray.deaths, ray.comes_back = 1, False
    workers = RayWorkers("auto", Means(), workers=1, nobody=0.0)
    found = await workers.submit(JOB)
    assert (found.judgement.verdict, found.judgement.reason) == (
        "undecided",
        "no worker of the cluster answers",
    )
    await workers.close()


def test_cluster_without_ray_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(Missing) as missing:
        executors_ray._joined("auto")
    assert "pip install 'manymonkeys[cluster]'" in missing.value.fix


@pytest.mark.parametrize(
    ("address", "complaint"), [("127.0.0.1:1", "Nothing answers at 127.0.0.1:1"), ("somewhere", "no address")]
)
def test_wrong_address_is_told_before_ray_tries(address: str, complaint: str) -> None:
    with pytest.raises(Missing, match=complaint):
        executors_ray._reach(address)


async def test_process_that_cannot_join_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other end of the pipes, without Ray."""
    blocked = "import sys; sys.modules['ray'] = None; "
    monkeypatch.setattr(executors_cluster, "_START", blocked + executors_cluster._START)
    executor = ClusterExecutor("auto", Means())
    with pytest.raises(Missing, match="Ray is not installed") as missing:
        await executor.submit(JOB)
    assert "pip install" in missing.value.fix
    await executor.close()


SERVED = """
import json, os, sys
for line in sys.stdin:
    asked = json.loads(line)
    if "address" in asked:
        answer = {"workers": 3}
    elif asked["job"]["text"] == "die":
        print("the head is gone", file=sys.stderr)
        os._exit(1)
    else:
        judgement = {"verdict": "right", "reason": asked["job"]["text"], "checker": "tests"}
        answer = {"answer": {"finding": {"judgement": judgement}}}
    print(json.dumps({"id": asked["id"], **answer}), flush=True)
"""


async def test_cluster_that_goes_away_leaves_jobs_undecided_and_is_joined_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(executors_cluster, "_START", SERVED)
    executor = ClusterExecutor("auto", Means())
    found = await executor.submit(Job(JOB.problem, "one"))
    assert (found.judgement.verdict, found.judgement.reason) == ("right", "one")
    assert executor.at_once == 3
    gone = await executor.submit(Job(JOB.problem, "die"))
    assert gone.judgement.verdict == "undecided"
    assert gone.judgement.reason.startswith("the connection to the cluster ended")
    again = await executor.submit(Job(JOB.problem, "two"))
    assert (again.judgement.reason, executor.behind) == ("two", 0)
    await executor.close()

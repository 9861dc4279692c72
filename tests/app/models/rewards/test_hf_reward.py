"""Hugging Face models in this process, without PyTorch: how they are run, and what their absence says. The
real thing is in ``tests/acceptance/test_reward_models.py``."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from app.errors import BadInput, PartMissing
from app.models.base import BackendError
from app.models.rewards import hf_model
from app.models.rewards.fitting import fitted, split_at
from app.models.rewards.hf_reward import HfReward
from app.problems.problem import Problem
from verifiers.ports import Score, Solution

PROBLEM = Problem(id="p", kind="math", prompt="2 + 2?")


class SlowScorer:
    """Scores by length, a hundredth of a second each."""

    parameters, context = 1_000, 64

    def __init__(self) -> None:
        self.layers: int | None = 2
        self.hidden: int | None = 8
        self.started = threading.Event()
        self.scored: list[str] = []
        self.at_once = 0
        self.threads: set[int] = set()

    def score(self, problem: str, texts: Sequence[str], stopped: Callable[[], bool]) -> list[Score]:
        self.at_once += 1
        self.threads.add(threading.get_ident())
        assert self.at_once == 1
        scores = []
        for text in texts:
            if stopped():
                break
            if text == "broken":
                raise RuntimeError("CUDA out\nof memory")
            time.sleep(0.01)
            self.scored.append(text)
            self.started.set()
            scores.append(Score(float(len(text))))
        self.at_once -= 1
        return scores


def solved(*texts: str) -> list[Solution]:
    return [Solution(sample, text, None) for sample, text in enumerate(texts)]


async def ready(scorer: SlowScorer) -> HfReward:
    reward = HfReward("anything", load=lambda path: scorer)
    await reward.open(lambda progress: None)
    return reward


async def test_scores_come_from_another_thread_one_call_at_a_time() -> None:
    scorer = SlowScorer()
    reward = await ready(scorer)
    assert reward.info is not None
    assert (reward.info.parameters, reward.info.layers, reward.info.local) == (1_000, 2, True)
    one, other = await asyncio.gather(
        reward.score(PROBLEM, solved("a", "bb")), reward.score(PROBLEM, solved("ccc"))
    )
    assert [score.reward for score in (*one, *other)] == [1.0, 2.0, 3.0]
    assert threading.get_ident() not in scorer.threads
    assert reward.tokens_at_most(PROBLEM, solved("x" * 1000, "y" * 1000)) == 2 * 64
    await reward.close()


async def test_a_cancelled_call_stops_at_the_solution_it_is_at() -> None:
    scorer = SlowScorer()
    reward = await ready(scorer)
    call = asyncio.create_task(reward.score(PROBLEM, solved(*map(str, range(500)))))
    await asyncio.to_thread(scorer.started.wait)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert scorer.at_once == 0
    assert len(scorer.scored) < 400
    assert len(await reward.score(PROBLEM, solved("a"))) == 1


async def test_a_model_that_fails_fails_the_call_in_one_line() -> None:
    reward = await ready(SlowScorer())
    with pytest.raises(BackendError, match="hf:anything failed: CUDA out of memory"):
        await reward.score(PROBLEM, solved("broken"))


async def test_without_pytorch_the_line_that_installs_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hf_model, "find_spec", lambda name: None)
    with pytest.raises(PartMissing, match="torch and transformers") as caught:
        await HfReward("owner/model").open(lambda progress: None)
    assert caught.value.status == 5
    assert caught.value.fix == 'Install them: pip install "manymonkeys[train]".'


def test_a_path_that_is_none_is_refused_before_a_hub_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hf_model, "find_spec", lambda name: object())
    for path in (str(tmp_path / "gone"), "./gone", "gone", "a/b/c"):
        with pytest.raises(BadInput, match="There is no folder"):
            hf_model.load_scorer(path)


@pytest.mark.parametrize(
    ("head", "body", "room", "kept_head", "kept_body"),
    [
        ("", "abc", 3, "", "abc"),
        ("pq", "abc", 5, "pq", "abc"),
        ("pq", "abcdef", 6, "pq", "cdef"),
        ("pqrst", "abcdef", 6, "rst", "def"),
        ("pqrst", "a", 4, "rst", "a"),
        ("pqrst", "abc", 1, "", "c"),
        ("pqrst", "abc", 0, "", "c"),
    ],
)
def test_what_does_not_fit_loses_its_beginning(
    head: str, body: str, room: int, kept_head: str, kept_body: str
) -> None:
    text = fitted([*map(ord, head)], [*map(ord, body)], room)
    assert "".join(map(chr, text.head)) == kept_head
    assert "".join(map(chr, text.body)) == kept_body
    assert text.truncated == (len(head) + len(body) > max(room, 1))


def test_a_conversation_is_split_where_the_solution_begins() -> None:
    assert split_at([1, 2], [1, 2, 3, 4]) == ((1, 2), (3, 4))
    assert split_at([1, 9], [1, 2, 3, 4]) == ((), (1, 2, 3, 4))

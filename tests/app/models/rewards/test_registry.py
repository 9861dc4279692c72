"""Reward names become reward models, and names that mean nothing become advice."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import BadInput, PartMissing
from app.models.rewards.base import RewardModel
from app.models.rewards.hf_reward import HfReward
from app.models.rewards.implicit import ImplicitReward
from app.models.rewards.judge import JudgeReward
from app.models.rewards.likelihood import LikelihoodReward
from app.models.rewards.registry import reward_of
from app.models.rewards.vllm_reward import VllmReward
from app.problems.problem import Problem
from verifiers.ports import Score, Solution


def test_each_name_has_its_reward() -> None:
    assert isinstance(reward_of(" Likelihood "), LikelihoodReward)
    judge = reward_of("judge:openai:gpt-4o-mini")
    assert isinstance(judge, JudgeReward)
    assert (judge.name, judge.model) == ("judge:openai:gpt-4o-mini", "openai:gpt-4o-mini")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("likelyhood", "Did you mean likelihood?"),
        ("jugde:gpt-4o", "Did you mean judge:gpt-4o?"),
        ("judge", "Did you mean judge:MODEL?"),
        ("judge:", "Write judge:MODEL."),
        ("", "Use one of "),
        ("qqqq", "Use one of "),
        ("vlm:rm", "Did you mean vllm:rm?"),
        ("implict:rm", "Did you mean implicit:rm?"),
        ("implicit", "Did you mean implicit:NAME?"),
        ("vllm:", "Write vllm:NAME."),
        ("hff:model", "Did you mean hf:model?"),
        ("vllm:rm#lst", "Did you mean #last?"),
        ("vllm:rm#0", "Use #last, #min, #product."),
    ],
)
def test_a_name_that_means_nothing_is_answered_with_one_that_does(name: str, advice: str) -> None:
    with pytest.raises(BadInput) as caught:
        reward_of(name, base_url="http://localhost:8000/v1")
    assert caught.value.fix is not None
    assert caught.value.fix.startswith(advice)


def test_models_behind_a_server_are_named_by_their_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MONKEYS_REWARD_URL", raising=False)
    monkeypatch.setenv("MONKEYS_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MONKEYS_VLLM_COMMAND", raising=False)
    for name in ("vllm:rm", "implicit:rm"):
        with pytest.raises(PartMissing, match="vLLM is not installed") as caught:
            reward_of(name)
        assert caught.value.fix is not None
        assert "MONKEYS_REWARD_URL" in caught.value.fix
    with pytest.raises(BadInput, match="There is no folder"):
        reward_of("vllm:./gone")
    monkeypatch.setenv("MONKEYS_REWARD_URL", "localhost:8000")
    for name, kind in (("vllm:owner/rm#product", VllmReward), ("implicit:rm", ImplicitReward)):
        reward = reward_of(name)
        assert isinstance(reward, kind)
        assert reward.name == name
        assert reward.info is not None
        assert reward.info.server == "localhost:8000"


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no reward model"):
        reward_of(str(tmp_path))
    (tmp_path / "config.json").write_text('{"hidden_size": 8, "num_hidden_layers": 2}')
    reward = reward_of(str(tmp_path))
    assert isinstance(reward, HfReward)
    assert reward.name == f"hf:{tmp_path}"
    assert reward.info is not None
    assert (reward.info.layers, reward.info.hidden, reward.info.parameters) == (2, 8, None)


async def test_likelihood_passes_on_what_the_sampler_thought() -> None:
    reward = reward_of("likelihood")
    assert isinstance(reward, LikelihoodReward)
    model: RewardModel = reward
    problem = Problem(id="p", kind="math", prompt="2 + 2?")
    solutions = [Solution(0, "4", "4", -0.25), Solution(1, "5", "5"), Solution(2, "", None, float("nan"))]
    await model.open(lambda progress: None)
    known, unknown, broken = await model.score(problem, solutions)
    await model.close()
    assert known == Score(-0.25)
    assert unknown.reward is broken.reward is None
    assert "no log-probabilities" in unknown.why
    assert model.tokens_at_most(problem, solutions) == 0
    assert model.info is None

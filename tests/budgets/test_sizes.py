"""Sizes worked out from configurations, counted in weights, and listed in the catalog."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from budgets.catalog import names, size_of
from budgets.flops import ModelSize
from budgets.sizes import SizeError, size_from_config, size_in_folder

SMOLLM2: dict[str, object] = {
    "model_type": "llama",
    "vocab_size": 49152,
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "max_position_embeddings": 8192,
    "tie_word_embeddings": True,
}
MIXTRAL: dict[str, object] = {
    "model_type": "mixtral",
    "vocab_size": 32000,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
    "max_position_embeddings": 32768,
    "tie_word_embeddings": False,
}
DEEPSEEK_V3: dict[str, object] = {
    "model_type": "deepseek_v3",
    "vocab_size": 129280,
    "hidden_size": 7168,
    "intermediate_size": 18432,
    "moe_intermediate_size": 2048,
    "num_hidden_layers": 61,
    "num_attention_heads": 128,
    "n_routed_experts": 256,
    "n_shared_experts": 1,
    "num_experts_per_tok": 8,
    "first_k_dense_replace": 3,
    "q_lora_rank": 1536,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "max_position_embeddings": 163840,
    "tie_word_embeddings": False,
}
PYTHIA_70M: dict[str, object] = {
    "model_type": "gpt_neox",
    "vocab_size": 50304,
    "hidden_size": 512,
    "intermediate_size": 2048,
    "num_hidden_layers": 6,
    "num_attention_heads": 8,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
}


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        (SMOLLM2, 134_515_008),
        (MIXTRAL, 46_702_792_704),
        (DEEPSEEK_V3, 671_026_419_200),
        (PYTHIA_70M, 70_426_624),
    ],
    ids=["smollm2", "mixtral", "deepseek-v3", "pythia"],
)
def test_published_counts_follow_from_the_shape(config: dict[str, object], parameters: int) -> None:
    assert size_from_config(config).parameters == parameters


def test_experts_that_rest_are_not_active() -> None:
    mixtral = size_from_config(MIXTRAL)
    assert mixtral.active_parameters == 12_879_925_248
    deepseek = size_from_config(DEEPSEEK_V3)
    assert deepseek.active_parameters is not None
    assert 37.0e9 < deepseek.active_parameters < 38.0e9
    assert size_from_config(SMOLLM2).active_parameters is None


def test_a_models_text_part_is_what_counts() -> None:
    nested = {"model_type": "gemma3", "text_config": SMOLLM2}
    assert size_from_config(nested) == size_from_config(SMOLLM2)


def test_an_unknown_family_has_no_size_unless_its_weights_are_counted() -> None:
    strange = {**SMOLLM2, "model_type": "strange"}
    with pytest.raises(SizeError, match="'strange' model are not known"):
        size_from_config(strange)
    assert size_from_config(strange, 5_000_000) == ModelSize(5_000_000, 30, 576, None, 8192)
    with pytest.raises(SizeError, match="not known"):
        size_from_config({**MIXTRAL, "model_type": "strange"}, 5_000_000)


@pytest.mark.parametrize("field", ["vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads"])
@pytest.mark.parametrize("value", [None, 0, -1, "576", True, 1.5])
def test_a_configuration_with_a_hole_is_refused(field: str, value: object) -> None:
    with pytest.raises(SizeError, match=f"gives no {field}"):
        size_from_config({**SMOLLM2, field: value})


# Folders


def weights(path: Path, shapes: dict[str, list[int]]) -> None:
    header = json.dumps(
        {
            "__metadata__": {"format": "pt"},
            **{name: {"dtype": "BF16", "shape": shape} for name, shape in shapes.items()},
        }
    ).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)


def test_weights_on_disk_are_counted_exactly(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(SMOLLM2))
    assert size_in_folder(tmp_path).parameters == 134_515_008
    weights(tmp_path / "model-00001-of-00002.safetensors", {"a": [100, 200], "b": [7]})
    weights(tmp_path / "model-00002-of-00002.safetensors", {"c": [3, 4, 5], "scalar": []})
    assert size_in_folder(tmp_path).parameters == 20_000 + 7 + 60 + 1


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"model_type": 5}', "\xff"])
def test_a_broken_configuration_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(SizeError):
        size_in_folder(tmp_path)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SizeError, match=r"config\.json"):
        size_in_folder(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GGUF",
        (10**15).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (9).to_bytes(8, "little") + b'{"a": {}}',
        (3).to_bytes(8, "little") + b"{{{",
        (60_000).to_bytes(8, "little") + b"[" * 60_000,
        (22).to_bytes(8, "little") + b'{"a": {"shape": [-1]}}',
    ],
)
def test_broken_weights_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.json").write_text(json.dumps(SMOLLM2))
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(SizeError, match=r"model\.safetensors"):
        size_in_folder(tmp_path)


# The catalog


def test_the_catalog_knows_the_models_people_run() -> None:
    assert len(names()) >= 60
    assert list(names()) == sorted(names(), key=lambda name: name.rsplit("/", 1)[-1].lower())
    for name in names():
        size = size_of(name)
        assert size is not None
        assert size.context is not None


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", 8_030_261_248),
        ("together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo-Free", 70_553_706_496),
        ("fireworks_ai/accounts/fireworks/models/llama-v3p1-8b-instruct", 8_030_261_248),
        ("groq/llama-3.1-8b-instant", 8_030_261_248),
        ("ollama/llama3.1:8b-instruct-q4_0", 8_030_261_248),
        ("vllm:Qwen/Qwen2.5-Coder-0.5B-Instruct", 494_032_768),
        ("gguf:Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", 494_032_768),
        ("Qwen/Qwen2.5-72B-Instruct-GPTQ-Int4", 72_706_203_648),
        ("Mistral-7B-Instruct-v0.3.Q4_K_M.gguf", 7_248_023_552),
        ("RedHatAI/Meta-Llama-3.1-70B-Instruct-quantized.w8a8", 70_553_706_496),
        ("unsloth/Llama-3.2-1B-Instruct-bnb-4bit", 1_235_814_400),
        ("google/gemma-2-9b-it", 9_241_705_984),
        ("EleutherAI/pythia-70m-deduped", 70_426_624),
        ("openai/gpt-oss-120b", 116_829_156_672),
        ("SmolLM2-135M-Instruct-Q4_1.gguf", 134_515_008),
        ("smollm2", 134_515_008),
        ("bedrock/meta.llama3-1-8b-instruct-v1:0", 8_030_261_248),
        ("us.meta.llama3-2-1b-instruct-v1:0", 1_235_814_400),
        ("mistral.mistral-7b-instruct-v0:2", 7_241_732_096),
        ("bedrock/openai.gpt-oss-20b-1:0", 20_914_757_184),
        ("databricks/databricks-meta-llama-3-3-70b-instruct", 70_553_706_496),
        ("fireworks_ai/accounts/fireworks/models/qwen2p5-coder-0p5b", 494_032_768),
        ("groq/qwen-2.5-coder-32b", 32_763_876_352),
    ],
)
def test_a_name_is_found_in_any_dress(name: str, parameters: int) -> None:
    size = size_of(name)
    assert size is not None
    assert size.parameters == parameters


@pytest.mark.parametrize(
    "name",
    [
        "gpt-4o",
        "openai/gpt-5",
        "claude-sonnet-4-5",
        "gemini/gemini-2.5-pro",
        "deepseek/deepseek-chat",
        "",
        "/",
    ],
)
def test_a_closed_model_has_no_size(name: str) -> None:
    assert size_of(name) is None


def test_near_names_are_different_models() -> None:
    old, new = size_of("Meta-Llama-3-8B-Instruct"), size_of("Llama-3.1-8B-Instruct")
    assert old is not None
    assert new is not None
    assert (old.context, new.context) == (8192, 131_072)
    assert size_of("Llama-3.9-8B-Instruct") is None
    assert size_of("Qwen2.5-8B") is None


def test_the_catalog_agrees_with_the_shapes() -> None:
    for name, config in (
        ("SmolLM2-135M", SMOLLM2),
        ("Mixtral-8x7B-v0.1", MIXTRAL),
        ("DeepSeek-V3", DEEPSEEK_V3),
        ("pythia-70m", PYTHIA_70M),
    ):
        assert size_of(name) == size_from_config(config)


def test_experts_are_marked_in_the_catalog() -> None:
    for name in ("Mixtral-8x7B-v0.1", "DeepSeek-V3", "gpt-oss-20b", "Qwen3-30B-A3B", "Llama-4-Scout-17B-16E"):
        size = size_of(name)
        assert size is not None
        assert size.active_parameters is not None
        assert size.per_token < size.parameters / 3

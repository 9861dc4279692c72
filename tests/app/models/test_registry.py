"""Model names become backends, and names that mean nothing become advice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.errors import BadInput, PartMissing
from app.models.registry import backend_for, known_models, meant_by_base_url


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONKEYS_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("name", ["smollm2", "SmolLM2", " smollm2 "])
def test_the_embedded_model_has_one_name(name: str) -> None:
    info = backend_for(name).info
    assert (info.name, info.kind, info.local, info.needs_examples) == ("smollm2", "embedded", True, True)


def test_a_model_on_a_hub_is_a_gguf_model() -> None:
    assert backend_for("gguf:some/repository/file.gguf").info.kind == "gguf"


def test_a_script_may_be_one_problem_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text('{"problem_id": "a", "text": "1"}\n{"problem_id": "b/2", "text": "2"}\n')
    assert backend_for(f"scripted:{path}").info.kind == "scripted"
    assert backend_for(f"scripted:{path}#b/2").info.kind == "scripted"
    with pytest.raises(BadInput, match="no samples of the problem c"):
        backend_for(f"scripted:{path}#c")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("smolm2", "Did you mean smollm2?"),
        ("SmolLM2-135M", "Did you mean smollm2?"),
        ("guff:model.gguf", "Did you mean gguf:model.gguf?"),
        ("script:f.jsonl", "Did you mean scripted:f.jsonl?"),
        ("gpt-4oo", "Did you mean gpt-4o?"),
        ("./model.gguf", "For a file, write gguf:./model.gguf."),
        ("samples.jsonl", "For a file, write scripted:samples.jsonl."),
        ("gguf:", "Write gguf:PATH or gguf:OWNER/REPO/FILE.gguf."),
        ("qqqqqqqq", "Use smollm2, gguf:PATH, openai:NAME, PROVIDER/NAME or scripted:FILE."),
        ("", "Use --model smollm2."),
    ],
)
def test_a_name_that_means_nothing_is_answered_with_one_that_does(name: str, advice: str) -> None:
    with pytest.raises(BadInput) as caught:
        backend_for(name)
    assert caught.value.fix == advice


def test_a_model_of_vllm_without_vllm_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PartMissing, match="vLLM is not installed here") as caught:
        backend_for("vllm:Qwen/Qwen3-8B")
    assert "vllm_command" in (caught.value.fix or "")


@pytest.mark.parametrize(
    ("name", "server"),
    [
        ("gpt-4o", "openai"),
        ("openai/gpt-4o-mini", "openai"),
        ("anthropic/claude-sonnet-4-5", "anthropic"),
        ("claude-sonnet-4-5", "anthropic"),
        ("bedrock/anthropic.claude-3-haiku-20240307-v1:0", "bedrock"),
        ("vertex_ai/mistral-large@2407", "vertex_ai"),
        ("openrouter/somebody/a-model-of-tomorrow", "openrouter"),
    ],
)
def test_any_other_name_is_litellms_and_says_who_serves_it(name: str, server: str) -> None:
    info = backend_for(name).info
    assert (info.name, info.kind, info.local, info.server) == (name, "litellm", False, server)
    assert info.choices_per_request == 1


def test_a_name_of_an_open_model_alone_does_not_say_where_it_runs() -> None:
    with pytest.raises(PartMissing, match="does not say where the model runs") as caught:
        backend_for("Qwen3-8B")
    assert "openai:Qwen3-8B with --base-url" in (caught.value.fix or "")


def test_a_base_url_goes_to_the_models_of_a_server_and_to_nobody_else() -> None:
    assert meant_by_base_url(("smollm2", "openai:a", "gpt-4o")) == {"openai:a"}
    assert meant_by_base_url(("smollm2", "gpt-4o")) == {"gpt-4o"}
    with pytest.raises(BadInput, match="no model is behind it"):
        meant_by_base_url(("smollm2", "scripted:f"))
    with pytest.raises(BadInput, match="any of several models"):
        meant_by_base_url(("gpt-4o", "anthropic/claude-sonnet-4-5"))


def test_several_base_urls_are_one_model(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = "http://b:8000, http://a:8000/v1"
    assert backend_for("openai:m", base_url=urls).info.server == "a:8000, b:8000"
    monkeypatch.setenv("MONKEYS_BASE_URLS", f"openai:m={urls};openai:other=http://c:1")
    assert backend_for("openai:m").info.server == "a:8000, b:8000"
    assert backend_for("openai:m", base_url=["http://d:1"]).info.server == "d:1"
    assert backend_for("openai:m").info.concurrency == 2 * backend_for("openai:other").info.concurrency
    with pytest.raises(BadInput, match="given twice"):
        backend_for("openai:m", base_url=["http://a:1", "http://a:1/v1/"])


def test_the_picker_says_what_is_missing(tmp_path: Path) -> None:
    fresh = {model.name: model for model in known_models()}
    assert fresh["smollm2"].missing == "93 MB, fetched at the first run"
    assert not fresh["smollm2"].ready
    assert any("suggested upgrade" in model.description for model in fresh.values())
    assert all((model.missing is None) == model.ready for model in fresh.values())

    weights = tmp_path / "home" / "data" / "weights"
    weights.mkdir(parents=True)
    with (weights / "SmolLM2-135M-Instruct.Q4_1.gguf").open("wb") as file:
        file.truncate(98_362_432)
    (weights / "mine.gguf").write_bytes(b"GGUF")
    found = {model.name: model for model in known_models()}
    assert found["smollm2"].ready
    assert found["smollm2"].download == 0
    assert found[f"gguf:{weights / 'mine.gguf'}"].ready


def test_half_fetched_weights_are_not_ready(tmp_path: Path) -> None:
    weights = tmp_path / "home" / "data" / "weights"
    weights.mkdir(parents=True)
    (weights / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(b"GGUF")
    assert not known_models()[0].ready


def test_listing_models_loads_nothing_heavy() -> None:
    code = (
        "import sys; from app.models.registry import known_models; known_models();"
        "heavy = ('litellm', 'openai', 'scipy', 'sympy', 'xllamacpp', 'aiohttp');"
        "print([name for name in heavy if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_weights_named_by_hand_are_ready_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.gguf"
    monkeypatch.setenv("MONKEYS_WEIGHTS", str(own))
    missing = known_models()[0]
    own.write_bytes(b"GGUF")
    found = known_models()[0]
    assert (missing.name, missing.ready) == ("smollm2", False)
    assert missing.missing == f"MONKEYS_WEIGHTS names {own}, which is not there"
    assert (found.ready, found.missing, found.download) == (True, None, 0)

"""``monkeys models list`` and ``show``: what can be asked, what is missing, what it costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import run


@pytest.fixture(autouse=True)
def _no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONKEYS_HOME", str(tmp_path))
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY", "GROQ_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run([*arguments, "-o", "json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_every_provider_says_whether_it_is_ready_or_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "a-key")
    models = {model["name"]: model for model in told(capsys, "models", "list")}
    assert (models["groq/NAME"]["ready"], models["groq/NAME"]["missing"]) == (True, None)
    assert models["anthropic/NAME"]["missing"] == "export ANTHROPIC_API_KEY=…"
    assert not models["anthropic/NAME"]["ready"]
    assert next(iter(models)) == "smollm2"
    assert all(set(model) >= {"name", "kind", "ready", "missing", "parameters", "context", "price"}
               for model in models.values())  # fmt: skip


def test_a_key_in_the_settings_makes_a_provider_ready_and_is_never_shown(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text('[api_keys]\nanthropic = "a-key-0123456789"\n')
    models = {model["name"]: model for model in told(capsys, "models", "list")}
    assert models["anthropic/NAME"]["ready"]
    shown = told(capsys, "config")
    assert shown["settings"]["api_keys"]["value"] == {"anthropic": "***"}
    assert run(["config"]) == 0
    assert "0123456789" not in capsys.readouterr().out


def test_a_part_of_a_name_lists_the_models_that_have_it_with_their_prices(
    capsys: pytest.CaptureFixture[str],
) -> None:
    models = told(capsys, "models", "list", "gpt-4o-mini")
    assert all("gpt-4o-mini" in model["name"] for model in models)
    mini = next(model for model in models if model["name"] == "gpt-4o-mini")
    assert (mini["price"]["input"], mini["price"]["output"]) == ("0.15", "0.6")
    assert mini["context"] == 128000
    assert run(["models", "list", "no-such-model-anywhere"]) == 2


def test_an_api_model_is_shown_with_its_price_and_its_missing_key(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = told(capsys, "models", "show", "anthropic/claude-sonnet-4-5")
    assert (found["kind"], found["ready"], found["missing"]) == (
        "litellm", False, "export ANTHROPIC_API_KEY=…"
    )  # fmt: skip
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
    assert told(capsys, "models", "show", "anthropic/claude-sonnet-4-5")["ready"]


def test_the_text_names_the_familiar_providers_and_counts_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("✗ openai/NAME" in line and "export OPENAI_API_KEY=…" in line for line in lines)
    assert "more providers" in lines[-1]
    assert len(lines) < 40

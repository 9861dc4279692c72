"""Settings: the file, the variables above it, and refusals that name the place at fault."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from app.errors import BadInput
from app.settings import load


def write(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_nothing_set_is_all_defaults(tmp_path: Path) -> None:
    loaded = load(tmp_path / "config.toml", {})
    assert loaded.settings.model == "smollm2"
    assert set(loaded.sources.values()) == {"default"}


def test_a_variable_stands_above_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, 'model = "gguf:a.gguf"\ntemperature = 1\nmax_cost = 0.10\n')
    loaded = load(file, {"MONKEYS_MODEL": "smollm2", "MONKEYS_HOME": "/somewhere", "OTHER": "x"})
    assert loaded.settings.model == "smollm2"
    assert loaded.settings.temperature == 1.0
    assert loaded.settings.max_cost == Decimal("0.1")
    assert loaded.sources["model"] == "$MONKEYS_MODEL"
    assert loaded.sources["temperature"] == str(file)
    assert loaded.sources["theme"] == "default"


def test_an_hour_of_the_machine_is_exact_dollars(tmp_path: Path) -> None:
    file = write(tmp_path, "gpu_usd_per_hour = 1.1\n")
    assert load(file, {}).settings.gpu_usd_per_hour == Decimal("1.1")
    assert load(file, {"MONKEYS_GPU_USD_PER_HOUR": "2.49"}).settings.gpu_usd_per_hour == Decimal("2.49")


def test_tables_of_prices_and_keys(tmp_path: Path) -> None:
    file = write(tmp_path, '[prices]\n"my model" = "0.15,0.60"\n[keys]\npause = "p"\n')
    loaded = load(file, {"MONKEYS_KEYS": "pause=f6;stop=f7"})
    assert loaded.settings.prices == {"my model": "0.15,0.60"}
    assert loaded.settings.keys == {"pause": "f6", "stop": "f7"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("model = ", "not valid TOML"),
        ("modle = 'x'", "Did you mean `model`"),
        ("temperature = 9", "between 0 and 2"),
        ("temperature = 'hot'", "temperature"),
        ("max_cost = -1", "zero or more"),
        ("max_tokens = 0", "one token at least"),
        ("samples = 0", "one at least"),
        ("gpu_usd_per_hour = -2", "zero or more"),
        ("gpu_usd_per_hour = 'much'", "gpu_usd_per_hour"),
        ("model = ' '", "empty"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(BadInput) as refused:
        load(file, {})
    assert says in f"{refused.value.message} {refused.value.fix}"
    assert str(file) in f"{refused.value.message} {refused.value.fix}"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("MONKEYS_SAMPLES", "many", "`samples` must be a whole number"),
        ("MONKEYS_TEMPERATURE", "hot", "`temperature` must be a number"),
        ("MONKEYS_MAX_COST", "cheap", "`max_cost` must be an amount of dollars, such as 2.50"),
        ("MONKEYS_TRANSLATION_SHARE", "2", "`translation_share` is 2.0: it lies between 0 and 1"),
    ],
)
def test_a_value_that_cannot_be_used_is_told_in_plain_words(
    tmp_path: Path, variable: str, value: str, said: str
) -> None:
    with pytest.raises(BadInput) as fault:
        load(tmp_path / "none.toml", {variable: value})
    assert said in fault.value.message
    assert "Expected `" not in fault.value.message

"""The user's settings: one schema, one file, the environment above it, and where each value came from.

``config.toml`` in the config folder, overridden by ``MONKEYS_<NAME>`` variables, is all there is. A setting
that cannot be used is refused with its place and the fix; an unknown one too, since it is most likely a
spelling mistake that would silently cost money.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from app.errors import BadInput
from app.locations import config_file

PREFIX = "MONKEYS_"
_DOLLARS = ("max_cost", "confirm_above", "gpu_usd_per_hour")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a user may set once instead of on every command line. Money is in dollars, exact."""

    model: str = "smollm2"
    samples: int | None = None
    max_cost: Decimal | None = None
    max_tokens: int = 512
    temperature: float = 0.6
    reward: str | None = None
    """What scores samples, where a command does not say."""
    translator: str | None = None
    """The model that re-writes solutions as programs, where a command does not say."""
    translation_share: float = 0.5
    """The part of each limit that translations may take, 0 to 1."""
    confirm_above: Decimal = Decimal("1.00")
    """Dollars that a run may cost at the most before it is asked about first."""
    gpu_usd_per_hour: Decimal | None = None
    """What this machine costs an hour while a local model works, where it is paid by the hour."""
    vllm_command: str | None = None
    """What starts vLLM where it is not in this environment or on the path: the folder of an environment, its
    python, or a command."""
    vllm_flags: str = ""
    """More flags for every server that is started with it, as on a command line."""
    lean_project: str | None = None
    """The folder of the lake project, with Mathlib, in which Lean proofs are checked."""
    proof_seconds: float = 120.0
    """What one run of a proof checker may take."""
    cluster: str | None = None
    """The address of a Ray cluster on which programs and proofs are checked."""
    theme: str = "monkeys-dark"
    prices: Mapping[str, str] = {}
    """By model name: dollars per million tokens, ``IN,OUT``."""
    base_urls: Mapping[str, str] = {}
    """By model name: where it is served. Several addresses, separated by commas, are used together."""
    api_keys: Mapping[str, str] = {}
    """By provider: the key, where its usual variable is not set. Never shown."""
    keys: Mapping[str, str] = {}
    """By action id: the keys that do it instead of its own, separated by commas."""

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise ValueError("`model` is empty")
        if not 0 <= self.temperature <= 2:
            raise ValueError(f"`temperature` is {self.temperature}: it lies between 0 and 2")
        if not 0 <= self.translation_share <= 1:
            raise ValueError(f"`translation_share` is {self.translation_share}: it lies between 0 and 1")
        if not self.proof_seconds > 0:
            raise ValueError(f"`proof_seconds` is {self.proof_seconds}: give seconds above zero")
        if self.max_tokens < 1:
            raise ValueError(f"`max_tokens` is {self.max_tokens}: a sample has one token at least")
        if self.samples is not None and self.samples < 1:
            raise ValueError(f"`samples` is {self.samples}: give one at least, or leave it out")
        for name in _DOLLARS:
            value = getattr(self, name)
            if value is not None and not (value.is_finite() and value >= 0):
                raise ValueError(f"`{name}` is {value}: give dollars, zero or more")


class Loaded(msgspec.Struct, frozen=True):
    """The settings, and for each name where its value came from (``default``, the file, a variable)."""

    settings: Settings
    sources: dict[str, str]


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Loaded:
    """Read the settings. Raises ``BadInput`` naming the file or variable at fault."""
    file = path or config_file()
    variables = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    sources = dict.fromkeys(Settings.__struct_fields__, "default")
    for name, value in _read(file).items():
        _check_name(name, str(file))
        values[name], sources[name] = value, str(file)
    for variable, text in variables.items():
        name = variable.removeprefix(PREFIX).lower()
        if variable.startswith(PREFIX) and name in Settings.__struct_fields__:
            values[name], sources[name] = _from_text(name, text), f"${variable}"
    for name, value in values.items():
        if isinstance(value, float) and name in _DOLLARS:
            values[name] = str(value)
    try:
        return Loaded(msgspec.convert(values, Settings, strict=False), sources)
    except (msgspec.ValidationError, ValueError) as error:
        raise BadInput(
            f"The settings cannot be used: {_said(error)}.", f"Correct {_culprits(sources)}."
        ) from None


_WANTED = {"int": "a whole number", "float": "a number", "str": "a text", "object": "a table"}


def _said(error: Exception) -> str:
    """What is wrong with a value, in the words of the file rather than the decoder's."""
    wrong, _, place = str(error).partition(" - at ")
    name = place.strip("`").removeprefix("$").removeprefix(".").partition("[")[0]
    if not name:
        return wrong.rstrip(".")
    if name in _DOLLARS:
        return f"`{name}` must be an amount of dollars, such as 2.50"
    expected = re.match(r"Expected `(\w+)", wrong)
    wanted = _WANTED.get(expected[1]) if expected is not None else None
    return f"`{name}` must be {wanted}" if wanted else f"`{name}`: {wrong[:1].lower()}{wrong[1:]}"


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} is not valid TOML: {error}.", "Correct it, or move it away.") from None
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.", "Correct its permissions.") from None


def _check_name(name: str, where: str) -> None:
    if name not in Settings.__struct_fields__:
        near = difflib.get_close_matches(name, Settings.__struct_fields__, n=1)
        fix = f"Did you mean `{near[0]}`?" if near else "See `monkeys config` for the names."
        raise BadInput(f"{where} sets `{name}`, which is no setting.", fix)


def _from_text(name: str, text: str) -> Any:
    """Tables come from a variable as ``name=value`` pairs separated by semicolons."""
    if name in ("prices", "base_urls", "api_keys", "keys"):
        return dict(pair.split("=", 1) for pair in text.split(";") if "=" in pair)
    return text


def _culprits(sources: Mapping[str, str]) -> str:
    return " or ".join(sorted({source for source in sources.values() if source != "default"})) or "them"

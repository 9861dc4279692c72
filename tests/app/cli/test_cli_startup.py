"""Help, and whatever else needs no model, stays light: measured by what gets imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "aiohttp", "anyio", "asyncio", "httpx", "huggingface_hub", "litellm", "math_verify", "numpy", "openai",
    "platformdirs", "pydantic", "scipy", "sqlite3", "sympy", "textual", "xllamacpp",
}  # fmt: skip


def imported(*arguments: str) -> set[str]:
    """The top-level packages that one call of the program loads."""
    code = (
        "import sys\n"
        "from app.cli.main import run\n"
        "status = run(sys.argv[1:])\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
        "sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    assert not imported(*arguments) & HEAVY


@pytest.mark.parametrize("arguments", [["solve", "--help"], ["runs", "--help"], ["models", "list", "--help"]])
def test_a_commands_help_loads_nothing_heavy_but_what_the_parser_itself_does(arguments: list[str]) -> None:
    assert not imported(*arguments) & (HEAVY - {"pydantic"})


def test_the_way_to_the_tui_loads_no_parser() -> None:
    code = (
        "import sys\n"
        "from app.cli.main import run\n"
        "assert run([]) == 2\n"
        "sys.exit(' '.join({'typer', 'rich', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], input="", capture_output=True, text=True, check=False)
    assert done.stderr.splitlines() == [
        "monkeys: The TUI needs a terminal. Without one, use: monkeys solve PROBLEM",
        "",
    ]


def test_listing_runs_loads_no_model_and_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONKEYS_HOME", str(tmp_path))
    assert not imported("runs", "list") & (HEAVY - {"sqlite3", "pydantic"})

"""What a command is shown of its user's tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from verifiers.sandbox import find_toolchain


def program(path: Path, first: str = "#!/bin/sh") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{first}\n")
    path.chmod(0o755)
    return path


def test_the_projects_own_environment_comes_first(tmp_path: Path) -> None:
    base = program(tmp_path / "python3.99/bin/python3").parent
    theirs = program(tmp_path / "repo/.venv/bin/pytest").parent
    program(tmp_path / "other/bin/pytest")
    (theirs / "python").symlink_to(base / "python3")
    (theirs.parent / "pyvenv.cfg").write_text(f"home = {base}\n")
    found = find_toolchain("pytest -q", tmp_path / "repo", path=str(tmp_path / "other/bin"))

    assert found.path.split(":")[0] == str(theirs)
    assert found.folders == (str(base.parent), str(theirs.parent))
    assert found.environment["VIRTUAL_ENV"] == str(theirs.parent)


def test_a_programs_environment_is_found_from_the_command(tmp_path: Path) -> None:
    environment = tmp_path / "tools"
    program(environment / "bin/pytest", f"#!{environment}/bin/python")
    program(environment / "bin/python")
    (environment / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (tmp_path / "repo").mkdir()
    line = f"A=1 {environment}/bin/pytest -q && nosuchprogram"
    found = find_toolchain(line, tmp_path / "repo", path="/usr/bin")

    assert found.folders == (str(environment),)
    assert found.missing == ("nosuchprogram",)
    assert found.path.startswith(f"{environment}/bin:")


def test_our_own_packages_in_their_environment_are_hidden(tmp_path: Path) -> None:
    environment = tmp_path / "repo/.venv"
    program(environment / "bin/pytest")
    (environment / "pyvenv.cfg").write_text("home = /usr/bin\n")
    packages = environment / "lib/python3.11/site-packages"
    for name in ("app", "budgets", "theirs", "manymonkeys-1.0.dist-info"):
        (packages / name).mkdir(parents=True)
    found = find_toolchain("pytest", tmp_path / "repo", path="/usr/bin")

    assert sorted(found.hidden) == [str(packages / "app"), str(packages / "budgets")]


def test_a_home_is_never_shown_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    program(tmp_path / "bin/tests")
    program(tmp_path / ".local/bin/checks")
    found = find_toolchain("tests; checks", tmp_path, path=f"{tmp_path}/bin:{tmp_path}/.local/bin")

    assert str(tmp_path) not in found.folders
    assert str(tmp_path / ".local") not in found.folders

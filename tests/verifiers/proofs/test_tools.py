"""Finding the proof checkers of a machine, with stand-ins that answer as the real ones do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from verifiers.proofs.tools import find_lean, find_rocq
from verifiers.proofs.verdict import NoProver

ROCQ_CONFIG = "COQLIB={library}\nCOQCORELIB={library}/../coq-core/\nOCAMLFIND=/usr/bin/ocamlfind\n"
LEAN_SAYS = "Lean (version 4.35.0, x86_64-unknown-linux-gnu, commit eb6cafb7290e, Release)"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of the search path, but for the shell's own."""
    folder = tmp_path / "switch" / "bin"
    folder.mkdir(parents=True)
    monkeypatch.setattr("shutil.which", lambda name, path=None: _which(folder, name))
    return folder


def _which(folder: Path, name: str) -> str | None:
    return str(folder / name) if (folder / name).exists() else None


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("name", ["coqc", "rocq"])
def test_rocq_of_a_user_s_own_is_shown_with_its_libraries(programs: Path, name: str) -> None:
    library = programs.parent / "lib" / "coq"
    library.mkdir(parents=True)
    (library.parent / "coq-core").mkdir()
    compile_first = '[ "$1" = compile ] || exit 1; shift;' if name == "rocq" else ""
    program(
        programs / name,
        f'{compile_first} case $1 in --version) echo "The Rocq Prover, version 9.0.0";; '
        f'-config) printf "{ROCQ_CONFIG.format(library=library)}";; esac',
    )
    found = find_rocq()
    assert found.version == "9.0.0"
    assert found.command == (("/rocq/bin/rocq", "compile") if name == "rocq" else ("/rocq/bin/coqc",))
    assert found.binds == ((str(programs), "/rocq/bin"), (str(library.parent), "/rocq/lib"))
    assert found.environment is not None
    assert found.environment["COQLIB"] == "/rocq/lib/coq"
    assert found.findlib == b'path="/rocq/lib"\n'


def test_missing_rocq_says_how_to_get_it(programs: Path) -> None:
    with pytest.raises(NoProver, match="neither rocq nor coqc") as missing:
        find_rocq()
    assert "apt install coq" in missing.value.fix


def test_rocq_that_does_not_work_is_told_with_its_own_words(programs: Path) -> None:
    program(programs / "coqc", 'echo "cannot load library" >&2; exit 3')
    with pytest.raises(NoProver, match="cannot load library"):
        find_rocq()


def test_bare_lean_has_no_mathlib(programs: Path, tmp_path: Path) -> None:
    program(
        programs / "lean",
        f'case $1 in --print-prefix) echo {tmp_path};; --version) echo "{LEAN_SAYS}";; esac',
    )
    found = find_lean()
    assert (found.version, found.mathlib, found.search_path) == ("4.35.0", None, ())
    assert found.binds == ((str(tmp_path), "/lean/toolchain"),)


def lake_project(tmp_path: Path, programs: Path, *, compiled: bool) -> Path:
    project = tmp_path / "project"
    mathlib, own = project / ".lake/packages/mathlib/.lake/build/lib/lean", project / ".lake/build/lib/lean"
    for folder in (mathlib, own):
        folder.mkdir(parents=True)
    if compiled:
        (mathlib / "Mathlib.olean").touch()
    (project / "lakefile.toml").touch()
    packages = [{"name": "mathlib", "rev": "0123456789abcdef", "inputRev": "v4.35.0"}]
    (project / "lake-manifest.json").write_text(json.dumps({"packages": packages}))
    relative = mathlib.relative_to(project)
    program(
        programs / "lake",
        f'[ "$1" = env ] || exit 1; [ "$PWD" = {project} ] || exit 2\n'
        f'printf "%s\\n" {tmp_path} "{LEAN_SAYS}" "{relative}:{own}:/nowhere"',
    )
    return project


def test_lean_of_a_project_brings_its_mathlib(programs: Path, tmp_path: Path) -> None:
    project = lake_project(tmp_path, programs, compiled=True)
    found = find_lean(project)
    assert (found.version, found.mathlib) == ("4.35.0", "v4.35.0 (0123456789)")
    assert found.search_path == ("/lean/path0", "/lean/path1")
    assert [outside for outside, _ in found.binds] == [
        str(tmp_path),
        str(project / ".lake/packages/mathlib/.lake/build/lib/lean"),
        str(project / ".lake/build/lib/lean"),
    ]


def test_mathlib_that_is_not_compiled_does_not_count(programs: Path, tmp_path: Path) -> None:
    assert find_lean(lake_project(tmp_path, programs, compiled=False)).mathlib is None


def test_missing_lean_says_how_to_get_it(programs: Path, tmp_path: Path) -> None:
    with pytest.raises(NoProver, match="no lean_project is set") as missing:
        find_lean()
    assert "elan" in missing.value.fix
    with pytest.raises(NoProver, match="no lake project"):
        find_lean(tmp_path)
    (tmp_path / "lakefile.lean").touch()
    with pytest.raises(NoProver, match="no lake to open"):
        find_lean(tmp_path)

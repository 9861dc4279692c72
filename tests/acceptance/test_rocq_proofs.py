"""Real proofs and real cheats, judged by the Rocq of this machine.

    python -m pytest tests/acceptance/test_rocq_proofs.py -q -s

Needs ``coqc`` or ``rocq`` with coquelicot and interval (Debian: coq, libcoq-coquelicot, libcoq-interval) and
a sandbox; the MiniF2F part reads ``minif2f_rocq.jsonl`` from the folder in MONKEYS_TEST_DATA (by default
``../shared/data`` beside the repository). Skips loudly what it lacks.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.problems.load import load_problems
from app.problems.problem import Problem
from verifiers.proofs import rocq_text
from verifiers.proofs.bench import ProcessBox
from verifiers.proofs.checks import ProofChecker
from verifiers.proofs.rocq import RocqChecker
from verifiers.proofs.tools import find_rocq
from verifiers.proofs.verdict import NoProver, ProofVerdict
from verifiers.sandbox import CommandBox, NoSandbox

pytestmark = pytest.mark.timeout(1800)

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MONKEYS_TEST_DATA") or ROOT.parent / "shared" / "data")
PREAMBLE = "Require Import Reals Lra.\nOpen Scope R_scope."
STATED = "Theorem foo (x y : R) : x < y -> x <= y."
WHOLE = f"{STATED}\nProof. intros. lra. Qed."


@pytest.fixture
async def checker() -> AsyncIterator[ProofChecker]:
    box = await boxed()
    yield ProofChecker(box, seconds=60)
    await box.close()


async def boxed() -> ProcessBox:
    try:
        find_rocq()
        await CommandBox().probe()
    except (NoProver, NoSandbox) as missing:
        pytest.skip(f"NOT CHECKED: {missing.message} {missing.fix}")
    return ProcessBox(2)


def escaped() -> bool:
    return Path("/tmp/monkeys-escaped.out").exists()


async def boxed_and_closed() -> None:
    await (await boxed()).close()


async def judged(checker: ProofChecker, reply: str) -> ProofVerdict:
    return await checker.judge(reply, language="rocq", statement=STATED, preamble=PREAMBLE)


@pytest.mark.parametrize(
    "reply",
    [
        f"Here it is.\n```coq\n{WHOLE}\n```\nThe tactic lra does it.",
        f"```coq\n{PREAMBLE}\n\n{WHOLE}\n```",
        "```coq\nProof.\n  intros. lra.\nQed.\n```",
        "intros. lra.",
        "Proof.\n  intros. lra.\nQed.\n\nTheorem next : True.",
        f"```coq\nLemma a (x : R) : x <= x. Proof. lra. Qed.\n```\n```coq\n{WHOLE}\n```",
        f"{STATED}\nProof. exact (Rlt_le x y). Qed.",
        f"Definition foo := Rlt_le.\n(* {STATED} *)",
    ],
    ids=["block", "preamble too", "proof", "tactics", "goes on", "two blocks", "term", "definition"],
)
async def test_proofs_as_models_write_them_are_right(checker: ProofChecker, reply: str) -> None:
    found = await judged(checker, reply)
    assert found.judgement.verdict == "right", found.judgement.reason
    assert found.memory_mb > 20
    assert "bubblewrap" in found.box


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (f"{STATED} Admitted.", "left open"),
        (f"{STATED} Proof. intros. admit. Admitted.", "left open"),
        ("Axiom foo : forall x y : R, x < y -> x <= y.", "left open"),
        (f"Axiom b : False. {STATED} Proof. destruct b. Qed.", "its own axiom b"),
        (f"Parameter b : False. {STATED} Proof. destruct b. Qed.", "its own axiom b"),
        (f"Lemma b : False. Admitted. {STATED} Proof. destruct b. Qed.", "its own axiom b"),
        (f"Module Type T. Axiom b : False. End T. Declare Module M : T. {STATED} destruct M.b. Qed.", "M.b"),
        (
            f"Module Classical_Prop. Axiom classic : False. End Classical_Prop. {STATED} "
            "Proof. destruct Classical_Prop.classic. Qed.",
            "its own axiom Classical_Prop.classic",
        ),
        ("Theorem foo : True. Proof. trivial. Qed.", "another statement"),
        (f"Module N. {WHOLE} End N. Theorem foo : 1 = 1. Proof. reflexivity. Qed.", "another statement"),
        (f"Module N. {WHOLE} End N.", "does not prove foo"),
        (f'Notation "x < y" := False. {STATED} Proof. tauto. Qed.', "another statement"),
        (
            'Definition Rle (x y : R) := True. Notation "a <= b" := (Rle a b). '
            f"{STATED} Proof. intros. exact I. Qed.",
            "another statement",
        ),
        (f"Definition R := unit. Definition Rlt (a b : R) := False. {STATED}", "R"),
        (
            f"Unset Guard Checking. Fixpoint f (n : nat) : False := f n. {STATED} destruct (f 0%nat). Qed.",
            "switches off a check",
        ),
        (
            f"#[bypass_check(guard)] Fixpoint f (n : nat) : False := f n. {STATED} destruct (f 0%nat). Qed.",
            "guarded",
        ),
        (f"Unset Universe Checking. {WHOLE}", "unsafe hierarchy"),
        (
            "Unset Positivity Checking. Inductive B := b : (B -> False) -> B. Set Positivity Checking. "
            f"Definition n (x : B) := match x with b g => g x end. {STATED} destruct (n (b n)). Qed.",
            "positive",
        ),
        (f'Declare ML Module "evil". {WHOLE}', "plugin"),
        (f"{STATED} Proof. auto. Qed.", "incomplete proof"),
        ("theorem foo : 1 = 1 := by norm_num", "a proof in Lean"),
        ("Fail Fail Qed.", ""),
        ("Quit.", ""),
        (
            f'Goal True. idtac "Closed under the global context". Abort. {STATED} Admitted.',
            "left open",
        ),
    ],
)
async def test_cheats_are_wrong_and_say_why(checker: ProofChecker, reply: str, reason: str) -> None:
    found = await judged(checker, f"```coq\n{reply}\n```")
    assert found.judgement.verdict == "wrong", found.judgement.reason
    assert reason in found.judgement.reason


@pytest.mark.parametrize(
    "reply",
    [
        f'Global Set Silent. Global Set Warnings "+all". Global Set Printing Width 20. {WHOLE}',
        f"Global Set Printing All. Global Unset Printing Notations. {WHOLE}",
        f'Redirect "/tmp/monkeys-escaped" Print nat. {WHOLE}',
        f'Require Extraction. Extraction "/proof/Check.ml" Nat.add. {WHOLE}',
        f'Print Universes "/tmp/monkeys-escaped.out". {WHOLE}',
    ],
)
async def test_settings_and_files_of_a_true_proof_change_nothing(checker: ProofChecker, reply: str) -> None:
    found = await judged(checker, f"```coq\n{reply}\n```")
    assert found.judgement.verdict == "right", found.judgement.reason
    assert not escaped()


async def test_proof_that_never_ends_is_undecided_in_time() -> None:
    box = await boxed()
    started = time.perf_counter()
    found = await ProofChecker(box, seconds=5).judge(
        "Ltac l := idtac; l. Proof. l. Qed.",
        language="rocq",
        statement="Theorem t : 1 = 1.",
        preamble="Fixpoint slow (n : nat) : nat := match n with O => O | S m => slow m + slow m end.",
    )
    spinning = await ProofChecker(box, seconds=5).judge(
        "Proof. vm_compute. reflexivity. Qed.",
        language="rocq",
        statement="Theorem t : slow 60 = 0.",
        preamble="Fixpoint slow (n : nat) : nat := match n with O => O | S m => slow m + slow m end.",
    )
    await box.close()
    assert found.judgement.verdict in ("wrong", "undecided")
    assert (spinning.judgement.verdict, time.perf_counter() - started < 60) == ("undecided", True)
    assert "did not finish within 5 s" in spinning.judgement.reason


@pytest.mark.parametrize(
    ("hostile", "verdict", "reason"),
    [
        ("Definition big := Eval vm_compute in (Nat.pow 2 29).", "undecided", "ran out of its 2,048 MB"),
        (f'Goal True. do 3000000 idtac "{"a" * 40}". Abort.', "wrong", "prints more than is kept"),
    ],
    ids=["memory", "output"],
)
async def test_proof_that_eats_the_machine_is_stopped_and_the_next_is_checked(
    checker: ProofChecker, hostile: str, verdict: str, reason: str
) -> None:
    found = await judged(checker, f"```coq\n{hostile} {WHOLE}\n```")
    assert found.judgement.verdict == verdict
    assert reason in found.judgement.reason
    assert (await judged(checker, WHOLE)).judgement.verdict == "right"


async def test_minif2f_statements_check_and_an_open_proof_of_each_does_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = DATA / "minif2f_rocq.jsonl"
    if not path.exists():
        pytest.skip(f"NOT CHECKED: {path} is missing; set MONKEYS_TEST_DATA to the folder that holds it")
    box = await boxed()
    checker = RocqChecker(box, find_rocq(), seconds=60, memory_mb=2048)
    problems = load_problems(path)

    async def opened(problem: Problem) -> ProofVerdict:
        split = rocq_text.split_statement(problem.statement or "")
        assert split is not None, problem.id
        return await checker.judge("Proof. Admitted.", preamble=problem.preamble or "", statement=split[1])

    found = await asyncio.gather(*map(opened, problems))
    await box.close()
    pairs = list(zip(problems, found, strict=True))
    refused = [
        f"{problem.id}: {one.judgement.reason[:100]}"
        for problem, one in pairs
        if one.judgement.verdict == "undecided"
    ]
    seconds = [one.seconds for one in found if one.judgement.verdict == "wrong"]
    assert len(seconds) + len(refused) == len(problems), "nothing that is left open is right"
    assert all("left open" in one.judgement.reason for one in found if one.judgement.verdict == "wrong")
    with capsys.disabled():
        print(
            f"\n{len(seconds)} of {len(problems)} statements check,",
            f"{sorted(seconds)[len(seconds) // 2]:.1f} s each",
        )
        print("\n".join(refused))
    assert len(seconds) >= 0.96 * len(problems)


def test_samples_are_verified_from_the_command_line(tmp_path: Path) -> None:
    asyncio.run(boxed_and_closed())
    problem = {"id": "p", "kind": "proof", "language": "rocq", "prompt": "Prove it."}
    problem |= {"preamble": PREAMBLE, "statement": STATED}
    replies = [WHOLE, f"{STATED} Admitted.", "I do not know."]
    (tmp_path / "p.jsonl").write_text(json.dumps(problem) + "\n")
    rows = (json.dumps({"problem_id": "p", "text": text}) + "\n" for text in replies)
    (tmp_path / "s.jsonl").write_text("".join(rows))
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "app",
            "verify",
            "--problems",
            "p.jsonl",
            "--samples",
            "s.jsonl",
            "-o",
            "jsonl",
        ],
        cwd=tmp_path,
        env={**os.environ, "MONKEYS_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [row["verdict"] for row in found] == ["right", "wrong", "wrong"]
    assert set(found[0]["detail"]) == {"reason", "stdout", "seconds", "memory_mb", "box"}

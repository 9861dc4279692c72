"""From a reply to a verdict: which text is the proof, whose language it is in, and what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.verifiers.proofs.recorded import RecordedBox, Said
from verifiers.proofs.checks import Language, ProofChecker, proof_texts
from verifiers.proofs.lean import LeanTools
from verifiers.proofs.lean_text import DEFAULT_PREAMBLE
from verifiers.proofs.rocq import RocqTools
from verifiers.proofs.verdict import NoProver, ProofVerdict

ROCQ = "Theorem foo : 1 = 1."
LEAN = "theorem foo : 1 = 1 := by"
CLOSED = {"Check": Said("Closed under the global context\n")}


def checker(box: RecordedBox, mathlib: str | None = "v4.35.0") -> ProofChecker:
    def lean(_project: Path | None) -> LeanTools:
        return LeanTools(("lean",), "4.35.0", mathlib=mathlib)

    return ProofChecker(box, rocq=lambda: RocqTools(("coqc",), "8.16.1"), lean=lean)


async def judged(reply: str, language: Language = "rocq", *, cut_off: bool = False) -> ProofVerdict:
    statement = ROCQ if language == "rocq" else LEAN
    box = RecordedBox(CLOSED)
    return await checker(box).judge(reply, language=language, statement=statement, cut_off=cut_off)


async def test_block_that_proves_the_theorem_is_taken_among_others() -> None:
    reply = "```coq\nTheorem foo : 1 = 1. Proof. easy. Qed.\n```\nFor example:\n```coq\nCheck foo.\n```"
    assert (await judged(reply)).judgement.verdict == "right"
    assert proof_texts(reply, "rocq", "foo", cut_off=False)[0].startswith("Theorem foo")


async def test_blocks_are_joined_where_one_alone_is_not_enough() -> None:
    reply = "```coq\nLemma a : True. easy. Qed.\n```\nand\n```coq\nTheorem foo : 1 = 1. easy. Qed.\n```"
    texts = proof_texts(reply, "rocq", "foo", cut_off=False)
    assert len(texts) == 2
    assert texts[1].index("Lemma a") < texts[1].index("Theorem foo")


async def test_thoughts_are_no_proof() -> None:
    reply = "<think>```coq\nTheorem foo : 1 = 1. admit.\n```</think>```coq\nProof. easy. Qed.\n```"
    assert proof_texts(reply, "rocq", "foo", cut_off=False) == ("Proof. easy. Qed.\n",)


@pytest.mark.parametrize(
    ("reply", "language", "reason"),
    [
        (
            "theorem foo : 1 = 1 := by rfl",
            "rocq",
            "the reply is a proof in Lean, and the problem asks for Rocq",
        ),
        (
            "```coq\nProof. easy. Qed.\n```",
            "lean4",
            "the reply is a proof in Rocq, and the problem asks for Lean",
        ),
        ("", "rocq", "the reply holds no proof"),
        ("   \n", "lean4", "the reply holds no proof"),
    ],
)
async def test_what_is_no_proof_in_this_language_is_wrong(
    reply: str, language: Language, reason: str
) -> None:
    found = await judged(reply, language)
    assert (found.judgement.verdict, found.judgement.reason, found.box) == ("wrong", reason, "none")


async def test_reply_that_was_cut_off_is_wrong() -> None:
    found = await judged("```coq\nProof. eas", cut_off=True)
    assert (found.judgement.verdict, found.judgement.reason) == ("wrong", "the reply was cut off")


@pytest.mark.parametrize(
    ("reply", "language", "cut_off", "proof"),
    [
        ("easy.\nQed.\n\nTheorem next : 2 = 2.\nProof. ea", "rocq", True, "easy.\nQed.\n"),
        ("Proof. easy. Qed.\n\nThis proves it, as asked.", "rocq", False, "Proof. easy. Qed.\n"),
        ("easy.", "rocq", False, "easy.\n"),
        ("  intros. eas", "rocq", True, None),
        ("  rfl\n\ntheorem next : 2 = 2 := by\n  nor", "lean4", True, "  rfl\n"),
        ("  norm_n", "lean4", True, None),
        ("theorem foo : 1 = 1 := by\n  rfl\n\nThe tactic closes it.", "lean4", False, f"{LEAN}\n  rfl\n"),
        ("theorem a : 1 = 1 := rfl\n\n" + LEAN + "\n  rfl", "lean4", False, None),
    ],
)
def test_proof_without_a_block_ends_where_it_is_finished(
    reply: str, language: Language, cut_off: bool, proof: str | None
) -> None:
    found = proof_texts(reply, language, "foo", cut_off=cut_off)
    whole = (f"{reply}\n",) if not cut_off else ()
    assert found == ((proof,) if proof is not None else whole)


async def test_problem_without_a_named_theorem_is_undecided() -> None:
    found = await checker(RecordedBox()).judge("easy.", language="rocq", statement="Goal True.")
    assert found.judgement.verdict == "undecided"


async def test_missing_checker_is_told_with_what_to_do() -> None:
    def missing() -> RocqTools:
        raise NoProver("Rocq is not installed.", "Install it.")

    with pytest.raises(NoProver, match="not installed"):
        await ProofChecker(RecordedBox(), rocq=missing).judge("easy.", language="rocq", statement=ROCQ)


@pytest.mark.parametrize(
    ("preamble", "mathlib", "begins"),
    [
        (None, "v4.35.0", DEFAULT_PREAMBLE),
        (None, None, "axiom claim"),
        ("", "v4.35.0", "axiom claim"),
        ("import Mathlib.Tactic", "v4.35.0", "import Mathlib.Tactic"),
    ],
)
async def test_lean_statement_without_a_preamble_stands_under_mathlib_s(
    preamble: str | None, mathlib: str | None, begins: str
) -> None:
    box = RecordedBox()
    await checker(box, mathlib).judge("rfl", language="lean4", statement=LEAN, preamble=preamble)
    assert box.sources["Claim"].strip().startswith(begins)


async def test_statement_may_bring_its_own_preamble() -> None:
    box = RecordedBox(CLOSED)
    statement = f"Require Import Arith.\n{ROCQ}\nProof."
    await checker(box).judge("easy.", language="rocq", statement=statement)
    assert box.sources["Reply"].startswith(f"Require Import Arith.\n\n{ROCQ}\n")

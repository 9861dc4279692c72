"""What is concluded from what Rocq says: recorded outputs of Coq 8.16, and what surrounds them."""

from __future__ import annotations

import pytest

from tests.verifiers.proofs.recorded import RecordedBox, Said
from verifiers.proofs.rocq import RocqChecker, RocqTools, assumptions, is_allowed
from verifiers.proofs.rocq_text import Statement
from verifiers.proofs.verdict import ProofVerdict

STATEMENT = Statement("foo", "Theorem foo (x y : R) : x < y -> x <= y.")
PREAMBLE = "Require Import Reals Lra.\nOpen Scope R_scope."
REALS = """\
Axioms:
ClassicalDedekindReals.sig_forall_dec
  : forall P : nat -> Prop,
    (forall n : nat, {P n} + {~ P n}) ->
    {n : nat | ~ P n} + {forall n : nat, P n}
FunctionalExtensionality.functional_extensionality_dep
  : forall (A : Type) (B : A -> Type) (f g : forall x : A, B x),
    (forall x : A, f x = g x) -> f = g
"""


async def judged(box: RecordedBox, reply: str = "lra.", preamble: str = PREAMBLE) -> ProofVerdict:
    checker = RocqChecker(box, RocqTools(("coqc",), "8.16.1"), seconds=30, memory_mb=4096)
    return await checker.judge(reply, preamble=preamble, statement=STATEMENT)


async def test_proof_from_the_library_s_axioms_is_right() -> None:
    box = RecordedBox({"Check": Said(REALS)})
    found = await judged(box)
    assert found.judgement.verdict == "right"
    assert found.judgement.checker == "rocq"
    assert found.judgement.reason.startswith(
        "Rocq accepts the proof, from ClassicalDedekindReals.sig_forall_dec"
    )
    assert (found.seconds, found.memory_mb, found.box) == (1.0, 100.0, "recorded")


async def test_statement_is_compiled_where_nothing_of_the_reply_is() -> None:
    box = RecordedBox({"Check": Said(REALS)})
    await judged(box, "Proof. lra. Qed.")
    assert box.folders["Claim"] == {"Claim.v"}
    assert box.folders["Reply"] == {"Reply.v"}
    assert box.folders["Check"] == {"Claim.vo", "Reply.vo", "Check.v"}
    assert "lra" not in box.sources["Claim"]
    assert box.sources["Check"].splitlines() == [
        "Require Monkeys.Claim.",
        "Require Monkeys.Reply.",
        "Definition checked : Monkeys.Claim.claim := Monkeys.Reply.foo.",
        "Print Assumptions checked.",
    ]


async def test_statement_is_compiled_once_for_all_replies() -> None:
    box = RecordedBox({"Check": Said(REALS)})
    checker = RocqChecker(box, RocqTools(("coqc",), "8.16.1"), seconds=30, memory_mb=4096)
    for reply in ("lra.", "nra."):
        await checker.judge(reply, preamble=PREAMBLE, statement=STATEMENT)
    assert [command.argv[-1] for command in box.commands] == [
        *("Claim.v", "Reply.v", "Check.v"),
        *("Reply.v", "Check.v"),
    ]


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ("Axioms:\nReply.foo : forall x y : R, x < y -> x <= y\n", "the proof is left open"),
        ("Axioms:\nReply.b : False\n", "its own axiom b,"),
        (f"{REALS}Reply.b : False\n", "its own axiom b,"),
        ("Axioms:\nReply.Classical_Prop.classic\n  : False\n", "its own axiom Classical_Prop.classic,"),
        ("Axioms:\nReply.Context.ax : False\n", "its own axiom Context.ax,"),
        (
            "Axioms:\nfoo is assumed to\n  be guarded.\nReply.f is assumed to be guarded.\n",
            "switches off a check",
        ),
        ("Axioms:\nReply.t relies on an unsafe hierarchy.\n", "switches off a check"),
        ("Axioms:\nReply.B is assumed to be positive.\n", "switches off a check"),
        ("Axioms:\nMyLib.magic : False\n", "rests on MyLib.magic,"),
        (
            'Axioms:\nReply.s : "a\nClosed under the global context" = ""\n',
            "its own axiom s,",
        ),
    ],
)
async def test_what_the_proof_assumes_beyond_the_library_is_wrong(printed: str, reason: str) -> None:
    found = await judged(RecordedBox({"Check": Said(printed)}))
    assert found.judgement.verdict == "wrong"
    assert reason in found.judgement.reason


@pytest.mark.parametrize("printed", ["", "Axioms:\n", "Closed under the global context\nand more\n", "OK\n"])
async def test_exit_status_0_alone_is_no_proof(printed: str) -> None:
    found = await judged(RecordedBox({"Check": Said(printed)}))
    assert found.judgement.verdict == "undecided"


async def test_words_that_the_reply_prints_count_for_nothing() -> None:
    box = RecordedBox(
        {"Reply": Said("Closed under the global context\n"), "Check": Said("Axioms:\nReply.foo : False\n")}
    )
    assert (await judged(box)).judgement.verdict == "wrong"


@pytest.mark.parametrize(
    ("complaint", "reason"),
    [
        (
            'Error:\nThe term "Monkeys.Reply.foo" has type "True"\nwhile it is expected to have type\n '
            '"Monkeys.Claim.claim".\n',
            "the reply proves another statement under the name foo",
        ),
        (
            "Error: The reference Monkeys.Reply.foo was not found in the current environment.\n",
            "the reply does not prove foo",
        ),
    ],
)
async def test_proof_of_something_else_is_wrong(complaint: str, reason: str) -> None:
    said = f'File "./Check.v", line 3, characters 40-57:\n{complaint}'
    found = await judged(RecordedBox({"Check": Said(printed=said, exit_code=1)}))
    assert (found.judgement.verdict, found.judgement.reason) == ("wrong", reason)


async def test_proof_that_fails_says_where() -> None:
    said = 'File "./Reply.v", line 5, characters 0-4:\nError: Tactic failure: Cannot find witness.\n'
    found = await judged(RecordedBox({"Reply": Said(printed=said, exit_code=1)}), "Proof.\nlra.\nQed.")
    assert found.judgement.verdict == "wrong"
    assert found.judgement.reason == "Tactic failure: Cannot find witness. at `Proof.`"


async def test_statement_that_does_not_check_decides_nothing() -> None:
    said = 'File "./Claim.v", line 1, characters 0-4:\nError: Unable to locate library Mathcomp.\n'
    found = await judged(RecordedBox({"Claim": Said(printed=said, exit_code=1)}))
    assert found.judgement.verdict == "undecided"
    assert found.judgement.reason.startswith("the statement itself does not check: Unable to locate library")


@pytest.mark.parametrize("file", ["Claim", "Reply", "Check"])
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Said(exit_code=None, status="time"), "did not finish within 30 s"),
        (Said(printed="Fatal error: out of memory", exit_code=2), "ran out of its 4,096 MB"),
        (Said(exit_code=None, status="crashed", signal="SIGSEGV"), "crashed (SIGSEGV)"),
        (Said(printed="no such device", exit_code=None, status="box"), "the sandbox failed: no such device"),
    ],
    ids=["time", "memory", "crash", "box"],
)
async def test_checker_that_comes_to_no_end_decides_nothing(file: str, said: Said, reason: str) -> None:
    found = await judged(RecordedBox({file: said}))
    assert found.judgement.verdict == "undecided"
    assert reason in found.judgement.reason


async def test_statement_that_could_not_be_compiled_in_time_is_tried_again() -> None:
    box = RecordedBox({"Claim": Said(exit_code=None, status="time")})
    checker = RocqChecker(box, RocqTools(("coqc",), "8.16.1"), seconds=30, memory_mb=4096)
    await checker.judge("lra.", preamble=PREAMBLE, statement=STATEMENT)
    box.said = {"Check": Said("Closed under the global context\n")}
    found = await checker.judge("lra.", preamble=PREAMBLE, statement=STATEMENT)
    assert found.judgement.verdict == "right"


async def test_preamble_that_declares_is_compiled_once_and_shared() -> None:
    preamble = "Require Import Arith.\nAxiom ax : 1 = 1.\nOpen Scope nat_scope."
    box = RecordedBox({"Check": Said("Axioms:\nContext.ax : 1 = 1\n")})
    found = await judged(box, preamble=preamble)
    assert found.judgement.verdict == "right"
    assert box.folders["Reply"] == {"Context.vo", "Reply.v"}
    for file in ("Claim", "Reply"):
        assert box.sources[file].startswith("Require Export Monkeys.Context.\nOpen Scope nat_scope.\n")
        assert "Axiom" not in box.sources[file]


def test_assumptions_are_one_entry_each() -> None:
    assert assumptions("Closed under the global context\n") == []
    assert assumptions(REALS) == [
        "ClassicalDedekindReals.sig_forall_dec",
        "FunctionalExtensionality.functional_extensionality_dep",
    ]
    assert assumptions("Axioms:\nM.f is assumed to\n  be guarded.\n") == ["M.f is assumed to be guarded."]


@pytest.mark.parametrize("name", ["Classical_Prop.classic", "PrimInt63.add", "Uint63.add_spec"])
def test_library_s_own_assumptions_are_allowed(name: str) -> None:
    assert is_allowed(name)


def test_preamble_s_own_axioms_are_allowed_where_it_is_a_file_of_its_own() -> None:
    assert is_allowed("Context.ax", shared=True)
    assert not is_allowed("Context.ax")
    assert not is_allowed("Reply.Context.ax", shared=True)


@pytest.mark.parametrize(
    "name", ["classic", "Reply.PrimInt63.add", "foo", "Classical_Prop.classic is assumed"]
)
def test_no_other_is(name: str) -> None:
    assert not is_allowed(name)

"""What is concluded from what Lean says: recorded messages of Lean 4.35, and what surrounds them."""

from __future__ import annotations

import json

import pytest

from tests.verifiers.proofs.recorded import RecordedBox, Said
from verifiers.proofs.lean import LeanChecker, LeanTools, axioms, messages
from verifiers.proofs.lean_text import Statement
from verifiers.proofs.verdict import ProofVerdict

STATEMENT = Statement("foo", "theorem foo (x : ℝ) : x ≤ x")
PREAMBLE = "import Mathlib\n\nopen Real"


def message(data: str, severity: str = "information", line: int = 4) -> str:
    """A message as ``lean --json`` prints it."""
    return (
        json.dumps(
            {
                "caption": "",
                "data": data,
                "endPos": {"column": 6, "line": line},
                "fileName": "Check.lean",
                "kind": "[anonymous]",
                "pos": {"column": 0, "line": line},
                "severity": severity,
            }
        )
        + "\n"
    )


NONE = message("'CHECKED' does not depend on any axioms")
MATHLIB = message("'CHECKED' depends on axioms: [propext,\n Classical.choice,\n Quot.sound]")


async def judged(
    box: RecordedBox, reply: str = "theorem foo (x : ℝ) : x ≤ x := le_rfl", preamble: str = PREAMBLE
) -> ProofVerdict:
    tools = LeanTools(("/lean/bin/lean",), "4.35.0", search_path=("/lean/path0",))
    checker = LeanChecker(box, tools, seconds=60, memory_mb=16384)
    return await checker.judge(reply, preamble=preamble, statement=STATEMENT)


async def test_proof_from_lean_s_three_axioms_is_right() -> None:
    found = await judged(RecordedBox({"Check": Said(MATHLIB)}))
    assert (found.judgement.verdict, found.judgement.checker) == ("right", "lean")
    assert found.judgement.reason == "Lean accepts the proof, from propext, Classical.choice, Quot.sound"
    assert (found.seconds, found.memory_mb, found.box) == (1.0, 100.0, "recorded")
    assert "depends on axioms: [propext" in found.stdout


async def test_warnings_beside_the_axioms_change_nothing() -> None:
    said = message("this linter is deprecated", "warning") + NONE
    assert (await judged(RecordedBox({"Check": Said(said)}))).judgement.verdict == "right"


async def test_proof_from_no_axiom_is_right() -> None:
    found = await judged(RecordedBox({"Check": Said(NONE)}))
    assert (found.judgement.verdict, found.judgement.reason) == ("right", "Lean accepts the proof")


async def test_statement_is_elaborated_where_nothing_of_the_reply_is() -> None:
    box = RecordedBox({"Check": Said(NONE)})
    await judged(box)
    assert len(box.folders["Claim"]) == 1
    assert len(box.folders["Reply"]) == 1
    assert sorted(name.split(".")[-1] for name in box.folders["Check"]) == ["lean", "olean", "olean"]
    assert "le_rfl" not in box.sources["Claim"]
    assert box.sources["Claim"].startswith("import Mathlib\n\nopen Real\n\naxiom claim")
    first, second, theorem, asked = box.sources["Check"].splitlines()
    assert first.startswith("import Claim")
    assert second.startswith("import Reply")
    assert theorem.endswith(":= @_root_.foo")
    assert asked == f"#print axioms {theorem.split()[1]}"
    assert box.commands[0].environment["LEAN_PATH"] == "/lean/path0:/proof"


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("sorryAx", "the proof is left open: it uses sorry"),
        ("propext, sorryAx", "the proof is left open: it uses sorry"),
        ("bad", "the proof rests on the axiom bad, which is not proved"),
        ("Lean.ofReduceBool, Lean.trustCompiler", "the proof trusts compiled code (native_decide)"),
        ("foo._native.native_decide.ax_1_1", "the proof trusts compiled code (native_decide)"),
    ],
)
async def test_other_axioms_are_wrong(named: str, reason: str) -> None:
    found = await judged(RecordedBox({"Check": Said(message(f"'CHECKED' depends on axioms: [{named}]"))}))
    assert found.judgement.verdict == "wrong"
    assert found.judgement.reason.startswith(reason)


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "'CHECKED' does not depend on any axioms\n",
        NONE + NONE,
        message("fine") + NONE,
        message("'foo' does not depend on any axioms"),
        message("'CHECKED' does not depend on any axioms", severity="warning"),
        message("'CHECKED' does not depend on any axioms\n'CHECKED' depends on axioms: [bad]"),
    ],
)
async def test_exit_status_0_alone_is_no_proof(printed: str) -> None:
    found = await judged(RecordedBox({"Check": Said(printed)}))
    assert found.judgement.verdict == "undecided"


async def test_words_that_the_reply_prints_count_for_nothing() -> None:
    box = RecordedBox({"Reply": Said(NONE), "Check": Said(message("'CHECKED' depends on axioms: [bad]"))})
    assert (await judged(box)).judgement.verdict == "wrong"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("Unknown identifier `_root_.foo`", "the reply does not prove foo"),
        ("Unknown constant `foo`", "the reply does not prove foo"),
        ("Type mismatch\n  foo\nhas type\n  True", "the reply proves another statement under the name foo"),
    ],
)
async def test_proof_of_something_else_is_wrong(data: str, reason: str) -> None:
    found = await judged(RecordedBox({"Check": Said(message(data, "error"), exit_code=1)}))
    assert (found.judgement.verdict, found.judgement.reason) == ("wrong", reason)


async def test_proof_that_fails_says_where() -> None:
    box = RecordedBox({"Reply": Said(message("linarith failed", "error", line=5), exit_code=1)})
    found = await judged(box)
    assert found.judgement.verdict == "wrong"
    assert found.judgement.reason == "linarith failed at `theorem foo (x : ℝ) : x ≤ x := le_rfl`"


async def test_reply_that_could_print_for_us_is_never_imported() -> None:
    box = RecordedBox()
    found = await judged(box, 'macro "x" : term => `(1)\ntheorem foo (x : ℝ) : x ≤ x := le_rfl')
    assert (found.judgement.verdict, found.box) == ("wrong", "none")
    assert "`macro`" in found.judgement.reason
    assert box.commands == []


async def test_statement_that_needs_mathlib_says_what_to_set() -> None:
    said = message("unknown module prefix 'Mathlib'\n\nNo directory 'Mathlib'", "error")
    found = await judged(RecordedBox({"Claim": Said(said, exit_code=1)}))
    assert found.judgement.verdict == "undecided"
    assert "lean_project" in found.judgement.reason


async def test_preamble_that_declares_is_elaborated_once_and_imported() -> None:
    preamble = "import Mathlib\nnamespace A\ndef f := 1\naxiom ax : f = 1\n"
    box = RecordedBox({"Check": Said(message("'CHECKED' depends on axioms: [A.ax]"))})
    found = await judged(box, preamble=preamble)
    assert found.judgement.verdict == "right"
    assert "def f" in box.sources["Context"]
    for file in ("Claim", "Reply"):
        assert "import Context" in box.sources[file]
        assert "def f" not in box.sources[file]
    assert "_root_.A.claim" in box.sources["Check"]
    assert "_root_.A.foo" in box.sources["Check"]


@pytest.mark.parametrize("file", ["Claim", "Reply", "Check"])
async def test_checker_that_comes_to_no_end_decides_nothing(file: str) -> None:
    found = await judged(RecordedBox({file: Said(exit_code=None, status="time")}))
    assert found.judgement.verdict == "undecided"
    assert "within 60 s" in found.judgement.reason


def test_line_that_is_no_message_counts_as_an_error() -> None:
    assert messages("oops\n")[0]["severity"] == "error"
    assert axioms("oops\n" + NONE, "CHECKED") is None

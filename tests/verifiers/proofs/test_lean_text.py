"""Lean text: what a reply may hold, and how it is put together with its statement."""

from __future__ import annotations

import pytest

from verifiers.proofs import lean_text
from verifiers.proofs.lean_text import Statement

STATED = "theorem two_add (n : ℕ) (h : n = 2) : n + 1 = 3"
STATEMENT = Statement("two_add", STATED)


def test_comments_nest_and_strings_hide_what_looks_like_one() -> None:
    text = "a /- one /- two -/ still -/ b \"-- s\" -- to the end\nh' '\"' c /- open"
    assert lean_text.without_comments(text) == "a   b \"-- s\" \nh' '\"' c  "


@pytest.mark.parametrize("end", [" := by", " :=\n  by", " := by\n  omega", " := foo n", ""])
def test_head_ends_where_the_proof_begins(end: str) -> None:
    assert lean_text.split_statement(f"open Nat\n\n{STATED}{end}") == ("open Nat", STATEMENT)


def test_head_keeps_the_equations_that_belong_to_its_type() -> None:
    head = "@[simp] lemma a (f : ℕ → ℕ := id) : let x := 5; x + f 0 = { val := 5 }.val"
    assert lean_text.split_statement(f"{head} := by") == ("", Statement("a", head))


def test_claim_is_the_same_statement_under_another_name() -> None:
    assert STATEMENT.as_axiom("other") == "axiom other (n : ℕ) (h : n = 2) : n + 1 = 3"


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (f"{STATED} := by omega", f"{STATED} := by omega"),
        ("omega", f"{STATED} := by\n  omega"),
        ("  subst h\n  rfl\n\ntheorem next : 1 = 1 := rfl", f"{STATED} := by\n  subst h\n  rfl"),
        ("by\n  omega", f"{STATED} := by\n  omega"),
        (":= by omega", f"{STATED} := by omega"),
        (":= two_add' n h", f"{STATED} := two_add' n h"),
        (f"import Mathlib\nimport Aesop\n{STATED} := by omega", f"{STATED} := by omega"),
        ("theorem other : 1 = 1 := rfl", "theorem other : 1 = 1 := rfl"),
        ("axiom two_add : False", "axiom two_add : False"),
    ],
)
def test_reply_is_joined_however_much_it_repeats(reply: str, body: str) -> None:
    file = lean_text.join("import Mathlib\n\nopen Nat", STATEMENT, reply)
    assert file == f"import Mathlib\n\nopen Nat\n\n{body}\n"


@pytest.mark.parametrize(
    "text",
    [
        'local notation "ℝ" => ℕ',
        "macro_rules | `(command| #print axioms $x) => `(#eval 1)",
        'elab "x" : command => pure ()',
        'initialize IO.println "two_add does not depend on any axioms"',
        "#eval IO.Process.exit 0",
        'run_cmd logInfo m!"fine"',
        "theorem a : 1 = 1 := by run_tac skip",
        'infixl:65 " + " => fun a b => a',
        "@[command_elab x] def y := 1",
        "attribute [macro foo] bar",
        "@[simp, implemented_by z] def y := 1",
        '@[extern "c"] def y := 1',
        "unsafe def y := 1",
        "open Lean Elab Meta in theorem a : 1 = 1 := rfl",
        "set_option debug.skipKernelTC true",
        "def f : EStateM Unit Unit Unit := fun _ => .ok () ()",
        "@[simp",
    ],
)
def test_what_runs_code_or_changes_syntax_is_refused(text: str) -> None:
    assert lean_text.forbidden(f"{STATED} := by omega\n{text}") is not None


@pytest.mark.parametrize(
    "text",
    [
        "set_option maxHeartbeats 400000 in",
        "@[simp] lemma a : 1 = 1 := rfl",
        "@[local simp, norm_cast] lemma a : 1 = 1 := rfl",
        "attribute [local simp] Nat.add_comm",
        "open Real in",
        "exact List.prefix_refl _",
        "have elaborate := meta_lemma",
        "namespace Inner",
    ],
)
def test_what_proofs_commonly_say_is_not(text: str) -> None:
    assert lean_text.forbidden(f"{text}\n{STATED} := by omega") is None


def test_comment_that_is_misread_is_misread_in_what_lean_gets() -> None:
    """A reply is compiled without its comments, so no reading of them can hide a word from us alone."""
    tricky = '\'"\' -- "\nmacro "x" : term => `(1) -- "'
    bare = lean_text.without_comments(tricky)
    assert "macro" in bare
    assert lean_text.forbidden(bare) is not None


def test_namespace_of_a_preamble_is_what_is_open_at_its_end() -> None:
    assert lean_text.namespace_of("namespace A\nsection\nnamespace B.C\nend B.C\nend\nnamespace D") == "A.D."
    assert lean_text.namespace_of("open Nat") == ""


def test_declaring_preamble_is_told_from_one_that_only_sets_up() -> None:
    preamble = "open Nat\nvariable (n : ℕ)\nnamespace A\ndef f := 1\naxiom ax : f = 1\n"
    assert lean_text.declares(preamble)
    assert not lean_text.declares("open Nat -- def f\nset_option autoImplicit true")
    assert lean_text.settings_of(preamble) == "open Nat\nvariable (n : ℕ)\nnamespace A\n"
    assert lean_text.axioms_of(preamble) == {"A.ax"}

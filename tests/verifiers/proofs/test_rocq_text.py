"""Rocq text put together with the statement that it answers."""

from __future__ import annotations

import pytest

from verifiers.proofs import rocq_text
from verifiers.proofs.rocq_text import Statement

PREAMBLE = "Require Import Reals Lra.\nOpen Scope R_scope."
STATED = "Theorem le_of_lt (x y : R) : x < y -> x <= y."
STATEMENT = Statement("le_of_lt", STATED)


def test_comments_nest_and_strings_hide_what_looks_like_one() -> None:
    text = 'a (* one (* two *) "*)" still *) b "(* a string *)" c (* open'
    assert rocq_text.without_comments(text) == 'a   b "(* a string *)" c '


def test_statement_is_one_sentence_without_its_proof() -> None:
    text = f"{PREAMBLE}\n\n{STATED} (* really. *)\nProof. Admitted."
    assert rocq_text.split_statement(text) == (PREAMBLE, STATEMENT)


def test_full_stops_inside_numbers_names_and_ellipses_end_no_sentence() -> None:
    text = "Lemma a : 2.5 = Q.half -> [x; .. ; y] = l. Proof."
    split = rocq_text.split_statement(text)
    assert split is not None
    assert split[1].text == "Lemma a : 2.5 = Q.half -> [x; .. ; y] = l."


def test_text_without_a_theorem_has_no_statement() -> None:
    assert rocq_text.split_statement("Definition two := 2.") is None


@pytest.mark.parametrize(
    ("reply", "file"),
    [
        ("intros. lra.", f"{STATED}\nProof.\nintros. lra.\nQed."),
        ("Proof. intros. lra. Qed.", f"{STATED}\nProof. intros. lra. Qed."),
        ("Proof. intros. lra.", f"{STATED}\nProof. intros. lra.\nQed."),
        ("Proof. lra. Qed.\nTheorem next : True.", f"{STATED}\nProof. lra. Qed."),
        ("lra.\nQed.\n\nLemma more : 1 = 1.", f"{STATED}\nProof.\nlra.\nQed."),
        (f"{STATED} Proof. lra. Qed.", f"{STATED} Proof. lra. Qed."),
        (f"{STATED} lra.", f"{STATED} lra.\nQed."),
        ("Lemma other : True. Proof. easy. Qed.", "Lemma other : True. Proof. easy. Qed."),
        ("Axiom le_of_lt : False.", "Axiom le_of_lt : False."),
        ("Definition le_of_lt := Rlt_le.", "Definition le_of_lt := Rlt_le."),
    ],
    ids=[
        "tactics",
        "proof",
        "no Qed",
        "goes on",
        "tactics go on",
        "whole",
        "whole, no Qed",
        "other",
        "axiom",
        "term",
    ],
)
def test_reply_is_joined_however_much_it_repeats(reply: str, file: str) -> None:
    assert rocq_text.join(PREAMBLE, STATEMENT, reply).split() == f"{PREAMBLE}\n{file}".split()


def test_libraries_that_a_bare_proof_loads_are_loaded_before_the_statement() -> None:
    reply = "Require Import Lia.\nFrom Coq Require Import Psatz.\nProof.\n  lia.\nQed."
    file = rocq_text.join(PREAMBLE, STATEMENT, reply)
    loaded = "Require Import Lia. From Coq Require Import Psatz."
    assert file.split() == f"{PREAMBLE} {loaded} {STATED} Proof. lia. Qed.".split()


def test_reply_that_repeats_the_preamble_stands_alone_where_both_would_clash() -> None:
    preamble = "Require Import Reals.\nDefinition half := 1."
    reply = f"{preamble}\n{STATED} Proof. lra. Qed."
    assert rocq_text.join(preamble, STATEMENT, reply) == reply


def test_only_what_is_itself_alone_has_to_be_shared() -> None:
    assert rocq_text.is_generative("Require Import Arith.\nInductive color := red | blue.")
    assert rocq_text.is_generative("Axiom choice : True.")
    assert not rocq_text.is_generative("Require Import Reals.\nDefinition f x := x. (* Axiom a. *)")


def test_shared_preamble_hands_on_its_imports_and_its_scopes() -> None:
    preamble = "Require Import Arith.\nImport ListNotations.\nOpen Scope nat_scope.\nInductive c := r."
    assert rocq_text.exporting(preamble).startswith("Require Export Arith.\nExport ListNotations.\n")
    assert rocq_text.settings_of(preamble) == "Open Scope nat_scope."

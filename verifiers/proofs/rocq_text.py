"""Rocq text, read as far as a checker has to: comments, sentences, the name that a statement gives.

Nothing here decides whether a proof is right. It puts a reply together with the statement it answers, and
finds words for a reason; the verdict rests on what the checker says of our own statement.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_STATEMENT: Final = re.compile(
    r"(?<![\w.'])(?:Theorem|Lemma|Corollary|Proposition|Property|Fact|Remark|Example)\s+([^\W\d][\w']*)"
)
_END: Final = re.compile(r"(?<![\w'])(?:Qed|Defined|Admitted|Abort|Save)\b[^.]*\.(?=\s|$)")
_PROOF: Final = re.compile(r"(?<![\w'])Proof\b[^.]*\.(?=\s|$)")
_REQUIRE: Final = re.compile(r"(?<![\w'])Require\b")
_LOADING: Final = re.compile(r"^[ \t]*(?:From\s+[\w.]+\s+)?Require\b[^\n]*\.[ \t]*$", re.MULTILINE)
_DECLARED: Final = re.compile(
    r"(?<![\w.'])(?:Definition|Fixpoint|CoFixpoint|Function|Notation|Inductive|CoInductive|Record|Structure|Class"
    r"|Variant|Axiom|Parameter|Hypothesis|Variable|Conjecture|Theorem|Lemma|Fact|Remark|Corollary|Proposition"
    r")\s+([^\W\d][\w']*)"
)
_GENERATIVE: Final = re.compile(
    r"(?:^|\.\s)\s*(?:Inductive|CoInductive|Record|Structure|Class|Variant|Axioms?|Parameters?|Hypothes[ei]s"
    r"|Variables?|Conjecture|Theorem|Lemma|Fact|Remark|Corollary|Proposition)\b"
)


class Statement(NamedTuple):
    """``text`` is the statement's one sentence, from its keyword to its full stop."""

    name: str
    text: str


def without_comments(text: str) -> str:
    """``text`` with each comment replaced by a space. Comments nest; a string hides what looks like one."""
    kept: list[str] = []
    depth, place = 0, 0
    for mark in re.finditer(r'\(\*|\*\)|"(?:[^"]|"")*"', text):
        if depth == 0:
            kept.append(text[place : mark.start()])
        if mark[0] == "(*":
            depth += 1
        elif mark[0] == "*)":
            if depth == 0:
                kept.append("*)")
            elif depth == 1:
                kept.append(" ")
            depth = max(0, depth - 1)
        elif depth == 0:
            kept.append(mark[0])
        place = mark.end()
    if depth == 0:
        kept.append(text[place:])
    return "".join(kept)


def split_statement(text: str) -> tuple[str, Statement] | None:
    """What stands before the last statement of ``text``, and the statement; ``None`` without one. A proof
    that follows it is left out."""
    bare = without_comments(text)
    found = list(_STATEMENT.finditer(bare))
    if not found:
        return None
    last = found[-1]
    end = sentence_end(bare, last.start())
    return bare[: last.start()].strip(), Statement(last[1], bare[last.start() : end].strip())


def sentence_end(text: str, start: int) -> int:
    """Where the sentence that begins at ``start`` ends: after a full stop before white space."""
    stop = re.compile(r'"(?:[^"]|"")*"|(?<!\.)\.(?=\s|$)|\.\.\.(?=\s|$)')
    for found in stop.finditer(text, start):
        if found[0][0] != '"':
            return found.end()
    return len(text)


def states(text: str, name: str) -> bool:
    """Whether ``text`` declares ``name`` itself."""
    found = _DECLARED.finditer(without_comments(text))
    return any(one[1] == name for one in found) or any(
        one[1] == name for one in _STATEMENT.finditer(without_comments(text))
    )


def is_generative(preamble: str) -> bool:
    """Whether two copies of ``preamble`` declare different things: a type or an axiom is itself alone, where
    two equal definitions are convertible."""
    return _GENERATIVE.search(without_comments(preamble)) is not None


def exporting(preamble: str) -> str:
    """``preamble`` as a module of its own, which hands on what it imports."""
    text = re.sub(r"(?<![\w'])Require\s+Import\b", "Require Export", without_comments(preamble))
    return re.sub(r"(?<![\w'])Import\b", "Export", text)


def settings_of(preamble: str) -> str:
    """The sentences of ``preamble`` that only set things up, such as the scopes that are open."""
    text, kept, start = without_comments(preamble), [], 0
    while start < len(text):
        end = sentence_end(text, start)
        sentence = text[start:end].strip()
        if re.match(r"(?:Local\s+|Global\s+)?(?:Open|Close|Set|Unset)\b", sentence):
            kept.append(sentence)
        start = end
    return "\n".join(kept)


def join(preamble: str, statement: Statement, reply: str) -> str:
    """A file in which ``reply`` proves ``statement``, however much of it the reply repeats."""
    if states(reply, statement.name) or _begins_with_statement(reply):
        mine = {one[1] for one in _DECLARED.finditer(without_comments(preamble))}
        again = mine & {one[1] for one in _DECLARED.finditer(without_comments(reply))}
        if again and _REQUIRE.search(reply):
            return _ended(reply)  # it repeats all of the preamble
        return f"{preamble}\n\n{_ended(reply)}\n"
    loaded = "\n".join(_LOADING.findall(without_comments(reply)))
    reply = _LOADING.sub("", reply) if loaded else reply
    preamble = f"{preamble}\n{loaded}" if loaded else preamble
    proof = _PROOF.search(reply)
    body = reply[proof.start() :] if proof is not None else f"Proof.\n{reply}"
    end = _END.search(body)
    body = body[: end.end()] if end is not None else _ended(body)
    return f"{preamble}\n\n{statement.text}\n{body}\n"


def _begins_with_statement(reply: str) -> bool:
    """Whether a reply that does not name our theorem states others, rather than going on with a proof."""
    bare = without_comments(reply)
    first, proof = _STATEMENT.search(bare), _PROOF.search(bare) or _END.search(bare)
    return first is not None and (proof is None or first.start() < proof.start())


def _ended(text: str) -> str:
    """``text``, with the end that a reply forgot after its last tactic."""
    bare = without_comments(text).rstrip()
    if _END.search(bare) or not bare.endswith("."):
        return text
    opened = _PROOF.search(bare) or (_STATEMENT.search(bare) and not re.search(r":=[^.]*\.$", bare))
    if not opened:
        return text
    return f"{text.rstrip()}\nQed.\n"


def finished_part(text: str) -> str | None:
    """A reply without a block, up to the end of its last finished proof: the rest is talk, or was cut off.
    ``None`` where no proof is finished."""
    ends = list(_END.finditer(text))
    return text[: ends[-1].end()] if ends else None


def looks_like_rocq(text: str) -> bool:
    return bool(
        re.search(
            r"^\s*(?:Theorem|Lemma|Require|Proof|From \w+ Require)\b|\b(?:Qed|Defined)\.", text, re.MULTILINE
        )
    )

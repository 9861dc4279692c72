"""Lean text, read as far as a checker has to: comments, the name of a statement, what a reply may say.

Importing a Lean module brings its syntax, its macros and its initialisers with it, and a macro may turn our
own commands into others that print what we hope to read. So a reply that is to be imported beside our
statement must hold nothing that runs code or changes syntax. What is compiled is the reply *without its
comments*, and the words that would do so may occur nowhere in what is left: if this module ever misreads
where a comment ends, it misreads the text that Lean gets in the same way.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

DEFAULT_PREAMBLE: Final = (
    "import Mathlib\n\nset_option maxHeartbeats 400000\n\nopen BigOperators Real Nat Topology Rat"
)
"""What stands above a MiniF2F statement in Lean 4 where the problem brings no preamble of its own."""

_NAME: Final = r"(?:«[^»\n]*»|[^\W\d][\w'!?₀-₉]*)(?:\.(?:«[^»\n]*»|[^\W\d][\w'!?₀-₉]*))*"
_STATEMENT: Final = re.compile(
    rf"^[ \t]*(?:@\[[^\]\n]*\]\s*)?(?:(?:private|protected|noncomputable)\s+)*(?:theorem|lemma)\s+({_NAME})",
    re.MULTILINE,
)
_NAMED: Final = re.compile(
    rf"^[ \t]*(?:@\[[^\]\n]*\]\s*)?(?:(?:private|protected|noncomputable)\s+)*"
    rf"(?:theorem|lemma|axiom|def|abbrev|instance|opaque)\s+({_NAME})",
    re.MULTILINE,
)
_COMMAND: Final = re.compile(
    r"(?:theorem|lemma|example|def|abbrev|instance|inductive|structure|class|axiom|opaque|noncomputable"
    r"|private|protected|open|namespace|section|end|variable|universe|set_option|import|prelude|attribute|local"
    r"|scoped|@\[|#\w)"
)
_DECLARATION: Final = re.compile(
    r"^(?:@\[[^\]\n]*\]\s*)?(?:(?:private|protected|noncomputable|local|scoped)\s+)*"
    r"(?:theorem|lemma|def|abbrev|instance|inductive|structure|class|axiom|opaque|mutual)\b",
    re.MULTILINE,
)

RUNS_CODE: Final = (
    *("macro", "macro_rules", "syntax", "declare_syntax_cat", "notation", "notation3", "infix", "infixl"),
    *("infixr", "prefix", "postfix", "binder_predicate", "elab", "elab_rules", "initialize", "simproc"),
    *("simproc_decl", "dsimproc", "dsimproc_decl", "declare_config_elab", "declare_aesop_rule_sets"),
    *("declare_simp_like_tactic", "run_cmd", "run_elab", "run_meta", "run_tac", "register_simp_attr"),
    *("register_option", "register_label_attr", "register_parser_alias", "register_tag_attr"),
    *("register_tactic_tag", "register_error_explanation", "register_linter_set", "unsafe", "unif_hint"),
    *("include_str", "implemented_by", "extern", "export", "csimp", "meta", "eval_expr", "Lean", "System"),
    *("IO", "BaseIO", "EIO", "EStateM", "RealWorld", "unsafeIO", "unsafeBaseIO", "unsafeEIO"),
    *("dbg_trace", "dbgTrace", "MetaM", "CoreM", "TacticM", "TermElabM", "CommandElabM", "MacroM"),
)
"""Words of Lean and Mathlib that run code while a file is checked or read, or that change its syntax."""
_FORBIDDEN: Final = re.compile(
    rf"(?<![\w₀-₉])(?:{'|'.join(sorted(map(re.escape, RUNS_CODE), key=len, reverse=True))})(?![\w'!?₀-₉])"
    r"|#\w*eval\w*!?|#html\w*|#widget\w*|#exit\w*|\beval%|\bbuiltin_\w+"
    r"|\b[\w.]*(?:_elab|_parser|_macro|_delab|_formatter|_unexpander)\b"
)
_ATTRIBUTES: Final = re.compile(r"(?:@\[|(?<!\w)attribute\s*\[)([^\]]*)(\]|$)")
_HARMLESS_ATTRIBUTES: Final = frozenset(
    (
        *("simp", "norm_num", "ext", "refl", "symm", "trans", "gcongr", "positivity", "aesop", "reducible"),
        *("irreducible", "semireducible", "inline", "norm_cast", "push_cast", "mono", "field_simps", "grind"),
        *("local", "scoped", "instance", "measurability", "continuity", "fun_prop", "elab_as_elim", "coe"),
    )
)
_OPTION: Final = re.compile(r"(?<!\w)set_option\s+(\S+)")
_HARMLESS_OPTIONS: Final = re.compile(
    r"maxHeartbeats|maxRecDepth|autoImplicit|relaxedAutoImplicit|(?:synthInstance|linter|pp|exponentiation"
    r"|tactic|profiler|trace)(?:\.\w+)+|warn\.sorry"
)
_IMPORT: Final = re.compile(r"^(?:public[ \t]+)?import[ \t]+\S+[ \t]*$\n?|^prelude[ \t]*$\n?", re.MULTILINE)


_MARKS: Final = re.compile(
    r"/-|--[^\n]*|r(#*)\".*?\"\1|\"(?:[^\"\\]|\\.)*\""
    r"|(?<![\w'!?])'(?:[^'\\\n]|\\.[^'\n]*)'",
    re.DOTALL,
)
"""Comments, raw strings, strings and characters."""
_SCOPE: Final = re.compile(rf"^(namespace|(?:noncomputable\s+)?section|end)\b[ \t]*({_NAME})?", re.MULTILINE)


class Statement(NamedTuple):
    """``head`` runs from the keyword to the end of the type, without ``:=``; ``name`` is the one in it."""

    name: str
    head: str

    def as_axiom(self, name: str) -> str:
        """The same binders and type, declared under another name."""
        return f"axiom {name}{self.head[_STATEMENT.match(self.head).end(1) :]}"  # type: ignore[union-attr]


def without_comments(text: str) -> str:
    """``text`` with each comment replaced by a space. Comments nest; strings and characters hide what looks
    like one."""
    kept: list[str] = []
    place = 0
    while (mark := _MARKS.search(text, place)) is not None:
        kept.append(text[place : mark.start()])
        if mark[0] == "/-":
            place = _comment_end(text, mark.end())
            kept.append(" ")
        elif mark[0].startswith("--"):
            place = mark.end()
        else:
            kept.append(mark[0])
            place = mark.end()
    kept.append(text[place:])
    return "".join(kept)


def _comment_end(text: str, start: int) -> int:
    depth = 1
    for mark in re.compile(r"/-|-/").finditer(text, start):
        depth += 1 if mark[0] == "/-" else -1
        if depth == 0:
            return mark.end()
    return len(text)


def forbidden(bare: str) -> str | None:
    """What in ``bare``, a reply without its comments, keeps it from being checked, in words; ``None`` if
    nothing does."""
    found = _FORBIDDEN.search(bare)
    if found is not None:
        return f"it uses `{found[0]}`, which runs code or changes the syntax while the proof is checked"
    for attributes in _ATTRIBUTES.finditer(bare):
        for one in attributes[1].split(","):
            names = re.findall(r"[\w.]+", one.replace("↓", " ").replace("←", " "))
            if not names or not attributes[2] or not set(_bare_names(names)) <= _HARMLESS_ATTRIBUTES:
                return f"it sets the attribute [{one.strip()}], which may run code while the proof is checked"
    for option in _OPTION.finditer(bare):
        if _HARMLESS_OPTIONS.fullmatch(option[1]) is None:
            return f"it sets the option {option[1]}"
    return None


def _bare_names(names: list[str]) -> list[str]:
    """The attribute of ``[local simp 1000]`` and the like: its words up to the first that is known not to
    modify it."""
    head = [name for name in names if name in ("local", "scoped")]
    rest = [name for name in names if name not in ("local", "scoped")]
    return head + rest[:1]


def split_statement(text: str) -> tuple[str, Statement] | None:
    """What stands before the last theorem of ``text``, and its head; ``None`` without one."""
    bare = without_comments(text)
    found = list(_STATEMENT.finditer(bare))
    if not found:
        return None
    last = found[-1]
    head = _head(bare[last.start() :].strip())
    return bare[: last.start()].strip(), Statement(last[1], head)


def _head(text: str) -> str:
    """The theorem up to the ``:=`` that opens its proof: the first that stands in no bracket and belongs to
    no ``let`` or ``have``."""
    depth, lets = 0, 0
    for mark in re.finditer(r"[(\[{⟨⦃]|[)\]}⟩⦄]|:=|\b(?:let|have|letI|haveI)\b", text):
        if mark[0] in "([{⟨⦃":
            depth += 1
        elif mark[0] in ")]}⟩⦄":
            depth -= 1
        elif mark[0] != ":=":
            lets += depth == 0
        elif depth == 0:
            if lets == 0:
                return text[: mark.start()].rstrip()
            lets -= 1
    return re.sub(r":=\s*(?:by)?\s*$", "", text).rstrip()


def states(text: str, name: str) -> bool:
    """Whether ``text`` declares ``name`` itself, as whatever."""
    return any(found[1] == name for found in _NAMED.finditer(without_comments(text)))


def declares(preamble: str) -> bool:
    """Whether ``preamble`` declares something, so that two copies of it cannot be imported together."""
    return _DECLARATION.search(without_comments(preamble)) is not None


def header_and_rest(text: str) -> tuple[str, str]:
    """The lines that import, and the others."""
    bare = without_comments(text)
    return "".join(f"{found[0].strip()}\n" for found in _IMPORT.finditer(bare)), _IMPORT.sub("", bare)


def settings_of(preamble: str) -> str:
    """The commands of ``preamble`` that declare nothing: what it opens, its variables and options."""
    chunks = re.split(r"^(?=\S)", preamble, flags=re.MULTILINE)
    return "".join(chunk for chunk in chunks if not _DECLARATION.match(chunk))


def namespace_of(preamble: str) -> str:
    """The namespace that is open where ``preamble`` ends, with its final dot; empty for the root."""
    opened: list[str] = []
    for found in _SCOPE.finditer(without_comments(preamble)):
        if found[1] == "end":
            opened = opened[:-1]
        else:
            opened.append(f"{found[2]}." if found[1] == "namespace" else "")
    return "".join(opened)


def join(preamble: str, statement: Statement, reply: str) -> str:
    """A file in which ``reply``, without comments, proves ``statement``, however much of it the reply
    repeats."""
    header, settings = header_and_rest(preamble)
    _, body = header_and_rest(reply)
    if not states(body, statement.name) and not _begins_with_declaration(body):
        body = f"{statement.head} := {_proof(body)}"
    return f"{header}\n{settings.strip()}\n\n{body.strip()}\n"


def _begins_with_declaration(body: str) -> bool:
    """Whether a reply that does not name our theorem states others, rather than going on with a proof."""
    first = _NAMED.search(body)
    return first is not None and all(
        _COMMAND.match(line) or not line.strip() for line in body[: first.start()].split("\n")
    )


def _proof(text: str) -> str:
    """What follows ``:=``: ``text`` as a block of tactics unless it is a term of its own."""
    text = text.strip("\n").rstrip()
    found = re.match(r"\s*:=\s*", text)
    if found is not None:
        text = text[found.end() :]
    if found is not None and not re.match(r"\s*by\b", text):
        return text
    if re.match(r"\s*by\b", text):
        return _up_to_next_command(text.lstrip())
    lines = _up_to_next_command(text).split("\n")
    if lines[0][:1] not in (" ", "\t"):
        lines = [f"  {line}" for line in lines]
    return "by\n" + "\n".join(lines)


def _up_to_next_command(text: str) -> str:
    """A base model goes on with the next theorem."""
    lines = text.split("\n")
    for place, line in enumerate(lines[1:], start=1):
        if _COMMAND.match(line):
            return "\n".join(lines[:place])
    return text


def axioms_of(preamble: str) -> frozenset[str]:
    """The full names of the axioms that ``preamble`` declares."""
    bare = without_comments(preamble)
    declared = re.finditer(rf"^axiom\s+({_NAME})", bare, re.MULTILINE)
    return frozenset(namespace_of(bare[: found.start()]) + found[1] for found in declared)


def finished_part(text: str, *, cut_off: bool) -> str | None:
    """A reply without a block, up to where talk begins: a line at the margin, after an empty one, that is no
    Lean. One that was ``cut_off`` has finished only what stands before its last command; ``None`` if that is
    nothing."""
    lines = text.split("\n")
    for place in range(2, len(lines)):
        line = lines[place]
        at_margin = line[:1].isalpha() or line[:1] in "*#`"
        if at_margin and not lines[place - 1].strip() and not _COMMAND.match(line):
            return "\n".join(lines[:place])
    if not cut_off:
        return text
    commands = [place for place, line in enumerate(lines) if place > 0 and _COMMAND.match(line)]
    return "\n".join(lines[: commands[-1]]) if commands else None


def looks_like_lean(text: str) -> bool:
    return bool(re.search(r":=\s*by\b|^\s*(?:theorem|lemma|import Mathlib)\b", text, re.MULTILINE))

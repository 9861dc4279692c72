"""Rocq's word on a proof, through ``coqc``.

Exit status 0 shows nothing: ``Admitted`` and a declared axiom pass with it, and so does a file that closes
our theorem and proves another of the same name. Three files are compiled, each in a box of its own:

    Claim.v   our statement, admitted, and its type under the name ``claim``; nothing of the reply is near
    Reply.v   the reply
    Check.v   requires both, says ``Definition checked : Claim.claim := Reply.NAME``, prints its assumptions

Our statement is a term of the kernel before the reply is loaded, so no notation, scope, coercion or shadowed
name in the reply can change what it means; nothing of the reply is imported, so nothing in it can change what
the three lines of Check.v mean; and nothing of it runs there, so what is printed is Rocq's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from verifiers.proofs import rocq_text
from verifiers.proofs.bench import INSIDE, Box, Call, Outcome
from verifiers.proofs.rocq_text import Statement
from verifiers.proofs.verdict import ProofVerdict, no_end, short, verdict
from verifiers.sandbox import RunResult

CHECKER: Final = "rocq"
_PREFIX: Final = "Monkeys"
CLOSED: Final = "Closed under the global context"

ALLOWED: Final = frozenset(
    (
        "ClassicalDedekindReals.sig_forall_dec",
        "ClassicalDedekindReals.sig_not_dec",
        "Classical_Prop.classic",
        "ClassicalEpsilon.constructive_indefinite_description",
        "IndefiniteDescription.constructive_indefinite_description",
        "Description.constructive_definite_description",
        "Epsilon.epsilon_statement",
        "ClassicalUniqueChoice.dependent_unique_choice",
        "RelationalChoice.relational_choice",
        "FunctionalExtensionality.functional_extensionality_dep",
        "PropExtensionality.propositional_extensionality",
        "ProofIrrelevance.proof_irrelevance",
        "Eqdep.Eq_rect_eq.eq_rect_eq",
        "JMeq.JMeq_eq",
    )
)
"""The axioms of the standard library: classical logic, choice, extensionality, irrelevance."""
_PRIMITIVE: Final = re.compile(
    r"(?:PrimInt63|Uint63|Uint63Axioms|Sint63|Sint63Axioms|CarryType|PrimFloat|FloatAxioms|FloatOps|PrimArray"
    r"|PArray|PString|PrimString|PrimStringAxioms)\.[\w']+"
)
"""The kernel's machine numbers and arrays, and what the standard library states of them."""


@dataclass(frozen=True, slots=True)
class RocqTools:
    """``command`` compiles the file that follows it; ``binds`` and ``environment`` are what it needs."""

    command: tuple[str, ...]
    version: str
    binds: tuple[tuple[str, str], ...] = ()
    environment: Mapping[str, str] | None = None
    findlib: bytes | None = None
    """The configuration by which it finds its own plugins; the box has no ``/etc``."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """``files`` stand beside whatever is compiled with this statement; ``preamble`` opens the reply."""

    files: Mapping[str, bytes]
    preamble: str


class RocqChecker:
    """Judges proofs in ``box``, ``seconds`` and ``memory_mb`` for each of the two runs that one takes."""

    def __init__(self, box: Box, tools: RocqTools, *, seconds: float, memory_mb: int) -> None:
        self._box = box
        self._tools = tools
        self._seconds = seconds
        self._memory_mb = memory_mb
        self._claims: dict[tuple[str, str], _Claim] = {}

    async def judge(self, reply: str, *, preamble: str, statement: Statement) -> ProofVerdict:
        """Whether ``reply``, Rocq text, proves ``statement`` after ``preamble``. Raises ``NoSandbox``."""
        claim = await self._claim(preamble, statement)
        if isinstance(claim, ProofVerdict):
            return claim
        source = rocq_text.join(claim.preamble, statement, reply)
        before = {name: text for name, text in claim.files.items() if not name.startswith("Claim")}
        compiled = await self._compile("Reply", source, before)
        ended = self._no_end(compiled.run)
        if ended is not None:
            return verdict(CHECKER, "undecided", ended, [compiled.run])
        if compiled.run.status == "output":
            return verdict(CHECKER, "wrong", "the reply prints more than is kept", [compiled.run])
        if compiled.made is None or compiled.run.exit_code != 0:
            return verdict(CHECKER, "wrong", _complaint(compiled.run, source), [compiled.run])
        lines = (
            f"Require {_PREFIX}.Claim.",
            f"Require {_PREFIX}.Reply.",
            f"Definition checked : {_PREFIX}.Claim.claim := {_PREFIX}.Reply.{statement.name}.",
            "Print Assumptions checked.",
        )
        files = {**claim.files, "Reply.vo": compiled.made}
        checked = await self._compile("Check", "\n".join(lines) + "\n", files)
        shared = "Context.vo" in claim.files
        return self._conclusion(statement, [compiled.run, checked.run], shared=shared)

    async def _claim(self, preamble: str, statement: Statement) -> _Claim | ProofVerdict:
        """Our statement, compiled once; a verdict where it does not compile, which is no fault of a reply."""
        key = (preamble, statement.text)
        if key not in self._claims:
            files: dict[str, bytes] = {}
            if rocq_text.is_generative(preamble):
                context = await self._compile("Context", rocq_text.exporting(preamble), {})
                if (unusable := self._unusable(context, preamble)) is not None:
                    return unusable
                files["Context.vo"] = context.made or b""
                preamble = f"Require Export {_PREFIX}.Context.\n{rocq_text.settings_of(preamble)}"
            source = (
                f"{preamble}\n\n{statement.text}\nProof. Admitted.\n"
                f"Definition claim := ltac:(let it := type of {statement.name} in exact it).\n"
            )
            compiled = await self._compile("Claim", source, files)
            if (unusable := self._unusable(compiled, source)) is not None:
                return unusable
            files["Claim.vo"] = compiled.made or b""
            self._claims[key] = _Claim(files, preamble)
        return self._claims[key]

    def _unusable(self, outcome: Outcome, source: str) -> ProofVerdict | None:
        ended = self._no_end(outcome.run)
        if ended is None and outcome.run.exit_code == 0 and outcome.made is not None:
            return None
        why = ended or f"the statement itself does not check: {_complaint(outcome.run, source)}"
        return verdict(CHECKER, "undecided", why, [outcome.run])

    async def _compile(self, name: str, source: str, beside: Mapping[str, bytes]) -> Outcome:
        tools = self._tools
        files = {**beside, f"{name}.v": source.encode()}
        environment = {"HOME": INSIDE, **(tools.environment or {})}
        if tools.findlib is not None:
            files["findlib.conf"] = tools.findlib
            environment["OCAMLFIND_CONF"] = f"{INSIDE}/findlib.conf"
        argv = (*tools.command, "-q", "-w", "none", "-Q", ".", _PREFIX, f"{name}.v")
        call = Call(argv, tools.binds, environment, self._seconds, self._memory_mb)
        return await self._box.run(call, files, f"{name}.vo")

    def _conclusion(self, statement: Statement, runs: list[RunResult], *, shared: bool) -> ProofVerdict:
        checked = runs[-1]
        ended = self._no_end(checked)
        if ended is not None:
            return verdict(CHECKER, "undecided", ended, runs)
        if checked.exit_code != 0 or checked.status != "exited":
            return verdict(CHECKER, "wrong", _not_ours(checked, statement), runs)
        assumed = assumptions(checked.stdout_text)
        if assumed is None:
            return verdict(CHECKER, "undecided", "Rocq did not say what the proof assumes", runs)
        refused = [name for name in assumed if not is_allowed(name, shared=shared)]
        if refused:
            return verdict(CHECKER, "wrong", _refusal(refused, statement), runs)
        rests = f", from {', '.join(assumed)}" if assumed else ""
        return verdict(CHECKER, "right", f"Rocq accepts the proof{rests}", runs)

    def _no_end(self, run: RunResult) -> str | None:
        return no_end(run, self._seconds, self._memory_mb)


def assumptions(printed: str) -> list[str] | None:
    """What ``Print Assumptions`` printed, an entry for each: a name, or a sentence such as "f is assumed to
    be guarded." ``None`` if this is not such a list.

    An entry starts at the margin and goes on indented. Text that a stranger's axiom puts at the margin can
    only add to the list.
    """
    lines = printed.strip("\n").split("\n")
    if lines == [CLOSED]:
        return []
    if lines[0].strip() != "Axioms:" or len(lines) < 2:
        return None
    entries: list[str] = []
    for line in lines[1:]:
        if line[:1].isspace() and entries:
            entries[-1] = f"{entries[-1]} {line.strip()}"
        elif line.strip():
            entries.append(line.strip())
    return [re.split(r"\s+:(?=\s|$)", entry)[0] for entry in entries]


def is_allowed(name: str, *, shared: bool = False) -> bool:
    """Whether a proof may rest on what is printed as ``name``: what the standard library itself assumes, or,
    where the problem's preamble is ``shared`` as a file of its own, what that declares."""
    if re.fullmatch(r"[\w'.]+", name) is None:
        return False
    if shared and name.startswith("Context."):
        return True
    return name in ALLOWED or _PRIMITIVE.fullmatch(name) is not None


def _refusal(refused: list[str], statement: Statement) -> str:
    if refused[0] == f"Reply.{statement.name}":
        return "the proof is left open: the theorem was admitted or declared, not proved"
    named = ", ".join(short(_plain(name), 80) for name in refused[:4])
    if " is assumed " in refused[0] or " relies on " in refused[0]:
        return f"the proof switches off a check of Rocq's: {named}"
    own = "its own axiom " if refused[0].startswith("Reply.") else ""
    return f"the proof rests on {own}{named}, which is not proved"


def _plain(name: str) -> str:
    return name.removeprefix("Reply.").rstrip(".")


_PLACE: Final = re.compile(r'File "[^"\n]*", line (\d+), characters (\d+)-(\d+):\n?')


def _not_ours(run: RunResult, statement: Statement) -> str:
    said = run.stdout_text
    if "was not found" in said:
        return f"the reply does not prove {statement.name}"
    if "has type" in said or "while it is expected" in said:
        return f"the reply proves another statement under the name {statement.name}"
    return f"the reply's proof cannot be used: {_error(said)}"


def _error(said: str) -> str:
    place = _PLACE.search(said)
    text = said[place.end() :] if place is not None else said
    return short(text.replace("Error:", " ", 1), 240) or "it gave no reason"


def _complaint(run: RunResult, source: str) -> str:
    """Rocq's first complaint, with the words it complains about."""
    said = run.stdout_text
    found = _PLACE.search(said)
    at = ""
    if found is not None:
        lines = source.encode().split(b"\n")
        number, start = int(found[1]) - 1, int(found[2])
        if number < len(lines):
            at = f" at `{short(lines[number][start:].decode(errors='replace'), 60)}`"
    return f"{_error(said)}{at}"

"""Lean 4's word on a proof.

Exit status 0 shows nothing: ``sorry`` is a warning, and a file may state an axiom, or close our theorem's
namespace and prove another of the same name. Three files are elaborated, each in a box of its own:

    Claim   our statement, as an axiom of a name that nobody can guess; nothing of the reply is near
    Reply   the reply, without its comments
    Check   imports both, states a theorem of the claim's type whose proof is the reply's, prints its axioms

The claim is a term of the kernel before the reply is imported, so nothing in the reply can change what it
means. A Lean module brings its macros and initialisers to whoever imports it, so a reply that could hold any
is refused before (``lean_text.forbidden``). Messages are read as JSON, where no text can pass for another.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from verifiers.proofs import lean_text
from verifiers.proofs.bench import INSIDE, Box, Call, Outcome
from verifiers.proofs.lean_text import Statement
from verifiers.proofs.verdict import ProofVerdict, no_end, short
from verifiers.proofs.verdict import verdict as judged
from verifiers.sandbox import RunResult
from verifiers.verdicts import Verdict

CHECKER: Final = "lean"
ALLOWED: Final = frozenset(("propext", "Classical.choice", "Quot.sound"))
"""Lean's three axioms; every theorem of Mathlib rests on no others."""
_COMPILED: Final = re.compile(r"Lean\.(?:ofReduceBool|ofReduceNat|trustCompiler)|.*native_?[dD]ecide.*")


@dataclass(frozen=True, slots=True)
class LeanTools:
    """``command`` starts Lean inside the box, whose ``binds`` bring it there; ``search_path`` holds the
    folders, inside, of compiled libraries. ``mathlib`` is the version of Mathlib among them."""

    command: tuple[str, ...]
    version: str
    binds: tuple[tuple[str, str], ...] = ()
    search_path: tuple[str, ...] = ()
    mathlib: str | None = None


@dataclass(frozen=True, slots=True)
class _Claim:
    """``axiom`` is the full name of our statement in ``files``; ``preamble`` opens the reply's file."""

    axiom: str
    module: str
    files: Mapping[str, bytes]
    preamble: str


class LeanChecker:
    """Judges proofs in ``box``, ``seconds`` and ``memory_mb`` for each of the two runs that one takes."""

    def __init__(self, box: Box, tools: LeanTools, *, seconds: float, memory_mb: int) -> None:
        self._box = box
        self._tools = tools
        self._seconds = seconds
        self._memory_mb = memory_mb
        self._claims: dict[tuple[str, str], _Claim] = {}

    async def judge(self, reply: str, *, preamble: str, statement: Statement) -> ProofVerdict:
        """Whether ``reply``, Lean text, proves ``statement`` after ``preamble``. Raises ``NoSandbox``."""
        bare = lean_text.without_comments(reply)
        refused = lean_text.forbidden(bare)
        if refused is not None:
            return _verdict("wrong", f"the reply is not checked: {refused}", [])
        claim = await self._claim(preamble, statement)
        if isinstance(claim, ProofVerdict):
            return claim
        source = lean_text.join(claim.preamble, statement, bare)
        module = f"Reply{secrets.token_hex(8)}"
        before = {name: text for name, text in claim.files.items() if not name.startswith(claim.module)}
        elaborated = await self._elaborate(module, source, before)
        if (ended := self._no_end(elaborated.run)) is not None:
            return _verdict("undecided", ended, [elaborated.run])
        if elaborated.run.status == "output":
            return _verdict("wrong", "the reply prints more than is kept", [elaborated.run])
        if elaborated.made is None or elaborated.run.exit_code != 0:
            return _verdict("wrong", _complaint(elaborated.run, source), [elaborated.run])
        theorem = f"checked{secrets.token_hex(8)}"
        proof = f"_root_.{lean_text.namespace_of(claim.preamble)}{statement.name}"
        lines = (
            *(["prelude"] if re.search(r"^prelude\b", preamble, re.MULTILINE) else []),
            f"import {claim.module}",
            f"import {module}",
            f"theorem {theorem} : type_of% @_root_.{claim.axiom} := @{proof}",
            f"#print axioms {theorem}",
        )
        files = {**claim.files, f"{module}.olean": elaborated.made}
        checked = await self._elaborate("Check", "\n".join(lines) + "\n", files)
        allowed = ALLOWED | lean_text.axioms_of(preamble)
        return self._conclusion(theorem, statement, allowed, [elaborated.run, checked.run])

    async def _claim(self, preamble: str, statement: Statement) -> _Claim | ProofVerdict:
        """Our statement, elaborated once; a verdict where it does not elaborate, which is no fault of a
        reply."""
        key = (preamble, statement.head)
        if key not in self._claims:
            files: dict[str, bytes] = {}
            if lean_text.declares(preamble):
                context = f"Context{secrets.token_hex(8)}"
                shared = await self._elaborate(context, preamble, {})
                if (unusable := self._unusable(shared, preamble)) is not None:
                    return unusable
                files[f"{context}.olean"] = shared.made or b""
                header, rest = lean_text.header_and_rest(preamble)
                preamble = f"{header}import {context}\n{lean_text.settings_of(rest)}"
            name, module = f"claim{secrets.token_hex(8)}", f"Claim{secrets.token_hex(8)}"
            source = f"{preamble}\n\n{statement.as_axiom(name)}\n"
            elaborated = await self._elaborate(module, source, files)
            if (unusable := self._unusable(elaborated, source)) is not None:
                return unusable
            files[f"{module}.olean"] = elaborated.made or b""
            full = lean_text.namespace_of(preamble) + name
            self._claims[key] = _Claim(full, module, files, preamble)
        return self._claims[key]

    def _unusable(self, outcome: Outcome, source: str) -> ProofVerdict | None:
        ended = self._no_end(outcome.run)
        if ended is None and outcome.run.exit_code == 0 and outcome.made is not None:
            return None
        why = ended or f"the statement itself does not check: {_complaint(outcome.run, source)}"
        if ended is None and "unknown module prefix 'Mathlib'" in outcome.run.stdout_text:
            why = "the statement needs Mathlib: set lean_project to a lake project that has it"
        return _verdict("undecided", why, [outcome.run])

    async def _elaborate(self, module: str, source: str, beside: Mapping[str, bytes]) -> Outcome:
        tools = self._tools
        files = {**beside, f"{module}.lean": source.encode()}
        environment = {
            "HOME": INSIDE,
            "LEAN_PATH": ":".join((*tools.search_path, INSIDE)),
            "LEAN_NUM_THREADS": "2",
        }
        argv = (*tools.command, "--json", "-o", f"{module}.olean", f"{module}.lean")
        call = Call(argv, tools.binds, environment, self._seconds, self._memory_mb)
        return await self._box.run(call, files, f"{module}.olean")

    def _conclusion(
        self, theorem: str, statement: Statement, allowed: frozenset[str], runs: list[RunResult]
    ) -> ProofVerdict:
        checked = runs[-1]
        if (ended := self._no_end(checked)) is not None:
            return _verdict("undecided", ended, runs)
        if checked.exit_code != 0 or checked.status != "exited":
            return _verdict("wrong", _not_ours(checked, statement), runs)
        assumed = axioms(checked.stdout_text, theorem)
        if assumed is None:
            return _verdict("undecided", "Lean did not say which axioms the proof uses", runs)
        refused = [name for name in assumed if name not in allowed]
        if refused:
            return _verdict("wrong", _refusal(refused), runs)
        rests = f", from {', '.join(assumed)}" if assumed else ""
        return _verdict("right", f"Lean accepts the proof{rests}", runs)

    def _no_end(self, run: RunResult) -> str | None:
        return no_end(run, self._seconds, self._memory_mb)


def _verdict(decided: Verdict, reason: str, runs: list[RunResult]) -> ProofVerdict:
    said = "\n".join(str(one.get("data", "")) for run in runs[-1:] for one in messages(run.stdout_text))
    return judged(CHECKER, decided, reason, runs, said)


def messages(printed: str) -> list[dict[str, Any]]:
    """Lean's messages, a JSON object a line; a line that is none counts as an error."""
    found: list[dict[str, Any]] = []
    for line in printed.splitlines():
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if line.strip():
            found.append(message if isinstance(message, dict) else {"severity": "error", "data": line})
    return found


def axioms(printed: str, theorem: str) -> list[str] | None:
    """What ``#print axioms`` says of ``theorem``, which must be all that was said but for warnings; ``None``
    if it is not."""
    said = [one for one in messages(printed) if one.get("severity") != "warning"]
    if len(said) != 1 or said[0].get("severity") != "information":
        return None
    text = " ".join(str(said[0].get("data", "")).split())
    if text == f"'{theorem}' does not depend on any axioms":
        return []
    found = re.fullmatch(rf"'{re.escape(theorem)}' depends on axioms: \[(.+)\]", text)
    return [name.strip() for name in found[1].split(",")] if found is not None else None


def _refusal(refused: list[str]) -> str:
    if "sorryAx" in refused:
        return "the proof is left open: it uses sorry"
    named = ", ".join(short(name, 80) for name in refused[:4])
    if all(_COMPILED.fullmatch(name) for name in refused):
        return f"the proof trusts compiled code (native_decide): {named}"
    return f"the proof rests on the axiom {named}, which is not proved"


def _not_ours(run: RunResult, statement: Statement) -> str:
    said = "\n".join(str(one.get("data", "")) for one in messages(run.stdout_text))
    if re.search(r"unknown (?:identifier|constant)", said, re.IGNORECASE):
        return f"the reply does not prove {statement.name}"
    if re.search(r"type mismatch", said, re.IGNORECASE):
        return f"the reply proves another statement under the name {statement.name}"
    return f"the reply's proof cannot be used: {short(said, 240)}"


def _complaint(run: RunResult, source: str) -> str:
    """Lean's first error, with the line it stands in."""
    error = next((one for one in messages(run.stdout_text) if one.get("severity") == "error"), None)
    if error is None:
        return short(run.stdout_text, 240) or f"Lean ended with status {run.exit_code}"
    place = error.get("pos")
    lines = source.split("\n")
    number = place.get("line", 0) - 1 if isinstance(place, dict) else -1
    at = f" at `{short(lines[number].strip(), 60)}`" if 0 <= number < len(lines) else ""
    return f"{short(str(error.get('data', '')), 240)}{at}"

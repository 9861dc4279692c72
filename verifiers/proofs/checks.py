"""A verdict on a reply to a proof problem: its proof, checked by Lean or Rocq against our own statement.

Wrong is what the checker refuses, what rests on an axiom that is not allowed, and what proves something else.
Undecided is what the checker could not settle: time, memory, a statement that does not check by itself.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, NoReturn, TypeAlias

from verifiers.blocks import find_proof, proof_blocks
from verifiers.proofs import lean_text, rocq_text
from verifiers.proofs.bench import Box
from verifiers.proofs.lean import LeanChecker, LeanTools
from verifiers.proofs.rocq import RocqChecker, RocqTools
from verifiers.proofs.tools import find_lean, find_rocq
from verifiers.proofs.verdict import ProofVerdict, verdict

Language: TypeAlias = Literal["lean4", "rocq"]

SECONDS: Final = 120.0
"""What one run of a checker may take. Loading Mathlib from a cold disk takes a good part of it."""
LEAN_MEMORY_MB: Final = 8_192
"""What all processes of one run may hold. Where only addresses can be limited, the box allows twice as many:
Lean maps Mathlib's compiled files, some 6 GB, beside what it needs for itself."""
ROCQ_MEMORY_MB: Final = 2_048


class ProofChecker:
    """Judges replies to proof problems in ``box``, ``at_once`` at the same time.

    ``lean_project`` is the user's lake project; ``seconds`` bounds each run of a checker. ``rocq`` and
    ``lean`` find the checkers, when the first proof in their language comes."""

    def __init__(
        self,
        box: Box,
        *,
        lean_project: Path | None = None,
        seconds: float = SECONDS,
        at_once: int | None = None,
        rocq: Callable[[], RocqTools] = find_rocq,
        lean: Callable[[Path | None], LeanTools] = find_lean,
    ) -> None:
        self._box = box
        self._project = lean_project
        self._seconds = seconds
        self._room = asyncio.Semaphore(at_once or max(1, (os.cpu_count() or 2) - 1))
        self._finding = asyncio.Lock()
        self._find_rocq, self._find_lean = rocq, lean
        self._rocq: RocqChecker | None = None
        self._lean: tuple[LeanChecker, LeanTools] | None = None

    async def judge(
        self,
        reply: str,
        *,
        language: Language,
        statement: str,
        preamble: str | None = None,
        cut_off: bool = False,
    ) -> ProofVerdict:
        """The verdict on ``reply`` as a proof of ``statement``, one theorem without its proof, after
        ``preamble``. ``cut_off`` says that the reply ended at its token limit.

        Raises ``NoProver`` or ``NoSandbox`` where this machine lacks what it takes."""
        checker = "lean" if language == "lean4" else "rocq"
        split = lean_text.split_statement if language == "lean4" else rocq_text.split_statement
        found = split(statement)
        if found is None:
            return verdict(checker, "undecided", "the problem states no theorem by name", [])
        texts = proof_texts(reply, language, found[1].name, cut_off=cut_off)
        if not texts:
            why = "the reply was cut off" if cut_off else "the reply holds no proof"
            return verdict(checker, "wrong", why, [])
        if (other := _other_language(texts[0], language)) is not None:
            return verdict(checker, "wrong", other, [])
        async with self._room:
            first: ProofVerdict | None = None
            for text in texts:
                judged = await self._one(text, statement, preamble, language)
                if judged.judgement.verdict != "wrong":
                    return judged
                first = first or judged
        assert first is not None  # noqa: S101  there is at least one text
        return first

    async def _one(self, text: str, statement: str, preamble: str | None, language: Language) -> ProofVerdict:
        if language == "rocq":
            before, stated = rocq_text.split_statement(statement) or _impossible()
            checker = await self._rocq_checker()
            return await checker.judge(text, preamble=_joined(preamble, before), statement=stated)
        before, claimed = lean_text.split_statement(statement) or _impossible()
        lean, tools = await self._lean_checker()
        if preamble is None and "import " not in before and tools.mathlib is not None:
            preamble = lean_text.DEFAULT_PREAMBLE
        return await lean.judge(text, preamble=_joined(preamble, before), statement=claimed)

    async def _rocq_checker(self) -> RocqChecker:
        async with self._finding:
            if self._rocq is None:
                tools = await asyncio.to_thread(self._find_rocq)
                self._rocq = RocqChecker(self._box, tools, seconds=self._seconds, memory_mb=ROCQ_MEMORY_MB)
            return self._rocq

    async def _lean_checker(self) -> tuple[LeanChecker, LeanTools]:
        async with self._finding:
            if self._lean is None:
                tools = await asyncio.to_thread(self._find_lean, self._project)
                checker = LeanChecker(self._box, tools, seconds=self._seconds, memory_mb=LEAN_MEMORY_MB)
                self._lean = checker, tools
            return self._lean


def proof_texts(reply: str, language: Language, name: str, *, cut_off: bool) -> tuple[str, ...]:
    """The proofs that ``reply`` may mean, the likeliest first: the last block that proves ``name``, else the
    last block; then all blocks together, since lemmas may stand in blocks of their own."""
    thought = reply.rfind("</think>")
    reply = reply[thought + len("</think>") :] if thought >= 0 else reply
    blocks = [block.text for block in proof_blocks(reply, cut_off=cut_off)]
    if not blocks:
        return _bare(reply, language, cut_off=cut_off)
    states = lean_text.states if language == "lean4" else rocq_text.states
    best = next((text for text in reversed(blocks) if states(text, name)), blocks[-1])
    return tuple(dict.fromkeys((best, "\n".join(blocks))))


def _bare(reply: str, language: Language, *, cut_off: bool) -> tuple[str, ...]:
    """The proof in a reply without blocks, as base models write it: they go on after it until they are cut
    off."""
    if "```" in reply:
        return ()  # a block that was cut off
    if language == "rocq":
        part = rocq_text.finished_part(reply) or (None if cut_off else reply)
    else:
        part = lean_text.finished_part(reply, cut_off=cut_off)
    found = find_proof(part, cut_off=False) if part is not None else None
    return (found.text,) if found is not None else ()


def _other_language(text: str, language: Language) -> str | None:
    is_lean, is_rocq = lean_text.looks_like_lean(text), rocq_text.looks_like_rocq(text)
    if language == "rocq" and is_lean and not is_rocq:
        return "the reply is a proof in Lean, and the problem asks for Rocq"
    if language == "lean4" and is_rocq and not is_lean:
        return "the reply is a proof in Rocq, and the problem asks for Lean"
    return None


def _joined(preamble: str | None, before: str) -> str:
    return "\n\n".join(part.strip() for part in (preamble, before) if part and part.strip())


def _impossible() -> NoReturn:
    raise AssertionError("the statement was split before")

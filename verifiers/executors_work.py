"""What a worker does with a job: the checker for its kind of problem, in sandboxes of the worker's own.

The same code judges in this process and on a cluster's machines; both are told what to use by ``Means``,
plain data that can be sent there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verifiers.executors import Finding, Job, Missing
from verifiers.verdicts import Judgement

if TYPE_CHECKING:
    from verifiers.code import CodeChecker, CodeVerdict
    from verifiers.proofs.bench import ProcessBox
    from verifiers.proofs.checks import ProofChecker
    from verifiers.proofs.verdict import ProofVerdict
    from verifiers.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Means:
    """``workers`` is how many programs or provers run at a time. ``lean_project`` is a lake project on the
    machine that judges; ``proof_seconds`` bounds each run of a prover."""

    workers: int = 1
    lean_project: str | None = None
    proof_seconds: float = 120.0


class Workbench:
    """Judges jobs. What it needs for a kind of problem is made when the first comes. ``programs`` lends it a
    sandbox that its owner closes; without one it opens and closes its own."""

    def __init__(self, means: Means, *, programs: Callable[[], Sandbox] | None = None) -> None:
        self._means = means
        self._lent = programs
        self._own: Sandbox | None = None
        self._code: CodeChecker | None = None
        self._box: ProcessBox | None = None
        self._proofs: ProofChecker | None = None

    async def judge(self, job: Job) -> Finding:
        """Raises ``Missing``."""
        from verifiers.proofs.verdict import NoProver
        from verifiers.sandbox import NoSandbox

        kind = job.problem.get("kind")
        try:
            if kind == "code":
                return _finding(await self._judge_code(job))
            if kind == "proof":
                return _finding(await self._judge_proof(job))
        except (NoSandbox, NoProver) as error:
            raise Missing(error.message, error.fix) from None
        return Finding(Judgement("undecided", f"problems of kind {kind} are not judged here", "none"))

    async def close(self) -> None:
        if self._own is not None:
            await self._own.close()
        if self._box is not None:
            await self._box.close()
        self._own = self._code = self._box = self._proofs = None

    async def _judge_code(self, job: Job) -> CodeVerdict:
        if self._code is None:
            from verifiers.code import CodeChecker

            self._code = CodeChecker(self._lent() if self._lent is not None else self._sandbox())
        tests = job.problem.get("tests")
        return await self._code.judge(
            job.text,
            prompt=job.problem["prompt"],
            tests=tests if isinstance(tests, Mapping) else {},
            entry_point=job.problem.get("entry_point"),
            cut_off=job.cut_off,
        )

    async def _judge_proof(self, job: Job) -> ProofVerdict:
        if self._proofs is None:
            self._proofs = self._proof_checker()
        problem: Mapping[str, Any] = job.problem
        return await self._proofs.judge(
            job.text,
            language="rocq" if problem.get("language") == "rocq" else "lean4",
            statement=problem.get("statement") or problem["prompt"],
            preamble=problem.get("preamble"),
            cut_off=job.cut_off,
        )

    def _sandbox(self) -> Sandbox:
        from verifiers.sandbox import Sandbox

        self._own = Sandbox(self._means.workers)
        return self._own

    def _proof_checker(self) -> ProofChecker:
        from verifiers.proofs.bench import ProcessBox
        from verifiers.proofs.checks import ProofChecker

        project = self._means.lean_project
        self._box = ProcessBox(self._means.workers)
        return ProofChecker(
            self._box,
            lean_project=Path(os.path.expanduser(project)) if project else None,
            seconds=self._means.proof_seconds,
            at_once=self._means.workers,
        )


def _finding(found: CodeVerdict | ProofVerdict) -> Finding:
    return Finding(found.judgement, found.stdout, found.seconds, found.memory_mb, found.box)

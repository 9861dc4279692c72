"""A verdict on a reply to a code problem: its program, run against the problem's tests in the sandbox.

Wrong is what the tests show to be wrong, or what uses up its time or memory. Undecided is what our own means
could not settle: a box that failed, tests that cannot run or never call the program. Nothing a program
prints, and no exit status, is a proof of anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from verifiers.code.outputs import first_difference
from verifiers.code.readings import readings
from verifiers.code.tests import BadTests, PythonTests, StdioTests, read_tests
from verifiers.safe_text import clean
from verifiers.sandbox import CheckResult, RunResult, Sandbox
from verifiers.suspicion import CHECKER
from verifiers.verdicts import Judgement, Verdict

STDOUT_CHARACTERS: Final = 2000
MEMORY_MB: Final = 512
_REASON_CHARACTERS: Final = 400
_MOST_OUTPUT_BYTES: Final = 2 << 20


@dataclass(frozen=True, slots=True)
class CodeVerdict:
    """``stdout`` is the cleaned beginning of what the program printed; ``seconds`` and ``memory_mb`` are
    those of its run (of all cases, and the highest); ``box`` names the sandbox, "none" where nothing ran.
    ``flaky`` says that repeated runs disagreed."""

    judgement: Judgement
    stdout: str = ""
    seconds: float = 0.0
    memory_mb: float = 0.0
    box: str = "none"
    flaky: bool = False


class CodeChecker:
    """Judges replies to code problems in ``sandbox``. ``repeat_tests`` runs the tests so many times and takes
    the majority, as the repeated-sampling paper does with flaky suites (11 runs)."""

    def __init__(self, sandbox: Sandbox, *, memory_mb: int = MEMORY_MB, repeat_tests: int = 1) -> None:
        self._sandbox = sandbox
        self._memory_mb = memory_mb
        self._repeat = repeat_tests

    async def judge(
        self,
        reply: str,
        *,
        prompt: str,
        tests: Mapping[str, Any],
        entry_point: str | None = None,
        cut_off: bool = False,
    ) -> CodeVerdict:
        """The verdict on ``reply`` to ``prompt`` under ``tests`` (a problem file's object). ``entry_point``
        is the function asked for; ``cut_off`` says that the reply ended at its token limit.

        Raises ``NoSandbox`` where nothing here can hold a program."""
        try:
            known = read_tests(tests)
        except BadTests as error:
            return CodeVerdict(_judgement("undecided", f"the tests cannot be used: {error}"))
        programs = readings(reply, prompt=prompt, entry_point=entry_point, cut_off=cut_off)
        if not programs:
            why = "the reply was cut off" if cut_off else "the reply holds no program"
            return CodeVerdict(_judgement("wrong", why))
        if isinstance(known, PythonTests) and entry_point is None:
            return CodeVerdict(_judgement("undecided", "the problem names no entry_point to test"))
        times = known.repeat or self._repeat
        runs = [await self._once(programs, known, prompt, entry_point or "") for _ in range(times)]
        return _majority(runs)

    async def _once(
        self, programs: tuple[str, ...], tests: PythonTests | StdioTests, prompt: str, entry_point: str
    ) -> CodeVerdict:
        if isinstance(tests, StdioTests):
            return await self._cases(programs, tests)
        result = await self._sandbox.check(
            programs,
            tests.code,
            entry_point=",".join(dict.fromkeys((entry_point, *tests.functions))),
            prelude=prompt,
            seconds=tests.seconds,
            memory=self._memory_mb,
        )
        return _verdict(_python_judgement(result, tests, entry_point, self._memory_mb), [result.candidate])

    async def _cases(self, programs: tuple[str, ...], tests: StdioTests) -> CodeVerdict:
        """Case after case, until one is not right."""
        runs: list[RunResult] = []
        for number, case in enumerate(tests.cases, start=1):
            run = await self._sandbox.run(
                programs,
                stdin=case.given.encode(errors="surrogateescape"),
                seconds=tests.seconds,
                memory=self._memory_mb,
                output_bytes=min(_MOST_OUTPUT_BYTES, max(65536, 2 * len(case.expected.encode()))),
            )
            runs.append(run)
            where = f"case {number} of {len(tests.cases)}"
            if run.status == "box":
                return _verdict(_judgement("undecided", f"{where}: {_box_failure(run)}"), runs)
            ended = _bad_end(run, tests.seconds, self._memory_mb)
            if ended is not None:
                return _verdict(_judgement("wrong", f"{where}: {ended}"), runs)
            difference = first_difference(run.stdout_text, case.expected)
            if difference is not None:
                got, expected = ("nothing" if word is None else _short(word) for word in difference)
                reason = f"{where}: got {got}, expected {expected} (input {_short(case.given)})"
                return _verdict(_judgement("wrong", reason), runs)
        count = len(tests.cases)
        passed = f"passes all {count} cases" if count > 1 else "passes its case"
        return _verdict(_judgement("right", passed), runs)


def _python_judgement(result: CheckResult, tests: PythonTests, entry_point: str, memory_mb: int) -> Judgement:
    candidate, report = result.candidate, result.report
    if candidate.status == "box" or result.checker.status == "box":
        return _judgement(
            "undecided", _box_failure(candidate if candidate.status == "box" else result.checker)
        )
    if report is None:
        ended = _bad_end(result.checker, tests.seconds * 2 + 5, memory_mb) or "they gave no report"
        return _judgement("undecided", f"the tests did not come to an end: {ended}")
    test = f"{report['test']}: " if report.get("test") else ""
    crossed = "; functions were passed between the boxes" if report.get("functions_crossed") else ""
    outcome, case = report.get("outcome"), str(report.get("case", ""))
    if outcome == "passed":
        calls = report.get("calls", 0)
        return _judgement("right", f"passes the tests ({calls} {'call' if calls == 1 else 'calls'}{crossed})")
    if outcome == "no calls":
        return _judgement("undecided", f"the tests never call {entry_point}")
    if outcome == "bad tests":
        return _judgement("undecided", f"the tests cannot run: {report.get('why')}")
    if outcome == "raised":
        return _judgement("wrong", f"{test}{_short(case)} raised {report.get('got')}{crossed}")
    if outcome == "ended":
        ended = _bad_end(candidate, tests.seconds, memory_mb) or "the program ended before it answered"
        return _judgement("wrong", f"{ended} (at {_short(case)})")
    return _judgement("wrong", f"{test}{_failed_case(report, case)}{crossed}")


def _failed_case(report: Mapping[str, Any], case: str) -> str:
    """Which case failed, with what was got and expected."""
    assertion = report.get("assertion")
    if report.get("direct"):
        return f"{_short(case)} gave {_short(report['got'])}, expected {_short(report['expected'])}"
    if assertion is None:
        why = report.get("why")
        return f"fails after {_short(case)}" + (f": {_short(why)}" if why else "")
    sides = f": {_short(report['got'])} against {_short(report['expected'])}" if "got" in report else ""
    return f"fails {_short(assertion)}{sides}, after {_short(case)}"


def _bad_end(run: RunResult, seconds: float, memory_mb: int) -> str | None:
    """Why a program that did not end well ended; ``None`` for exit status 0."""
    if run.status == "time":
        return f"ran out of its {seconds:g} s"
    if run.status == "output":
        return "printed more than is kept"
    if run.status == "threads":
        return "started too many threads"
    if run.status == "crashed":
        return f"the program crashed ({run.signal})"
    if run.exit_code in (0, None):
        return None
    last = run.stderr_text.strip().rsplit("\n", 1)[-1]
    if last.startswith("MemoryError"):
        return f"ran out of its {memory_mb} MB"
    return f"the program failed: {last}" if last else f"the program ended with status {run.exit_code}"


def _box_failure(run: RunResult) -> str:
    return f"the sandbox failed: {run.stderr_text.strip() or 'no reason given'}"


def _short(text: object) -> str:
    line = " ".join(clean(str(text)).split())
    return line if len(line) <= 120 else f"{line[:80]} … {line[-35:]}"


def _judgement(verdict: Verdict, reason: str) -> Judgement:
    line = " ".join(clean(reason).split())
    if len(line) > _REASON_CHARACTERS:
        line = f"{line[:_REASON_CHARACTERS]} …"
    return Judgement(verdict, line, CHECKER)


def _verdict(judgement: Judgement, runs: list[RunResult]) -> CodeVerdict:
    return CodeVerdict(
        judgement,
        stdout=clean(runs[-1].stdout_text[:STDOUT_CHARACTERS]),
        seconds=sum(run.seconds for run in runs),
        memory_mb=max(run.memory_mb for run in runs),
        box=runs[-1].box,
    )


def _majority(runs: list[CodeVerdict]) -> CodeVerdict:
    """The verdict that more than half of the decided runs share; undecided where there is none."""
    if len(runs) == 1:
        return runs[0]
    counts = Counter(run.judgement.verdict for run in runs)
    right, wrong = counts["right"], counts["wrong"]
    verdict: Verdict = "undecided" if right == wrong else "right" if right > wrong else "wrong"
    first = next((run for run in runs if run.judgement.verdict == verdict), runs[0])
    if len(counts) == 1:
        return first
    reason = f"flaky: right in {right} of {len(runs)} runs; {first.judgement.reason}"
    return replace(first, judgement=_judgement(verdict, reason), flaky=True)
